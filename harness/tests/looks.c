/*
 * looks CASE: a check that looks at the directory under test in one of many ways, and
 * whose label is what it saw. `looks list` prints the cases; `looks workload` makes
 * something to be looked at; `looks setup` what is there before. `looks pages-list`,
 * `pages-setup` and `pages-workload` are about one file of several pages.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

static uint64_t seen = 14695981039346656037u;

static void see(const void *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        seen = (seen ^ ((const unsigned char *)bytes)[i]) * 1099511628211u;
}

static void see_number(long number)
{
    see(&number, sizeof(number));
}

static void see_result(long result)
{
    see_number(result < 0 ? -errno : 0);
}

static void see_descriptor(int fd)
{
    char bytes[8192];
    ssize_t size;
    see_result(fd);
    while (fd >= 0 && (size = read(fd, bytes, sizeof(bytes))) > 0)
        see(bytes, (size_t)size);
}

/* ---- Cases ---- */

static void look_open(void)
{
    see_descriptor(open("file", O_RDONLY));
}

static void look_fopen(void)
{
    char line[256];
    FILE *file = fopen("file", "r");
    see_number(file != NULL);
    while (file != NULL && fgets(line, sizeof(line), file) != NULL)
        see(line, strlen(line));
}

static void look_openat(void)
{
    see_descriptor(openat(open("sub", O_RDONLY | O_DIRECTORY), "inner", O_RDONLY));
}

static void look_inline(void)
{
#ifdef SYS_open
    see_descriptor((int)syscall(SYS_open, "renamed", O_RDONLY));
#else
    see_descriptor((int)syscall(SYS_openat, AT_FDCWD, "renamed", O_RDONLY));
#endif
}

static void look_map(void)
{
    struct stat status;
    int fd = open("grown", O_RDONLY);
    if (fd < 0 || fstat(fd, &status) != 0 || status.st_size == 0)
        return;
    const char *bytes = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    see(bytes, (size_t)status.st_size);
}

static void look_absolute(void)
{
    char path[4096];
    snprintf(path, sizeof(path), "%s/./sub/../file", getenv("CRASHMATRIX_DIR"));
    see_descriptor(open(path, O_RDONLY));
}

static void look_link(void)
{
    see_descriptor(open("link", O_RDONLY)); /* to sub/inner */
}

static void look_readlink(void)
{
    char target[256];
    ssize_t size = readlink("link", target, sizeof(target));
    see_result(size);
    if (size > 0)
        see(target, (size_t)size);
}

static void look_size(void)
{
    struct stat status = {0};
    see_result(stat("grown", &status));
    see_number(status.st_size);
}

static void look_mode(void)
{
    struct stat status = {0};
    see_result(lstat("file", &status));
    see_number(status.st_mode);
}

static void look_links(void)
{
    struct stat status = {0};
    see_result(stat("file", &status));
    see_number((long)status.st_nlink);
}

static void look_blocks(void)
{
    struct stat status = {0};
    see_result(stat("grown", &status));
    see_number(status.st_size);
    see_number(status.st_blocks);
}

static void look_directory_status(void)
{
    struct stat status = {0};
    see_result(stat("sub", &status));
    see_number(status.st_size);
    see_number((long)status.st_nlink);
}

static void look_statx(void)
{
    struct statx status = {0};
    see_result(statx(AT_FDCWD, "renamed", 0, STATX_SIZE, &status));
    see_number((long)status.stx_size);
}

static void look_path_descriptor(void)
{
    struct stat status = {0};
    int fd = open("grown", O_PATH);
    see_result(fd);
    if (fd >= 0 && fstat(fd, &status) == 0)
        see_number(status.st_size);
}

static void look_access(void)
{
    see_result(access("sub/inner", R_OK));
    see_result(access("file", X_OK));
}

static void look_list(void)
{
    DIR *directory = opendir(".");
    long sum = 0; /* the order is the file system's */
    for (struct dirent *entry; directory != NULL && (entry = readdir(directory)) != NULL;)
        for (const char *at = entry->d_name; *at != '\0'; at++)
            sum = sum * 1 + *at * (at == entry->d_name ? 1000 : 1);
    see_number(sum);
}

static void look_list_below(void)
{
    DIR *directory;
    if (chdir("sub") != 0)
        return;
    directory = opendir(".");
    while (directory != NULL && readdir(directory) != NULL)
        see_number(1);
}

