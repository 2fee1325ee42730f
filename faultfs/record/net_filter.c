/*
 * The filter. Numbers that it does not hand over are allowed whatever their
 * arguments are, which the kernel remembers per number, so that they cost next to
 * nothing (seccomp(2), since Linux 5.11).
 */
#include "net_filter.h"

#include "../shim/gate.h"

#include <asm/unistd.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/fs.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifdef __x86_64__

#include "../shim/calls.h"
#include "net_calls.h"

#define X32_BIT 0x40000000u

enum { PROGRAM_SIZE = 255 };

struct program {
    struct sock_filter code[PROGRAM_SIZE];
    unsigned short size;
};

static void emit(struct program *program, unsigned short code, unsigned char yes, unsigned char no,
                 uint32_t operand)
{
    program->code[program->size++] = (struct sock_filter){code, yes, no, operand};
}

static void emit_load(struct program *program, size_t offset)
{
    emit(program, BPF_LD | BPF_W | BPF_ABS, 0, 0, (uint32_t)offset);
}

static void emit_return(struct program *program, uint32_t action)
{
    emit(program, BPF_RET | BPF_K, 0, 0, action);
}

#define ARGUMENT(index) offsetof(struct seccomp_data, args[index])

/*
 * Goes on behind the next `unless` instructions if the condition on the number
 * that was loaded holds, else to the next one.
 */
static void emit_equal(struct program *program, uint32_t value, unsigned char unless)
{
    emit(program, BPF_JMP | BPF_JEQ | BPF_K, unless, 0, value);
}

static void emit_any_bit(struct program *program, uint32_t bits, unsigned char unless)
{
    emit(program, BPF_JMP | BPF_JSET | BPF_K, unless, 0, bits);
}

/* What comes from the page may pass, everything else goes to the supervisor. */
static void emit_check(struct program *program)
{
    emit_load(program, offsetof(struct seccomp_data, instruction_pointer) + 4);
    emit(program, BPF_JMP | BPF_JEQ | BPF_K, 0, 3, (uint32_t)(GATE_PAGE >> 32));
    emit_load(program, offsetof(struct seccomp_data, instruction_pointer));
    emit(program, BPF_ALU | BPF_AND | BPF_K, 0, 0, ~(uint32_t)(GATE_PAGE_SIZE - 1));
    emit(program, BPF_JMP | BPF_JEQ | BPF_K, 1, 0, (uint32_t)GATE_PAGE);
    emit_return(program, SECCOMP_RET_USER_NOTIF);
    emit_return(program, SECCOMP_RET_ALLOW);
}

enum { CHECK_SIZE = 7 };

/* A call that is only of interest with some of these bits in an argument. */
static void emit_if_bits(struct program *program, uint32_t number, int argument, uint32_t bits)
{
    emit(program, BPF_JMP | BPF_JEQ | BPF_K, 0, 3 + CHECK_SIZE, number);
    emit_load(program, ARGUMENT(argument));
    emit_any_bit(program, bits, 1);
    emit_return(program, SECCOMP_RET_ALLOW);
    emit_check(program);
}

/* Opening changes something, or may lead to it, only with these. */
#define OPEN_BITS (O_WRONLY | O_RDWR | O_CREAT | O_TRUNC)

static void emit_opens(struct program *program)
{
    emit_if_bits(program, __NR_openat, 2, OPEN_BITS);
    emit_if_bits(program, __NR_open, 1, OPEN_BITS);
}

/* Only shared mappings of files; MAP_SHARED_VALIDATE has the bit of MAP_SHARED. */
static void emit_mappings(struct program *program)
{
    emit(program, BPF_JMP | BPF_JEQ | BPF_K, 0, 4 + CHECK_SIZE, __NR_mmap);
    emit_load(program, ARGUMENT(3));
    emit_any_bit(program, MAP_ANONYMOUS, 1);
    emit_any_bit(program, MAP_SHARED, 1);
    emit_return(program, SECCOMP_RET_ALLOW);
    emit_check(program);
}

/* Only children with a copy of the memory. */
static void emit_clones(struct program *program)
{
    emit(program, BPF_JMP | BPF_JEQ | BPF_K, 0, 4, __NR_clone);
    emit_load(program, ARGUMENT(0));
    emit_any_bit(program, CLONE_VM, 1);
    emit_return(program, SECCOMP_RET_USER_NOTIF);
    emit_return(program, SECCOMP_RET_ALLOW);
}

/* Only those that write to files. */
static void emit_ioctls(struct program *program)
{
    emit(program, BPF_JMP | BPF_JEQ | BPF_K, 0, 4 + CHECK_SIZE, __NR_ioctl);
    emit_load(program, ARGUMENT(1));
    emit_equal(program, (uint32_t)FICLONE, 2);
    emit_equal(program, (uint32_t)FICLONERANGE, 1);
    emit_return(program, SECCOMP_RET_ALLOW);
    emit_check(program);
}

/* The numbers of calls that are of interest whatever their arguments are. */
static const uint32_t always[] = {
#define X(number, symbol, arguments) number,
    NET_CALLS(X)
#undef X
};

/* Those that the recorder never makes: also what came through syscall(2) of libc. */
static const uint32_t from_anywhere[] = {__NR_execve,  __NR_execveat,   __NR_fork,
                                         __NR_clone3,  __NR_exit_group, __NR_io_uring_setup,
                                         __NR_io_setup};

static bool depends_on_arguments(uint32_t number)
{
    return number == __NR_open || number == __NR_openat;
}

static void program_make(struct program *program)
{
    const unsigned count = sizeof(always) / sizeof(always[0]);
    program->size = 0;
    emit_load(program, offsetof(struct seccomp_data, arch));
    emit(program, BPF_JMP | BPF_JEQ | BPF_K, 1, 0, AUDIT_ARCH_X86_64);
    emit_return(program, SECCOMP_RET_USER_NOTIF);
    emit_load(program, offsetof(struct seccomp_data, nr));
    emit(program, BPF_JMP | BPF_JGE | BPF_K, 0, 1, X32_BIT);
    emit_return(program, SECCOMP_RET_USER_NOTIF);
    for (unsigned i = 0; i < sizeof(from_anywhere) / sizeof(from_anywhere[0]); i++) {
        emit(program, BPF_JMP | BPF_JEQ | BPF_K, 0, 1, from_anywhere[i]);
        emit_return(program, SECCOMP_RET_USER_NOTIF);
    }
    unsigned left = 0;
    for (unsigned i = 0; i < count; i++)
        left += !depends_on_arguments(always[i]);
    for (unsigned i = 0; i < count; i++)
        if (!depends_on_arguments(always[i])) {
            emit_equal(program, always[i], (unsigned char)left);
            left--;
        }
    emit(program, BPF_JMP | BPF_JA, 0, 0, CHECK_SIZE);
    emit_check(program);
    emit_opens(program);
    emit_mappings(program);
    emit_clones(program);
    emit_ioctls(program);
    emit_return(program, SECCOMP_RET_ALLOW);
}

static int listener_open(const struct sock_fprog *filter, unsigned flags)
{
    return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, filter);
}

int net_filter_install(void)
{
    struct program program;
    program_make(&program);
    struct sock_fprog filter = {program.size, program.code};
    unsigned flags = SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_SPEC_ALLOW |
                     SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
    int listener = listener_open(&filter, flags);
    if (listener < 0 && errno == EACCES && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0)
        listener = listener_open(&filter, flags);
    return listener;
}

#else

int net_filter_install(void)
{
    errno = ENOSYS;
    return -1;
}

#endif
