/*
 * A check that is invented, as traces are: a deterministic reader that says what it looks
 * at, or hides some of it.
 */
#ifndef INVENTED_CHECK_H
#define INVENTED_CHECK_H

#include "invent.h"

enum { STEPS = 6 };

/*
 * Looks at a few things, each chosen by a hash of what it saw before, and judges by
 * that hash. Same seed, same check.
 */
struct invented {
    uint64_t seed;
    unsigned hides; /* one of so many looks is not told of; 0: none */
    /* By the output: it asks for the more the more was printed; or for the less. */
    enum { ANYHOW, MORE_FOR_MORE, LESS_FOR_MORE } demands;
    bool keeps; /* the state's tree as it is */
};

struct look {
    const struct invented *check;
    const struct cm_state *state;
    uint64_t hash;
};

static void look_mix(struct look *look, uint64_t seen)
{
    look->hash = (look->hash ^ seen) * 0x9e3779b97f4a7c15u;
    look->hash ^= look->hash >> 29;
}

static bool is_told(const struct look *look)
{
    return look->check->hides == 0 || (look->hash >> 8) % look->check->hides != 0;
}

static void look_at_file(struct look *look, uint32_t id, const struct ff_node *file)
{
    bool told = is_told(look);
    switch (look->hash % 4) {
    case 0:
        look_mix(look, told ? cm_state_size(look->state, id) : file->size);
        break;
    case 1:
        if (told)
            cm_looks_at_attributes(look->state, id);
        look_mix(look, file->mode);
        break;
    default: {
        size_t at = look->hash / 4 % 3, size = 1 + look->hash / 16 % 3;
        unsigned char read[3];
        if (told)
            size = cm_state_read(look->state, id, read, size, at);
        look_mix(look, file->size);
        for (size_t i = 0; i < size && at + i < file->size; i++)
            look_mix(look, (told ? read[i] : file->data[at + i]) + 1u);
    }
    }
}

/* One step from a directory on; where it leads to is looked at next. */
static uint32_t look_at_directory(struct look *look, uint32_t id)
{
    static const char *const names[] = {"a", "b", "c", "d"};
    const struct ff_tree *tree = look->state->tree;
    const char *name = names[look->hash / 4 % 4];
    bool told = is_told(look);
    if (look->hash % 4 == 0) {
        const struct ff_node *node = told ? cm_state_list(look->state, id) : ff_tree_node(tree, id);
        for (size_t i = 0; i < node->entry_count; i++)
            look_mix(look, (unsigned char)node->entries[i].name[0]);
        return id;
    }
    uint32_t child = told ? cm_state_lookup(look->state, id, name) : ff_tree_lookup(tree, id, name);
    look_mix(look, child == FF_NO_NODE ? 0 : ff_tree_node(tree, child)->mode & S_IFMT);
    return child == FF_NO_NODE ? FF_ROOT_NODE : child;
}

/* What a run leaves of its state must not be seen by the next one. */
static void spoil(struct ff_tree *tree)
{
    for (uint32_t id = FF_ROOT_NODE; id < tree->node_limit; id++) {
        struct ff_node *node = ff_tree_edit(tree, id);
        if (node != NULL && S_ISREG(node->mode))
            ff_node_write(node, "spoilt", 6, 1);
        else if (node != NULL)
            ff_tree_set_name(tree, id, "a", FF_NO_NODE);
    }
}

/* What was seen of the files is enough for so much output. */
static void demand(const struct look *look, struct cm_outcome *outcome)
{
    size_t enough = look->hash / 8 % 8, printed = look->state->output_size / 2;
    cm_looks_at_output(look->state);
    bool met = look->check->demands == MORE_FOR_MORE ? printed <= enough : printed >= enough;
    outcome->status = met ? CM_ACCEPTED : CM_VIOLATED;
    snprintf(outcome->text, sizeof(outcome->text), met ? "ok" : "%zu", enough);
}

static void invented_run(void *context, struct cm_state *state, struct cm_outcome *outcome)
{
    const struct invented *check = context;
    struct look look = {check, state, check->seed};
    uint32_t at = FF_ROOT_NODE;
    look_mix(&look, 1);
    for (int i = 0; i < STEPS; i++) {
        const struct ff_node *node = ff_tree_node(state->tree, at);
        if (look.hash % 16 == 0 && check->demands == ANYHOW) {
            cm_looks_at_output(state);
            look_mix(&look, state->output_size);
        } else if (S_ISDIR(node->mode)) {
            at = look_at_directory(&look, at);
        } else {
            look_at_file(&look, at, node);
            at = FF_ROOT_NODE;
        }
    }
    outcome->status = look.hash / 8 % 4 == 0 ? CM_VIOLATED : CM_ACCEPTED;
    snprintf(outcome->text, sizeof(outcome->text), "%llu",
             (unsigned long long)(look.hash / 64 % 5));
    if (check->demands != ANYHOW)
        demand(&look, outcome);
    if (!check->keeps)
        spoil(state->tree);
}

#endif
