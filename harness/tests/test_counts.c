/*
 * The numbers of ideals and of distinct states of one known protocol, computed
 * by the engine, against those published with the crash model: the flush of N
 * files (create, four one-unit writes, fsync each), a manifest written beside
 * them, synced, renamed, and the directory synced.
 */
#include "unit.h"

#include <gmp.h>

#include "count.h"
#include "memory.h"
#include "sample.h"
#include "state.h"
#include "tally.h"

enum { UNIT = 4096, WRITES = 4 };

/* The rules that are published as F, and no others; beside the shipped models. */
#define ORDERED "../tests/xfs-like"

static struct sample *flush_protocol(int files, bool synced)
{
    struct sample *s = sample_new();
    for (int i = 0; i <= files; i++) {
        char name[16];
        snprintf(name, sizeof(name), i < files ? "file%d" : "tmp", i);
        uint32_t node = sample_create(s, FF_ROOT_NODE, name, S_IFREG | 0644);
        for (int w = 0; w < (i < files ? WRITES : 1); w++)
            sample_write(s, node, (uint64_t)w * UNIT, UNIT, 'x');
        if (synced)
            sample_fsync(s, node);
        if (i == files)
            sample_rename(s, node, FF_ROOT_NODE, "tmp", FF_ROOT_NODE, "MANIFEST", FF_NO_NODE);
    }
    if (synced)
        sample_fsync(s, FF_ROOT_NODE);
    return s;
}

static void expect_ideals(const char *model_name, int files, bool synced, const char *expected)
{
    struct ff_error error;
    struct sample *s = flush_protocol(files, synced);
    struct cm_model *model = sample_model(model_name);
    struct cm_poset *poset = cm_poset_build(&s->trace, model, 0, &error);
    CU_ASSERT_PTR_NOT_NULL_FATAL(poset);
    cm_word *nothing = cm_allocate(poset->words, sizeof(cm_word));
    struct cm_counter *counter = cm_counter_new(poset);
    mpz_t sum;
    mpz_init(sum);
    CU_ASSERT_TRUE(cm_counter_add(counter, (struct cm_cylinder){nothing, nothing}, sum));
    char *text = mpz_get_str(NULL, 10, sum);
    CU_ASSERT_STRING_EQUAL(text, expected);
    if (strcmp(text, expected) != 0)
        printf("\n    %s, %d files: %s ideals, expected %s\n", model_name, files, text, expected);
    free(text);
    mpz_clear(sum);
    cm_counter_free(counter);
    free(nothing);
    cm_poset_free(poset);
    cm_model_free(model);
    sample_free(s);
}

/* Leaves of the eager reader, which are the distinct values of all locations
 * that can be reached, and whether their sizes add up. */
static void expect_values(const char *model_name, int files, bool synced, uint64_t expected)
{
    struct ff_error error;
    struct sample *s = flush_protocol(files, synced);
    struct cm_model *model = sample_model(model_name);
    struct cm_poset *poset = cm_poset_build(&s->trace, model, 0, &error);
    CU_ASSERT_PTR_NOT_NULL_FATAL(poset);
    cm_word *nothing = cm_allocate(poset->words, sizeof(cm_word));
    struct cm_explorer *explorer = cm_explorer_new(poset);
    struct cm_counter *counter = cm_counter_new(poset);
    mpz_t covered, legal;
    mpz_inits(covered, legal, NULL);
    uint64_t leaves = 0;
    do {
        cm_explorer_restart(explorer);
        cm_read_everything(poset, explorer);
        CU_ASSERT_TRUE(cm_counter_add(counter, cm_explorer_cylinder(explorer), covered));
        leaves++;
    } while (cm_explorer_advance(explorer));
    cm_counter_add(counter, (struct cm_cylinder){nothing, nothing}, legal);
    CU_ASSERT_EQUAL(mpz_cmp(covered, legal), 0);
    CU_ASSERT_EQUAL(leaves, expected);
    if (leaves != expected)
        printf("\n    %s: %llu values\n", model_name, (unsigned long long)leaves);
    mpz_clears(covered, legal, NULL);
    cm_counter_free(counter);
    cm_explorer_free(explorer);
    free(nothing);
    cm_poset_free(poset);
    cm_model_free(model);
    sample_free(s);
}

