/*
 * bench_calls KIND COUNT: makes calls in the working directory and prints the
 * nanoseconds that one took on standard error.
 *
 *     write     pwrite of 4096 bytes to a file there, through libc
 *     inline    the same by a system call of the program's own (x86-64)
 *     outside   write of 16 bytes to /dev/null, through libc
 *     inline-outside
 *     fsync     write of 4096 bytes and fsync
 *     exec      a child that becomes /bin/true
 */
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static char content[4096];
static int file, null;

static long plain(long number, long a, long b, long c, long d)
{
#ifdef __x86_64__
    long result;
    register long r10 __asm__("r10") = d;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10)
                     : "rcx", "r11", "memory");
    return result;
#else
    return syscall(number, a, b, c, d);
#endif
}

static int call_write(long i)
{
    return pwrite(file, content, sizeof(content), i % 64 * (long)sizeof(content)) > 0;
}

static int call_inline(long i)
{
    return plain(SYS_pwrite64, file, (long)content, sizeof(content),
                 i % 64 * (long)sizeof(content)) > 0;
}

static int call_outside(long i)
{
    (void)i;
    return write(null, content, 16) == 16;
}

static int call_inline_outside(long i)
{
    (void)i;
    return plain(SYS_write, null, (long)content, 16, 0) == 16;
}

static int call_fsync(long i)
{
    return call_write(i) && fsync(file) == 0;
}

static int call_exec(long i)
{
    char *command[] = {"/bin/true", NULL};
    int status;
    pid_t child;
    (void)i;
    return posix_spawn(&child, command[0], NULL, NULL, command, environ) == 0 &&
           waitpid(child, &status, 0) == child && status == 0;
}

static const struct {
    const char *name;
    int (*call)(long i);
} kinds[] = {
    {"write", call_write},     {"inline", call_inline},
    {"outside", call_outside}, {"inline-outside", call_inline_outside},
    {"fsync", call_fsync},     {"exec", call_exec},
};

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

int main(int argc, char **argv)
{
    long count = argc == 3 ? atol(argv[2]) : 0;
    file = open("file", O_CREAT | O_WRONLY, 0644);
    null = open("/dev/null", O_WRONLY);
    for (size_t k = 0; count > 0 && k < sizeof(kinds) / sizeof(kinds[0]); k++) {
        if (strcmp(kinds[k].name, argv[1]) != 0)
            continue;
        double start = now();
        for (long i = 0; i < count; i++)
            if (!kinds[k].call(i)) {
                perror("bench_calls");
                return 1;
            }
        fprintf(stderr, "%.1f\n", (now() - start) / (double)count);
        return 0;
    }
    fprintf(stderr, "usage: bench_calls KIND COUNT\n");
    return 2;
}
