/*
 * Making a call and recording it.
 *
 *     struct call call;
 *     call_enter(&call, site);             lock, block signals
 *     ... look at what will change; describe it in call.record ...
 *     call_arm(&call);                     from here a dead owner's call is resolved
 *     long result = call_make(site, raw);  the call itself
 *     call_record(&call, effect, result);  complete the record
 *     call_data(&call, bytes, size);       the record's data, in pieces
 *     call_leave(&call);                   publish, unlock
 *
 * call_forget() in place of everything after call_enter() leaves no record.
 * Nothing here calls libc or uses thread-local storage.
 */
#ifndef SHIM_RECORDER_H
#define SHIM_RECORDER_H

#include "channel.h"
#include "faultfs/trace.h"
#include "gate.h"

/*
 * Where a call came from. An interposed function knows its caller; the
 * launcher's supervisor, which makes calls for others, says whose they are.
 */
struct site {
    uint32_t symbol;     /* its number in the table of interposed.h */
    const void *address; /* where it returns to, in the process that called */
    uint32_t route;      /* enum ff_route */
    uint32_t thread;     /* the caller's, or 0: this one */
};

/*
 * The memory shared with the launcher. In a process that is not being recorded
 * it is memory of its own, in which no node is known, so that nothing concerns
 * it.
 */
extern struct channel *channel;

static inline bool channel_is_inert(void)
{
    return channel->known_count == 0;
}

/* A mutating call that is being made. */
struct call {
    const struct site *site;
    struct record *record; /* in the channel */
    struct pending *pending;
    uint64_t signals;   /* the mask to be restored */
    uint64_t data_left; /* bytes of data that call_data() has yet to add */
};

void call_enter(struct call *call, const struct site *site);
/*
 * Makes records of what was stored through shared mappings until now. Before a sync,
 * which covers it, and before a call that changes the content of such a file. To be
 * called directly after entering.
 */
void call_scan(struct call *call);
void call_arm(struct call *call);
/*
 * Makes the system call, which concerns the directory under test. Every such
 * call is made through here and nowhere else.
 */
long call_make(const struct site *site, const struct raw_call *raw);
/*
 * The record as it will be written: begin, end, result, process, thread and site
 * are set here. A failed call has no effect, whatever effect is given, but
 * FF_EFFECT_SYNC_FAILED.
 */
void call_record(struct call *call, enum ff_effect effect, long result, uint64_t data_size);
void call_data(struct call *call, const void *bytes, uint64_t size);
/*
 * Publishes the record, so that whatever becomes of the process now it is done,
 * and begins another one of the same call and node, marked as implied.
 */
void call_next(struct call *call);
void call_leave(struct call *call);
void call_forget(struct call *call);

/*
 * Calls over which the lock is not held. The tick of the begin is taken without
 * the lock: a mutating call takes its tick when it is done, so one that is under
 * way now will come after, as if the sync did not cover it.
 */
uint64_t call_begin_tick(void);
/* Enters with a record whose begin is that of call_begin_tick(). */
void call_enter_completed(struct call *call, const struct site *site, uint64_t begin);

/* The lock that is held over a write to standard output, and over nothing else. */
void output_enter(const struct site *site, int fd, uint64_t *signals);
void output_leave(uint64_t signals);

/*
 * Stops everything here, as a power cut does: nothing is recorded any more, and the
 * launcher kills all. Does not return.
 */
_Noreturn void call_cut(void);
/* Stops everything when the caller's call, which is being made, has been recorded. */
void call_cut_after(const struct site *site);

/*
 * Ends this process if the launcher is gone: nothing would ever release a dead
 * owner's lock, empty the ring, or answer, without it.
 */
void launcher_check(void);

/*
 * Declares that the recording cannot be trusted, for the reason that the texts
 * give one after the other; the first reason is kept. To be called inside
 * call_enter().
 */
#define unsound(...) unsound_because((const char *const[]){__VA_ARGS__, NULL})
void unsound_because(const char *const *texts);

/* The same with the path of a descriptor between two texts. */
void unsound_descriptor(const char *before, int fd, const char *after);

#endif
