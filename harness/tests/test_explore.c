/*
 * Exploration as a library: verdicts, what was lost, replay ids, outputs, and
 * results that do not depend on the number of jobs.
 */
#include "unit.h"

#include <signal.h>
#include <unistd.h>

#include "memory.h"
#include "print.h"
#include "sample.h"
#include "state.h"

/* A file is written, synced, and acknowledged; with or without its directory. */
static struct sample *save(bool sync_directory)
{
    struct sample *s = sample_new();
    uint32_t node = sample_create(s, FF_ROOT_NODE, "data", S_IFREG | 0644);
    sample_write(s, node, 0, 5000, 'x');
    sample_fsync(s, node);
    if (sync_directory)
        sample_fsync(s, FF_ROOT_NODE);
    sample_output(s, "saved\n");
    return s;
}

/* What was acknowledged must be there, whole. */
static void check_saved(void *context, struct cm_state *state, struct cm_outcome *outcome)
{
    (void)context;
    uint32_t id = ff_tree_lookup(state->tree, FF_ROOT_NODE, "data");
    const struct ff_node *file = ff_tree_node(state->tree, id);
    bool whole = file != NULL && file->size == 5000;
    for (size_t i = 0; whole && i < file->size; i++)
        whole = file->data[i] == 'x';
    bool acknowledged = strcmp(state->output, "saved\n") == 0;
    outcome->status = acknowledged && !whole ? CM_VIOLATED : CM_ACCEPTED;
    snprintf(outcome->text, sizeof(outcome->text), "%s",
             outcome->status == CM_VIOLATED ? "saved data is lost"
             : whole                        ? "saved"
                                            : "unsaved");
}

static bool observes; /* the checks say what they look at */

static struct cm_exploration *explore(const struct sample *s, const struct cm_model *model,
                                      void (*run)(void *, struct cm_state *, struct cm_outcome *),
                                      unsigned jobs, unsigned timeout_ms)
{
    struct ff_error error = {""};
    struct cm_check check = {.run = run, .observes = observes};
    struct cm_options options = {.jobs = jobs, .timeout_ms = timeout_ms};
    struct cm_exploration *result = cm_explore(&s->trace, model, &check, &options, &error);
    if (result == NULL)
        printf("\n    %s", error.text);
    CU_ASSERT_PTR_NOT_NULL_FATAL(result);
    return result;
}

static void correct_program(void)
{
    struct sample *s = save(true);
    struct cm_model *model = sample_model("posix");
    struct cm_exploration *result = explore(s, model, check_saved, 2, 0);
    CU_ASSERT_TRUE(result->exhaustive);
    CU_ASSERT_EQUAL(result->violation_count, 0);
    CU_ASSERT_PTR_NOT_NULL_FATAL(result->legal);
    CU_ASSERT_STRING_EQUAL(result->legal, result->covered);
    /* After the last sync there is one state; acknowledged, it stays that one. */
    CU_ASSERT_EQUAL(result->cells[5].label_count, 1);
    CU_ASSERT_EQUAL(result->cells[5].labels[0].states, 1);
    CU_ASSERT_STRING_EQUAL(result->cells[5].labels[0].name, "saved");
    cm_exploration_free(result);
    cm_model_free(model);
    sample_free(s);
}

static void missing_directory_sync(void)
{
    struct sample *s = save(false);
    struct cm_model *posix = sample_model("posix"), *create = sample_model("posix-create");
    struct cm_exploration *result = explore(s, posix, check_saved, 2, 0);
    CU_ASSERT_EQUAL_FATAL(result->violation_count, 1);
    const struct cm_violation *violation = &result->violations[0];
    CU_ASSERT_STRING_EQUAL(violation->reason, "saved data is lost");
    CU_ASSERT_EQUAL_FATAL(violation->lost_count, 1);
    CU_ASSERT_STRING_EQUAL(result->operations[violation->lost[0]].class, "create");
    CU_ASSERT_STRING_EQUAL(result->operations[violation->lost[0]].path, "data");
    CU_ASSERT_EQUAL(violation->first_boundary, 4);
    cm_exploration_free(result);
    result = explore(s, create, check_saved, 2, 0);
    CU_ASSERT_EQUAL(result->violation_count, 0);
    cm_exploration_free(result);
    cm_model_free(posix);
    cm_model_free(create);
    sample_free(s);
}

