/*
 * careless BUG: replaces file by way of tmp and says "saved". BUG is what is done wrongly
 * when a call fails, or "none". careless check: file is the old one, unless "saved" was
 * said, or the new one.
 */
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char old_content[] = "old\n", new_content[] = "the new content";

static const char *bug;

static bool has_bug(const char *name)
{
    return strcmp(bug, name) == 0;
}

static void must(bool succeeded, const char *what)
{
    if (!succeeded) {
        perror(what);
        exit(1);
    }
}

static void put(int fd, const char *data, size_t size)
{
    ssize_t done = write(fd, data, size);
    must(done >= 0, "write");
    if ((size_t)done < size && !has_bug("short-write"))
        put(fd, data + done, size - (size_t)done);
}

static void make_durable(int fd)
{
    if (fsync(fd) == 0 || has_bug("error-ignored"))
        return;
    must(has_bug("sync-again") && fsync(fd) == 0, "fsync");
}

static void save(void)
{
    int fd = open("tmp", O_CREAT | O_WRONLY | O_TRUNC, 0644);
    must(fd >= 0, "open");
    put(fd, new_content, strlen(new_content));
    make_durable(fd);
    must(close(fd) == 0, "close");
    must(rename("tmp", "file") == 0, "rename");
    int directory = open(".", O_RDONLY);
    must(directory >= 0, "open");
    make_durable(directory);
    must(write(STDOUT_FILENO, "saved\n", 6) == 6, "write");
}

static bool holds(const char *path, const char *text)
{
    char found[32] = "";
    int fd = open(path, O_RDONLY);
    ssize_t size = fd < 0 ? -1 : read(fd, found, sizeof(found));
    if (fd >= 0)
        close(fd);
    return size == (ssize_t)strlen(text) && memcmp(found, text, strlen(text)) == 0;
}

int main(int argc, char **argv)
{
    if (argc != 2)
        return 2;
    bug = argv[1];
    if (strcmp(bug, "check") == 0)
        return holds("file", new_content) || (holds("file", old_content) &&
                                              !holds(getenv("CRASHMATRIX_STDOUT"), "saved\n"))
                   ? 0
                   : 1;
    save();
    return 0;
}