/*
 * The same by hand. The operations of one file have 2 * 5 * 16 = 160 ideals: its name, how
 * far it grew, any of its four units. Those of the temporary file have 8, and the rename
 * adds one if all before it is durable, else (without syncs) 4: it only needs the name tmp.
 */

/* What any file's operation needs is that the files before it are whole, but not their
 * names: 1 + sum of 159 * 2^k + 7 * 2^N + 2^N. */
static void expect_synced_names_lost(int files)
{
    mpz_t ideals;
    mpz_init(ideals);
    mpz_ui_pow_ui(ideals, 2, (unsigned long)files);
    mpz_mul_ui(ideals, ideals, 159 + 8);
    mpz_sub_ui(ideals, ideals, 159 - 1);
    char *text = mpz_get_str(NULL, 10, ideals);
    expect_ideals("posix", files, true, text);
    free(text);
    mpz_clear(ideals);
}

/* Nor can their names be lost: 1 + 159 * N + 7 + 1. */
static void expect_synced_names_kept(int files)
{
    char text[32];
    snprintf(text, sizeof(text), "%d", 159 * files + 9);
    expect_ideals("posix-create", files, true, text);
}

/* Nothing needs anything: 160^N * (8 + 4). */
static void expect_unsynced(const char *model, int files)
{
    mpz_t ideals;
    mpz_init(ideals);
    mpz_ui_pow_ui(ideals, 160, (unsigned long)files);
    mpz_mul_ui(ideals, ideals, 12);
    char *text = mpz_get_str(NULL, 10, ideals);
    expect_ideals(model, files, false, text);
    free(text);
    mpz_clear(ideals);
}

/* Names are in order, and each growth needs its data: 1 + (2 * 31 - 1) * N + 5 + 1. */
static void expect_synced_names_in_order(int files)
{
    char text[32];
    snprintf(text, sizeof(text), "%d", 61 * files + 7);
    expect_ideals(ORDERED, files, true, text);
}

/* Any prefix of the N + 1 creations and the rename; 31^N * 3 of the rest. */
static void expect_unsynced_in_order(int files)
{
    mpz_t ideals;
    mpz_init(ideals);
    mpz_ui_pow_ui(ideals, 31, (unsigned long)files);
    mpz_mul_ui(ideals, ideals, 3 * ((unsigned long)files + 3));
    char *text = mpz_get_str(NULL, 10, ideals);
    expect_ideals(ORDERED, files, false, text);
    free(text);
    mpz_clear(ideals);
}

static void ideals_with_all_syncs(void)
{
    expect_ideals(ORDERED, 4, true, "251");
    expect_ideals(ORDERED, 16, true, "983");
    expect_ideals("posix", 4, true, "2514");
    expect_ideals("posix", 16, true, "10944354");
    expect_ideals("posix-create", 4, true, "645");
    expect_ideals("posix-create", 16, true, "2553");
    expect_ideals("posix-create", 64, true, "10185");
    for (int files = 4; files <= 64; files *= 4) {
        expect_synced_names_lost(files);
        expect_synced_names_kept(files);
        expect_synced_names_in_order(files);
    }
}

static void ideals_without_syncs(void)
{
    expect_ideals(ORDERED, 4, false, "19393941");
    expect_ideals(ORDERED, 16, false, "41463117939589560038223417");
    expect_ideals("posix", 4, false, "7864320000");
    expect_ideals("posix", 16, false, "2213609288845146193920000000000000000");
    expect_ideals("posix-create", 4, false, "7864320000");
    expect_ideals("posix-create", 16, false, "2213609288845146193920000000000000000");
    for (int files = 4; files <= 64; files *= 4) {
        expect_unsynced("posix", files);
        expect_unsynced("posix-create", files);
        expect_unsynced_in_order(files);
    }
}

