/*
 * One system call that the net caught, while it is being answered: whose it is and
 * what was brought over for it.
 */
#ifndef RECORD_NET_REQUEST_H
#define RECORD_NET_REQUEST_H

#include "../shim/caller.h"
#include "tracee.h"

#include <linux/seccomp.h>

enum { REQUEST_ARGUMENTS = 6 };

struct net_request {
    int listener;
    struct seccomp_notif notification;
    struct tracee tracee;
    struct site site;
    struct raw_call raw; /* as this process can make it */
    /* Descriptors: this process's and the caller's numbers. */
    struct {
        int own, theirs;
    } descriptors[REQUEST_ARGUMENTS + 1];
    int descriptor_count;
    void *memory[2 * REQUEST_ARGUMENTS]; /* allocated */
    int memory_count;
    struct {
        uint64_t address; /* the caller's */
        off_t value;
    } offsets[2];
    int offset_count;
};

/* The one that this thread is answering now; only the supervisor has one. */
extern _Thread_local struct net_request *net_request;

/* Whether the caller is still waiting: what was read under its number is its own. */
bool net_request_is_valid(const struct net_request *request);

enum net_transfer {
    NET_MAKE,      /* request->raw can be made */
    NET_PASS,      /* the process shall make it itself: it does not concern the directory,
                      or the kernel will refuse it */
    NET_UNREADABLE /* the process cannot be looked into */
};

/* Brings the arguments over, by the letters of net_calls.h. */
enum net_transfer net_request_transfer(struct net_request *request, const char *letters);

/* This process's copy of a descriptor of the caller. */
enum net_transfer net_request_descriptor(struct net_request *request, int theirs, int *own);

/* Closes and frees everything; offsets that the call moved are written back. */
void net_request_end(struct net_request *request);

/* The process runs another program now: what is known of its mappings is void. */
void net_caller_forget(pid_t process);

#endif
