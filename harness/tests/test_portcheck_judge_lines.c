/*
 * The rule of portcheck-host, where lines are missing, come twice, late, or from elsewhere.
 */
#include "unit.h"

#include "judge_bench.h"

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

    /* A canary of which nothing is said is as one that is not mentioned. */
    b = three_and_cut();
    start_at(b, TARGET, "found version=3", 3);
    say(b, "canary canary-0 ok");
    say(b, "canary canary-1");
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
    b->sequence--;
    say(b, "committed 4");
    commit(b, 5);
    EXPECT_COUNTS(b, 1, 0, 0);
    CU_ASSERT_EQUAL(b->judge.repeated, 2);
    CU_ASSERT_EQUAL(b->judge.missing, 0);
    CU_ASSERT_EQUAL(b->judge.start.acknowledgements, 2);
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
    say(b, "found torn=1 reason=late"); /* the check is over */
    CU_ASSERT_EQUAL(b->judge.start.phase, PH_COMMITTING);
    EXPECT_COUNTS(b, 1, 0, 0);
    CU_ASSERT_EQUAL(b->judge.restarts, 0);
    CU_ASSERT_EQUAL(b->judge.start.acknowledgements, 2);
    CU_ASSERT_EQUAL(b->judge.missing, 0);
    cut(b);
    start(b, 5);
    commit(b, 6);
    EXPECT_COUNTS(b, 2, 0, 0);
    expect_end(b, PH_PASS);
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

static const struct unit_test tests[] = {
    {"lines of the check are missing", lines_of_the_check_missing},
    {"parts of the check are missing", parts_of_the_check_missing},
    {"lines of commits are missing", lines_of_commits_missing},
    {"lines that come twice", repeated_lines},
    {"a wrong run", wrong_run},
    {"a hello of an earlier cycle", late_hello},
    {"a hello that is lost", lost_hello},
    {"another protocol", another_protocol},
    {"a hello that is said again", hello_said_again},
    {"words of the board are made printable", words_of_the_board_are_made_printable},
};

UNIT_MAIN("portcheck judge: lines", tests)
