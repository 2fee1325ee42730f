/*
 * The rule of portcheck-host: for each way in which a board, the line to it or the host
 * can go wrong a planted case, and beside it the case that is right.
 */
#include "unit.h"

#include <math.h>

#include "judge.h"

enum { RUN = 0x1a2b3c4d, IN_FLIGHT = 8 };

#define TARGET "target fs=ext4 device=179:2 uuid=u1 path=/data source=/dev/mmcblk0p2"

/* A board and its host, without either. */
struct bench {
    struct ph_judge judge;
    uint64_t cycle, sequence, milliseconds;
    uint32_t run;
};

static struct bench *bench(void)
{
    static struct bench one;
    const struct ph_rules rules = {.run = RUN, .cycles = 2, .in_flight = IN_FLIGHT};
    one = (struct bench){.run = RUN};
    ph_judge_begin(&one.judge, &rules);
    return &one;
}

static void event(struct bench *b, enum ph_event_kind kind, const struct pc_line *line)
{
    struct ph_event one = {kind, b->milliseconds, 0, 0, line};
    if (kind == PH_EVENT_ON)
        one.number = b->cycle;
    ph_judge_event(&b->judge, &one);
    b->milliseconds += 10;
}

/* "WORD ARGUMENT...", sent by the board. */
static void say(struct bench *b, const char *text)
{
    struct pc_message message;
    struct pc_line line;
    char words[256];
    snprintf(words, sizeof(words), "%s", text);
    char *word = strtok(words, " ");
    pc_message_begin(&message, b->run, b->sequence++, word);
    while ((word = strtok(NULL, " ")) != NULL)
        pc_message_add(&message, NULL, word);
    CU_ASSERT_FATAL(pc_message_end(&message));
    CU_ASSERT_FATAL(pc_line_decode(message.text, message.length, &line));
    event(b, PH_EVENT_LINE, &line);
}

static void say_number(struct bench *b, const char *format, uint64_t number)
{
    char text[128];
    snprintf(text, sizeof(text), format, (unsigned long long)number);
    say(b, text);
}

/* A line that does not arrive. */
static void lose(struct bench *b)
{
    b->sequence++;
}

static void on(struct bench *b)
{
    b->cycle++;
    event(b, PH_EVENT_ON, NULL);
    b->sequence = 0;
}

static void hello(struct bench *b)
{
    say_number(b, "hello program=portcheck/1 protocol=1 cycle=%llu", b->cycle);
}

/* The lines of a check up to the canaries. */
static void start_at(struct bench *b, const char *target, const char *found, uint64_t version)
{
    on(b);
    hello(b);
    say(b, target);
    say(b, found);
    say_number(b, "verified version=%llu ok", version);
}

static void start(struct bench *b, uint64_t version)
{
    char found[64];
    snprintf(found, sizeof(found), "found version=%llu", (unsigned long long)version);
    start_at(b, TARGET, found, version);
    say(b, "canary canary-0 ok");
}

static void first_start(struct bench *b)
{
    start_at(b, TARGET, "found version=0 created=1", 0);
    say(b, "canary canary-0 ok");
}

static void commit(struct bench *b, uint64_t version)
{
    say_number(b, "committing %llu", version);
    say_number(b, "committed %llu", version);
}

static void cut(struct bench *b)
{
    event(b, PH_EVENT_CUT, NULL);
}

/* Versions 1 to 3, all acknowledged, and a cut. */
static struct bench *three_and_cut(void)
{
    struct bench *b = bench();
    event(b, PH_EVENT_SESSION, NULL);
    first_start(b);
    for (uint64_t version = 1; version <= 3; version++)
        commit(b, version);
    cut(b);
    return b;
}

/* Another cut, which the board survives: two would be a pass. */
static void survive_once_more(struct bench *b)
{
    uint64_t next = b->judge.announced + 1;
    if (b->judge.start.phase == PH_AWAITED)
        start(b, b->judge.acknowledged);
    commit(b, next);
    cut(b);
    start(b, next);
    commit(b, next + 1);
}

#define EXPECT_COUNTS(b, expected_survived, expected_lost, expected_uncounted)                     \
    do {                                                                                           \
        CU_ASSERT_EQUAL((b)->judge.survived, expected_survived);                                   \
        CU_ASSERT_EQUAL((b)->judge.lost, expected_lost);                                           \
        CU_ASSERT_EQUAL((b)->judge.uncounted, expected_uncounted);                                 \
    } while (0)

static void expect_end(struct bench *b, enum ph_verdict verdict)
{
    CU_ASSERT_EQUAL(ph_judge_verdict(&b->judge), verdict);
    ph_judge_end(&b->judge);
}

static enum ph_reason last_reason(const struct bench *b)
{
    CU_ASSERT_FATAL(b->judge.result_count > 0);
    const struct ph_result *last = &b->judge.results[b->judge.result_count - 1];
    return last->outcome == PH_UNCOUNTED ? last->reason : PH_REASON_COUNT;
}

