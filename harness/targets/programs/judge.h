/*
 * What the programs of the targets share: the promise of a workload and the verdict of
 * a check, in the form of the contract (README.md).
 */
#ifndef CRASHMATRIX_TARGETS_JUDGE_H
#define CRASHMATRIX_TARGETS_JUDGE_H

#include <stdbool.h>

/* Says to the world, at once, that this was done. */
void judge_promise(const char *word);

/* Whether the workload had said so before the power cut. */
bool judge_promised(const char *word);

/* Prints the label of a state that is accepted. */
void judge_accept(const char *label);

/*
 * The verdict over two amounts, 100 and 0 before the transfer, 60 and 40 after it, which
 * is promised as "transferred"; -1 is an amount that is not there.
 */
void judge_transfer(int first, int second);

/* Prints why a state is rejected (or why a workload cannot go on), and exits with 1. */
_Noreturn void judge_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Prints how the program is called; returns 2, the exit status for that. */
int judge_usage(const char *text);

#endif
