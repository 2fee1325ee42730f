#include "marks.h"

#include "memo.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { EMPTY, WRITTEN_TO, READY };

/* A worker that dies while it writes leaves a place that is of no use any more. */
struct place {
    _Atomic int state;
    char what[CM_TEXT_SIZE];
};

struct cm_marks {
    struct place places[CM_DEPENDENCE_KINDS][CM_MARKS_PER_KIND];
};

struct cm_marks *cm_marks_new(void)
{
    void *marks = mmap(NULL, sizeof(struct cm_marks), PROT_READ | PROT_WRITE,
                       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (marks != MAP_FAILED)
        return marks;
    fputs("crashmatrix: out of memory\n", stderr);
    abort();
}

void cm_marks_free(struct cm_marks *marks)
{
    if (marks != NULL)
        munmap(marks, sizeof(*marks));
}

void cm_marks_add(struct cm_marks *marks, enum cm_dependence_kind kind, const char *what)
{
    char text[CM_TEXT_SIZE];
    snprintf(text, sizeof(text), "%s", what);
    for (size_t i = 0; marks != NULL && i < CM_MARKS_PER_KIND; i++) {
        struct place *place = &marks->places[kind][i];
        int state = EMPTY;
        if (atomic_compare_exchange_strong(&place->state, &state, WRITTEN_TO)) {
            memcpy(place->what, text, sizeof(text));
            atomic_store(&place->state, READY);
            return;
        }
        if (state == READY && strcmp(place->what, text) == 0)
            return;
    }
}

static int compare(const void *a, const void *b)
{
    const struct cm_dependence *left = a, *right = b;
    return left->kind != right->kind ? (left->kind > right->kind) - (left->kind < right->kind)
                                     : strcmp(left->what, right->what);
}

size_t cm_marks_list(const struct cm_marks *marks, struct cm_dependence list[CM_MARKS_LIMIT])
{
    size_t count = 0, kept = 0;
    for (size_t i = 0; marks != NULL && i < CM_MARKS_LIMIT; i++) {
        enum cm_dependence_kind kind = (enum cm_dependence_kind)(i / CM_MARKS_PER_KIND);
        const struct place *place = &marks->places[kind][i % CM_MARKS_PER_KIND];
        if (atomic_load(&place->state) == READY)
            list[count++] = (struct cm_dependence){kind, (char *)(uintptr_t)place->what};
    }
    if (count > 0)
        qsort(list, count, sizeof(*list), compare);
    /* Two workers may have noted the same at a time. */
    for (size_t i = 0; i < count; i++)
        if (kept == 0 || compare(&list[kept - 1], &list[i]) != 0)
            list[kept++] = list[i];
    return kept;
}

void cm_depends_on(const struct cm_state *state, enum cm_dependence_kind kind, const char *what)
{
    cm_memo_spoil(state->memo);
    cm_marks_add(state->marks, kind, what);
}
