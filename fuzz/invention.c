#include "invention.h"

#include "target.h"

#include <faultfs/tree.h>
#include <string.h>
#include <sys/stat.h>

#define BYTES(text)                                                                                \
    {                                                                                              \
        (const unsigned char *)(text), sizeof(text) - 1                                            \
    }
#define TEXT(text) ((struct ff_bytes)BYTES(text))

static const struct ff_bytes names[] = {BYTES("a"), BYTES("b"), BYTES("c"), BYTES("d")};
static const struct ff_bytes attributes[] = {BYTES("user.a"), BYTES("user.b")};
static const struct ff_bytes contents[] = {BYTES("A"), BYTES("BBBBB"), BYTES("CCCCCCCCC"),
                                           BYTES("DD")};

/* ---- Traces ---- */

struct world {
    struct ff_trace *trace;
    struct ff_call *calls;
    struct ff_tree *tree; /* as the program sees it */
    struct choices *choices;
    uint64_t tick;
    struct ff_call *open_sync; /* one that has not returned yet, or NULL */
};

/* The kinds of calls; the commonest first. */
static const struct kind {
    const char *name;
    enum ff_effect effect;
} kinds[] = {
    {"openat", FF_EFFECT_CREATE},
    {"pwrite64", FF_EFFECT_WRITE},
    {"rename", FF_EFFECT_RENAME},
    {"fsync", FF_EFFECT_SYNC_FILE},
    {"write", FF_EFFECT_OUTPUT},
    {"unlink", FF_EFFECT_UNLINK},
    {"mkdir", FF_EFFECT_CREATE},
    {"ftruncate", FF_EFFECT_RESIZE},
    {"fdatasync", FF_EFFECT_SYNC_DATA},
    {"link", FF_EFFECT_LINK},
    {"symlink", FF_EFFECT_CREATE},
    {"fchmod", FF_EFFECT_ATTRIBUTES},
    {"renameat2", FF_EFFECT_EXCHANGE},
    {"setxattr", FF_EFFECT_SET_XATTR},
    {"removexattr", FF_EFFECT_REMOVE_XATTR},
    {"pwrite64", FF_EFFECT_SYNC_RANGE},
    {"pwrite64", FF_EFFECT_SYNC_RANGE_DATA},
    {"sync", FF_EFFECT_SYNC_ALL},
    {"fsync", FF_EFFECT_SYNC_FAILED},
    {"close", FF_EFFECT_NONE},
};

static uint32_t choose_node(const struct world *world)
{
    return FF_ROOT_NODE + choose(world->choices, (unsigned)world->tree->node_limit - 1);
}

/* A name in a directory, and what it means. */
static uint32_t choose_name(const struct world *world, uint32_t *parent, struct ff_bytes *name)
{
    *parent = choose_node(world);
    *name = names[choose(world->choices, 4)];
    const struct ff_node *directory = ff_tree_node(world->tree, *parent);
    if (directory == NULL || !S_ISDIR(directory->mode))
        *parent = FF_ROOT_NODE;
    return ff_tree_lookup(world->tree, *parent, (const char *)name->data);
}

static void fill_create(const struct world *world, struct ff_call *call)
{
    call->node = ff_tree_fresh_id(world->tree);
    call->mode = S_IFREG | 0644;
    if (strcmp(call->name, "mkdir") == 0)
        call->mode = S_IFDIR | 0755;
    if (strcmp(call->name, "symlink") == 0) {
        call->mode = S_IFLNK | 0777;
        call->data = TEXT("a");
    }
    choose_name(world, &call->parent, &call->filename);
    if (S_ISREG(call->mode) && choose(world->choices, 8) == 7) { /* O_TMPFILE */
        call->parent = FF_NO_NODE;
        call->filename = TEXT("");
    }
}

