/* Calls whose places tests/sites.sh knows by the names in their comments. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

static inline __attribute__((always_inline)) void publish(void)
{
    rename("new", "name"); /* AT: rename */
}

static __attribute__((noinline)) int opened(const char *path, int flags)
{
    /* With _FORTIFY_SOURCE, open() is an inline wrapper of the libc. */
    int fd = open(path, flags); /* AT: open */
    return fd >= 0 ? fd : -1;
}

int main(int argc, char **argv)
{
    (void)argv;
    int fd = creat("new", 0644);                     /* AT: creat */
    if (write(fd, "text", 4) != 4 || fsync(fd) != 0) /* AT: write */
        return 1;
    close(fd);
    close(opened("new", argc > 5 ? O_RDWR : O_WRONLY));
    publish();
    return 0;
}
