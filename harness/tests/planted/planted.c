/*
 * The command of the planted bugs, and what they share.
 *
 *     planted list                          names, one a line
 *     planted NAME setup                    prepares the directory
 *     planted NAME buggy|correct            the workload, with the bug or without
 *     planted NAME check                    judges a state
 *     planted NAME expect                   reason and lost operation, one pair a
 *                                           line, a tab between
 *     planted NAME about                    the crash that it stands for
 */
#include "planted.h"

#include <errno.h>
#include <stdlib.h>

#define ACKNOWLEDGEMENT "saved\n"

/* Larger than any file here. */
#define FILE_LIMIT (64 * 1024)

static const struct {
    const char *name;
    const struct planted_bug *bug;
} bugs[] = {
#define X(identifier) {#identifier, &planted_##identifier},
    PLANTED_BUGS(X)
#undef X
};

#define BUG_COUNT (sizeof(bugs) / sizeof(bugs[0]))

_Noreturn void fail(const char *what)
{
    fprintf(stderr, "planted: %s: %s\n", what, strerror(errno));
    exit(2);
}

/* ---- For set-ups and workloads ---- */

static int descriptor(const char *path, int flags)
{
    int file = open(path, flags, 0644);
    if (file < 0)
        fail(path);
    return file;
}

int file_create(const char *path)
{
    return descriptor(path, O_WRONLY | O_CREAT | O_EXCL);
}

int file_open(const char *path)
{
    return descriptor(path, O_WRONLY);
}

void file_write(int file, const char *bytes, size_t size)
{
    ssize_t written = write(file, bytes, size);
    if (written < 0 || (size_t)written != size)
        fail("write");
}

void file_sync(int file)
{
    if (fsync(file) != 0)
        fail("fsync");
}

void file_close(int file)
{
    if (close(file) != 0)
        fail("close");
}

void directory_sync(const char *path)
{
    int directory = descriptor(path, O_RDONLY | O_DIRECTORY);
    file_sync(directory);
    file_close(directory);
}

void name_move(const char *from, const char *to)
{
    if (rename(from, to) != 0)
        fail(from);
}

void file_put(const char *path, const char *bytes, size_t size)
{
    int file = file_create(path);
    file_write(file, bytes, size);
    file_close(file);
}

void acknowledge(void)
{
    file_write(STDOUT_FILENO, ACKNOWLEDGEMENT, strlen(ACKNOWLEDGEMENT));
}

/* ---- For checks ---- */

ssize_t file_get(const char *path, char *bytes, size_t size)
{
    size_t used = 0;
    int file = open(path, O_RDONLY);
    if (file < 0 && errno == ENOENT)
        return -1;
    if (file < 0)
        fail(path);
    for (ssize_t count = 1; count > 0 && used < size; used += (size_t)count) {
        count = read(file, bytes + used, size - used);
        if (count < 0)
            fail(path);
    }
    file_close(file);
    return (ssize_t)used;
}

bool file_holds(const char *path, const char *bytes, size_t size)
{
    static char found[FILE_LIMIT];
    ssize_t length = file_get(path, found, sizeof(found));
    return length == (ssize_t)size && memcmp(found, bytes, size) == 0;
}

bool acknowledged(void)
{
    const char *path = getenv("CRASHMATRIX_STDOUT");
    if (path == NULL) {
        errno = EINVAL;
        fail("CRASHMATRIX_STDOUT");
    }
    if (file_holds(path, ACKNOWLEDGEMENT, strlen(ACKNOWLEDGEMENT)))
        return true;
    if (!file_holds(path, "", 0))
        reject("the output is not what the workload printed");
    return false;
}

_Noreturn void accept(const char *label)
{
    printf("label: %s\n", label);
    exit(0);
}

_Noreturn void reject(const char *reason)
{
    puts(reason);
    exit(1);
}

/* ---- The command ---- */

/* Whether a name of the command line is that of an identifier. */
static bool name_matches(const char *name, const char *identifier)
{
    for (; *name != '\0' && *identifier != '\0'; name++, identifier++)
        if (*name != (*identifier == '_' ? '-' : *identifier))
            return false;
    return *name == *identifier;
}

static void list(void)
{
    for (size_t i = 0; i < BUG_COUNT; i++) {
        for (const char *c = bugs[i].name; *c != '\0'; c++)
            putchar(*c == '_' ? '-' : *c);
        putchar('\n');
    }
}

static void expect(const struct planted_bug *bug)
{
    for (const struct planted_expectation *row = bug->expected; row->reason != NULL; row++)
        printf("%s\t%s\n", row->reason, row->lost);
}

static int perform(const struct planted_bug *bug, const char *action)
{
    if (strcmp(action, "setup") == 0)
        bug->setup();
    else if (strcmp(action, "buggy") == 0 || strcmp(action, "correct") == 0)
        bug->workload(strcmp(action, "correct") == 0);
    else if (strcmp(action, "check") == 0)
        bug->check();
    else if (strcmp(action, "expect") == 0)
        expect(bug);
    else if (strcmp(action, "about") == 0)
        puts(bug->crash);
    else
        return 2;
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "list") == 0) {
        list();
        return 0;
    }
    for (size_t i = 0; argc == 3 && i < BUG_COUNT; i++)
        if (name_matches(argv[1], bugs[i].name))
            return perform(bugs[i].bug, argv[2]);
    fputs("usage: planted list | planted NAME setup|buggy|correct|check|expect|about\n", stderr);
    return 2;
}
