/*
 * Runs the body of a test in a child process, as the caller, as an unprivileged
 * user, or where namespaces are not to be had (a seccomp filter refuses them), in
 * a new parent directory for its scratch directory, of which nothing may be left.
 *
 * Bodies use CHECK(): CUnit's own assertions would be lost with the child.
 */
#ifndef SURROUNDINGS_H
#define SURROUNDINGS_H

#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "faultfs/tree.h"
#include "scratch.h"
#include "unit.h"

#define NOBODY 65534u

enum surroundings { AS_CALLER = 0, UNPRIVILEGED = 1, NO_NAMESPACES = 2 };

/* Of the body: the parent directory, and BASE in it. */
static char parent[PATH_MAX];
static char base[PATH_MAX + 32];
static unsigned failures;

/* In a child, where CUnit's own assertions would be lost. */
#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            printf("%s:%d: %s\n", __FILE__, __LINE__, #condition);                                 \
            failures++;                                                                            \
        }                                                                                          \
    } while (0)

static inline void namespaces_refuse(void)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_unshare, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {.len = sizeof(filter) / sizeof(filter[0]), .filter = filter};
    CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    CHECK(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0);
}

static inline void surroundings_enter(unsigned surroundings)
{
    if ((surroundings & UNPRIVILEGED) != 0 && geteuid() == 0) {
        CHECK(chown(parent, NOBODY, NOBODY) == 0);
        CHECK(setgroups(0, NULL) == 0 && setgid(NOBODY) == 0 && setuid(NOBODY) == 0);
        CHECK(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) == 0); /* as after a log-in */
    }
    if ((surroundings & NO_NAMESPACES) != 0)
        namespaces_refuse();
    snprintf(base, sizeof(base), "%s/crashmatrix-%u", parent, (unsigned)geteuid());
}

/* For a body: a scratch directory in the parent directory, entered. */
static inline struct cm_scratch *scratch_entered(void)
{
    struct ff_error error = {""};
    struct cm_scratch *scratch = cm_scratch_open(parent, &error);
    if (scratch == NULL || cm_scratch_enter(scratch, &error) != 0) {
        printf("%s\n", error.text);
        fflush(stdout);
        _exit(1);
    }
    return scratch;
}

/* Runs body in a child with a new, empty parent directory. */
static inline void surroundings_run(unsigned surroundings, void (*body)(void))
{
    int status = -1;
    struct ff_error error;
    char created[] = "/tmp/crashmatrix-test.XXXXXX";
    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(created));
    CU_ASSERT_PTR_NOT_NULL_FATAL(realpath(created, parent));
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        failures = 0;
        surroundings_enter(surroundings);
        body();
        fflush(stdout);
        _exit(failures == 0 ? 0 : 1);
    }
    CU_ASSERT_EQUAL(waitpid(pid, &status, 0), pid);
    CU_ASSERT_EQUAL(status, 0);
    /* Removed by the child, unless that is what it failed to do. */
    CU_ASSERT_EQUAL(rmdir(parent), 0);
    if (access(parent, F_OK) == 0 && ff_directory_clear(parent, &error) == 0)
        rmdir(parent);
}

/* In all of them. */
static inline void surroundings_run_all(void (*body)(void))
{
    for (unsigned surroundings = 0; surroundings < 4; surroundings++)
        surroundings_run(surroundings, body);
}

#endif
