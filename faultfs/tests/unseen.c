/*
 * unseen WHAT: does one thing that the recorder cannot see or a trace cannot
 * express yet, in the working directory. A recording of it must not be kept.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static int new_file(const char *name)
{
    int file = open(name, O_CREAT | O_RDWR | O_EXCL, 0600);
    return file >= 0 && write(file, "text", 4) == 4 ? file : -1;
}

/* A path outside of the directory, on the same file system. */
static const char *outside(void)
{
    static char path[PATH_MAX];
    if (getcwd(path, sizeof(path) - 16) == NULL)
        return "";
    return strcat(path, ".outside");
}

static int run_stdout(void)
{
    return printf("hello\n") == 6 && fflush(stdout) == 0 ? 0 : -1;
}

static int run_file(void)
{
    FILE *file = fopen("file", "w");
    return file != NULL && fputs("text", file) >= 0 ? fclose(file) : -1;
}

/* Undone before the end, so that the final directory does not show it. */
static int run_removed(void)
{
    return run_file() == 0 ? unlink("file") : -1;
}

static int run_mapping(void)
{
    int file = new_file("file");
    char *bytes = mmap(NULL, 4, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (bytes == MAP_FAILED)
        return -1;
    bytes[0] = 't'; /* the same as before */
    return 0;
}

static int run_moved_in(void)
{
    return new_file(outside()) >= 0 ? rename(outside(), "file") : -1;
}

static int run_moved_out(void)
{
    int result = new_file("file") >= 0 ? rename("file", outside()) : -1;
    unlink(outside());
    return result;
}

static int run_linked_in(void)
{
    int result = new_file(outside()) >= 0 ? link(outside(), "file") : -1;
    unlink(outside());
    return result;
}

static int run_linked_out(void)
{
    int result = new_file("file") >= 0 ? link("file", outside()) : -1;
    unlink(outside());
    return result;
}

static int run_socket(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "socket"};
    int server = socket(AF_UNIX, SOCK_STREAM, 0);
    return bind(server, (struct sockaddr *)&address, sizeof(address));
}

static const struct {
    const char *name;
    int (*run)(void);
} things[] = {
    {"stdout", run_stdout},       {"file", run_file},
    {"removed", run_removed},     {"mapping", run_mapping},
    {"moved in", run_moved_in},   {"moved out", run_moved_out},
    {"linked in", run_linked_in}, {"linked out", run_linked_out},
    {"socket", run_socket},
};

int main(int argc, char **argv)
{
    for (size_t i = 0; argc == 2 && i < sizeof(things) / sizeof(things[0]); i++) {
        if (strcmp(things[i].name, argv[1]) != 0)
            continue;
        int result = things[i].run();
        if (result != 0)
            fprintf(stderr, "unseen: %s: %s\n", argv[1], strerror(errno));
        return result == 0 ? 0 : 1;
    }
    fprintf(stderr, "usage: unseen WHAT\n");
    return 2;
}