static void look_change_directory(void)
{
    see_result(chdir("sub"));
    see_descriptor(open("inner", O_RDONLY));
    see_descriptor(open("../grown", O_RDONLY));
}

static void look_proc_descriptor(void)
{
    char path[64];
    snprintf(path, sizeof(path), "/proc/self/fd/%d/inner", open("sub", O_RDONLY | O_DIRECTORY));
    see_descriptor(open(path, O_RDONLY));
}

static void look_proc_cwd(void)
{
    see_descriptor(open("/proc/self/cwd/file", O_RDONLY));
    see_descriptor(open("/proc/thread-self/cwd/grown", O_RDONLY));
}

static void look_xattr(void)
{
    char value[64];
    ssize_t size = getxattr("file", "user.note", value, sizeof(value));
    see_result(size);
    if (size > 0)
        see(value, (size_t)size);
}

static void look_exclusive(void)
{
    see_result(open("renamed", O_CREAT | O_EXCL | O_WRONLY, 0600));
}

static void look_make(void)
{
    see_result(mkdir("sub", 0700));
}

static void look_remove(void)
{
    see_result(unlink("old"));
}

static void look_remove_directory(void)
{
    see_result(rmdir("sub"));
}

static void look_rename(void)
{
    see_result(rename("renamed", "sub"));
    see_result(rename("file", "elsewhere"));
    see_descriptor(open("elsewhere", O_RDONLY));
}

static void look_hard_link(void)
{
    see_result(link("grown", "another"));
    see_descriptor(open("another", O_RDONLY));
}

static void look_truncate(void)
{
    struct stat status = {0};
    see_result(truncate("file", 3));
    see_descriptor(open("file", O_RDONLY));
    see_result(stat("old", &status));
}

static void look_append(void)
{
    int fd = open("grown", O_WRONLY | O_APPEND);
    if (fd >= 0 && write(fd, "x", 1) == 1)
        see_number(lseek(fd, 0, SEEK_CUR));
}

static void look_hole(void)
{
    see_number(lseek(open("grown", O_RDONLY), 0, SEEK_HOLE));
}

static void look_file_system(void)
{
    struct statfs status = {0};
    see_result(statfs(".", &status));
    see_number((long)(status.f_files - status.f_ffree));
}

static void look_handle(void)
{
    union {
        struct file_handle handle;
        char room[sizeof(struct file_handle) + MAX_HANDLE_SZ];
    } it = {.handle = {.handle_bytes = MAX_HANDLE_SZ}};
    int mount;
    see_number(name_to_handle_at(AT_FDCWD, "renamed", &it.handle, &mount, 0) == 0);
}

static void look_child(void)
{
    int pipe_ends[2], status;
    char byte = 0;
    if (pipe(pipe_ends) != 0)
        return;
    pid_t child = fork();
    if (child == 0) {
        struct stat of_file;
        byte = (char)(1 + (stat("sub/inner", &of_file) == 0));
        _exit(write(pipe_ends[1], &byte, 1) == 1 ? 0 : 1);
    }
    waitpid(child, &status, 0);
    see_number(read(pipe_ends[0], &byte, 1));
    see_number(byte);
}

static void *thread_main(void *nothing)
{
    see_descriptor(open("renamed", O_RDONLY));
    return nothing;
}

static void look_thread(void)
{
    pthread_t thread;
    if (pthread_create(&thread, NULL, thread_main, NULL) == 0)
        pthread_join(thread, NULL);
}

static void look_shell(void)
{
    see_number(system("test -s file && test -e sub/inner"));
    see_number(system("cat renamed | grep -q new"));
}

static void look_execute(void)
{
    see_number(system("./program 2>/dev/null"));
}

/* A script elsewhere, whose interpreter is looked for here. */
static void look_interpreter(void)
{
    char path[4096];
    snprintf(path, sizeof(path), "%s/script", getenv("TMPDIR"));
    int fd = open(path, O_WRONLY | O_CREAT, 0755);
    if (fd < 0 || write(fd, "#!./program\n", 12) != 12 || close(fd) != 0)
        return;
    see_number(system(path));
}

static void look_output(void)
{
    see_descriptor(open(getenv("CRASHMATRIX_STDOUT"), O_RDONLY));
}

