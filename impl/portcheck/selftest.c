/*
 * The command selftest: whether the system calls that a commit relies on do what they
 * should on this file system, then commits and a recovery after a kill. That all of it
 * works says nothing about a power cut.
 */
#include "command.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "text.h"
#include "workload.h"

struct test {
    const struct pc_arguments *arguments;
    char *folder; /* of this test, in DIR */
    int directory;
    char *note; /* to be said of what is well */
};

static char *failed(const char *call)
{
    return pc_format("%s: %s", call, strerror(errno));
}

/* ---- Files ---- */

static char *put(struct test *test, const char *name, const char *text)
{
    int file = openat(test->directory, name, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (file < 0)
        return failed("open");
    ssize_t count = pwrite(file, text, strlen(text), 0);
    char *problem = count == (ssize_t)strlen(text) ? NULL : failed("pwrite");
    if (close(file) != 0 && problem == NULL)
        problem = failed("close");
    return problem;
}

static char *expect(struct test *test, const char *name, const char *text)
{
    char bytes[64] = "";
    int file = openat(test->directory, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (file < 0)
        return failed("open");
    ssize_t count = pread(file, bytes, sizeof(bytes) - 1, 0);
    close(file);
    if (count < 0)
        return failed("pread");
    return strcmp(bytes, text) == 0 ? NULL
                                    : pc_format("%s holds '%s', not '%s'", name, bytes, text);
}

static char *exclusive(struct test *test)
{
    char *problem = put(test, "exclusive", "first");
    if (problem != NULL)
        return problem;
    int file = openat(test->directory, "exclusive", O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (file >= 0) {
        close(file);
        return pc_copy("a file that exists was created again");
    }
    return errno == EEXIST ? expect(test, "exclusive", "first") : failed("open");
}

static char *no_follow(struct test *test)
{
    if (symlinkat("exclusive", test->directory, "symbolic") != 0) {
        test->note = pc_copy("there are no symbolic links here");
        return errno == EPERM || errno == EOPNOTSUPP || errno == ENOSYS ? NULL : failed("symlink");
    }
    int file = openat(test->directory, "symbolic", O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (file >= 0) {
        close(file);
        return pc_copy("a symbolic link was followed");
    }
    return errno == ELOOP ? NULL : failed("open");
}

static char *offsets(struct test *test)
{
    char *problem = put(test, "offsets", "0123456789");
    int file = openat(test->directory, "offsets", O_RDWR | O_CLOEXEC);
    if (problem == NULL && (file < 0 || pwrite(file, "xy", 2, 4) != 2))
        problem = failed("pwrite");
    if (file >= 0)
        close(file);
    return problem != NULL ? problem : expect(test, "offsets", "0123xy6789");
}

static char *replaces(struct test *test)
{
    struct stat status;
    char *problem = put(test, "old", "old");
    if (problem == NULL)
        problem = put(test, "new", "new");
    if (problem != NULL)
        return problem;
    if (renameat(test->directory, "new", test->directory, "old") != 0)
        return failed("rename");
    if (fstatat(test->directory, "new", &status, AT_SYMLINK_NOFOLLOW) == 0)
        return pc_copy("the name before is still there");
    return expect(test, "old", "new");
}

static char *removes_open(struct test *test)
{
    char byte = 0, *problem = put(test, "removed", "r");
    if (problem != NULL)
        return problem;
    int file = openat(test->directory, "removed", O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return failed("open");
    if (unlinkat(test->directory, "removed", 0) != 0)
        problem = failed("unlink");
    else if (pread(file, &byte, 1, 0) != 1 || byte != 'r')
        problem = pc_copy("what was removed could not be read by who had it open");
    close(file);
    return problem;
}

static char *sync_of_file(struct test *test)
{
    char *problem = put(test, "synced", "synced");
    int file = openat(test->directory, "synced", O_RDWR | O_CLOEXEC);
    if (problem == NULL && (file < 0 || fsync(file) != 0))
        problem = failed("fsync");
    if (file >= 0)
        close(file);
    return problem;
}

static char *sync_of_directory(struct test *test)
{
    return fsync(test->directory) == 0 ? NULL : failed("fsync of a directory");
}

static char *links(struct test *test)
{
    if (linkat(test->directory, "exclusive", test->directory, "linked", 0) == 0)
        return expect(test, "linked", "first");
    test->note =
        pc_format("there are no hard links here (%s); nothing relies on them", strerror(errno));
    return NULL;
}

/* The lock of the writer, as libmanifest takes it. */
static char *locks(struct test *test)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET}, again = lock;
    char *problem = NULL;
    int first = openat(test->directory, "exclusive", O_RDWR | O_CLOEXEC);
    int second = openat(test->directory, "exclusive", O_RDWR | O_CLOEXEC);
    if (first < 0 || second < 0 || fcntl(first, F_OFD_SETLK, &lock) != 0)
        problem = failed("F_OFD_SETLK");
    else if (fcntl(second, F_OFD_SETLK, &again) == 0)
        problem = pc_copy("two handles hold the same lock");
    if (second >= 0)
        close(second);
    if (first >= 0)
        close(first);
    return problem;
}

static char *lists(struct test *test)
{
    bool found = false;
    int handle = openat(test->directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *stream = handle < 0 ? NULL : fdopendir(handle);
    if (stream == NULL)
        return failed("opendir");
    for (const struct dirent *entry; (entry = readdir(stream)) != NULL;)
        found = found || strcmp(entry->d_name, "exclusive") == 0;
    closedir(stream);
    return found ? NULL : pc_copy("a file that is there is not listed");
}

/* ---- Room and time ---- */

enum { ROOM_MB = 16, NAME_BYTES = 64 };

static char *room(struct test *test)
{
    struct statvfs status;
    if (fstatvfs(test->directory, &status) != 0)
        return failed("statvfs");
    uint64_t free_mb = (uint64_t)status.f_bavail * status.f_frsize >> 20;
    if (free_mb < ROOM_MB)
        return pc_format("%" PRIu64 " MB are free, %d are needed", free_mb, ROOM_MB);
    if (status.f_namemax < NAME_BYTES)
        return pc_format("names have at most %lu bytes", status.f_namemax);
    test->note = pc_format("%" PRIu64 " MB free", free_mb);
    return NULL;
}

static char *clock_and_times(struct test *test)
{
    enum { YEAR_2020 = 1577836800 };
    struct stat status;
    struct timespec now;
    char *problem = put(test, "time", "time");
    if (problem != NULL)
        return problem;
    if (clock_gettime(CLOCK_REALTIME, &now) != 0 || now.tv_sec < 0)
        return pc_copy("the clock stands before 1970");
    if (now.tv_sec < YEAR_2020)
        test->note = pc_copy("the clock is not set; versions will carry wrong times");
    else if (fstatat(test->directory, "time", &status, 0) == 0 &&
             llabs((long long)status.st_mtime - (long long)now.tv_sec) > 3)
        test->note = pc_copy("the times of files are not those of the clock; nothing relies "
                             "on them");
    return NULL;
}

/* ---- Commit and recovery ---- */

enum { COMMITS = 2 * PC_CLEAN_EVERY, COMMITS_BEFORE_KILL = 5 };

static void remember(void *argument, const char *what, const char *name, const char *problem)
{
    char **first = argument;
    if (problem != NULL && *first == NULL)
        *first = pc_format("%s %s: %s", what, name, problem);
}

static struct pc_workload workload_of(const struct test *test)
{
    const struct pc_arguments *arguments = test->arguments;
    struct pc_workload workload = {.run = 1,
                                   .files = arguments->files,
                                   .platform = arguments->platform,
                                   .point = arguments->point,
                                   .directory = test->folder};
    pc_workload_name(&workload);
    return workload;
}

static bool commit_once(struct pc_workload *workload, uint64_t *version, char **problem)
{
    return pc_workload_begin(workload, version, problem) && pc_workload_commit(workload, problem) &&
           pc_workload_clean(workload, problem);
}

/* Opens, verifies everything, and closes. */
static char *verify_all(struct test *test, uint64_t least)
{
    char *problem = NULL;
    struct pc_workload workload = workload_of(test);
    enum pc_started started = pc_workload_start(&workload, &problem);
    if (started == PC_CREATED)
        problem = pc_copy("the database has gone");
    if (started == PC_STARTED) {
        pc_canaries_verify(&workload, remember, &problem);
        pc_workload_verify(&workload, remember, &problem);
        uint64_t version = pc_workload_version(&workload);
        if (problem == NULL && version < least)
            problem = pc_format("version %" PRIu64 " is there, %" PRIu64 " was committed", version,
                                least);
    }
    pc_workload_close(&workload);
    return problem;
}

static char *commits(struct test *test)
{
    char *problem = NULL;
    uint64_t version = 0;
    struct pc_workload workload = workload_of(test);
    if (pc_workload_start(&workload, &problem) == PC_CREATED) {
        test->note = pc_format("commit point %s",
                               mf_commit_point_word(mf_database_commit_point(workload.open)));
        for (int i = 0; i < COMMITS && commit_once(&workload, &version, &problem); i++)
            ;
    }
    pc_workload_close(&workload);
    return problem != NULL ? problem : verify_all(test, version);
}

/* Commits until it is killed, and tells each version. */
static _Noreturn void commit_for_ever(struct test *test, int out)
{
    char *problem = NULL;
    uint64_t version;
    struct pc_workload workload = workload_of(test);
    if (pc_workload_start(&workload, &problem) == PC_STARTED)
        while (commit_once(&workload, &version, &problem) &&
               write(out, &version, sizeof(version)) == (ssize_t)sizeof(version))
            ;
    if (problem != NULL)
        fprintf(stderr, "portcheck: %s\n", problem);
    _exit(1);
}

static char *recovers(struct test *test)
{
    int ends[2];
    uint64_t version = 0;
    int told = 0;
    if (pipe(ends) != 0)
        return failed("pipe");
    fflush(stdout);
    pid_t child = fork();
    if (child < 0)
        return failed("fork");
    if (child == 0)
        commit_for_ever(test, ends[1]);
    close(ends[1]);
    while (told < COMMITS_BEFORE_KILL &&
           read(ends[0], &version, sizeof(version)) == (ssize_t)sizeof(version))
        told++;
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    close(ends[0]);
    if (told < COMMITS_BEFORE_KILL)
        return pc_copy("the commits ended by themselves");
    return verify_all(test, version);
}

/* ---- All of it ---- */

static const struct {
    const char *name;
    char *(*run)(struct test *test); /* NULL, or what is wrong */
} tests[] = {
    {"open O_EXCL creates only what is not there", exclusive},
    {"open O_NOFOLLOW stops at a link", no_follow},
    {"pread and pwrite at offsets", offsets},
    {"rename replaces", replaces},
    {"unlink of an open file", removes_open},
    {"fsync of a file", sync_of_file},
    {"fsync of a directory", sync_of_directory},
    {"link", links},
    {"F_OFD_SETLK excludes", locks},
    {"readdir lists", lists},
    {"statvfs, room and names", room},
    {"clock and times of files", clock_and_times},
    {"commits and clean-ups, verified", commits},
    {"recovery after a kill", recovers},
};

static int run_tests(struct test *test)
{
    int status = PC_EXIT_OK;
    for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
        char *problem = tests[i].run(test);
        if (problem != NULL)
            printf("FAILED  %s: %s\n", tests[i].name, problem);
        else
            printf("ok      %s%s%s\n", tests[i].name, test->note != NULL ? ": " : "",
                   test->note != NULL ? test->note : "");
        if (problem != NULL)
            status = PC_EXIT_WRONG;
        free(problem);
        free(test->note);
        test->note = NULL;
    }
    return status;
}

/* A folder that this program has made, at most three levels deep. */
static void remove_all(int parent, const char *name)
{
    int handle = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *stream = handle < 0 ? NULL : fdopendir(handle);
    if (stream == NULL)
        return;
    for (const struct dirent *entry; (entry = readdir(stream)) != NULL;)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
            unlinkat(handle, entry->d_name, 0) != 0)
            remove_all(handle, entry->d_name);
    closedir(stream);
    unlinkat(parent, name, AT_REMOVEDIR);
}

/* As in a run: what the file system is known to need, unless it was said. */
static void choose_point(struct pc_arguments *arguments)
{
    const char *reason;
    if (arguments->point == MF_COMMIT_AUTOMATIC &&
        strcmp(pc_fitting_point(arguments->directory, &reason), "slots") == 0)
        arguments->point = MF_COMMIT_SLOTS;
}

int pc_selftest(const struct pc_arguments *arguments)
{
    struct pc_arguments chosen = *arguments;
    choose_point(&chosen);
    struct test test = {.arguments = &chosen, .directory = -1};
    test.folder = pc_format("%s/portcheck-selftest-%ld", arguments->directory, (long)getpid());
    if (mkdir(test.folder, 0777) == 0)
        test.directory = open(test.folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int status = PC_EXIT_FAILED;
    if (test.directory < 0) {
        fprintf(stderr, "portcheck: %s cannot be made: %s\n", test.folder, strerror(errno));
    } else {
        status = run_tests(&test);
        close(test.directory);
        remove_all(AT_FDCWD, test.folder);
    }
    free(test.folder);
    return status;
}
