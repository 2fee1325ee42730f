#include "judge_bench.h"

#include <stdio.h>
#include <string.h>

#include "unit.h"

struct bench *bench(void)
{
    static struct bench one;
    const struct ph_rules rules = {.run = RUN, .cycles = 2, .in_flight = IN_FLIGHT};
    one = (struct bench){.run = RUN};
    ph_judge_begin(&one.judge, &rules);
    return &one;
}

void event(struct bench *b, enum ph_event_kind kind, const struct pc_line *line)
{
    struct ph_event one = {kind, b->milliseconds, 0, 0, line};
    if (kind == PH_EVENT_ON)
        one.number = b->cycle;
    ph_judge_event(&b->judge, &one);
    b->milliseconds += 10;
}

void say(struct bench *b, const char *text)
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

void say_number(struct bench *b, const char *format, uint64_t number)
{
    char text[128];
    snprintf(text, sizeof(text), format, (unsigned long long)number);
    say(b, text);
}

void lose(struct bench *b)
{
    b->sequence++;
}

void on(struct bench *b)
{
    b->cycle++;
    event(b, PH_EVENT_ON, NULL);
    b->sequence = 0;
}

void hello(struct bench *b)
{
    say_number(b, "hello program=portcheck/1 protocol=1 cycle=%llu", b->cycle);
}

void start_at(struct bench *b, const char *target, const char *found, uint64_t version)
{
    on(b);
    hello(b);
    say(b, target);
    say(b, found);
    say_number(b, "verified version=%llu ok", version);
}

void start(struct bench *b, uint64_t version)
{
    char found[64];
    snprintf(found, sizeof(found), "found version=%llu", (unsigned long long)version);
    start_at(b, TARGET, found, version);
    say(b, "canary canary-0 ok");
}

void first_start(struct bench *b)
{
    start_at(b, TARGET, "found version=0 created=1", 0);
    say(b, "canary canary-0 ok");
}

void commit(struct bench *b, uint64_t version)
{
    say_number(b, "committing %llu", version);
    say_number(b, "committed %llu", version);
}

void cut(struct bench *b)
{
    event(b, PH_EVENT_CUT, NULL);
}

struct bench *three_and_cut_on(const char *target)
{
    struct bench *b = bench();
    event(b, PH_EVENT_SESSION, NULL);
    start_at(b, target, "found version=0 created=1", 0);
    say(b, "canary canary-0 ok");
    for (uint64_t version = 1; version <= 3; version++)
        commit(b, version);
    cut(b);
    return b;
}

struct bench *three_and_cut(void)
{
    return three_and_cut_on(TARGET);
}

void survive_once_more(struct bench *b)
{
    uint64_t next = b->judge.announced + 1;
    if (b->judge.start.phase == PH_AWAITED)
        start(b, b->judge.acknowledged);
    commit(b, next);
    cut(b);
    start(b, next);
    commit(b, next + 1);
}

void expect_end(struct bench *b, enum ph_verdict verdict)
{
    CU_ASSERT_EQUAL(ph_judge_verdict(&b->judge), verdict);
    ph_judge_end(&b->judge);
}

enum ph_reason last_reason(const struct bench *b)
{
    CU_ASSERT_FATAL(b->judge.result_count > 0);
    const struct ph_result *last = &b->judge.results[b->judge.result_count - 1];
    return last->outcome == PH_UNCOUNTED ? last->reason : PH_REASON_COUNT;
}

void expect_uncounted(struct bench *b, enum ph_reason reason)
{
    EXPECT_COUNTS(b, 0, 0, 1);
    CU_ASSERT_EQUAL(last_reason(b), reason);
    CU_ASSERT_EQUAL(ph_judge_verdict(&b->judge), PH_INCONCLUSIVE);
}