static void look_output_size(void)
{
    struct stat status = {0};
    see_result(stat("../stdout", &status));
    see_number(status.st_size);
}

static void look_step_by_step(void)
{
    struct stat status;
    if (stat("renamed", &status) != 0)
        see_descriptor(open("old", O_RDONLY));
    else if (status.st_size < 4)
        see_descriptor(open("grown", O_RDONLY));
    else
        see_descriptor(open("renamed", O_RDONLY));
}

/* There can be one listener only: a check that wants one gets it. */
static void look_listener(void)
{
    struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    const struct sock_fprog filter = {1, &allow};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &filter) <
            0) {
        perror("seccomp");
        exit(1);
    }
    see_descriptor(open("file", O_RDONLY));
}

static void look_nothing(void)
{
}

/* ---- Cases of reading a file in part ---- */

enum { PAGE = 4096, PAGES = 4 };

static int pages_open(void)
{
    return open("pages", O_RDONLY);
}

/* What is read from the position, which may be moved by others. */
static void see_here(int fd, size_t size)
{
    char bytes[PAGE];
    ssize_t count = read(fd, bytes, size);
    see_result(count);
    if (count > 0)
        see(bytes, (size_t)count);
}

static char see_page(int fd, off_t page)
{
    char byte = 0;
    see_result(pread(fd, &byte, 1, page * PAGE));
    see(&byte, 1);
    return byte;
}

static void look_first_page(void)
{
    see_page(pages_open(), 0);
}

static void look_page_by_page(void)
{
    int fd = pages_open();
    if (see_page(fd, 0) == 'n')
        see_page(fd, 3);
}

static void look_seek(void)
{
    int fd = pages_open();
    see_result(lseek(fd, 2 * PAGE, SEEK_SET));
    see_here(fd, 16);
}

static void look_on(void)
{
    int fd = pages_open();
    see_here(fd, PAGE);
    see_here(fd, 16);
}

static void look_duplicate(void)
{
    int fd = pages_open();
    see_here(fd, PAGE);
    see_here(dup(fd), 16);
}

static void look_vector(void)
{
    char bytes[16];
    struct iovec vector = {bytes, sizeof(bytes)};
    see_result(preadv(pages_open(), &vector, 1, 2 * PAGE));
    see(bytes, sizeof(bytes));
}

static void look_reopened(void)
{
    char path[64];
    snprintf(path, sizeof(path), "/proc/self/fd/%d", pages_open());
    see_page(open(path, O_RDONLY), 3);
}

static void look_pages_status(void)
{
    struct stat status = {0};
    see_result(fstat(pages_open(), &status));
    see_number(status.st_size + status.st_blocks);
}

static void look_mapped_page(void)
{
    const char *bytes = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, pages_open(), PAGE);
    see(bytes, 16);
}

static void look_sent(void)
{
    int ends[2];
    off_t offset = 3 * PAGE;
    if (pipe(ends) == 0 && sendfile(ends[1], pages_open(), &offset, 16) == 16)
        see_here(ends[0], 16);
}

/* The position is the child's, too. */
static void look_after_child(void)
{
    int fd = pages_open(), status;
    char bytes[PAGE];
    pid_t child = fork();
    if (child == 0)
        _exit(read(fd, bytes, PAGE) == PAGE ? 0 : 1);
    waitpid(child, &status, 0);
    see_here(fd, 16);
}

static void *seek_main(void *fd)
{
    lseek(*(int *)fd, 3 * PAGE, SEEK_SET);
    return NULL;
}

static void look_after_thread(void)
{
    pthread_t thread;
    int fd = pages_open();
    if (pthread_create(&thread, NULL, seek_main, &fd) == 0)
        pthread_join(thread, NULL);
    see_here(fd, 16);
}

struct look_case {
    const char *name;
    void (*look)(void);
};

static const struct look_case page_cases[] = {
    {"first-page", look_first_page},
    {"page-by-page", look_page_by_page},
    {"seek", look_seek},
    {"read-on", look_on},
    {"duplicate", look_duplicate},
    {"vector", look_vector},
    {"reopened", look_reopened},
    {"pages-status", look_pages_status},
    {"mapped-page", look_mapped_page},
    {"sent", look_sent},
    {"after-child", look_after_child},
    {"after-thread", look_after_thread},
    {NULL, NULL},
};