/* The cut did not count, for that reason, and what follows may still pass. */
static void expect_uncounted(struct bench *b, enum ph_reason reason)
{
    EXPECT_COUNTS(b, 0, 0, 1);
    CU_ASSERT_EQUAL(last_reason(b), reason);
    CU_ASSERT_EQUAL(ph_judge_verdict(&b->judge), PH_INCONCLUSIVE);
}

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
    survive_once_more(b);
    survive_once_more(b);
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

/* ---- What is read back ---- */

static void damage(void)
{
    static const char *const lines[] = {
        "found torn=1 reason=empty", "verified version=3 failed reason=crc",
        "verified version=2 failed reason=crc", "canary canary-0 bad reason=zeros"};
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        struct bench *b = three_and_cut();
        start_at(b, TARGET, "found version=3", 3);
        say(b, lines[i]);
        say(b, "bye commits=0");
        EXPECT_COUNTS(b, 0, 1, 0);
        expect_end(b, PH_FAIL);
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

/* ---- The line ---- */

/* Each line of the check in turn. Whatever is missing, it is no pass and no failure. */
static void lines_of_the_check_missing(void)
{
    static const char *const lines[] = {TARGET, "found version=3", "verified version=2 ok",
                                        "verified version=3 ok", "canary canary-0 ok"};
    for (size_t lost = 0; lost < 6; lost++) {
        struct bench *b = three_and_cut();
        on(b);
        hello(b);
        for (size_t i = 0; i < 5; i++) {
            if (i == lost)
                lose(b);
            else
                say(b, lines[i]);
        }
        commit(b, 4);
        if (lost == 5) { /* none */
            EXPECT_COUNTS(b, 1, 0, 0);
            ph_judge_end(&b->judge);
            continue;
        }
        expect_uncounted(b, PH_LINES_LOST);
        CU_ASSERT_TRUE(b->judge.open);
        /* A start whose check was not heard makes no cut count, but the next one settles
         * what was promised. */
        cut(b);
        start(b, 4);
        commit(b, 5);
        EXPECT_COUNTS(b, 0, 0, 2);
        CU_ASSERT_FALSE(b->judge.open);
        survive_once_more(b);
        survive_once_more(b);
        expect_end(b, PH_PASS);
    }
}

/* A canary, or the version that was found, is not mentioned although no line is missing. */
static void parts_of_the_check_missing(void)
{
    struct bench *b = three_and_cut();
    start_at(b, TARGET, "found version=3", 3);
    commit(b, 4);
    expect_uncounted(b, PH_LINES_LOST);
    expect_end(b, PH_INCONCLUSIVE);

    b = three_and_cut();
    start_at(b, TARGET, "found version=3", 2);
    say(b, "canary canary-0 ok");
    commit(b, 4);
    expect_uncounted(b, PH_LINES_LOST);
    expect_end(b, PH_INCONCLUSIVE);
}

/* A lost acknowledgement weakens the promise, a lost announcement is made up for. */
static void lines_of_commits_missing(void)
{
    struct bench *b = bench();
    first_start(b);
    commit(b, 1);
    lose(b);
    say(b, "committed 2");
    say(b, "committing 3");
    lose(b);
    cut(b);
    start(b, 2);
    commit(b, 4);
    EXPECT_COUNTS(b, 1, 0, 0);
    CU_ASSERT_EQUAL(b->judge.missing, 1); /* of the other nobody can know */
    expect_end(b, PH_INCONCLUSIVE);
}

static void repeated_lines(void)
{
    struct bench *b = three_and_cut();
    start(b, 3);
    b->sequence -= 3;
    say(b, "found version=3");
    b->sequence += 2;
    commit(b, 4);
    EXPECT_COUNTS(b, 1, 0, 0);
    CU_ASSERT_EQUAL(b->judge.repeated, 1);
    expect_end(b, PH_INCONCLUSIVE);
}

static void wrong_run(void)
{
    struct bench *b = three_and_cut();
    b->run++;
    start(b, 1);
    commit(b, 2);
    CU_ASSERT_EQUAL(b->judge.wrong_runs, 7);
    EXPECT_COUNTS(b, 0, 0, 0);
    event(b, PH_EVENT_TIMEOUT, NULL);
    expect_uncounted(b, PH_NO_RETURN);
    expect_end(b, PH_INCONCLUSIVE);
}

static void late_hello(void)
{
    struct bench *b = three_and_cut();
    on(b);
    say_number(b, "hello program=portcheck/1 protocol=1 cycle=%llu", b->cycle - 1);
    say(b, "rate commits=1 microseconds=9");
    CU_ASSERT_EQUAL(b->judge.stale, 2);
    EXPECT_COUNTS(b, 0, 0, 0);
    expect_end(b, PH_INCONCLUSIVE);
}

/* The rest comes, and even all that is wanted: it does not count, nor is it waited for. */
static void lost_hello(void)
{
    struct bench *b = three_and_cut();
    on(b);
    lose(b);
    say(b, TARGET);
    say(b, "found version=3");
    say(b, "verified version=3 ok");
    say(b, "canary canary-0 ok");
    commit(b, 4);
    expect_uncounted(b, PH_LINES_LOST);
    CU_ASSERT_EQUAL(b->judge.start.phase, PH_COMMITTING);
    cut(b);
    start(b, 4);
    commit(b, 5);
    EXPECT_COUNTS(b, 0, 0, 2);
    CU_ASSERT_FALSE(b->judge.open);
    expect_end(b, PH_INCONCLUSIVE);
}

static void another_protocol(void)
{
    struct bench *b = three_and_cut();
    on(b);
    say_number(b, "hello program=portcheck/9 protocol=2 cycle=%llu", b->cycle);
    expect_uncounted(b, PH_REFUSED);
    CU_ASSERT_EQUAL(b->judge.start.phase, PH_ENDED);
    expect_end(b, PH_INCONCLUSIVE);
}

/* ---- The board ---- */

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

/* The host's word was on its way twice: what the board says again is old. */
static void hello_said_again(void)
{
    struct bench *b = three_and_cut();
    start(b, 3);
    commit(b, 4);
    hello(b);
    say(b, TARGET);
    say(b, "found version=3");
    commit(b, 5);
    EXPECT_COUNTS(b, 1, 0, 0);
    CU_ASSERT_EQUAL(b->judge.restarts, 0);
    CU_ASSERT_EQUAL(b->judge.start.acknowledgements, 2);
    cut(b);
    start(b, 5);
    commit(b, 6);
    EXPECT_COUNTS(b, 2, 0, 0);
    expect_end(b, PH_PASS);
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

static void devices_are_renumbered(void)
{
    struct bench *b = three_and_cut();
    start_at(b, "target fs=ext4 device=8:2 uuid=u1 path=/data", "found version=3", 3);
    say(b, "canary canary-0 ok");
    commit(b, 4);
    EXPECT_COUNTS(b, 1, 0, 0);
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
        on(b);
        CU_ASSERT_TRUE(b->judge.open);
        start(b, found);
        say(b, "committing 4");
        EXPECT_COUNTS(b, 0, found == 2, 1);
        expect_end(b, found == 2 ? PH_FAIL : PH_INCONCLUSIVE);
    }
}

/* ---- The host ---- */

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
}

