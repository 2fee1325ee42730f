/*
 * The rule of portcheck-host, where the board does not come back as it should: never, late,
 * without a cut, by itself, with another disk, or to a host that was away.
 */
#include "unit.h"

#include "judge_bench.h"

/* ---- Coming back ---- */

static void never_returns(void)
{
    struct bench *b = three_and_cut();
    start(b, 3);
    commit(b, 4);
    survive_once_more(b);
    CU_ASSERT_EQUAL(ph_judge_verdict(&b->judge), PH_PASS);
    cut(b);
    CU_ASSERT_EQUAL(ph_judge_verdict(&b->judge), PH_INCONCLUSIVE);
    on(b);
    event(b, PH_EVENT_TIMEOUT, NULL);
    CU_ASSERT_EQUAL(last_reason(b), PH_NO_RETURN);
    CU_ASSERT_EQUAL(ph_judge_verdict(&b->judge), PH_INCONCLUSIVE);
    /* When it does in the end, what was promised is looked at. */
    start(b, b->judge.acknowledged);
    say(b, "committing 9");
    EXPECT_COUNTS(b, 2, 0, 1);
    expect_end(b, PH_PASS);
}

static void returns_without(void)
{
    struct bench *b = three_and_cut();
    on(b);
    event(b, PH_EVENT_TIMEOUT, NULL);
    start(b, 2);
    say(b, "committing 3");
    expect_end(b, PH_FAIL);
}

/* The relay clicks, and nothing is cut. */
static void goes_on_committing(void)
{
    struct bench *b = three_and_cut();
    uint64_t sequence = b->sequence;
    on(b);
    b->sequence = sequence;
    commit(b, 4);
    event(b, PH_EVENT_TIMEOUT, NULL);
    expect_uncounted(b, PH_WENT_ON);
    /* What it acknowledged meanwhile is promised; and the next cut is another matter. */
    on(b);
    event(b, PH_EVENT_TIMEOUT, NULL);
    CU_ASSERT_EQUAL(last_reason(b), PH_NO_RETURN);
    start(b, 3);
    say(b, "committing 4");
    EXPECT_COUNTS(b, 0, 1, 2);
    expect_end(b, PH_FAIL);
}

/* It starts, commits, and then hangs; or it only looks, and hangs. */
static void falls_silent(void)
{
    struct bench *b = three_and_cut();
    start(b, 3);
    say(b, "committing 4");
    event(b, PH_EVENT_TIMEOUT, NULL);
    EXPECT_COUNTS(b, 1, 0, 1);
    CU_ASSERT_EQUAL(last_reason(b), PH_NO_ACKNOWLEDGEMENT);
    CU_ASSERT_EQUAL(b->judge.start.phase, PH_ENDED);
    expect_end(b, PH_INCONCLUSIVE);
}

/* The first lines of a start are lost, and their numbers are lower than those of the last. */
static void says_hello_late(void)
{
    struct bench *b = three_and_cut();
    on(b);
    lose(b);
    hello(b);
    say(b, TARGET);
    say(b, "canary canary-0 ok");
    say(b, "found version=3");
    say(b, "verified version=3 ok");
    commit(b, 4);
    expect_uncounted(b, PH_LINES_LOST);
    expect_end(b, PH_INCONCLUSIVE);
}

/* ... and the program on it, which was asked to, begins the next cycle. */
static void begins_a_cycle_without_a_restart(void)
{
    struct bench *b = three_and_cut();
    uint64_t sequence = b->sequence;
    on(b);
    b->sequence = sequence;
    hello(b);
    say(b, TARGET);
    say(b, "canary canary-0 ok");
    say(b, "found version=3");
    say(b, "verified version=3 ok");
    commit(b, 4);
    expect_uncounted(b, PH_WENT_ON);
    cut(b);
    start(b, 4);
    commit(b, 5);
    EXPECT_COUNTS(b, 0, 0, 2);
    expect_end(b, PH_INCONCLUSIVE);
}

static void restarts_by_itself(void)
{
    for (uint64_t found = 2; found <= 3; found++) {
        struct bench *b = bench();
        first_start(b);
        for (uint64_t version = 1; version <= 3; version++)
            commit(b, version);
        b->cycle--; /* the same cycle */
        start(b, found);
        say(b, "committing 4");
        EXPECT_COUNTS(b, 0, found == 2, 0);
        expect_end(b, found == 2 ? PH_FAIL : PH_INCONCLUSIVE);
    }
}

