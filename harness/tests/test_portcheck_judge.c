/*
 * The rule of portcheck-host: what a cut may take and what it may not, and when it counts. For
 * each way in which a board can go wrong a planted case, and beside it the case that is
 * right. test_portcheck_judge_lines.c and test_portcheck_judge_starts.c have the others.
 */
#include "unit.h"

#include <math.h>

#include "judge_bench.h"

/* ---- What was acknowledged ---- */

static void nothing_lost(void)
{
    struct bench *b = three_and_cut();
    start(b, 3);
    commit(b, 4);
    EXPECT_COUNTS(b, 1, 0, 0);
    CU_ASSERT_FALSE(ph_judge_is_decided(&b->judge));
    survive_once_more(b);
    EXPECT_COUNTS(b, 2, 0, 0);
    CU_ASSERT_TRUE(ph_judge_is_decided(&b->judge));
    expect_end(b, PH_PASS);
}

static void acknowledged_is_lost(void)
{
    struct bench *b = three_and_cut();
    start(b, 2);
    say(b, "committing 3");
    EXPECT_COUNTS(b, 0, 1, 0);
    CU_ASSERT_TRUE(ph_judge_is_decided(&b->judge));
    CU_ASSERT_PTR_NOT_NULL(strstr(b->judge.results[0].detail, "version 3 was acknowledged"));
    expect_end(b, PH_FAIL);
}

/* A failure stays one, whatever comes after. */
static void failure_stays(void)
{
    struct bench *b = three_and_cut();
    start(b, 2);
    commit(b, 3);
    for (int i = 0; i < 3; i++)
        survive_once_more(b);
    CU_ASSERT_TRUE(b->judge.survived >= 2 && !b->judge.open);
    expect_end(b, PH_FAIL);
}

static void announced_may_be_found_or_not(void)
{
    for (uint64_t found = 3; found <= 4; found++) {
        struct bench *b = bench();
        first_start(b);
        commit(b, 3);
        say(b, "committing 4");
        cut(b);
        start(b, found);
        say(b, "committing 5");
        EXPECT_COUNTS(b, 1, 0, 0);
        expect_end(b, PH_INCONCLUSIVE);
    }
}

/* On its way when the cut came, and promised none the less. */
static void acknowledged_late(void)
{
    struct bench *b = three_and_cut();
    commit(b, 4);
    start(b, 3);
    say(b, "committing 4");
    EXPECT_COUNTS(b, 0, 1, 0);
    expect_end(b, PH_FAIL);
}

static void found_ahead(void)
{
    struct bench *b = three_and_cut();
    start(b, 3 + IN_FLIGHT);
    say_number(b, "committing %llu", 4 + IN_FLIGHT);
    EXPECT_COUNTS(b, 1, 0, 0);
    expect_end(b, PH_INCONCLUSIVE);

    b = three_and_cut();
    start(b, 4 + IN_FLIGHT);
    say_number(b, "committing %llu", 5 + IN_FLIGHT);
    expect_uncounted(b, PH_AHEAD);
    expect_end(b, PH_INCONCLUSIVE);

    /* From the highest that was heard of: found, acknowledged or announced. */
    static const char *const heard[] = {"committed 9", "committing 9", "rate commits=9"};
    for (int i = 0; i < 3; i++) {
        b = three_and_cut();
        start(b, i == 2 ? 9 : 3);
        say(b, "committing 8");
        say(b, heard[i]);
        say(b, "committing 7");
        cut(b);
        start(b, 9 + IN_FLIGHT);
        say(b, "committing 99");
        EXPECT_COUNTS(b, i == 0 ? 2 : 1, 0, i == 0 ? 0 : 1);
        CU_ASSERT_EQUAL(last_reason(b), i == 0 ? PH_REASON_COUNT : PH_NO_ACKNOWLEDGEMENT);
        expect_end(b, i == 0 ? PH_PASS : PH_INCONCLUSIVE);
    }

    /* What was there before the first start was never announced. */
    b = bench();
    start_at(b, TARGET, "found version=100", 100);
    lose(b);
    commit(b, 1);
    cut(b);
    start(b, 100);
    say(b, "committing 101");
    EXPECT_COUNTS(b, 0, 0, 2);
    CU_ASSERT_EQUAL(last_reason(b), PH_LINES_LOST);
    expect_end(b, PH_INCONCLUSIVE);
}

/* The highest counts, whatever comes later. */
static void acknowledged_out_of_order(void)
{
    struct bench *b = bench();
    first_start(b);
    commit(b, 3);
    say(b, "committed 2");
    cut(b);
    start(b, 2);
    say(b, "committing 3");
    EXPECT_COUNTS(b, 0, 1, 0);
    expect_end(b, PH_FAIL);
}

static void cut_before_an_acknowledgement(void)
{
    struct bench *b = bench();
    first_start(b);
    say(b, "committing 1");
    cut(b);
    start(b, 0);
    say(b, "committing 1");
    expect_uncounted(b, PH_NO_ACKNOWLEDGEMENT);
    expect_end(b, PH_INCONCLUSIVE);

    /* What was acknowledged before the last start does not make this cut count. */
    b = three_and_cut();
    start(b, 3);
    say(b, "committing 4");
    cut(b);
    start(b, 3);
    say(b, "committing 4");
    EXPECT_COUNTS(b, 1, 0, 1);
    expect_end(b, PH_INCONCLUSIVE);
}

