/*
 * The rule that decides whether a board keeps what it acknowledged.
 *
 * Events go in, in the order in which the record (record.h) has them: lines of the board
 * and what the host did. A verdict comes out. There is no input, output or clock in here,
 * so that a record that is read again gives the same verdict.
 *
 *     struct ph_judge judge;
 *     ph_judge_begin(&judge, &rules);
 *     ph_judge_event(&judge, &event);          for each
 *     ph_judge_verdict(&judge);
 *     ph_judge_end(&judge);
 *
 * After each cut the board starts again, looks at what it finds, and says so before it
 * commits anything. That start is fine if
 *
 *   - the version found is not older than the last that was acknowledged before,
 *   - nor later than the last that was announced, but for the lines that were on their way
 *     when the power went (in_flight),
 *   - all that the board read back is as it was written, the canary files too,
 *   - and all of this was heard: no line of the check is missing.
 *
 * Where nothing of the run is there any more, either a cut has taken it, or somebody has made
 * the file system anew, which no board is to blame for. It is the same file system
 *
 *   - if it has the same mark (DIR/portcheck-mark, which is as durable as anything there),
 *   - or, where the mark was as young as all that is gone, so that the same cut may have
 *     taken it, if it has the same UUID. An image that is written again brings its UUID along;
 *     a mark that had come through an earlier cut is no longer there then.
 *
 * Else nobody knows.
 *
 * A cut counts if a version was acknowledged between the board's start and the cut, and
 * the start after it is fine. One that does not count says why. It never turns into a
 * pass: what was acknowledged stays promised until a start of the same file system shows
 * it, and as long as that is open the verdict is not PASS.
 */
#ifndef PORTCHECK_JUDGE_H
#define PORTCHECK_JUDGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "line.h"

/* What a cut takes away. */
enum ph_kind {
    PH_KILL,  /* the process; the page cache survives */
    PH_RESET, /* the machine; the storage stays powered */
    PH_POWER, /* the power of all, so that the device's own cache is lost, too */
    PH_KINDS
};
const char *ph_kind_name(enum ph_kind kind);
bool ph_kind_find(const char *name, enum ph_kind *kind);

enum ph_verdict { PH_PASS, PH_FAIL, PH_INCONCLUSIVE, PH_UNSUPPORTED };
const char *ph_verdict_name(enum ph_verdict verdict);

/* X(name, word, text): why a cut, or a start of the board, does not count. */
#define PH_REASONS(X)                                                                              \
    X(NO_ACKNOWLEDGEMENT, "no-acknowledgement",                                                    \
      "no version had been acknowledged since the board's start")                                  \
    X(NO_RETURN, "no-return", "the board did not come back in time")                               \
    X(WENT_ON, "went-on", "the board went on committing as if nothing had been cut")               \
    X(LINES_LOST, "lines-lost", "not all lines of the board's check arrived")                      \
    X(AHEAD, "ahead", "found a version that nobody heard of: lines were lost, or another disk")    \
    X(OTHER_TARGET, "other-target", "came back with another file system or disk")                  \
    X(MADE_ANEW, "made-anew",                                                                      \
      "came back with nothing of the run, and nothing shows that it is the same file system: it "  \
      "was made anew, or has lost everything")                                                     \
    X(DAMAGED_BEFORE, "damaged-before", "was damaged before the first cut")                        \
    X(REFUSED, "refused", "the board refused its target")                                          \
    X(ERROR, "error", "the board could not go on")                                                 \
    X(FINISHED, "finished", "the board had stopped committing before the cut")

enum ph_reason {
#define X(name, word, text) PH_##name,
    PH_REASONS(X)
#undef X
        PH_REASON_COUNT
};
const char *ph_reason_word(enum ph_reason reason);
const char *ph_reason_text(enum ph_reason reason);

enum ph_outcome { PH_SURVIVED, PH_LOST, PH_UNCOUNTED };

/* What became of a cut, or of a start that came to nothing. */
struct ph_result {
    uint64_t cycle; /* that the cut ended */
    enum ph_outcome outcome;
    enum ph_reason reason; /* of PH_UNCOUNTED */
    uint64_t acknowledged, announced;
    bool has_found;
    uint64_t found;
    char detail[160]; /* of the board's own words or the host's, or "" */
};