static void same_cycle_restart_is_noted(void)
{
    struct bench *b = bench();
    first_start(b);
    commit(b, 1);
    b->sequence = 0;
    hello(b);
    CU_ASSERT_TRUE(b->judge.open);
    say(b, TARGET);
    say(b, "found version=1");
    say(b, "verified version=1 ok");
    say(b, "canary canary-0 ok");
    commit(b, 2);
    CU_ASSERT_EQUAL(b->judge.restarts, 1);
    EXPECT_COUNTS(b, 0, 0, 0);
    expect_end(b, PH_INCONCLUSIVE);
}

static void refuses(void)
{
    struct bench *b = three_and_cut();
    on(b);
    hello(b);
    say(b, "refused reason=tmpfs");
    expect_uncounted(b, PH_REFUSED);
    CU_ASSERT_FALSE(ph_judge_is_decided(&b->judge));
    CU_ASSERT_EQUAL(b->judge.start.phase, PH_ENDED);
    expect_end(b, PH_INCONCLUSIVE);

    b = bench();
    on(b);
    hello(b);
    say(b, "refused unsupported=1 reason=vfat");
    CU_ASSERT_TRUE(ph_judge_is_decided(&b->judge));
    expect_end(b, PH_UNSUPPORTED);
}

/* It is power-cycled after that, and must have what it acknowledged. */
static void fails_while_committing(void)
{
    for (uint64_t found = 2; found <= 3; found++) {
        struct bench *b = bench();
        first_start(b);
        for (uint64_t version = 1; version <= 3; version++)
            commit(b, version);
        say(b, "error reason=ENOSPC");
        CU_ASSERT_EQUAL(last_reason(b), PH_ERROR);
        CU_ASSERT_EQUAL(b->judge.start.phase, PH_ENDED);
        on(b);
        CU_ASSERT_TRUE(b->judge.open);
        start(b, found);
        say(b, "committing 4");
        EXPECT_COUNTS(b, 0, found == 2, 1);
        expect_end(b, found == 2 ? PH_FAIL : PH_INCONCLUSIVE);
    }
}

/* While it was away, the board may have gone on. */
static void host_was_away(void)
{
    struct bench *b = three_and_cut();
    event(b, PH_EVENT_SESSION, NULL);
    CU_ASSERT_TRUE(b->judge.open);
    start(b, 1000);
    commit(b, 1001);
    EXPECT_COUNTS(b, 1, 0, 0);
    expect_end(b, PH_INCONCLUSIVE);

    b = three_and_cut();
    start(b, 3);
    commit(b, 4);
    CU_ASSERT_FALSE(b->judge.open);
    event(b, PH_EVENT_SESSION, NULL);
    CU_ASSERT_TRUE(b->judge.open);
    start(b, 3);
    commit(b, 4);
    expect_end(b, PH_FAIL);

    /* The board has restarted meanwhile, and numbers its lines anew. */
    b = three_and_cut();
    start(b, 3);
    commit(b, 4);
    event(b, PH_EVENT_SESSION, NULL);
    b->sequence = 0;
    commit(b, 5);
    start(b, 4);
    commit(b, 5);
    expect_end(b, PH_FAIL);
}

/* Damage is only judged where it is known of which target: else the cut just does not count. */
static void fails_before_it_says_where(void)
{
    struct bench *b = three_and_cut();
    on(b);
    hello(b);
    say(b, "canary canary-0 bad reason=zeros");
    say(b, "error reason=EIO");
    expect_uncounted(b, PH_ERROR);
    expect_end(b, PH_INCONCLUSIVE);

    b = three_and_cut();
    on(b);
    hello(b);
    say(b, "canary canary-0 ok");
    say(b, "found version=3");
    say(b, "verified version=3 ok");
    commit(b, 4);
    expect_uncounted(b, PH_LINES_LOST);
    expect_end(b, PH_INCONCLUSIVE);
}

/* ---- Which target it is ---- */

static void reflashed(void)
{
    /* Another file system: nobody can tell. */
    struct bench *b = three_and_cut();
    start_at(b, "target fs=ext4 device=179:2 uuid=u2 path=/data", "found version=0 created=1", 0);
    say(b, "canary canary-0 ok");
    commit(b, 1);
    expect_uncounted(b, PH_OTHER_TARGET);
    CU_ASSERT_EQUAL(b->judge.abandoned, 1);
    CU_ASSERT_TRUE(ph_judge_is_decided(&b->judge));
    /* However many cuts that one survives. */
    for (int i = 0; i < 3; i++) {
        cut(b);
        start_at(b, "target fs=ext4 device=179:2 uuid=u2 path=/data", "found version=1", 1);
        say(b, "canary canary-0 ok");
        commit(b, 1);
    }
    EXPECT_COUNTS(b, 3, 0, 1);
    expect_end(b, PH_INCONCLUSIVE);

    /* The same file system, and all is gone; even if as many versions are there again. */
    b = bench();
    first_start(b);
    commit(b, 1);
    cut(b);
    start_at(b, TARGET, "found version=1 created=1", 1);
    say(b, "canary canary-0 ok");
    commit(b, 2);
    EXPECT_COUNTS(b, 0, 1, 0);
    expect_end(b, PH_FAIL);

    b = three_and_cut();
    first_start(b);
    commit(b, 1);
    EXPECT_COUNTS(b, 0, 1, 0);
    expect_end(b, PH_FAIL);
}

