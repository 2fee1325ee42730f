/*
 * What the runs of a check depend on besides the state (cm_depends_on()), over all workers:
 * they are noted in memory that is shared with processes forked later, and survive the one
 * that noted them. Of each kind the first few different texts are kept.
 */
#ifndef CRASHMATRIX_MARKS_H
#define CRASHMATRIX_MARKS_H

#include "crashmatrix/crashmatrix.h"

struct cm_marks;

/* More are not told of. */
enum { CM_MARKS_PER_KIND = 8, CM_MARKS_LIMIT = CM_MARKS_PER_KIND * CM_DEPENDENCE_KINDS };

struct cm_marks *cm_marks_new(void);
void cm_marks_free(struct cm_marks *marks);

/* Once for each kind and text, as far as there is room. marks: or NULL. */
void cm_marks_add(struct cm_marks *marks, enum cm_dependence_kind kind, const char *what);

/*
 * Lists them in an order that does not depend on when they were noted. The texts belong to
 * marks (or NULL). Returns how many there are.
 */
size_t cm_marks_list(const struct cm_marks *marks, struct cm_dependence list[CM_MARKS_LIMIT]);

#endif
