/*
 * Runs of a check that need not be made: what each run looked at, one look after the other,
 * what it saw, and how it ended.
 *
 * A check is a function of what it looks at. So a state in which it would see the same, look
 * by look, has the same outcome: under another model of the same workload, of which most
 * states are alike, or in the recording of a run with a fault, which mostly goes the same way.
 * Looks are kept as the check made them, in nodes and bytes of its tree, not as locations of
 * an order; so they can be repeated on any tree, and observed under any model, by which the
 * exploration goes on as if the run had been made. (Inode numbers go with the numbers of nodes,
 * and neither they nor the order of names differ otherwise: layout.h.)
 *
 *     if (!cm_memo_recall(memo, &state, is_audit, &outcome)) {
 *         cm_memo_begin(memo, &state);
 *         ... the run; the observer notes its looks ...
 *         cm_memo_keep(memo, &state, &outcome);
 *     }
 *
 * The memo is memory that is shared with processes forked later, any of which may be killed
 * at any time. It is of a fixed size; what has no room is run again.
 */
#ifndef CRASHMATRIX_MEMO_H
#define CRASHMATRIX_MEMO_H

#include "crashmatrix/crashmatrix.h"

enum cm_look_kind {
    CM_LOOKED_AT_NAME,
    CM_LOOKED_AT_NAMES,
    CM_LOOKED_AT_SIZE,
    CM_LOOKED_AT_DATA,
    CM_LOOKED_AT_ATTRIBUTES,
    CM_LOOKED_AT_LINKS,
    CM_LOOKED_AT_OUTPUT,
    CM_LOOKED_AT_EVERYTHING,
    CM_LOOKED_ENOUGH, /* no look: there the run ended */
};

struct cm_looked {
    enum cm_look_kind kind;
    uint32_t node;
    uint64_t offset, size; /* of data */
    const char *name;      /* or NULL */
};

struct cm_memo;

/* NULL: there is no memory for it, or it is not wanted. All that follows takes that, too. */
struct cm_memo *cm_memo_new(void);
void cm_memo_free(struct cm_memo *memo);

/*
 * Whether the outcome is known; then the state's observer has noted what the run looked at,
 * as if it had been made. Of runs that are made to audit others as many are made as without
 * a memo, for each run that was made: an outcome is told to one only when it was tried already.
 */
bool cm_memo_recall(struct cm_memo *memo, const struct cm_state *state, bool is_audit,
                    struct cm_outcome *outcome);

/* In a process, of one run at a time. */
void cm_memo_begin(struct cm_memo *memo, const struct cm_state *state);
void cm_memo_look(struct cm_memo *memo, const struct cm_looked *look);
/* How many looks there are so far; and as if only those had been made. */
size_t cm_memo_mark(const struct cm_memo *memo);
void cm_memo_return(struct cm_memo *memo, size_t mark);
void cm_memo_keep(struct cm_memo *memo, const struct cm_state *state,
                  const struct cm_outcome *outcome);

/* Runs depend on more than the state: from now on each is made, and says so itself. */
void cm_memo_spoil(struct cm_memo *memo);

/* Runs that were made and kept, and those that were not made. */
struct cm_memo_counts {
    uint64_t made, recalled;
};
struct cm_memo_counts cm_memo_counts(const struct cm_memo *memo);

#endif