#define ON       "target fs=ext4 device=179:2 path=/data"
#define NOTHING  "found version=0 created=1"
#define ALL      "found version=3"
#define SURVIVED PH_REASON_COUNT
#define LOST     (PH_REASON_COUNT + 1)

/* What a board says of its target at the first start and after a cut, and what it found then. */
static const struct {
    const char *before, *now, *found;
    int expected; /* SURVIVED, LOST, or the reason */
} targets[] = {
    /* Nothing is there any more. The mark tells, ... */
    {ON " mark=1.1 marked=1", ON " mark=1.1", NOTHING, LOST},
    {ON " mark=0.9", ON " mark=0.9", NOTHING, LOST},
    {ON " mark=1.1 marked=1", ON " mark=1.2 marked=1", NOTHING, PH_MADE_ANEW},
    {ON " mark=0.9", ON " mark=1.2 marked=1", NOTHING, PH_MADE_ANEW},
    {ON " mark=1.1 marked=1", ON " mark=1.1 marked=1", NOTHING, PH_MADE_ANEW},
    /* ... the UUID, unless the mark was so old that the cut cannot have taken it, ... */
    {ON " uuid=u1", ON " uuid=u1", NOTHING, LOST},
    {ON " uuid=u1 mark=1.1 marked=1", ON " uuid=u1 mark=1.2 marked=1", NOTHING, LOST},
    {ON " uuid=u1 mark=1.1 marked=1", ON " uuid=u1", NOTHING, LOST},
    {ON " uuid=u1 mark=0.9", ON " uuid=u1 mark=1.2 marked=1", NOTHING, PH_MADE_ANEW},
    {ON " uuid=u1 mark=0.9", ON " uuid=u1 mark=0.9", NOTHING, LOST},
    /* ... but no number of a device, nor of a card. */
    {ON, ON, NOTHING, PH_MADE_ANEW},
    {ON " serial=s1", ON " serial=s1", NOTHING, PH_MADE_ANEW},
    {ON, ON " uuid=u1", NOTHING, PH_MADE_ANEW},
    {ON " uuid=u1", ON, NOTHING, PH_MADE_ANEW},
    /* Where the run is there, it is what it was, ... */
    {ON, ON, ALL, SURVIVED},
    {ON, ON, "found version=2", LOST},
    {ON, ON, "found torn=1 reason=empty", LOST},
    {ON " mark=1.1 marked=1", ON " mark=1.2 marked=1", ALL, SURVIVED},
    {ON " uuid=u1", ON " uuid=u1 serial=s1", ALL, SURVIVED},
    {ON " uuid=u1", "target fs=ext4 device=8:2 path=/data uuid=u1", ALL, SURVIVED},
    {ON " mark=1.1 marked=1", "target fs=ext4 device=8:2 path=/data mark=1.1", ALL, SURVIVED},
    /* ... unless it is on another disk, where that of an earlier cycle may be. */
    {ON " uuid=u1", ON " uuid=u2", ALL, PH_OTHER_TARGET},
    {ON " uuid=u1 mark=0.9", ON " uuid=u2 mark=0.9", ALL, PH_OTHER_TARGET},
    {ON " uuid=u1 serial=s1", ON " uuid=u1 serial=s2", ALL, PH_OTHER_TARGET},
    {ON " mark=0.9 serial=s1", ON " mark=0.9 serial=s2", ALL, PH_OTHER_TARGET},
    {ON, "target fs=ext4 device=8:2 path=/data", ALL, PH_OTHER_TARGET},
    {ON " uuid=u1", "target fs=xfs device=179:2 path=/data uuid=u1", ALL, PH_OTHER_TARGET},
    {ON " uuid=u1", "target fs=ext4 device=179:2 path=/other uuid=u1", ALL, PH_OTHER_TARGET},
};

