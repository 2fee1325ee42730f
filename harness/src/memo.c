#include "memo.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <xxhash.h>

#include "memory.h"
#include "observer.h"

/* A run that looks more often than that is not kept. */
enum { MOST_LOOKS = 1024 };
enum { ENTRIES = 1 << 18, PROBES = 32, TEXT_SIZE = 1 << 25 };

/* A process that dies while it writes leaves an entry that is of no use any more. */
enum { EMPTY, WRITTEN_TO, READY };

/* What is known of all runs that have seen the same so far, which the key stands for: what
 * they look at next, or how they ended. */
struct entry {
    _Atomic uint32_t stage;
    _Atomic uint32_t audited;
    XXH128_hash_t key;
    uint32_t kind, node;
    uint64_t offset, size;
    uint32_t status; /* of the outcome, and whether the recovery was idle */
    uint32_t idle;
    uint64_t text; /* the name, or that of the outcome: where it is */
};

struct shared {
    _Atomic uint64_t made, recalled, text_size;
    _Atomic bool spoiled;
    struct entry entries[ENTRIES];
    char text[TEXT_SIZE];
};

struct cm_memo {
    struct shared *shared;
    /* Of the run at hand: */
    struct cm_looked looks[MOST_LOOKS];
    size_t count;
    bool forgotten;
};

