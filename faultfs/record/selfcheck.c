/*
 * The recording is believed only if it explains what is there: the calls, applied
 * to the snapshot, must give the real directory, with what files held when they were synced, and
 * the recorded output must be the bytes that arrived, and every name that the kernel reported must
 * occur in it.
 */
#include "../shim/content.h"
#include "../trace/error.h"
#include "../trace/memory.h"
#include "../trace/tree_walk.h"
#include "names.h"
#include "recording.h"

#include <stdlib.h>
#include <string.h>

static int output_check(const struct recording *recording, struct ff_error *error)
{
    const struct bytes *arrived = &recording->arrived;
    size_t recorded = 0;
    bool same = true;
    for (size_t i = 0; i < recording->trace.call_count; i++) {
        const struct ff_call *call = &recording->trace.calls[i];
        if (call->effect != FF_EFFECT_OUTPUT)
            continue;
        size_t size = call->data.size;
        same = same && recorded + size <= arrived->size &&
               (size == 0 || memcmp(arrived->bytes + recorded, call->data.data, size) == 0);
        recorded += size;
    }
    if (same && recorded == arrived->size)
        return 0;
    return ff_error_set(
        error, "recording unsound: standard output: %zu bytes arrived, %zu were recorded%s",
        arrived->size, recorded, recorded == arrived->size ? " and differ" : "");
}

/* A path of the node, allocated. */
static char *node_path(const struct ff_tree *tree, uint32_t node)
{
    struct tree_walk walk;
    char *path = NULL;
    ff_tree_walk_begin(&walk, tree);
    while (path == NULL && ff_tree_walk_next(&walk) != WALK_END)
        if (walk.node == node)
            path = ff_tree_walk_path(&walk);
    ff_tree_walk_end(&walk);
    return path != NULL ? path : ff_memory_copy("a file without a name", 21);
}

static bool content_is_that(const struct ff_node *node, const struct synced *synced)
{
    struct content_piece piece;
    uint64_t hash = 0;
    if (node == NULL || node->size != synced->content.size)
        return false;
    for (uint64_t i = 0; content_piece(&synced->content, synced->tick, i, &piece); i++)
        hash = content_hash(hash, node->data + piece.offset, piece.size);
    return hash == synced->content.hash;
}

/* After a sync that is call i the replay must hold what the file held then. */
static int synced_check(const struct ff_tree *tree, const struct ff_call *call,
                        const struct synced *synced, struct ff_error *error)
{
    const struct ff_node *node = ff_tree_node(tree, call->node);
    if (content_is_that(node, synced))
        return 0;
    char *path = node_path(tree, call->node);
    ff_error_set(error,
                 "recording unsound: content of %s at its sync, call %zu (%s): %zu bytes "
                 "recorded, really %llu%s; was it changed from outside?",
                 path, synced->call + 1, call->name, node != NULL ? node->size : 0,
                 (unsigned long long)synced->content.size,
                 node != NULL && node->size == synced->content.size ? " that differ" : "");
    free(path);
    return -1;
}

static int replay(const struct recording *recording, struct ff_tree *tree, struct ff_error *error)
{
    size_t next = 0;
    for (size_t i = 0; i < recording->trace.call_count; i++) {
        const struct ff_call *call = &recording->trace.calls[i];
        struct ff_error inner;
        if (ff_tree_apply(tree, call, &inner) != 0)
            return ff_error_set(error, "recording unsound: call %zu, %s", i + 1, inner.text);
        if (next == recording->synced_count || recording->synced[next].call != i)
            continue;
        if (synced_check(tree, call, &recording->synced[next++], error) != 0)
            return -1;
    }
    return 0;
}

static int directory_check(const struct recording *recording, struct ff_error *error)
{
    struct ff_error inner;
    int result = -1;
    struct ff_tree *real = NULL;
    struct ff_tree *tree = ff_tree_from_snapshot(&recording->trace);
    if (replay(recording, tree, error) != 0)
        goto done;
    real = ff_tree_load(recording->root, NULL, NULL, &inner);
    if (real == NULL) {
        ff_error_set(error, "recording unsound: %s", inner.text);
        goto done;
    }
    if (ff_tree_differs(tree, "recorded", real, "really", &inner)) {
        ff_error_set(error, "recording unsound: %s; was it changed from outside?", inner.text);
        goto done;
    }
    result = 0;
done:
    ff_tree_free(tree);
    ff_tree_free(real);
    return result;
}

int recording_check(struct recording *recording, struct ff_error *error)
{
    bool started = recording->ending.how != ENDING_CUT || recording->trace.call_count != 0;
    if (started && recording->channel->images == 0 && recording->net == NULL)
        return ff_error_set(error,
                            "recording unsound: libfaultfs.so was not loaded into the command "
                            "(is it a static or a set-user-id program?), and there is no seccomp "
                            "to see what it does");
    if (recording->channel->reason[0] != '\0') {
        recording->channel->reason[CHANNEL_REASON_SIZE - 1] = '\0';
        return ff_error_set(error, "recording unsound: %s", recording->channel->reason);
    }
    if (output_check(recording, error) != 0 || directory_check(recording, error) != 0)
        return -1;
    return names_check(recording->witness, &recording->trace, error);
}