static void fill(const struct world *world, struct ff_call *call)
{
    struct choices *choices = world->choices;
    switch (call->effect) {
    case FF_EFFECT_CREATE:
        fill_create(world, call);
        return;
    case FF_EFFECT_LINK:
        choose_name(world, &call->parent, &call->filename);
        break;
    case FF_EFFECT_UNLINK:
        call->node = choose_name(world, &call->parent, &call->filename);
        return;
    case FF_EFFECT_RENAME:
    case FF_EFFECT_EXCHANGE:
        call->node = choose_name(world, &call->parent, &call->filename);
        call->node2 = choose_name(world, &call->parent2, &call->filename2);
        return;
    case FF_EFFECT_SYNC_ALL:
        return;
    case FF_EFFECT_OUTPUT:
        call->data = contents[choose(choices, 4)];
        return;
    case FF_EFFECT_SYNC_FAILED:
        call->result = -5;
        break;
    case FF_EFFECT_ATTRIBUTES:
        call->mode = 0600 + choose(choices, 8);
        break;
    case FF_EFFECT_SET_XATTR:
        call->data = contents[choose(choices, 4)];
        call->filename = attributes[choose(choices, 2)];
        break;
    case FF_EFFECT_REMOVE_XATTR:
        call->filename = attributes[choose(choices, 2)];
        break;
    case FF_EFFECT_WRITE:
        call->data = contents[choose(choices, 4)];
        call->offset = choose(choices, 9);
        break;
    default:
        call->offset = choose(choices, 13);
        call->length = choose(choices, 9);
    }
    call->node = choose_node(world);
}

static bool is_sync(const struct ff_call *call)
{
    return call->effect == FF_EFFECT_SYNC_FILE || call->effect == FF_EFFECT_SYNC_DATA ||
           call->effect == FF_EFFECT_SYNC_ALL || call->effect == FF_EFFECT_SYNC_RANGE ||
           call->effect == FF_EFFECT_SYNC_RANGE_DATA || call->effect == FF_EFFECT_SYNC_FAILED;
}

/* What a trace says of bytes, it says of a file's. */
static bool is_refused(const struct world *world, const struct ff_call *call)
{
    const struct ff_node *node = ff_tree_node(world->tree, call->node);
    bool of_bytes =
        call->effect == FF_EFFECT_SYNC_RANGE || call->effect == FF_EFFECT_SYNC_RANGE_DATA;
    return of_bytes && (node == NULL || !S_ISREG(node->mode));
}

/* What is impossible at this moment is left out. */
static void invent_call(struct world *world)
{
    struct ff_trace *trace = world->trace;
    struct ff_call *call = &world->calls[trace->call_count];
    struct ff_error error;
    const struct kind *kind = &kinds[choose(world->choices, sizeof(kinds) / sizeof(kinds[0]))];
    *call = (struct ff_call){
        .name = kind->name, .effect = kind->effect, .fd = -1, .module = UINT32_MAX};
    fill(world, call);
    call->begin = call->end = ++world->tick;
    if (is_sync(call))
        call->end = ++world->tick;
    if (!is_refused(world, call) && ff_tree_apply(world->tree, call, &error) == 0)
        trace->call_count++;
}

static void invent_snapshot(struct invention *invention, struct choices *choices)
{
    unsigned which = choose(choices, 4);
    invention->nodes[0] = (struct ff_snapshot_node){.mode = S_IFDIR | 0755};
    invention->nodes[1] =
        (struct ff_snapshot_node){.mode = S_IFREG | 0644, .data = TEXT("0123456789")};
    invention->nodes[2] = (struct ff_snapshot_node){.mode = S_IFDIR | 0755};
    invention->names[0] = (struct ff_snapshot_name){FF_ROOT_NODE, 2, names[0]};
    invention->names[1] = (struct ff_snapshot_name){FF_ROOT_NODE, 3, names[1]};
    invention->trace = (struct ff_trace){.root = "/d",
                                         .nodes = invention->nodes,
                                         .node_count = 1 + (which > 2 ? 2 : which),
                                         .names = invention->names,
                                         .name_count = which > 2 ? 2 : which,
                                         .calls = invention->calls};
}

void invent_trace(struct invention *invention, struct choices *choices)
{
    invent_snapshot(invention, choices);
    struct world world = {.trace = &invention->trace,
                          .calls = invention->calls,
                          .tree = ff_tree_from_snapshot(&invention->trace),
                          .choices = choices};
    while (choices_left(choices) && invention->trace.call_count < INVENTED_CALLS)
        invent_call(&world);
    ff_tree_free(world.tree);
}