static void distinct_values(void)
{
    expect_values("posix", 4, true, 530);
    expect_values("posix-create", 4, true, 129);
    expect_values("posix-create", 16, true, 501);
    expect_values("posix-create", 64, true, 1989);
    expect_values(ORDERED, 4, false, 3281);
}

/*
 * Recovery as it is supposed there: the manifest's name, its size, and the units below
 * that size, then each file's; it stops at the first that is not whole. `context` is how
 * many files there are.
 */
static bool reads_whole(const struct cm_state *state, const char *name, size_t size)
{
    uint32_t file = cm_state_lookup(state, FF_ROOT_NODE, name);
    bool whole = cm_state_size(state, file) == size;
    char byte;
    for (uint64_t at = 0; cm_state_read(state, file, &byte, 1, at) == 1; at += UNIT)
        whole = whole && byte == 'x';
    return whole;
}

static void recover(void *context, struct cm_state *state, struct cm_outcome *outcome)
{
    bool whole = reads_whole(state, "MANIFEST", UNIT);
    outcome->status = CM_ACCEPTED;
    snprintf(outcome->text, sizeof(outcome->text), "%s", whole ? "new" : "old");
    for (int i = 0; whole && i < *(const int *)context; i++) {
        char name[16];
        snprintf(name, sizeof(name), "file%d", i);
        whole = reads_whole(state, name, (size_t)WRITES * UNIT);
        if (!whole)
            snprintf(outcome->text, sizeof(outcome->text), "%s is not whole", name);
    }
}

static void expect_runs(const char *model_name, int files, bool synced, uint64_t expected)
{
    struct ff_error error;
    struct sample *s = flush_protocol(files, synced);
    struct cm_model *model = sample_model(model_name);
    struct cm_check check = {.context = &files, .run = recover, .observes = true};
    struct cm_options options = {.jobs = 1};
    struct cm_exploration *result = cm_explore(&s->trace, model, &check, &options, &error);
    CU_ASSERT_PTR_NOT_NULL_FATAL(result);
    CU_ASSERT_TRUE(result->exhaustive && result->observed);
    CU_ASSERT_EQUAL(result->runs, expected);
    if (result->runs != expected)
        printf("\n    %s, %d files: %llu runs, expected %llu\n", model_name, files,
               (unsigned long long)result->runs, (unsigned long long)expected);
    cm_exploration_free(result);
    cm_model_free(model);
    sample_free(s);
}

/* As published. */
static void runs_with_observation(void)
{
    static const struct {
        int files;
        uint64_t posix, create, unsynced, unsynced_in_order;
    } rows[] = {{4, 6, 2, 128, 19}, {16, 18, 2, 500, 67}, {64, 66, 2, 1988, 259}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        expect_runs("posix", rows[i].files, true, rows[i].posix);
        expect_runs("posix-create", rows[i].files, true, rows[i].create);
        expect_runs("posix", rows[i].files, false, rows[i].unsynced);
        expect_runs("posix-create", rows[i].files, false, rows[i].unsynced);
        expect_runs(ORDERED, rows[i].files, true, 2);
        expect_runs(ORDERED, rows[i].files, false, rows[i].unsynced_in_order);
    }
}

static void process_crash_is_a_chain(void)
{
    /* 4 files and the temp: one operation for each name, two for each write,
     * one for the rename; every prefix of that is a state. */
    expect_ideals("process-crash", 4, true, "41");
    expect_ideals("process-crash", 4, false, "41");
}

static const struct unit_test tests[] = {
    {"ideals of the protocol with all its syncs", ideals_with_all_syncs},
    {"ideals of the protocol without syncs", ideals_without_syncs},
    {"distinct values of the protocol, and the certificate", distinct_values},
    {"runs of a recovery that tells what it looks at", runs_with_observation},
    {"process-crash: one state for each moment", process_crash_is_a_chain},
};

UNIT_MAIN("counts", tests)
