/*
 * Where the calls of a trace were made, for people: function, file and line.
 *
 *     struct cm_sites *sites = cm_sites_find(trace);
 *     const struct cm_site *site = cm_site_of(sites, call);
 *     ...
 *     cm_sites_free(sites);
 *
 * The programs and libraries are looked at as they are now, if they are still
 * those of the recording (build-id). Every place is looked up once.
 */
#ifndef CRASHMATRIX_SITE_H
#define CRASHMATRIX_SITE_H

#include "debug_info.h"

struct cm_site {
    uint32_t module; /* of the trace */
    uint64_t offset; /* of the return address in the module's file */
    struct cm_debug_place place;
    const char *problem; /* what is wrong with the module's file, or NULL */
};

struct cm_sites;

/* The trace must live as long. */
struct cm_sites *cm_sites_find(const struct ff_trace *trace);

/* NULL when the trace does not say where the call was made, or sites is NULL. */
const struct cm_site *cm_site_of(const struct cm_sites *sites, uint32_t call);

/*
 * A site in brackets, as malloc'ed text that cm_print_safe() has made printable:
 *     [commit() src/log.c:88]        all is known
 *     [commit() in demo+0x1234]      there is no debug information
 *     [demo+0x1234: demo has changed since the recording]
 * Empty when cm_site_of() is NULL.
 */
char *cm_site_text(const struct cm_sites *sites, uint32_t call);

/* NULL is ignored. */
void cm_sites_free(struct cm_sites *sites);

#endif