/* ---- Models ---- */

static void invent_rules(struct invention *invention, struct choices *choices)
{
    static const struct cm_order_rule known[] = {
        {CM_SET_NAMES, CM_SET_NAMES, CM_SCOPE_ALL},
        {CM_SET_NAMES, CM_SET_NAMES, CM_SCOPE_DIRECTORY},
        {CM_SET_DATA, CM_BIT(GROW), CM_SCOPE_CALL},
        {CM_SET_DATA, CM_BIT(GROW) | CM_BIT(CUT), CM_SCOPE_FILE},
        {CM_BIT(GROW), CM_BIT(RENAME_REPLACE), CM_SCOPE_NAMED},
        {CM_SET_META, CM_SET_META | CM_BIT(GROW), CM_SCOPE_ALL},
        {CM_SET_DATA | CM_BIT(GROW), CM_SET_NAMES, CM_SCOPE_NAMED},
        {CM_SET_DATA, CM_BIT(LOG), CM_SCOPE_FILE},
    };
    invention->model.rules = invention->rules;
    invention->model.rule_count = choose(choices, INVENTED_RULES + 1);
    for (size_t i = 0; i < invention->model.rule_count; i++)
        invention->rules[i] = known[choose(choices, sizeof(known) / sizeof(known[0]))];
}

static void invent_syncs(struct cm_model *model, struct choices *choices)
{
    const unsigned around = 1u << CM_RESTATE_DISPLACED | 1u << CM_RESTATE_PARENTS;
    const unsigned by_name = 1u << CM_RESTATE_OWN_NAMES | 1u << CM_RESTATE_OWN_ENTRIES;
    for (unsigned i = 0; i < CM_SYNC_COUNT; i++)
        model->covers[i] = choose(choices, 1u << CM_COVER_COUNT);
    for (unsigned i = 0; i <= CM_SYNC_FSYNC_DIRECTORY; i++) {
        unsigned wrong =
            i == CM_SYNC_FSYNC_DIRECTORY ? CM_RESTATE_OWN_DATA : CM_RESTATE_OWN_ENTRIES;
        unsigned set = choose(choices, 2) == 0 ? 0 : choose(choices, 64) & ~(1u << wrong);
        model->restates[i] = (set & by_name) != 0 ? set : set & ~around;
    }
}

/* What the reader of model files refuses is not invented. */
static void invent_steps(struct cm_model *model, struct choices *choices)
{
    model->choices[CM_CHOICE_RENAME] = choose(choices, 3);
    unsigned both = choose(choices, 4);
    model->choices[CM_CHOICE_UNLINK] = both % 2;
    model->choices[CM_CHOICE_CHECKPOINT] = both / 2;
    model->choices[CM_CHOICE_APPEND] = choose(choices, 2);
    model->choices[CM_CHOICE_SIZE] = choose(choices, 2);
    model->choices[CM_CHOICE_FREED] = choose(choices, 2);
    if (model->choices[CM_CHOICE_RENAME] != CM_RENAME_INDEPENDENT)
        model->choices[CM_CHOICE_SIZE] = CM_SIZE_INODE;
    if (model->tearing == CM_TEARING_ATOMIC || model->choices[CM_CHOICE_SIZE] != CM_SIZE_INODE ||
        model->choices[CM_CHOICE_FREED] != CM_FREED_PRIVATE)
        model->choices[CM_CHOICE_APPEND] = CM_APPEND_PLAIN;
}

void invent_model(struct invention *invention, struct choices *choices)
{
    struct cm_model *model = &invention->model;
    static char name[] = "invented";
    *model = (struct cm_model){.name = name, .description = name, .unit = 8};
    model->granule = choose(choices, 2) == 0 ? 8 : 4;
    model->tearing = choose(choices, 3);
    model->apart = choose(choices, 4) == 3;
    model->overwrite_tearing = choose(choices, 3);
    model->unwritten = choose(choices, 2);
    model->crossing = choose(choices, 2);
    model->parent_levels = choose(choices, 3);
    invent_steps(model, choices);
    invent_rules(invention, choices);
    invent_syncs(model, choices);
}
