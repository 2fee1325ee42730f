/*
 * Explorations that are kept, stopped, continued and bounded: what a progress file holds,
 * that its reader survives any bytes, and that nothing of the result depends on how often,
 * when and in what order.
 */
#include "unit.h"

#include <stdatomic.h>
#include <sys/mman.h>
#include <unistd.h>
#include <xxhash.h>

#include "exploring.h"
#include "print.h"
#include "sample.h"

enum { FILES = 6, STATES = 1 << FILES };

/* Files of which none is synced: every subset of their names may be left. */
static struct sample *names(void)
{
    struct sample *s = sample_new();
    for (int i = 0; i < FILES; i++) {
        char name[8];
        snprintf(name, sizeof(name), "f%d", i);
        sample_create(s, FF_ROOT_NODE, name, S_IFREG | 0644);
        if (i == FILES / 2)
            sample_output(s, "half\n");
    }
    return s;
}

/* Shared with the workers. */
struct notes {
    volatile int stop;
    _Atomic unsigned runs;
    unsigned stop_at; /* 0: never */
};

static struct notes *notes_new(void)
{
    struct notes *notes =
        mmap(NULL, sizeof(*notes), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CU_ASSERT_FATAL(notes != MAP_FAILED);
    return notes;
}

/* Labels a state by how many names it has; rejects the one that lacks just the first two. */
static void count_names(void *context, struct cm_state *state, struct cm_outcome *outcome)
{
    struct notes *notes = context;
    size_t count = ff_tree_node(state->tree, FF_ROOT_NODE)->entry_count;
    cm_looks_at_names(state, FF_ROOT_NODE);
    bool rejected = count == FILES - 2 &&
                    ff_tree_lookup(state->tree, FF_ROOT_NODE, "f0") == FF_NO_NODE &&
                    ff_tree_lookup(state->tree, FF_ROOT_NODE, "f1") == FF_NO_NODE;
    outcome->status = rejected ? CM_VIOLATED : CM_ACCEPTED;
    snprintf(outcome->text, sizeof(outcome->text), "%zu", count);
    if (notes != NULL && atomic_fetch_add(&notes->runs, 1) + 1 == notes->stop_at)
        notes->stop = 1;
}

static char path[64];

struct way {
    bool eager, costly;
    unsigned jobs;
    uint64_t budget, seed;
    bool resume;
    struct notes *notes;
};

static struct cm_exploration *explore(const struct sample *s, const struct way *way,
                                      struct ff_error *error)
{
    struct cm_model *model = sample_model("posix");
    struct cm_check check = {
        .context = way->notes, .run = count_names, .observes = true, .is_costly = way->costly};
    const struct cm_trait traits[] = {{"check", "names"}};
    struct cm_options options = {.jobs = way->jobs,
                                 .eager = way->eager,
                                 .budget_runs = way->budget,
                                 .seed = way->seed,
                                 .resume = way->resume,
                                 .progress_path = path,
                                 .traits = traits,
                                 .trait_count = 1,
                                 .stop = way->notes != NULL ? &way->notes->stop : NULL};
    struct cm_exploration *result = cm_explore(&s->trace, model, &check, &options, error);
    cm_model_free(model);
    return result;
}

/* Explores, and prints what was found. */
static char *found(const struct sample *s, const struct way *way)
{
    struct ff_error error = {""};
    struct cm_exploration *result = explore(s, way, &error);
    if (result == NULL)
        return cm_format("%s", error.text);
    char *text = print_exploration(result);
    cm_exploration_free(result);
    return text;
}

static void expect_same(char *text, const char *expected)
{
    CU_ASSERT_STRING_EQUAL(text, expected);
    if (strcmp(text, expected) != 0)
        printf("\n    expected %s    found %s", expected, text);
    free(text);
}

/* ---- What runs depend on besides the state ---- */

/* Marks what the context says, a text each; all runs do so. */
static void depend(void *context, struct cm_state *state, struct cm_outcome *outcome)
{
    for (const char *const *what = context; *what != NULL; what++) {
        cm_depends_on(state, CM_DEPENDS_ON_RANDOM, *what);
        cm_depends_on(state, CM_DEPENDS_ON_OUTSIDE, *what);
    }
    count_names(NULL, state, outcome);
}

static struct cm_exploration *explore_depending(const char *const *what, uint64_t budget,
                                                bool resume)
{
    struct ff_error error;
    struct sample *s = names();
    struct cm_model *model = sample_model("posix");
    struct cm_check check = {.context = (void *)(uintptr_t)what, .run = depend, .observes = true};
    struct cm_options options = {
        .jobs = 2, .budget_runs = budget, .resume = resume, .progress_path = path};
    struct cm_exploration *result = cm_explore(&s->trace, model, &check, &options, &error);
    CU_ASSERT_PTR_NOT_NULL_FATAL(result);
    cm_model_free(model);
    sample_free(s);
    return result;
}

static bool depends_on(const struct cm_exploration *exploration, size_t index,
                       enum cm_dependence_kind kind, const char *what)
{
    return index < exploration->dependence_count && exploration->dependences[index].kind == kind &&
           strcmp(exploration->dependences[index].what, what) == 0;
}

/* Also by who continues it, whatever its own runs depend on. */
static void dependences_are_kept(void)
{
    static const char *const first[] = {"z", "b", NULL}, *const second[] = {"b", "a", NULL};
    static const char *const many[] = {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9", NULL};
    cm_exploration_free(explore_depending(first, 1, false));
    struct cm_exploration *result = explore_depending(second, 0, true);
    CU_ASSERT_EQUAL(result->dependence_count, 6);
    for (size_t kind = 0; kind < CM_DEPENDENCE_KINDS; kind++) {
        static const char *const all[] = {"a", "b", "z"};
        for (size_t i = 0; i < 3; i++)
            CU_ASSERT_TRUE(depends_on(result, 3 * kind + i, (enum cm_dependence_kind)kind, all[i]));
    }
    cm_exploration_free(result);
    /* Some are enough to say that there are any. */
    result = explore_depending(many, 0, false);
    CU_ASSERT_EQUAL(result->dependence_count, 2 * 8);
    CU_ASSERT_TRUE(depends_on(result, 0, CM_DEPENDS_ON_OUTSIDE, "0"));
    CU_ASSERT_TRUE(depends_on(result, 15, CM_DEPENDS_ON_RANDOM, "7"));
    cm_exploration_free(result);
    result = explore_depending(many + 10, 0, false);
    CU_ASSERT_EQUAL(result->dependence_count, 0);
    cm_exploration_free(result);
    unlink(path);
}

/* Says how often it was run. */
static void count_runs(void *context, struct cm_state *state, struct cm_outcome *outcome)
{
    struct notes *notes = context;
    count_names(notes, state, outcome);
    outcome->status = CM_ACCEPTED;
    snprintf(outcome->text, sizeof(outcome->text), "%u", notes->runs);
}

/* The correct twin, which says the same of the same state, is count_names() everywhere. */
static void what_varies_is_found_if_eager(void)
{
    struct ff_error error;
    struct sample *s = names();
    struct cm_model *model = sample_model("posix");
    struct notes *notes = notes_new();
    struct cm_check check = {.context = notes, .run = count_runs};
    struct cm_options options = {.jobs = 1, .eager = true};
    struct cm_exploration *result = cm_explore(&s->trace, model, &check, &options, &error);
    CU_ASSERT_TRUE(result->audit_runs > 0 && result->audit_mismatches == result->audit_runs);
    CU_ASSERT_FALSE(result->complete || result->exhaustive);
    cm_exploration_free(result);
    check.run = count_names;
    result = cm_explore(&s->trace, model, &check, &options, &error);
    CU_ASSERT_TRUE(result->audit_runs > 0 && result->audit_mismatches == 0);
    CU_ASSERT_TRUE(result->complete && result->exhaustive);
    cm_exploration_free(result);
    munmap(notes, sizeof(*notes));
    cm_model_free(model);
    sample_free(s);
}

/* ---- Stopping and continuing ---- */

/* Stops again and again, each time some runs later, until all is done. */
static char *found_in_pieces(const struct sample *s, struct way way, unsigned piece)
{
    struct ff_error error = {""};
    unlink(path);
    way.resume = true;
    way.notes = notes_new();
    for (unsigned i = 0; i < 1000; i++) {
        way.notes->stop_at = piece + i; /* in the end the audit must fit in */
        way.notes->stop = 0;
        atomic_store(&way.notes->runs, 0);
        struct cm_exploration *result = explore(s, &way, &error);
        CU_ASSERT_PTR_NOT_NULL_FATAL(result);
        char *text = result->stopped ? NULL : print_exploration(result);
        CU_ASSERT_TRUE(!result->stopped || !result->exhaustive);
        cm_exploration_free(result);
        if (text != NULL) {
            munmap(way.notes, sizeof(*way.notes));
            return text;
        }
    }
    return cm_format("it does not end: %s", error.text);
}

/* With a budget a batch must be done to count: pieces get longer until it is. */
static void pieces_make_the_whole(void)
{
    struct sample *s = names();
    for (int i = 0; i < 8; i++) {
        struct way way = {.eager = i % 2 != 0,
                          .costly = i % 4 >= 2,
                          .jobs = 2,
                          .seed = 1,
                          .budget = i >= 4 ? 50 : 0};
        char *whole = found(s, &way);
        CU_ASSERT_PTR_NOT_NULL(strstr(whole, "posix"));
        expect_same(found_in_pieces(s, way, 7), whole);
        free(whole);
    }
    sample_free(s);
}

static void what_differs_is_refused(void)
{
    struct sample *s = names();
    struct way way = {.jobs = 1, .seed = 1};
    free(found(s, &way));
    way.resume = true;
    free(found(s, &way));
    way.seed = 2;
    char *text = found(s, &way);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "its seed is '1', not '2'"));
    free(text);
    way.seed = 1;
    way.eager = true;
    text = found(s, &way);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "its branching is 'observed', not 'eager'"));
    free(text);
    way.eager = false;
    s->trace.digest++;
    text = found(s, &way);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "its trace is"));
    free(text);
    sample_free(s);
}