static void words_of_the_board_are_made_printable(void)
{
    struct pc_message message;
    struct pc_line line;
    struct bench *b = three_and_cut();
    on(b);
    hello(b);
    say(b, TARGET);
    pc_message_begin(&message, RUN, b->sequence++, "found");
    pc_message_add(&message, "torn", "1");
    pc_message_add(&message, "reason", "\033[2J\n\xff");
    CU_ASSERT_TRUE(pc_message_end(&message));
    CU_ASSERT_TRUE(pc_line_decode(message.text, message.length, &line));
    event(b, PH_EVENT_LINE, &line);
    say(b, "bye commits=0");
    CU_ASSERT_PTR_NOT_NULL(strstr(b->judge.results[0].detail, ": ?[2J??"));
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
    {"an acknowledgement that comes after the cut is one", acknowledged_late},
    {"a version that nobody heard of", found_ahead},
    {"a cut before an acknowledgement does not count", cut_before_an_acknowledgement},
    {"a cut after the end does not count", cut_after_the_end},
    {"damage is a failure", damage},
    {"torn, and then no more", torn_and_no_more},
    {"damage before the first cut", damaged_before_the_first_cut},
    {"lines of the check are missing", lines_of_the_check_missing},
    {"parts of the check are missing", parts_of_the_check_missing},
    {"lines of commits are missing", lines_of_commits_missing},
    {"lines that come twice", repeated_lines},
    {"a wrong run", wrong_run},
    {"a hello of an earlier cycle", late_hello},
    {"a hello that is lost", lost_hello},
    {"another protocol", another_protocol},
    {"the board never returns", never_returns},
    {"the board returns late, without what it acknowledged", returns_without},
    {"the board goes on committing", goes_on_committing},
    {"the board begins a cycle without a restart", begins_a_cycle_without_a_restart},
    {"a hello that is said again", hello_said_again},
    {"the board loses something before its next start", restarts_by_itself},
    {"the board restarts by itself", same_cycle_restart_is_noted},
    {"a reflashed disk", reflashed},
    {"devices are renumbered", devices_are_renumbered},
    {"the board refuses", refuses},
    {"the board fails while committing", fails_while_committing},
    {"the host was away", host_was_away},
    {"words of the board are made printable", words_of_the_board_are_made_printable},
    {"the upper bound", bounds},
    {"rates that are too good", rates},
};

UNIT_MAIN("portcheck judge", tests)
