/*
 * What is asked to go wrong in a workload, for the commands that run one: faults
 * (faults.h) and a power cut after so many calls. The recorders find it in the
 * channel and count there what became of it.
 */
#ifndef RECORD_INJECTION_H
#define RECORD_INJECTION_H

#include "recording.h"

#include <stdbool.h>

struct injection {
    const char *specs[CHANNEL_FAULTS];
    struct ff_fault faults[CHANNEL_FAULTS];
    uint32_t count;
    bool has_cut;    /* --cut */
    uint64_t cut_at; /* calls */
};

/* Both return 0, or -1 with *error set, which then is one of usage. */
int injection_add_fault(struct injection *injection, const char *spec, struct ff_error *error);
int injection_set_cut(struct injection *injection, const char *calls, struct ff_error *error);

bool injection_is_empty(const struct injection *injection);

/* To be called before the workload is started. */
void injection_install(const struct injection *injection, struct recording *recording);

/*
 * After the workload: an error if there is a fault that never came to happen, or if
 * the workload ended before the cut. After a cut nothing else can be missing.
 */
int injection_check(const struct injection *injection, const struct recording *recording,
                    struct ff_error *error);

/*
 * Writes what became of everything as JSON: {"ended": "exited", "killed" or "cut",
 * "status": exit status or signal, "calls": N, "faults": [{"spec": "...", "matched":
 * calls of its kind on its path, "injected": those that it changed}, ...]}.
 */
int injection_write_result(const struct injection *injection, const struct recording *recording,
                           const char *path, struct ff_error *error);

#endif
