/*
 * A program that installs a new version of a file, and recoveries for it that finish what a
 * power cut interrupted: one that is safe, one that is only safe if it is not cut, and one
 * that is only safe if it is not cut twice.
 *
 *     mender install                      the workload; data must be there
 *     mender safe|unsafe|impatient        a recovery
 *     mender check                        data is what it was, or new, which it must be if
 *                                         that was said
 *
 * next is the new version, and commit says that it is whole.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char old_version[] = "old\n", new_version[] = "new\n";

static void must(int done, const char *what)
{
    if (done)
        return;
    perror(what);
    exit(3);
}

static void sync_folder(void)
{
    int fd = open(".", O_RDONLY | O_DIRECTORY);
    must(fd >= 0 && fsync(fd) == 0, "directory");
    close(fd);
}

static void put(const char *name, const char *content, int synced)
{
    int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    must(fd >= 0, name);
    must(write(fd, content, strlen(content)) == (ssize_t)strlen(content), name);
    must(!synced || fsync(fd) == 0, name);
    close(fd);
}

static int get(const char *name, char content[16])
{
    int fd = open(name, O_RDONLY);
    ssize_t size = fd < 0 ? -1 : read(fd, content, 15);
    if (fd >= 0)
        close(fd);
    content[size < 0 ? 0 : size] = '\0';
    return size >= 0;
}

static int is_there(const char *name)
{
    return access(name, F_OK) == 0;
}

static void install(void)
{
    put("next", new_version, 1);
    sync_folder();
    put("commit", "", 0);
    sync_folder();
    must(write(STDOUT_FILENO, "committed\n", 10) == 10, "standard output");
}

/* Nothing is taken away before what takes its place is durable. */
static void finish_safely(void)
{
    char content[16];
    must(get("next", content), "next");
    put("data.tmp", content, 1);
    must(rename("data.tmp", "data") == 0, "rename");
    sync_folder();
    unlink("commit");
    sync_folder();
    unlink("next");
    unlink("tried");
}

static void finish_unsafely(void)
{
    char content[16];
    must(get("next", content), "next");
    put("data.tmp", content, 0);
    unlink("data");
    unlink("next");
    unlink("commit");
    must(rename("data.tmp", "data") == 0, "rename");
}

static void recover(const char *how)
{
    if (!is_there("commit"))
        return;
    if (strcmp(how, "unsafe") == 0 || (strcmp(how, "impatient") == 0 && is_there("tried"))) {
        finish_unsafely();
        return;
    }
    if (strcmp(how, "impatient") == 0) {
        put("tried", "", 0);
        sync_folder();
    }
    finish_safely();
}

static int check(void)
{
    char content[16] = "", said[16] = "";
    if (!get("data", content)) {
        puts("there is no data");
        return 1;
    }
    get(getenv("CRASHMATRIX_STDOUT"), said);
    int is_new = strcmp(content, new_version) == 0;
    if (!is_new && strcmp(content, old_version) != 0)
        puts("the data is neither old nor new");
    else if (!is_new && said[0] != '\0')
        puts("the new version was promised");
    else
        return printf("label: %s\n", is_new ? "new" : "old") < 0;
    return 1;
}

int main(int argc, char **argv)
{
    if (argc != 2)
        return 2;
    if (strcmp(argv[1], "check") == 0)
        return check();
    if (strcmp(argv[1], "install") == 0)
        install();
    else
        recover(argv[1]);
    return 0;
}
