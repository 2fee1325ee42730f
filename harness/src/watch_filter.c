/*
 * The filter is a binary search for the number of the call, so that it costs little
 * where the kernel does not remember the answer (it does for calls that are allowed
 * whatever their arguments are: seccomp(2), since Linux 5.11), and little to install.
 */
#include "watch_filter.h"

#ifdef __x86_64__

#include <asm/unistd.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "watch_calls.h"

enum { NUMBERS = 512, PROGRAM_SIZE = 400 };

/* What is done with a call. */
enum action {
    NOTIFY, /* also with numbers that are not known */
    ALLOW,
    OPEN_FLAGS_1, /* by the flags of an open, in this argument */
    OPEN_FLAGS_2,
    TERMINAL,  /* ioctl: of terminals, pipes and descriptors only */
    CONTROL,   /* fcntl: but for hints that stay with the file */
    ANONYMOUS, /* mmap: without a file */
    HANDLER,   /* rt_sigaction: only asks */
};

struct program {
    unsigned char actions[NUMBERS];
    struct sock_filter code[PROGRAM_SIZE];
    unsigned short size;
};

static void allow(struct program *program, const short *numbers, size_t count)
{
    for (size_t i = 0; i < count; i++)
        program->actions[numbers[i]] = ALLOW;
}

static void actions_fill(struct program *program, enum cm_watch_kind kind)
{
    memset(program->actions, NOTIFY, sizeof(program->actions));
    for (size_t i = 0; i < cm_harmless_count; i++)
        program->actions[cm_harmless[i]] = ALLOW;
    for (size_t i = 0; i < cm_reading_count; i++)
        program->actions[cm_reading[i].number] = kind >= CM_WATCH_READS ? NOTIFY : ALLOW;
    for (size_t i = 0; i < cm_looking_count; i++)
        if (kind < CM_WATCH_LOOKS && !cm_looking[i].changes)
            program->actions[cm_looking[i].number] = ALLOW;
    if (kind < CM_WATCH_READS)
        allow(program, cm_starting, cm_starting_count);
    if (kind >= CM_WATCH_READS)
        program->actions[__NR_mmap] = ANONYMOUS;
    if (kind < CM_WATCH_LOOKS) {
        program->actions[__NR_open] = OPEN_FLAGS_1;
        program->actions[__NR_openat] = OPEN_FLAGS_2;
    }
    program->actions[__NR_rt_sigaction] = HANDLER;
    program->actions[__NR_ioctl] = TERMINAL;
    program->actions[__NR_fcntl] = CONTROL;
}

static void emit(struct program *program, unsigned code, unsigned yes, unsigned no,
                 uint32_t operand)
{
    program->code[program->size++] =
        (struct sock_filter){(unsigned short)code, (unsigned char)yes, (unsigned char)no, operand};
}

static void emit_load(struct program *program, size_t offset)
{
    emit(program, BPF_LD | BPF_W | BPF_ABS, 0, 0, (uint32_t)offset);
}

static void emit_return(struct program *program, uint32_t action)
{
    emit(program, BPF_RET | BPF_K, 0, 0, action);
}

/* Notifies if the condition on the argument holds, or if it does not. */
static void emit_if(struct program *program, int argument, uint32_t mask, unsigned comparison,
                    uint32_t operand, enum action then)
{
    emit_load(program, offsetof(struct seccomp_data, args[argument]));
    emit(program, BPF_ALU | BPF_AND | BPF_K, 0, 0, mask);
    emit(program, BPF_JMP | comparison | BPF_K, 0, 1, operand);
    emit_return(program, then == NOTIFY ? SECCOMP_RET_USER_NOTIF : SECCOMP_RET_ALLOW);
    emit_return(program, then == NOTIFY ? SECCOMP_RET_ALLOW : SECCOMP_RET_USER_NOTIF);
}

