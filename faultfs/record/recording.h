/*
 * A recording while it is being made: what the modules of the launcher share.
 *
 *     recording_open()      snapshot of the directory, shared memory   (recording.c)
 *     workload_run()        the command, its output, its descendants   (workload.c)
 *       recording_drain()   the ring into the stream, all the time     (recording.c)
 *       recording_repair()  when a process died inside a call          (repair.c)
 *       caller_mapping()    what was stored through mappings           (mappings.c)
 *       names_read()        what the kernel says that happens          (names.c)
 *     recording_assemble()  the stream becomes a trace                 (assemble.c)
 *     recording_check()     the trace against the real directory       (selfcheck.c)
 *
 * Functions that can fail return 0, or -1 with *error set.
 */
#ifndef RECORD_RECORDING_H
#define RECORD_RECORDING_H

#include "../shim/channel.h"
#include "faultfs/trace.h"
#include "faultfs/tree.h"

#include <pthread.h>
#include <stdbool.h>

struct bytes {
    unsigned char *bytes;
    size_t size;
    size_t capacity;
};

/* What a call, a sync, found in its file; see content.h. */
struct synced {
    size_t call;   /* index */
    uint64_t tick; /* of its begin, as it was in the workload */
    struct content content;
};

struct net;
struct names;

/* How the workload ended. */
struct ending {
    enum { ENDING_EXITED, ENDING_KILLED, ENDING_CUT } how;
    int status; /* of the first process: its exit status, or the signal that killed it */
};

struct recording {
    char *root; /* canonical */
    struct channel *channel;
    int channel_fd;
    struct net *net;       /* NULL: there is none */
    struct names *witness; /* see names.h */
    int output;            /* the end of the workload's standard output that is read */
    struct ff_tree *before;
    struct bytes stream;          /* records; byte n of it was byte n put into the ring */
    pthread_mutex_t stream_mutex; /* while the ring is emptied, or records are read meanwhile */
    struct bytes arrived;         /* at the output */
    size_t passed_on;             /* bytes of it that were written to fd 1 */
    bool can_be_cut;              /* then what comes after the cut must not be passed on */
    struct ending ending;
    /* The trace and what it points to. */
    struct ff_trace trace;
    struct ff_snapshot_node *nodes;
    struct ff_snapshot_name *names;
    struct ff_call *calls;
    struct ff_module *modules;
    struct synced *synced; /* in the order of the calls */
    size_t synced_count, synced_capacity;
    struct ff_unobserved *unobserved;
    size_t unobserved_capacity;
};

int recording_open(struct recording *recording, const char *root, struct ff_error *error);
void recording_close(struct recording *recording);

/* Moves everything from the ring to the stream; returns how many bytes that was. */
size_t recording_drain(struct recording *recording);

/* Reads the output while there is any. */
void recording_read_output(struct recording *recording);

/*
 * Writes what arrived to fd 1: all of it, or only as much as its reader takes now
 * (the workload's time-out shall not depend on that reader).
 */
int recording_pass_on_output(struct recording *recording, bool all, struct ff_error *error);

/*
 * Releases locks whose owners died, after completing the record of what they
 * were doing. To be called regularly, and once when every process is gone.
 */
int recording_repair(struct recording *recording, struct ff_error *error);

/*
 * After a cut, when every process is gone: drops what came after it. The directory
 * is as the calls before it left it.
 */
void recording_cut(struct recording *recording);

/* Fills in recording->trace from the stream. May be called more than once. */
int recording_assemble(struct recording *recording, struct ff_error *error);

/* "recording unsound: ..." unless the trace is what happened. */
int recording_check(struct recording *recording, struct ff_error *error);

/*
 * Notes that something happened which the trace cannot show exactly. kind is a
 * constant string, a word for --accept; what is copied, and the same kind and
 * what again are counted. May be called from any thread of the launcher.
 */
void recording_unobserved(struct recording *recording, const char *kind, const char *what);

/* Appends to bytes. */
void bytes_append(struct bytes *bytes, const void *more, size_t size);

/* The GNU build-id of an ELF file, empty if it has none; data is allocated. */
struct ff_bytes build_id_read(const char *path);

#endif