static void known_again(void)
{
    for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
        int expected = targets[i].expected;
        struct bench *b = three_and_cut_on(targets[i].before);
        start_at(b, targets[i].now, targets[i].found, strcmp(targets[i].found, ALL) == 0 ? 3 : 0);
        say(b, "canary canary-0 ok");
        commit(b, 4);
        bool right = b->judge.survived == (expected == SURVIVED) &&
                     b->judge.lost == (expected == LOST) &&
                     b->judge.uncounted == (expected < SURVIVED) &&
                     (expected >= SURVIVED || (int)last_reason(b) == expected);
        if (!right) {
            fprintf(stderr, "%s, then %s, %s\n", targets[i].before, targets[i].now,
                    targets[i].found);
            CU_FAIL("another outcome");
        }
        CU_ASSERT_EQUAL(ph_judge_is_decided(&b->judge), expected != SURVIVED);
        expect_end(b, expected == LOST ? PH_FAIL : PH_INCONCLUSIVE);
    }
}

/* Nothing was promised on it. */
static void made_anew_before_a_promise(void)
{
    struct bench *b = bench();
    start_at(b, ON, NOTHING, 0);
    say(b, "canary canary-0 ok");
    say(b, "committing 1");
    cut(b);
    start_at(b, ON, NOTHING, 0);
    say(b, "canary canary-0 ok");
    commit(b, 1);
    expect_uncounted(b, PH_NO_ACKNOWLEDGEMENT);
    CU_ASSERT_FALSE(ph_judge_is_decided(&b->judge));
    expect_end(b, PH_INCONCLUSIVE);
}

/* A mark that has come through a cut is old. */
static void marks_grow_old(void)
{
    /* Also where not all of the check was heard. */
    for (unsigned heard = 0; heard < 2; heard++) {
        struct bench *b = three_and_cut_on(ON " uuid=u1 mark=1.1 marked=1");
        start_at(b, ON " uuid=u1 mark=1.1", ALL, 3);
        if (heard > 0)
            say(b, "canary canary-0 ok");
        commit(b, 4);
        cut(b);
        start_at(b, ON " uuid=u1 mark=1.3 marked=1", NOTHING, 0);
        say(b, "canary canary-0 ok");
        commit(b, 1);
        CU_ASSERT_EQUAL(last_reason(b), PH_MADE_ANEW);
        CU_ASSERT_STRING_EQUAL(b->judge.results[1].detail, "mark 1.3, before 1.1");
        char doubt[300];
        ph_judge_doubt(&b->judge, doubt, sizeof(doubt));
        CU_ASSERT_PTR_NOT_NULL(strstr(doubt, "made anew, or has lost everything"));
        EXPECT_COUNTS(b, heard, 0, 2 - heard);
        expect_end(b, PH_INCONCLUSIVE);
    }
}

/* What one start does not say is known from the one before. */
static void silent_about_its_target(void)
{
    struct bench *b = three_and_cut_on(ON " uuid=u1 serial=s1 mark=0.9");
    start_at(b, ON, ALL, 3);
    say(b, "canary canary-0 ok");
    commit(b, 4);
    CU_ASSERT_STRING_EQUAL(b->judge.target.uuid, "u1");
    CU_ASSERT_STRING_EQUAL(b->judge.target.mark, "0.9");
    cut(b);
    start_at(b, ON " uuid=u1 serial=s2", "found version=4", 4);
    say(b, "canary canary-0 ok");
    commit(b, 5);
    CU_ASSERT_EQUAL(last_reason(b), PH_OTHER_TARGET);
    CU_ASSERT_STRING_EQUAL(b->judge.results[1].detail, "serial number s2, before s1");
    /* Of that one nothing is known from the other. */
    cut(b);
    start_at(b, ON " uuid=u1", "found version=5", 5);
    say(b, "canary canary-0 ok");
    commit(b, 6);
    CU_ASSERT_STRING_EQUAL(b->judge.target.serial, "s2");
    CU_ASSERT_STRING_EQUAL(b->judge.target.mark, "");
    EXPECT_COUNTS(b, 2, 0, 1);
    expect_end(b, PH_INCONCLUSIVE);
}

static const struct unit_test tests[] = {
    {"the board never returns", never_returns},
    {"the board returns late, without what it acknowledged", returns_without},
    {"the board goes on committing", goes_on_committing},
    {"the board falls silent", falls_silent},
    {"the board's first lines are lost", says_hello_late},
    {"the board begins a cycle without a restart", begins_a_cycle_without_a_restart},
    {"the board loses something before its next start", restarts_by_itself},
    {"the board restarts by itself", same_cycle_restart_is_noted},
    {"the board refuses", refuses},
    {"the board fails while committing", fails_while_committing},
    {"the board fails before it says where", fails_before_it_says_where},
    {"the host was away", host_was_away},
    {"a reflashed disk", reflashed},
    {"a target is known again, or not", known_again},
    {"made anew before anything was promised", made_anew_before_a_promise},
    {"marks grow old", marks_grow_old},
    {"a board that is silent about its target", silent_about_its_target},
};

UNIT_MAIN("portcheck judge: starts", tests)