/* F_SET_RW_HINT and F_SET_FILE_RW_HINT (fcntl(2)), which differ in this bit. */
#define HINT_SET  1036u
#define HINT_BIT  2u
#define TERMINALS 0x5400u /* ioctl_tty(2), FIONREAD, FIOCLEX, ... */

static void emit_action(struct program *program, enum action action)
{
    switch (action) {
    case NOTIFY:
        emit_return(program, SECCOMP_RET_USER_NOTIF);
        break;
    case ALLOW:
        emit_return(program, SECCOMP_RET_ALLOW);
        break;
    case OPEN_FLAGS_1:
        emit_if(program, 1, CM_OPEN_CHANGES, BPF_JGT, 0, NOTIFY);
        break;
    case OPEN_FLAGS_2:
        emit_if(program, 2, CM_OPEN_CHANGES, BPF_JGT, 0, NOTIFY);
        break;
    case TERMINAL:
        emit_if(program, 1, ~0xffu, BPF_JEQ, TERMINALS, ALLOW);
        break;
    case CONTROL:
        emit_if(program, 1, ~HINT_BIT, BPF_JEQ, HINT_SET & ~HINT_BIT, NOTIFY);
        break;
    case ANONYMOUS:
        emit_if(program, 3, MAP_ANONYMOUS, BPF_JGT, 0, ALLOW);
        break;
    case HANDLER:
        /* No address of a structure has a lower half of zeros but that of none. */
        emit_if(program, 1, ~0u, BPF_JGT, 0, NOTIFY);
        break;
    }
}

/* For the numbers from first to before end. */
static void emit_search(struct program *program, unsigned first, unsigned end)
{
    unsigned middle = 0;
    for (unsigned i = first + 1; i < end; i++) {
        bool nearer = middle == 0 || (i <= (first + end) / 2);
        if (program->actions[i] != program->actions[i - 1] && nearer)
            middle = i;
    }
    if (middle == 0) {
        emit_action(program, program->actions[first]);
        return;
    }
    /* Either half may be too long for a conditional jump. */
    emit(program, BPF_JMP | BPF_JGE | BPF_K, 0, 1, middle);
    unsigned short jump = program->size;
    emit(program, BPF_JMP | BPF_JA, 0, 0, 0);
    emit_search(program, first, middle);
    program->code[jump].k = (uint32_t)(program->size - jump - 1);
    emit_search(program, middle, end);
}

static void program_make(struct program *program, enum cm_watch_kind kind)
{
    program->size = 0;
    actions_fill(program, kind);
    emit_load(program, offsetof(struct seccomp_data, arch));
    emit(program, BPF_JMP | BPF_JEQ | BPF_K, 1, 0, AUDIT_ARCH_X86_64);
    emit_return(program, SECCOMP_RET_USER_NOTIF);
    emit_load(program, offsetof(struct seccomp_data, nr));
    emit(program, BPF_JMP | BPF_JGE | BPF_K, 0, 1, NUMBERS);
    emit_return(program, SECCOMP_RET_USER_NOTIF);
    emit_search(program, 0, NUMBERS);
}

int cm_watch_filter_install(enum cm_watch_kind kind)
{
    struct program program;
    program_make(&program, kind);
    struct sock_fprog filter = {program.size, program.code};
    unsigned flags = SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_SPEC_ALLOW |
                     SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
    int listener = (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &filter);
    if (listener < 0 && errno == EACCES && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0)
        listener = (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &filter);
    return listener;
}

#ifndef SECCOMP_IOCTL_NOTIF_SET_FLAGS
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS      SECCOMP_IOW(4, __u64)
#define SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP (1UL << 0)
#endif

void cm_watch_filter_hasten(int listener)
{
    ioctl(listener, SECCOMP_IOCTL_NOTIF_SET_FLAGS, SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP);
}

#else

#include <errno.h>

void cm_watch_filter_hasten(int listener)
{
    (void)listener;
}

int cm_watch_filter_install(enum cm_watch_kind kind)
{
    (void)kind;
    errno = ENOSYS;
    return -1;
}

#endif
