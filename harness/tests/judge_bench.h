/*
 * A board and its host, without either: events for the judge of portcheck-host, and what is
 * expected of it. Numbers of versions are those of the board.
 */
#ifndef JUDGE_BENCH_H
#define JUDGE_BENCH_H

#include "judge.h"

enum { RUN = 0x1a2b3c4d, IN_FLIGHT = 8 };

#define TARGET "target fs=ext4 device=179:2 uuid=u1 path=/data source=/dev/mmcblk0p2"

struct bench {
    struct ph_judge judge;
    uint64_t cycle, sequence, milliseconds;
    uint32_t run;
};

struct bench *bench(void);
void event(struct bench *b, enum ph_event_kind kind, const struct pc_line *line);

/* "WORD ARGUMENT...", sent by the board; the same with a number in it; and a line of it that
 * does not arrive. */
void say(struct bench *b, const char *text);
void say_number(struct bench *b, const char *format, uint64_t number);
void lose(struct bench *b);

/* What happens to a board. start_at(): the lines of its check up to the canaries. */
void on(struct bench *b);
void hello(struct bench *b);
void start_at(struct bench *b, const char *target, const char *found, uint64_t version);
void start(struct bench *b, uint64_t version);
void first_start(struct bench *b);
void commit(struct bench *b, uint64_t version);
void cut(struct bench *b);

/* Versions 1 to 3, all acknowledged, and a cut; on that target. */
struct bench *three_and_cut(void);
struct bench *three_and_cut_on(const char *target);

/* Another cut, which the board survives: two would be a pass. */
void survive_once_more(struct bench *b);

void expect_end(struct bench *b, enum ph_verdict verdict);

/* Of the last result; PH_REASON_COUNT if it counts. */
enum ph_reason last_reason(const struct bench *b);

/* The cut did not count, for that reason, and what follows may still pass. */
void expect_uncounted(struct bench *b, enum ph_reason reason);

#define EXPECT_COUNTS(b, expected_survived, expected_lost, expected_uncounted)                     \
    do {                                                                                           \
        CU_ASSERT_EQUAL((b)->judge.survived, expected_survived);                                   \
        CU_ASSERT_EQUAL((b)->judge.lost, expected_lost);                                           \
        CU_ASSERT_EQUAL((b)->judge.uncounted, expected_uncounted);                                 \
    } while (0)

#endif
