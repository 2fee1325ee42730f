/*
 * States that are stepped to against states that are built: over random traces and
 * random sequences of states, also when a check changes what it is given.
 */
#include "unit.h"

#include "invent.h"
#include "state.h"

enum { TRACES = 400, STATES = 24 };

/* ---- A check that changes everything ---- */

static uint32_t random_directory(const struct ff_tree *tree)
{
    for (;;) {
        uint32_t id = random_below((unsigned)tree->node_limit);
        const struct ff_node *node = ff_tree_node(tree, id);
        if (node != NULL && S_ISDIR(node->mode))
            return id;
    }
}

/* Also one that has no name any more; or a new one. */
static uint32_t random_node(struct ff_tree *tree)
{
    uint32_t id = random_below((unsigned)tree->node_limit);
    if (ff_tree_node(tree, id) != NULL)
        return id;
    id = ff_tree_fresh_id(tree);
    ff_tree_create(tree, id, random_below(3) == 0 ? S_IFDIR | 0755 : S_IFREG | 0644, 0, 0);
    return id;
}

static void scribble(struct ff_tree *tree)
{
    static const char *const names[] = {"a", "b", "c", "d", "old", "new"};
    uint32_t id = random_node(tree);
    struct ff_node *node = ff_tree_edit(tree, id);
    switch (random_below(6)) {
    case 0:
        if (!S_ISDIR(node->mode))
            ff_node_write(node, "scribble", 1 + random_below(8), random_below(12));
        break;
    case 1:
        if (!S_ISDIR(node->mode))
            ff_node_resize(node, random_below(16));
        break;
    case 2:
        node->mode ^= 1 + random_below(0777);
        node->uid = random_below(3);
        break;
    case 3:
        ff_node_set_xattr(node, random_below(2) == 0 ? "user.a" : "user.s",
                          (struct ff_bytes){(const unsigned char *)"xattr", random_below(5)});
        break;
    case 4:
        ff_node_remove_xattr(node, "user.a");
        break;
    default:
        ff_tree_set_name(tree, random_directory(tree), names[random_below(6)],
                         random_below(2) == 0 ? FF_NO_NODE : id);
    }
}

/* ---- Comparing ---- */

/* More than ff_tree_differs(): also what has no name, and every number. */
static bool same_nodes(const struct ff_tree *one, const struct ff_tree *other)
{
    for (uint32_t id = 0; id < one->node_limit; id++) {
        const struct ff_node *a = ff_tree_node(one, id), *b = ff_tree_node(other, id);
        if (a == NULL || b == NULL) {
            if (a != b)
                return false;
            continue;
        }
        if (a->mode != b->mode || a->uid != b->uid || a->gid != b->gid || a->size != b->size ||
            a->xattrs_size != b->xattrs_size || a->entry_count != b->entry_count ||
            (a->size > 0 && memcmp(a->data, b->data, a->size) != 0) ||
            (a->xattrs_size > 0 && memcmp(a->xattrs, b->xattrs, a->xattrs_size) != 0))
            return false;
        for (size_t i = 0; i < a->entry_count; i++)
            if (a->entries[i].node != b->entries[i].node ||
                strcmp(a->entries[i].name, b->entries[i].name) != 0)
                return false;
    }
    return one->node_limit == other->node_limit;
}

static void random_ideal(const struct cm_poset *poset, cm_word *ideal)
{
    unsigned sparse = 1 + random_below(4);
    if (random_below(3) != 0)
        memset(ideal, 0, poset->words * sizeof(*ideal)); /* else a larger one than before */
    for (size_t o = 0; o < poset->operation_count; o++)
        if (random_below(sparse + 1) == 0)
            cm_unite(ideal, cm_down(poset, o), poset->words);
}

static size_t steps, changes;

/* Of half of the models calls are done in parts, or blocks are reused. */
static void random_choices(struct cm_model *model, uint64_t seed)
{
    unsigned *choices = model->choices;
    if (seed % 2 == 0)
        return;
    choices[CM_CHOICE_RENAME] = (unsigned)(seed >> 8) % 3;
    choices[CM_CHOICE_UNLINK] = (unsigned)(seed >> 16) % 2;
    if (seed >> 24 & 1) {
        choices[CM_CHOICE_FREED] = CM_FREED_REUSED;
        choices[CM_CHOICE_SIZE] = choices[CM_CHOICE_RENAME] == CM_RENAME_INDEPENDENT;
    } else if (model->tearing != CM_TEARING_ATOMIC) {
        choices[CM_CHOICE_APPEND] = CM_APPEND_ZEROS_GARBAGE_DATA;
    }
}

static bool compare_once(uint64_t seed, bool scribbles)
{
    struct ff_error error;
    struct cm_model model;
    struct sample *sample = invent(seed, &model);
    random_choices(&model, seed);
    struct cm_poset *poset = cm_poset_build(&sample->trace, &model, 0, &error);
    CU_ASSERT_PTR_NOT_NULL_FATAL(poset);
    struct cm_stepper *stepper = cm_stepper_new(poset);
    cm_word *ideal = cm_allocate(poset->words, sizeof(*ideal));
    bool same = true;
    for (int i = 0; same && i < STATES; i++) {
        random_ideal(poset, ideal);
        struct ff_tree *stepped = cm_stepper_step(stepper, ideal);
        struct ff_tree *built = cm_state_build(poset, ideal);
        same = same_nodes(stepped, built) &&
               !ff_tree_differs(stepped, "stepped", built, "built", &error);
        for (unsigned j = scribbles ? random_below(12) : 0; j > 0; j--)
            scribble(stepped);
        changes += !same_nodes(stepped, built);
        steps++;
        ff_tree_free(built);
    }
    if (!same)
        printf("\n    seed %llu: not the same\n", (unsigned long long)seed);
    free(ideal);
    cm_stepper_free(stepper);
    cm_poset_free(poset);
    sample_free(sample);
    return same;
}

static void compare_all(bool scribbles)
{
    size_t failures = 0;
    for (uint64_t seed = 1; seed <= TRACES; seed++)
        failures += !compare_once(seed * 0x9e3779b97f4a7c15u, scribbles);
    CU_ASSERT_EQUAL(failures, 0);
}

static void stepped_equals_built(void)
{
    compare_all(false);
    CU_ASSERT_EQUAL(changes, 0);
}

static void changes_are_taken_back(void)
{
    steps = 0;
    compare_all(true);
    CU_ASSERT_TRUE(changes > steps / 2);
}

static const struct unit_test tests[] = {
    {"random sequences of states", stepped_equals_built},
    {"the same, and each state is changed by a check", changes_are_taken_back},
};

UNIT_MAIN("stepper", tests)