static void replay_ids(void)
{
    struct ff_error error;
    struct sample *s = save(false);
    struct cm_model *posix = sample_model("posix"), *create = sample_model("posix-create");
    struct cm_exploration *result = explore(s, posix, check_saved, 1, 0);
    const char *id = result->violations[0].id;
    struct ff_tree *tree = NULL;
    char *output = NULL;
    size_t size = 0;
    CU_ASSERT_EQUAL_FATAL(cm_rebuild(&s->trace, posix, id, &tree, &output, &size, &error), 0);
    CU_ASSERT_EQUAL(ff_tree_node(tree, FF_ROOT_NODE)->entry_count, 0);
    CU_ASSERT_STRING_EQUAL(output, "saved\n");
    ff_tree_free(tree);
    free(output);
    static const struct {
        const char *id, *message;
    } wrong[] = {
        {"posix.01234567.4:1", "no power cut"},  /* the data is durable by then */
        {"posix.01234567.4:9", "malformed"},     /* there is no such operation */
        {"posix.01234567.4:", "malformed"},      /* nothing said */
        {"posix.01234567.4:0,", "malformed"},    /* a comma too many */
        {"posix.01234567.9:-", "no boundary"},   /* the trace is shorter */
        {"posix.11234567.4:-", "another trace"}, /* another digest */
        {"ext9.01234567.4:-", "another model"},  /* another model */
        {"posix@500.01234567.4:-", "granule"},   /* does not divide the unit */
        {"posix", "is not a replay id"},         /* not an id at all */
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        CU_ASSERT_NOT_EQUAL(
            cm_rebuild(&s->trace, posix, wrong[i].id, &tree, &output, &size, &error), 0);
        CU_ASSERT_PTR_NOT_NULL(strstr(error.text, wrong[i].message));
        if (strstr(error.text, wrong[i].message) == NULL)
            printf("\n    %s: '%s'", wrong[i].id, error.text);
    }
    CU_ASSERT_NOT_EQUAL(cm_rebuild(&s->trace, create, id, &tree, &output, &size, &error), 0);
    cm_exploration_free(result);
    cm_model_free(posix);
    cm_model_free(create);
    sample_free(s);
}

/* Two files, overwritten in place without any sync; acceptable unless the
 * first is new, the second old, and the word was given. */
static struct sample *overwrite(void)
{
    struct sample *s = sample_new();
    uint32_t a = sample_had(s, "a", S_IFREG | 0644, "hello");
    uint32_t b = sample_had(s, "b", S_IFREG | 0644, "hello");
    for (int i = 0; i < 3; i++) {
        sample_write(s, a, 0, 5, (char)('0' + i));
        sample_write(s, b, 0, 5, (char)('0' + i));
        sample_output(s, "x");
    }
    return s;
}

/* Labels states by content and output; rejects, crashes and hangs on some. */
static void check_varied(void *context, struct cm_state *state, struct cm_outcome *outcome)
{
    (void)context;
    cm_looks_at_everything(state);
    const struct ff_node *a =
        ff_tree_node(state->tree, ff_tree_lookup(state->tree, FF_ROOT_NODE, "a"));
    const struct ff_node *b =
        ff_tree_node(state->tree, ff_tree_lookup(state->tree, FF_ROOT_NODE, "b"));
    if (a->data[0] == '0' && b->data[0] == '1')
        raise(SIGKILL);
    if (a->data[0] == '1' && b->data[0] == 'h' && state->output_size == 2)
        for (;;)
            pause();
    outcome->status = a->data[0] == '2' && b->data[0] == 'h' ? CM_VIOLATED : CM_ACCEPTED;
    snprintf(outcome->text, sizeof(outcome->text), "%c%c%zu", a->data[0], b->data[0],
             state->output_size);
}