struct cm_memo *cm_memo_new(void)
{
    void *shared = mmap(NULL, sizeof(struct shared), PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (shared == MAP_FAILED)
        return NULL;
    struct cm_memo *memo = cm_allocate(1, sizeof(*memo));
    memo->shared = shared;
    return memo;
}

static void clear(struct cm_memo *memo, size_t count)
{
    while (memo->count > count)
        free((void *)(uintptr_t)memo->looks[--memo->count].name);
}

void cm_memo_free(struct cm_memo *memo)
{
    if (memo == NULL)
        return;
    clear(memo, 0);
    munmap(memo->shared, sizeof(*memo->shared));
    free(memo);
}

void cm_memo_spoil(struct cm_memo *memo)
{
    if (memo != NULL)
        atomic_store(&memo->shared->spoiled, true);
}

struct cm_memo_counts cm_memo_counts(const struct cm_memo *memo)
{
    return memo == NULL ? (struct cm_memo_counts){0, 0}
                        : (struct cm_memo_counts){atomic_load(&memo->shared->made),
                                                  atomic_load(&memo->shared->recalled)};
}

/* ---- What is seen ---- */

/* Of the file that a name means goes with it: which it is, its type, where a link leads. */
static void add_meaning(XXH3_state_t *hash, const struct ff_tree *tree, uint32_t id)
{
    const struct ff_node *node = ff_tree_node(tree, id);
    uint32_t type = node != NULL ? node->mode & S_IFMT : 0;
    XXH3_128bits_update(hash, &id, sizeof(id));
    XXH3_128bits_update(hash, &type, sizeof(type));
    if (type == S_IFLNK) {
        XXH3_128bits_update(hash, &node->size, sizeof(node->size));
        XXH3_128bits_update(hash, node->data, node->size);
    }
}

static void add_names(XXH3_state_t *hash, const struct ff_tree *tree, const struct ff_node *node)
{
    XXH3_128bits_update(hash, &node->entry_count, sizeof(node->entry_count));
    for (size_t i = 0; i < node->entry_count; i++) {
        XXH3_128bits_update(hash, node->entries[i].name, strlen(node->entries[i].name) + 1);
        add_meaning(hash, tree, node->entries[i].node);
    }
}

static void add_data(XXH3_state_t *hash, const struct ff_node *node, const struct cm_looked *look)
{
    if (look->offset >= node->size)
        return;
    uint64_t most = node->size - look->offset;
    uint64_t size = look->size < most ? look->size : most;
    XXH3_128bits_update(hash, &size, sizeof(size));
    XXH3_128bits_update(hash, node->data + look->offset, size);
}

static void add_attributes(XXH3_state_t *hash, const struct ff_node *node)
{
    const uint32_t numbers[] = {node->mode, node->uid, node->gid};
    XXH3_128bits_update(hash, numbers, sizeof(numbers));
    XXH3_128bits_update(hash, &node->xattrs_size, sizeof(node->xattrs_size));
    XXH3_128bits_update(hash, node->xattrs, node->xattrs_size);
}

/* Its names, wherever they are. */
static void add_links(XXH3_state_t *hash, const struct ff_tree *tree, uint32_t id)
{
    for (uint32_t d = 1; d < tree->node_limit; d++) {
        const struct ff_node *directory = ff_tree_node(tree, d);
        for (size_t i = 0; directory != NULL && i < directory->entry_count; i++) {
            const struct ff_entry *entry = &directory->entries[i];
            if (entry->node != id)
                continue;
            XXH3_128bits_update(hash, &d, sizeof(d));
            XXH3_128bits_update(hash, entry->name, strlen(entry->name) + 1);
        }
    }
}

static void add_seen(XXH3_state_t *hash, const struct cm_state *state, const struct cm_looked *look)
{
    const struct ff_node *node = ff_tree_node(state->tree, look->node);
    unsigned char exists = node != NULL;
    XXH3_128bits_update(hash, &exists, sizeof(exists));
    if (look->kind == CM_LOOKED_AT_EVERYTHING) {
        const struct ff_hash whole = ff_tree_hash(state->tree);
        size_t objects = state->inventory != NULL ? state->inventory->node_limit : 0;
        XXH3_128bits_update(hash, &whole, sizeof(whole));
        XXH3_128bits_update(hash, &objects, sizeof(objects)); /* they take up space */
    }
    if (look->kind == CM_LOOKED_AT_OUTPUT || look->kind == CM_LOOKED_AT_EVERYTHING) {
        XXH3_128bits_update(hash, &state->output_size, sizeof(state->output_size));
        XXH3_128bits_update(hash, state->output, state->output_size);
    }
    if (node == NULL)
        return;
    switch (look->kind) {
    case CM_LOOKED_AT_NAME:
        add_meaning(hash, state->tree, ff_tree_lookup(state->tree, look->node, look->name));
        break;
    case CM_LOOKED_AT_NAMES:
        add_names(hash, state->tree, node);
        break;
    case CM_LOOKED_AT_SIZE:
        add_meaning(hash, state->tree, look->node);
        XXH3_128bits_update(hash, &node->size, sizeof(node->size));
        break;
    case CM_LOOKED_AT_DATA:
        add_data(hash, node, look);
        break;
    case CM_LOOKED_AT_ATTRIBUTES:
        add_attributes(hash, node);
        break;
    case CM_LOOKED_AT_LINKS:
        add_links(hash, state->tree, look->node);
        break;
    case CM_LOOKED_AT_OUTPUT:
    case CM_LOOKED_AT_EVERYTHING:
    case CM_LOOKED_ENOUGH:
        break;
    }
}

/* What stands for all that was seen before, and now this. */
static XXH128_hash_t key_next(XXH128_hash_t key, const struct cm_state *state,
                              const struct cm_looked *look)
{
    const uint64_t numbers[] = {(uint64_t)look->kind << 32 | look->node, look->offset, look->size};
    XXH3_state_t *hash = XXH3_createState();
    if (hash == NULL || XXH3_128bits_reset(hash) != XXH_OK)
        abort();
    XXH3_128bits_update(hash, &key, sizeof(key));
    XXH3_128bits_update(hash, numbers, sizeof(numbers));
    if (look->name != NULL)
        XXH3_128bits_update(hash, look->name, strlen(look->name) + 1);
    add_seen(hash, state, look);
    key = XXH3_128bits_digest(hash);
    XXH3_freeState(hash);
    return key;
}

/* What a run looks at depends on the model in this, besides (watch.h). */
static XXH128_hash_t key_begin(const struct cm_state *state)
{
    const unsigned char how[] = {cm_names_hold_content(state),
                                 cm_observer_tells_granules(state->observer)};
    return XXH3_128bits(how, sizeof(how));
}

/* ---- Entries ---- */

static struct entry *entry_at(const struct cm_memo *memo, XXH128_hash_t key, unsigned probe)
{
    return &memo->shared->entries[(key.low64 + probe) % ENTRIES];
}

static struct entry *entry_find(const struct cm_memo *memo, XXH128_hash_t key)
{
    for (unsigned i = 0; i < PROBES; i++) {
        struct entry *entry = entry_at(memo, key, i);
        uint32_t stage = atomic_load(&entry->stage);
        if (stage == EMPTY)
            return NULL;
        if (stage == READY && XXH128_isEqual(entry->key, key) != 0)
            return entry;
    }
    return NULL;
}

/* Where the text was put; the size of all texts when there is no room. */
static uint64_t text_keep(const struct cm_memo *memo, const char *text)
{
    size_t size = strlen(text) + 1;
    uint64_t at = atomic_fetch_add(&memo->shared->text_size, size);
    if (at > TEXT_SIZE - size)
        return TEXT_SIZE;
    memcpy(memo->shared->text + at, text, size);
    return at;
}

/* Two processes may enter the same at a time: then it is there twice. */
static bool entry_add(const struct cm_memo *memo, XXH128_hash_t key, const struct cm_looked *look,
                      const char *text, uint32_t status, bool idle)
{
    if (entry_find(memo, key) != NULL)
        return true;
    uint64_t at = text != NULL ? text_keep(memo, text) : 0;
    for (unsigned i = 0; i < PROBES && at < TEXT_SIZE; i++) {
        struct entry *entry = entry_at(memo, key, i);
        uint32_t stage = EMPTY;
        if (!atomic_compare_exchange_strong(&entry->stage, &stage, WRITTEN_TO))
            continue;
        entry->key = key;
        entry->kind = look->kind;
        entry->node = look->node;
        entry->offset = look->offset;
        entry->size = look->size;
        entry->status = status;
        entry->idle = idle;
        entry->text = at;
        atomic_store(&entry->stage, READY);
        return true;
    }
    return false;
}

/* ---- A run that was not made ---- */

static void look_again(const struct cm_state *state, const struct cm_looked *look)
{
    switch (look->kind) {
    case CM_LOOKED_AT_NAME:
        cm_looks_at_name(state, look->node, look->name);
        break;
    case CM_LOOKED_AT_NAMES:
        cm_looks_at_names(state, look->node);
        break;
    case CM_LOOKED_AT_SIZE:
        cm_looks_at_size(state, look->node);
        break;
    case CM_LOOKED_AT_DATA:
        cm_looks_at_data(state, look->node, look->offset, look->size);
        break;
    case CM_LOOKED_AT_ATTRIBUTES:
        cm_looks_at_attributes(state, look->node);
        break;
    case CM_LOOKED_AT_LINKS:
        cm_looks_at_links(state, look->node);
        break;
    case CM_LOOKED_AT_OUTPUT:
        cm_looks_at_output(state);
        break;
    case CM_LOOKED_AT_EVERYTHING:
        cm_looks_at_everything(state);
        break;
    case CM_LOOKED_ENOUGH:
        break;
    }
}

/* Where the run would end; NULL: that is not known. */
static struct entry *walk(const struct cm_memo *memo, const struct cm_state *state)
{
    XXH128_hash_t key = key_begin(state);
    struct entry *entry = entry_find(memo, key);
    for (unsigned i = 0; entry != NULL && entry->kind != CM_LOOKED_ENOUGH && i < MOST_LOOKS; i++) {
        const struct cm_looked look = {
            (enum cm_look_kind)entry->kind, entry->node, entry->offset, entry->size,
            entry->kind == CM_LOOKED_AT_NAME ? memo->shared->text + entry->text : NULL};
        look_again(state, &look);
        key = key_next(key, state, &look);
        entry = entry_find(memo, key);
    }
    return entry != NULL && entry->kind == CM_LOOKED_ENOUGH ? entry : NULL;
}

bool cm_memo_recall(struct cm_memo *memo, const struct cm_state *state, bool is_audit,
                    struct cm_outcome *outcome)
{
    if (memo == NULL || state->observer == NULL || atomic_load(&memo->shared->spoiled))
        return false;
    memo->forgotten = true; /* looking again is no run */
    struct cm_observed before = cm_observer_mark(state->observer);
    struct entry *end = walk(memo, state);
    if (end == NULL || (is_audit && atomic_exchange(&end->audited, 1) == 0)) {
        cm_observer_return(state->observer, before);
        return false;
    }
    outcome->status = (enum cm_status)end->status;
    snprintf(outcome->text, sizeof(outcome->text), "%s", memo->shared->text + end->text);
    if (end->idle != 0)
        cm_recovery_was_idle(state);
    atomic_fetch_add(&memo->shared->recalled, 1);
    return true;
}

/* ---- A run that is made ---- */

void cm_memo_begin(struct cm_memo *memo, const struct cm_state *state)
{
    if (memo == NULL)
        return;
    clear(memo, 0);
    memo->forgotten = state->observer == NULL;
}

static bool is_same(const struct cm_looked *a, const struct cm_looked *b)
{
    return a->kind == b->kind && a->node == b->node && a->offset == b->offset &&
           a->size == b->size && (a->name == NULL || strcmp(a->name, b->name) == 0);
}

void cm_memo_look(struct cm_memo *memo, const struct cm_looked *look)
{
    if (memo == NULL || memo->forgotten)
        return;
    for (size_t i = memo->count; i-- > 0;)
        if (is_same(&memo->looks[i], look))
            return;
    if (memo->count == MOST_LOOKS) {
        memo->forgotten = true;
        return;
    }
    memo->looks[memo->count] = *look;
    if (look->name != NULL)
        memo->looks[memo->count].name = cm_duplicate(look->name, strlen(look->name));
    memo->count++;
}

size_t cm_memo_mark(const struct cm_memo *memo)
{
    return memo != NULL ? memo->count : 0;
}

void cm_memo_return(struct cm_memo *memo, size_t mark)
{
    if (memo != NULL)
        clear(memo, mark);
}

static bool can_be_kept(const struct cm_memo *memo, const struct cm_outcome *outcome)
{
    return !memo->forgotten && !atomic_load(&memo->shared->spoiled) &&
           outcome->status != CM_TIMEOUT && outcome->status != CM_BROKEN;
}

void cm_memo_keep(struct cm_memo *memo, const struct cm_state *state,
                  const struct cm_outcome *outcome)
{
    static const struct cm_looked enough = {.kind = CM_LOOKED_ENOUGH};
    if (memo == NULL)
        return;
    atomic_fetch_add(&memo->shared->made, 1);
    if (!can_be_kept(memo, outcome))
        return;
    XXH128_hash_t key = key_begin(state);
    bool kept = true;
    for (size_t i = 0; kept && i < memo->count; i++) {
        const struct cm_looked *look = &memo->looks[i];
        kept = entry_add(memo, key, look, look->name, 0, false);
        key = key_next(key, state, look);
    }
    if (kept)
        entry_add(memo, key, &enough, outcome->text, outcome->status,
                  cm_observer_was_idle(state->observer));
}