static void cut_after_the_end(void)
{
    struct bench *b = bench();
    first_start(b);
    commit(b, 1);
    say(b, "bye commits=1");
    cut(b);
    start(b, 1);
    say(b, "committing 2");
    expect_uncounted(b, PH_FINISHED);
    expect_end(b, PH_INCONCLUSIVE);
}

static void damage(void)
{
    static const char *const lines[] = {
        "found torn=1 version=3 reason=empty", "verified version=3 failed reason=crc",
        "verified version=2 failed reason=crc", "canary canary-0 bad reason=zeros"};
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        struct bench *b = three_and_cut();
        start_at(b, TARGET, "found version=3", 3);
        say(b, lines[i]);
        /* Of more than one damage the first is told; and nothing else changes the verdict. */
        say(b, "canary canary-1 bad reason=second");
        say(b, i % 2 == 0 ? "bye commits=0" : "error reason=EIO");
        EXPECT_COUNTS(b, 0, 1, 0);
        CU_ASSERT_PTR_NULL(strstr(b->judge.results[0].detail, "second"));
        CU_ASSERT_EQUAL(b->judge.results[0].has_found, i != 0);
        CU_ASSERT_EQUAL(b->judge.start.phase, PH_ENDED);
        say(b, "refused unsupported=1");
        expect_end(b, PH_FAIL);
    }
}

/* All was heard, and then it is cut before it commits: what it found counts. */
static void cut_after_the_check(void)
{
    for (uint64_t found = 2; found <= 3; found++) {
        struct bench *b = three_and_cut();
        start(b, found);
        cut(b);
        EXPECT_COUNTS(b, found == 3, found == 2, 0);
        expect_end(b, found == 2 ? PH_FAIL : PH_INCONCLUSIVE);
    }
}

/* It stops there, with an error or without a word, and nothing needs to be waited for. */
static void torn_and_no_more(void)
{
    for (int way = 0; way < 4; way++) {
        struct bench *b = three_and_cut();
        on(b);
        hello(b);
        say(b, TARGET);
        say(b, "found torn=1 reason=empty");
        if (way == 0)
            say(b, "error reason=torn");
        else if (way < 3)
            event(b, way == 1 ? PH_EVENT_TIMEOUT : PH_EVENT_CUT, NULL);
        EXPECT_COUNTS(b, 0, 1, 0);
        expect_end(b, PH_FAIL);
    }
}

static void damaged_before_the_first_cut(void)
{
    struct bench *b = bench();
    on(b);
    hello(b);
    say(b, TARGET);
    say(b, "found torn=1 reason=empty");
    say(b, "bye commits=0");
    expect_uncounted(b, PH_DAMAGED_BEFORE);
    expect_end(b, PH_INCONCLUSIVE);

    /* Once a start was fine, the first commit is the board's. */
    b = bench();
    first_start(b);
    say(b, "committing 1");
    cut(b);
    on(b);
    hello(b);
    say(b, TARGET);
    say(b, "found torn=1 reason=empty");
    say(b, "bye commits=0");
    EXPECT_COUNTS(b, 0, 1, 0);
    expect_end(b, PH_FAIL);
}

/* ---- Figures ---- */

static void bounds(void)
{
    CU_ASSERT_EQUAL(ph_upper_bound(0), 1);
    CU_ASSERT_DOUBLE_EQUAL(ph_upper_bound(1), 0.95, 1e-12);
    CU_ASSERT_TRUE(ph_upper_bound(58) > 0.05 && ph_upper_bound(59) < 0.05);
    CU_ASSERT_TRUE(ph_upper_bound(298) > 0.01 && ph_upper_bound(299) < 0.01);
    /* With that probability, all cuts go well once in twenty. */
    CU_ASSERT_DOUBLE_EQUAL(pow(1 - ph_upper_bound(300), 300), 0.05, 1e-9);
}

static void rates(void)
{
    struct bench *b = bench();
    first_start(b);
    for (uint64_t version = 1; version <= 60; version++)
        commit(b, version); /* one in 20 ms */
    CU_ASSERT_DOUBLE_EQUAL(b->judge.best_rate, 50, 1e-9);
    ph_judge_end(&b->judge);
    CU_ASSERT_TRUE(ph_rate_is_suspicious("/dev/mmcblk0p2", 4000));
    CU_ASSERT_FALSE(ph_rate_is_suspicious("/dev/mmcblk0p2", 100));
    CU_ASSERT_FALSE(ph_rate_is_suspicious("/dev/nvme0n1p1", 4000));
    CU_ASSERT_FALSE(ph_rate_is_suspicious("", 4000));
}

static const struct unit_test tests[] = {
    {"a board that loses nothing passes", nothing_lost},
    {"an acknowledged version is lost", acknowledged_is_lost},
    {"a failure stays one", failure_stays},
    {"an announced version may be found or not", announced_may_be_found_or_not},
    {"versions are acknowledged out of order", acknowledged_out_of_order},
    {"a cut between the check and the first commit", cut_after_the_check},
    {"an acknowledgement that comes after the cut is one", acknowledged_late},
    {"a version that nobody heard of", found_ahead},
    {"a cut before an acknowledgement does not count", cut_before_an_acknowledgement},
    {"a cut after the end does not count", cut_after_the_end},
    {"damage is a failure", damage},
    {"torn, and then no more", torn_and_no_more},
    {"damage before the first cut", damaged_before_the_first_cut},
    {"the upper bound", bounds},
    {"rates that are too good", rates},
};

UNIT_MAIN("portcheck judge", tests)