enum ph_event_kind {
    PH_EVENT_SESSION, /* the host was started, or started again */
    PH_EVENT_ON,      /* the board is on; its cycle is number */
    PH_EVENT_LINE,
    PH_EVENT_CUT,
    PH_EVENT_TIMEOUT, /* the board did not get as far as it should have */
    PH_EVENT_NOISE,   /* bytes that were no line: number of foreign ones, other of garbled */
    PH_EVENT_KINDS
};

struct ph_event {
    enum ph_event_kind kind;
    uint64_t milliseconds; /* of the host's monotonic clock since the session began */
    uint64_t number, other;
    const struct pc_line *line; /* of PH_EVENT_LINE */
};

struct ph_rules {
    uint32_t run;
    uint64_t cycles;    /* cuts that must count */
    uint64_t in_flight; /* versions that may have been announced without being heard */
};

enum ph_phase {
    PH_AWAITED,    /* no hello of this cycle yet */
    PH_CHECKING,   /* says what it found */
    PH_COMMITTING, /* the check is over */
    PH_ENDED       /* it will commit no more in this cycle */
};

enum { PH_CANARIES = 16, PH_NAME_SIZE = 64 };

struct ph_target {
    char fs[PH_NAME_SIZE], device[PH_NAME_SIZE], uuid[PH_NAME_SIZE]; /* "": not said */
    char path[PH_NAME_SIZE], source[PH_NAME_SIZE], point[PH_NAME_SIZE];
    char mark[PH_NAME_SIZE], serial[PH_NAME_SIZE];
    bool marked; /* the mark was made by this start */
};

/* The board since its last hello. */
struct ph_start {
    enum ph_phase phase;
    bool numbered; /* the next sequence is known */
    uint64_t next_sequence;
    bool gap; /* a line of the check is missing */
    bool has_target, has_found, torn, created, read_back, passed;
    struct ph_target target;
    uint64_t found;
    char damage[160]; /* what it says is wrong, or "" */
    bool seen[PH_CANARIES];
    uint64_t acknowledgements;
    uint64_t first_milliseconds, last_milliseconds; /* of acknowledgements */
    uint64_t announced_milliseconds;                /* of the last announcement */
};

struct ph_judge {
    struct ph_rules rules;
    uint64_t cycle;
    struct ph_start start;
    uint64_t last_sequence;                           /* the next number of the start before */
    char program[PH_NAME_SIZE], mutant[PH_NAME_SIZE]; /* of the last hello */

    /* The promise. */
    bool based;    /* a start on this target was fine */
    bool promised; /* a version was acknowledged on it */
    bool open;     /* ... and no start since the last cut has shown it */
    bool unheard;  /* the board may have announced versions while no host was there */
    uint64_t acknowledged, announced;
    struct ph_target target;
    char canaries[PH_CANARIES][PH_NAME_SIZE];
    size_t canary_count;

    /* The cut that waits for the board's next start. */
    bool cut, cut_counts, went_on;
    enum ph_reason cut_reason;
    uint64_t cut_cycle;

    /* What came of it. */
    struct ph_result *results;
    size_t result_count, result_capacity;
    uint64_t survived, lost, uncounted;
    uint64_t abandoned; /* promises of file systems that never came back */
    enum ph_reason abandoned_reason;
    bool unsupported;
    char unsupported_reason[160];
    uint64_t acknowledgements, restarts, wrong_runs, stale, repeated, missing, foreign, garbled;
    double best_rate; /* commits per second, of the fastest start */
};

void ph_judge_begin(struct ph_judge *judge, const struct ph_rules *rules);
void ph_judge_end(struct ph_judge *judge);
void ph_judge_event(struct ph_judge *judge, const struct ph_event *event);

/* Whether no further cut can change the verdict, or is wanted. */
bool ph_judge_is_decided(const struct ph_judge *judge);

enum ph_verdict ph_judge_verdict(const struct ph_judge *judge);

/* Why the verdict is INCONCLUSIVE, in words; "" if it is not. */
void ph_judge_doubt(const struct ph_judge *judge, char *text, size_t size);

/*
 * The 95 % upper bound of the probability that a cut loses something, when none of this
 * many did: 1 - 0.05^(1/cuts), the exact form of the rule of three (Hanley and
 * Lippman-Hand, JAMA 249, 1983). 1 for no cuts.
 */
double ph_upper_bound(uint64_t cuts);

/* Whether this many commits a second are more than the medium of that name, as
 * /proc/mounts has it, can usually sync. A hint, never a proof. */
bool ph_rate_is_suspicious(const char *source, double rate);

#endif