static void jobs_do_not_matter(void)
{
    struct sample *s = overwrite();
    struct cm_model *model = sample_model("posix");
    char *first = NULL;
    for (unsigned jobs = 1; jobs <= 5; jobs += 2) {
        struct cm_exploration *result = explore(s, model, check_varied, jobs, 200);
        char *text = print_exploration(result);
        if (first == NULL)
            first = text;
        CU_ASSERT_STRING_EQUAL(text, first);
        /* 4 x 4 contents; rejected: some 2h; crashes; one hang. */
        CU_ASSERT_TRUE(result->exhaustive && result->observed == observes);
        CU_ASSERT_TRUE(observes ? result->distinct >= 16 : result->distinct == 16);
        size_t crashes = 0, timeouts = 0;
        for (size_t i = 0; i < result->violation_count; i++) {
            crashes += result->violations[i].status == CM_CRASHED;
            timeouts += result->violations[i].status == CM_TIMEOUT;
        }
        CU_ASSERT_EQUAL(crashes, 1);
        CU_ASSERT_EQUAL(timeouts, 1);
        cm_exploration_free(result);
        if (text != first)
            free(text);
    }
    free(first);
    cm_model_free(model);
    sample_free(s);
}

/* There a worker goes on by itself: what it dies of is still told from what was before. */
static void jobs_do_not_matter_when_observed(void)
{
    observes = true;
    jobs_do_not_matter();
    observes = false;
}

/* A word given before the sync had returned is no promise of what it covers,
 * even when another thread gave it while the sync was under way. */
static void output_while_a_sync_is_under_way(void)
{
    struct sample *s = sample_new();
    uint32_t node = sample_create(s, FF_ROOT_NODE, "data", S_IFREG | 0644);
    sample_write(s, node, 0, 5000, 'x');
    sample_fsync(s, FF_ROOT_NODE);
    struct ff_call *sync = sample_sync(s, FF_EFFECT_SYNC_FILE, node);
    sample_output(s, "saved\n");
    sync->end = ++s->tick;
    struct ff_call swapped = *sync; /* calls are sorted by end */
    *sync = sync[1];
    sync[1] = swapped;
    struct cm_model *model = sample_model("posix");
    struct cm_exploration *result = explore(s, model, check_saved, 2, 0);
    CU_ASSERT_EQUAL(result->violation_count, 1);
    cm_exploration_free(result);
    cm_model_free(model);
    sample_free(s);
}

static void granule_override(void)
{
    struct sample *s = save(true);
    struct cm_model *model = sample_model("posix");
    struct ff_error error;
    struct cm_check check = {.run = check_saved};
    struct cm_options options = {.jobs = 1, .granule = 512};
    struct cm_exploration *result = cm_explore(&s->trace, model, &check, &options, &error);
    CU_ASSERT_PTR_NOT_NULL_FATAL(result);
    CU_ASSERT_STRING_EQUAL(result->model, "posix@512");
    CU_ASSERT_EQUAL(result->granule, 512);
    /* a name, ten pieces of 512 bytes, two steps of growth */
    CU_ASSERT_EQUAL(result->operation_count, 13);
    cm_exploration_free(result);
    cm_model_free(model);
    sample_free(s);
}

static const struct unit_test tests[] = {
    {"a correct program is clean, and every state is covered", correct_program},
    {"a missing directory sync is found, and what was lost", missing_directory_sync},
    {"replay ids lead back to the state, and only to legal ones", replay_ids},
    {"the number of jobs does not matter, whatever a check does", jobs_do_not_matter},
    {"the same, where workers go on by themselves", jobs_do_not_matter_when_observed},
    {"output while a sync is under way", output_while_a_sync_is_under_way},
    {"another granule", granule_override},
};

UNIT_MAIN("explore", tests)