static const struct look_case cases[] = {
    {"open", look_open},
    {"fopen", look_fopen},
    {"openat", look_openat},
    {"inline", look_inline},
    {"map", look_map},
    {"absolute", look_absolute},
    {"link", look_link},
    {"readlink", look_readlink},
    {"size", look_size},
    {"mode", look_mode},
    {"links", look_links},
    {"blocks", look_blocks},
    {"directory-status", look_directory_status},
    {"statx", look_statx},
    {"path-descriptor", look_path_descriptor},
    {"access", look_access},
    {"names", look_list},
    {"names-below", look_list_below},
    {"change-directory", look_change_directory},
    {"proc-descriptor", look_proc_descriptor},
    {"proc-cwd", look_proc_cwd},
    {"xattr", look_xattr},
    {"exclusive", look_exclusive},
    {"make", look_make},
    {"remove", look_remove},
    {"remove-directory", look_remove_directory},
    {"rename", look_rename},
    {"hard-link", look_hard_link},
    {"truncate", look_truncate},
    {"append", look_append},
    {"hole", look_hole},
    {"file-system", look_file_system},
    {"handle", look_handle},
    {"child", look_child},
    {"thread", look_thread},
    {"shell", look_shell},
    {"execute", look_execute},
    {"interpreter", look_interpreter},
    {"output", look_output},
    {"output-size", look_output_size},
    {"step-by-step", look_step_by_step},
    {"listener", look_listener},
    {"nothing", look_nothing},
    {NULL, NULL},
};

/* ---- What there is to see ---- */

static void must(long result, const char *what)
{
    if (result < 0) {
        perror(what);
        exit(1);
    }
}
#define MUST(call) must((long)(call), #call)

static void file_put(const char *path, int flags, const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | flags, 0644);
    MUST(fd);
    MUST(write(fd, text, strlen(text)));
    MUST(close(fd));
}

static void setup(void)
{
    file_put("old", 0, "old\n");
    file_put("grown", 0, "grown\n");
}

/* The syncs keep the states few, so that a run for each of them takes little time. */
static void workload(void)
{
    char page[4096];
    memset(page, 'p', sizeof(page));
    file_put("file", 0, "first\n");
    MUST(chmod("file", 0600));
    setxattr("file", "user.note", "noted", 5, 0); /* not everywhere */
    sync();
    MUST(mkdir("sub", 0755));
    file_put("sub/inner", 0, "inner\n");
    MUST(symlink("sub/inner", "link"));
    sync();
    MUST(write(1, "half\n", 5));
    int fd = open("grown", O_WRONLY);
    MUST(pwrite(fd, page, sizeof(page), 8192));
    sync();
    file_put("temporary", 0, "new\n");
    MUST(rename("temporary", "renamed"));
    MUST(unlink("old"));
    sync();
    MUST(link("file", "second"));
    file_put("program", 0, "#!/bin/sh\nexit 7\n");
    MUST(chmod("program", 0755));
    MUST(write(1, "done\n", 5));
}

static void pages_put(char letter)
{
    char page[PAGE];
    int fd = open("pages", O_WRONLY | O_CREAT, 0644);
    MUST(fd);
    memset(page, letter, sizeof(page));
    for (off_t i = 0; i < PAGES; i++)
        MUST(pwrite(fd, page, sizeof(page), i * PAGE));
}

static void list(const struct look_case *from)
{
    for (; from->name != NULL; from++)
        puts(from->name);
}

static bool look(const struct look_case *from, const char *name)
{
    while (from->name != NULL && strcmp(from->name, name) != 0)
        from++;
    if (from->name == NULL)
        return false;
    from->look();
    printf("label: %016llx\n", (unsigned long long)seen);
    return true;
}

int main(int argc, char **argv)
{
    const char *name = argc == 2 ? argv[1] : "";
    if (strcmp(name, "setup") == 0)
        setup();
    else if (strcmp(name, "workload") == 0)
        workload();
    else if (strcmp(name, "list") == 0)
        list(cases);
    else if (strcmp(name, "pages-setup") == 0)
        pages_put('o');
    else if (strcmp(name, "pages-workload") == 0)
        pages_put('n');
    else if (strcmp(name, "pages-list") == 0)
        list(page_cases);
    else if (!look(cases, name) && !look(page_cases, name)) {
        fprintf(stderr, "usage: looks CASE | [pages-]list|setup|workload\n");
        return 2;
    }
    return 0;
}
