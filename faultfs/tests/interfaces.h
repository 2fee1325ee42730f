/*
 * Small workloads for the interposed interfaces. Each starts in a directory with
 *
 *     dir/ (node 2)   dir/inner (node 3, "inner")   link -> old (node 4)
 *     old (node 5, "0123456789")
 *
 * so that what it creates has the numbers 6, 7, ... The program `interfaces NAME`
 * runs one; it is recorded, and so is built without sanitizers.
 */
#ifndef INTERFACES_H
#define INTERFACES_H

#include <stddef.h>

struct interface_case {
    const char *name;
    void (*run)(void); /* ends the process if a call does not do what it should */
    /* The calls as in trace_text.h, without those of close; of interface_cases_more
     * only the effects, since libc and other programs choose the calls. NULL where
     * names or order are not determined, or another test looks closer. */
    const char *expected;
};

extern const struct interface_case interface_cases[];
extern const size_t interface_case_count;
extern const struct interface_case interface_cases_more[];
extern const size_t interface_case_more_count;

/* All of them, or NULL. */
static inline const struct interface_case *interface_case_at(size_t index)
{
    if (index < interface_case_count)
        return &interface_cases[index];
    index -= interface_case_count;
    return index < interface_case_more_count ? &interface_cases_more[index] : NULL;
}

#endif
