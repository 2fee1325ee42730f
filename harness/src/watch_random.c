#ifdef __x86_64__

#include "watch_random.h"

#include <asm/unistd.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <unistd.h>
#include <xxhash.h>

/* Of the file, and from where one that opens it reads to where the next one does. */
enum { SOURCE_SIZE = 4 << 20, SOURCE_STEP = 64 << 10 };

/* getrandom(2): not more at a time, whatever is asked for. */
enum { GIVEN_LIMIT = (32 << 20) - 1 };

/* Bytes at .. at + size - 1 of what is a stream for all runs. */
static void fill(unsigned char *bytes, size_t size, uint64_t at)
{
    for (size_t i = 0; i < size; i++, at++) {
        uint64_t number = at / 8;
        bytes[i] = (unsigned char)(XXH3_64bits(&number, sizeof(number)) >> at % 8 * 8);
    }
}

void cm_random_close(struct cm_random *random)
{
    cm_random_end(random);
    if (random->source >= 0)
        close(random->source);
    random->source = -1;
}

void cm_random_begin(struct cm_random *random, uint64_t taken)
{
    cm_random_end(random);
    random->taken = taken;
}

bool cm_random_end(struct cm_random *random)
{
    bool whole = true;
    for (unsigned i = 0; i < random->opened_count; i++) {
        whole = whole && lseek(random->opened[i], 0, SEEK_CUR) < SOURCE_SIZE;
        close(random->opened[i]);
    }
    random->opened_count = 0;
    return whole;
}

bool cm_random_is_device(dev_t device)
{
    return major(device) == 1 && (minor(device) == 8 || minor(device) == 9);
}

/* ---- getrandom ---- */

static bool is_waiting(int listener, const struct seccomp_notif *call)
{
    __u64 id = call->id;
    return ioctl(listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &id) == 0;
}

/* Returns how many bytes were written, or -1. */
static ssize_t give(struct cm_random *random, pid_t process, uint64_t address, uint64_t size)
{
    unsigned char bytes[4096];
    uint64_t given = 0;
    while (given < size) {
        size_t part = size - given < sizeof(bytes) ? size - given : sizeof(bytes);
        struct iovec from = {bytes, part};
        struct iovec to = {
            (void *)(uintptr_t)(address + given), /* NOLINT(performance-no-int-to-ptr) */
            part};
        fill(bytes, part, random->taken + given);
        ssize_t written = process_vm_writev(process, &from, 1, &to, 1, 0);
        if (written <= 0)
            break;
        given += (uint64_t)written;
    }
    random->taken += given;
    return given > 0 || size == 0 ? (ssize_t)given : -1;
}

/* The kernel says so. */
static bool has_wrong_flags(const struct seccomp_notif *call)
{
    return (call->data.args[2] & ~(__u64)(GRND_NONBLOCK | GRND_RANDOM | GRND_INSECURE)) != 0;
}

static bool answer_asked(struct cm_random *random, int listener, const struct seccomp_notif *call)
{
    const __u64 *arguments = call->data.args;
    uint64_t size = arguments[1] < GIVEN_LIMIT ? arguments[1] : GIVEN_LIMIT;
    struct seccomp_notif_resp answer = {.id = call->id};
    if (has_wrong_flags(call))
        return false;
    if (!is_waiting(listener, call))
        return true;
    ssize_t given = give(random, (pid_t)call->pid, arguments[0], size);
    if (given < 0 && errno != EFAULT)
        return false;
    answer.val = given;
    if (given < 0) {
        answer.val = 0;
        answer.error = -EFAULT;
    }
    ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer);
    return true;
}

/* ---- The devices ---- */

static int source_make(void)
{
    static unsigned char bytes[1 << 16];
    int source = memfd_create("random", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    for (uint64_t at = 0; source >= 0 && at < SOURCE_SIZE; at += sizeof(bytes)) {
        fill(bytes, sizeof(bytes), at);
        if (write(source, bytes, sizeof(bytes)) != sizeof(bytes)) {
            close(source);
            return -1;
        }
    }
    if (source >= 0)
        fcntl(source, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL);
    return source;
}

static bool answer_open(struct cm_random *random, int listener, const struct seccomp_notif *call,
                        uint64_t flags)
{
    char path[64];
    if (random->opened_count == CM_RANDOM_OPENED)
        return false;
    if (random->source < 0)
        random->source = source_make();
    snprintf(path, sizeof(path), "/proc/self/fd/%d", random->source);
    int file = random->source < 0 ? -1 : open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return false;
    lseek(file, (off_t)random->opened_count * SOURCE_STEP, SEEK_SET);
    struct seccomp_notif_addfd added = {
        .id = call->id,
        .flags = SECCOMP_ADDFD_FLAG_SEND,
        .srcfd = (__u32)file,
        .newfd_flags = (flags & O_CLOEXEC) != 0 ? O_CLOEXEC : 0,
    };
    if (ioctl(listener, SECCOMP_IOCTL_NOTIF_ADDFD, &added) < 0) {
        close(file);
        return errno == ENOENT; /* it is not waiting any more */
    }
    random->opened[random->opened_count++] = file;
    return true;
}

bool cm_random_is_asked(const struct seccomp_notif *call)
{
    return call->data.arch == AUDIT_ARCH_X86_64 && call->data.nr == __NR_getrandom;
}

bool cm_random_answer(struct cm_random *random, int listener, const struct seccomp_notif *call,
                      bool device, const struct cm_state *state)
{
    const __u64 *arguments = call->data.args;
    uint64_t flags = call->data.nr == __NR_open ? arguments[1] : arguments[2];
    bool asks = cm_random_is_asked(call);
    if (!asks && !device)
        return false;
    if (asks ? answer_asked(random, listener, call)
             : call->data.nr != __NR_openat2 && (flags & O_ACCMODE) == O_RDONLY &&
                   answer_open(random, listener, call, flags))
        return true;
    if (asks ? !has_wrong_flags(call) : (flags & O_ACCMODE) != O_WRONLY)
        cm_depends_on(state, CM_DEPENDS_ON_RANDOM,
                      asks ? "getrandom()" : "/dev/random or /dev/urandom");
    return false;
}

#else

typedef int cm_watch_random_is_not_known_here;

#endif
