/*
 * The recording is believed only if it explains what is there: the calls, applied
 * to the snapshot, must give the real directory, and the recorded output must be
 * the bytes that arrived, and every name that the kernel reported must occur in it.
 */
#include "../trace/error.h"
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

static int replay(const struct recording *recording, struct ff_tree *tree, struct ff_error *error)
{
    for (size_t i = 0; i < recording->trace.call_count; i++) {
        struct ff_error inner;
        if (ff_tree_apply(tree, &recording->trace.calls[i], &inner) != 0)
            return ff_error_set(error, "recording unsound: call %zu, %s", i, inner.text);
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
    if (recording->channel->images == 0 && recording->net == NULL)
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