/* ---- Budgets ---- */

enum { MANY = 10, MANY_STATES = 1 << MANY };

/* Which subsets of many names were run; shared with the workers. */
struct subsets {
    _Atomic unsigned runs[MANY_STATES];
};

static void note_subset(void *context, struct cm_state *state, struct cm_outcome *outcome)
{
    struct subsets *subsets = context;
    unsigned subset = 0;
    cm_looks_at_names(state, FF_ROOT_NODE);
    for (unsigned i = 0; i < MANY; i++) {
        char name[8];
        snprintf(name, sizeof(name), "f%u", i);
        bool there = ff_tree_lookup(state->tree, FF_ROOT_NODE, name) != FF_NO_NODE;
        subset |= (unsigned)there << i;
    }
    atomic_fetch_add(&subsets->runs[subset], 1);
    *outcome = (struct cm_outcome){.status = CM_ACCEPTED, .text = "ok"};
}

static struct subsets *subsets_run(bool eager, unsigned jobs, uint64_t seed)
{
    struct sample *s = sample_new();
    for (int i = 0; i < MANY; i++) {
        char name[8];
        snprintf(name, sizeof(name), "f%d", i);
        sample_create(s, FF_ROOT_NODE, name, S_IFREG | 0644);
    }
    struct subsets *subsets =
        mmap(NULL, sizeof(*subsets), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CU_ASSERT_FATAL(subsets != MAP_FAILED);
    struct ff_error error;
    struct cm_model *model = sample_model("posix");
    /* An audit would run some more. */
    struct cm_check check = {
        .context = subsets, .run = note_subset, .observes = true, .is_costly = true};
    struct cm_options options = {.jobs = jobs, .eager = eager, .budget_runs = 400, .seed = seed};
    struct cm_exploration *result = cm_explore(&s->trace, model, &check, &options, &error);
    CU_ASSERT_PTR_NOT_NULL_FATAL(result);
    CU_ASSERT_EQUAL(result->runs, 400);
    CU_ASSERT_STRING_EQUAL(result->covered, "400");
    CU_ASSERT_TRUE(result->out_of_budget && !result->complete && !result->exhaustive);
    cm_exploration_free(result);
    cm_model_free(model);
    sample_free(s);
    return subsets;
}

static unsigned count_differences(const struct subsets *a, const struct subsets *b)
{
    unsigned count = 0;
    for (unsigned i = 0; i < MANY_STATES; i++)
        count += (a->runs[i] > 0) != (b->runs[i] > 0);
    return count;
}

/* Which runs are made depends on deviations and seed, and on nothing else. */
static void smallest_deviations_come_first(void)
{
    for (int eager = 0; eager <= 1; eager++) {
        struct subsets *one = subsets_run(eager != 0, 1, 1);
        struct subsets *same = subsets_run(eager != 0, 3, 1);
        struct subsets *other = subsets_run(eager != 0, 3, 2);
        for (unsigned i = 0; i < MANY_STATES; i++) {
            int kept = __builtin_popcount(i);
            if (kept <= 1 || kept >= MANY - 1)
                CU_ASSERT_TRUE(one->runs[i] > 0);
        }
        CU_ASSERT_EQUAL(count_differences(one, same), 0);
        unsigned differences = count_differences(one, other);
        /* Of a hundred in the sample most, and nothing else. */
        CU_ASSERT_TRUE(differences > 20 && differences <= 200 + 2 * 17);
        munmap(one, sizeof(*one));
        munmap(same, sizeof(*same));
        munmap(other, sizeof(*other));
    }
}

static void budgets_do_not_depend_on_jobs(void)
{
    struct sample *s = names();
    for (uint64_t budget = 1; budget <= 80; budget += 13) {
        for (int i = 0; i < 4; i++) {
            struct way way = {
                .jobs = 1, .eager = i % 2 != 0, .costly = i >= 2, .seed = 1, .budget = budget};
            char *one = found(s, &way);
            way.jobs = 3;
            expect_same(found(s, &way), one);
            free(one);
        }
    }
    sample_free(s);
}

/* One that suffices changes nothing. */
static void enough_is_enough(void)
{
    struct sample *s = names();
    for (int eager = 0; eager <= 1; eager++) {
        struct way way = {.jobs = 2, .eager = eager != 0, .seed = 1};
        struct ff_error error;
        char *whole = found(s, &way);
        struct cm_exploration *result = explore(s, &way, &error);
        CU_ASSERT_PTR_NOT_NULL_FATAL(result);
        way.budget = result->runs;
        cm_exploration_free(result);
        expect_same(found(s, &way), whole);
        way.budget--;
        result = explore(s, &way, &error);
        CU_ASSERT_PTR_NOT_NULL_FATAL(result);
        CU_ASSERT_TRUE(result->out_of_budget && !result->exhaustive);
        CU_ASSERT_EQUAL(result->runs, way.budget);
        cm_exploration_free(result);
        /* What is used up can be gone on with. */
        way.budget += 1000;
        way.resume = true;
        expect_same(found(s, &way), whole);
        free(whole);
    }
    sample_free(s);
}

/* ---- The file ---- */

static char *read_file(size_t *size)
{
    static char bytes[1 << 18];
    FILE *stream = fopen(path, "rb");
    CU_ASSERT_PTR_NOT_NULL_FATAL(stream);
    *size = fread(bytes, 1, sizeof(bytes), stream);
    fclose(stream);
    return bytes;
}

static void write_file(const void *bytes, size_t size)
{
    FILE *stream = fopen(path, "wb");
    CU_ASSERT_PTR_NOT_NULL_FATAL(stream);
    CU_ASSERT_EQUAL(fwrite(bytes, 1, size, stream), size);
    CU_ASSERT_EQUAL(fclose(stream), 0);
}

/* Whether the file is taken; with its checksum made right, or not. */
static bool is_taken(const struct sample *s, const char *bytes, size_t size, bool mend)
{
    struct ff_error error;
    struct cm_progress_file file;
    struct cm_exploring exploring;
    struct cm_model *model = sample_model("posix");
    struct cm_options options = {.jobs = 1};
    char *copy = cm_duplicate(bytes, size);
    if (mend) {
        uint64_t sum = XXH3_64bits(copy, size - 8);
        memcpy(copy + size - 8, &sum, 8); /* on a little-endian machine */
    }
    write_file(copy, size);
    free(copy);
    CU_ASSERT_EQUAL_FATAL(cm_exploring_begin(&exploring, &s->trace, model, &options, &error), 0);
    bool taken = cm_progress_open(path, &file, &error) == 0 &&
                 cm_progress_load(&file, &exploring.ledger, &error) == 0;
    CU_ASSERT_TRUE(taken || strstr(error.text, path) != NULL);
    for (size_t i = 0; taken && i < exploring.ledger.leaves.count; i++) {
        const struct cm_leaf *leaf = cm_record(&exploring.ledger.leaves, i);
        size_t words = exploring.poset->words;
        CU_ASSERT_FALSE(cm_meet(leaf->sets, leaf->sets + words, words));
        CU_ASSERT_TRUE(leaf->outcome < exploring.ledger.outcome_count);
    }
    cm_progress_close(&file);
    cm_exploring_end(&exploring);
    cm_model_free(model);
    return taken;
}

static void the_reader_survives_any_bytes(void)
{
    struct sample *s = names();
    struct way way = {.jobs = 1, .seed = 1, .budget = 20};
    size_t size = 0, taken = 0;
    unlink(path);
    free(found(s, &way));
    char *bytes = cm_duplicate(read_file(&size), 1 << 18);
    CU_ASSERT_TRUE(is_taken(s, bytes, size, false));
    for (size_t length = 0; length < size; length++)
        CU_ASSERT_FALSE(is_taken(s, bytes, length, false));
    for (size_t i = 0; i < size; i++) {
        for (int mend = 0; mend <= 1; mend++) {
            bytes[i] = (char)(bytes[i] ^ 1 << i % 8);
            bool accepted = is_taken(s, bytes, size, mend != 0);
            CU_ASSERT_FALSE(accepted && mend == 0);
            taken += accepted;
            bytes[i] = (char)(bytes[i] ^ 1 << i % 8);
        }
    }
    /* Lengths with the checksum of what is there. */
    for (size_t length = 16; length < size; length += 3)
        CU_ASSERT_FALSE(is_taken(s, bytes, length, true));
    /* Other words in a trait, other sets that are possible: that is another file. */
    CU_ASSERT_TRUE(taken > 0);
    free(bytes);
    unlink(path);
    sample_free(s);
}

static void make_path(void)
{
    const char *parent = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
    snprintf(path, sizeof(path), "%s/crashmatrix-test-%ld.cmx", parent, (long)getpid());
}

static void a_file_that_cannot_be_written(void)
{
    struct sample *s = names();
    struct way way = {.jobs = 1, .seed = 1};
    snprintf(path, sizeof(path), "/proc/no/such/file.cmx");
    char *text = found(s, &way);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "/proc/no/such/file.cmx: cannot be written"));
    free(text);
    make_path();
    sample_free(s);
}

static void setting(void)
{
    make_path();
    CU_ASSERT_TRUE(STATES == 64);
}

static const struct unit_test tests[] = {
    {"where files go", setting},
    {"what runs depend on is kept", dependences_are_kept},
    {"a check that varies is found if eager, too", what_varies_is_found_if_eager},
    {"stopped and continued pieces make the whole", pieces_make_the_whole},
    {"what differs is refused", what_differs_is_refused},
    {"the smallest deviations come first", smallest_deviations_come_first},
    {"budgets do not depend on jobs", budgets_do_not_depend_on_jobs},
    {"a budget that suffices changes nothing", enough_is_enough},
    {"the reader survives any bytes", the_reader_survives_any_bytes},
    {"a file that cannot be written is an error", a_file_that_cannot_be_written},
};

UNIT_MAIN("progress", tests)
