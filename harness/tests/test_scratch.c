/*
 * Tests of the scratch directory, with and without privileges and namespaces.
 */
#include "scratch.h"

#include <errno.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "surroundings.h"

/* ---- Helpers of the bodies ---- */

static struct cm_scratch *scratch_open(void)
{
    struct ff_error error = {""};
    struct cm_scratch *scratch = cm_scratch_open(parent, &error);
    if (scratch == NULL) {
        printf("%s\n", error.text);
        fflush(stdout);
        _exit(1);
    }
    return scratch;
}

static void scratch_enter(struct cm_scratch *scratch)
{
    struct ff_error error = {""};
    bool entered = cm_scratch_enter(scratch, &error) == 0;
    if (!entered)
        printf("%s\n", error.text);
    CHECK(entered);
}

static bool exists(const char *directory, const char *name)
{
    char path[2 * PATH_MAX];
    struct stat status;
    snprintf(path, sizeof(path), "%s/%s", directory, name);
    return lstat(path, &status) == 0;
}

static void file_make(const char *directory, const char *name)
{
    char path[2 * PATH_MAX];
    snprintf(path, sizeof(path), "%s/%s", directory, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    CHECK(fd >= 0);
    if (fd >= 0)
        close(fd);
}

static void shell(const char *text)
{
    fflush(stdout);
    int status = system(text);
    if (status != 0)
        printf("%s: status %d\n", text, status);
    CHECK(status == 0);
}

/* BASE as cm_scratch_enter() and cm_scratch_clear() promise it. */
static void layout_check(const struct cm_scratch *scratch)
{
    struct ff_error error = {""};
    struct stat status;
    CHECK(stat(cm_scratch_directory(scratch), &status) == 0);
    CHECK(S_ISDIR(status.st_mode) && (status.st_mode & 07777) == 0755);
    CHECK(status.st_uid == geteuid() && status.st_gid == getegid());
    struct ff_tree *tree = ff_tree_load(base, NULL, NULL, &error);
    CHECK(tree != NULL);
    if (tree == NULL)
        return;
    CHECK(ff_tree_node(tree, FF_ROOT_NODE)->entry_count == 3);
    CHECK(ff_tree_lookup(tree, FF_ROOT_NODE, "dir") != FF_NO_NODE);
    CHECK(ff_tree_lookup(tree, FF_ROOT_NODE, "home") != FF_NO_NODE);
    CHECK(ff_tree_lookup(tree, FF_ROOT_NODE, "tmp") != FF_NO_NODE);
    for (uint32_t id = FF_ROOT_NODE + 1; id < tree->node_limit; id++)
        CHECK(ff_tree_node(tree, id)->entry_count == 0);
    ff_tree_free(tree);
}

/* Waits for a child of the body. */
static int child_status(pid_t pid)
{
    int status = -1;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    return status;
}

/* ---- The bodies ---- */

static void life(void)
{
    char expected[2 * PATH_MAX];
    struct cm_scratch *scratch = scratch_open();
    bool private = cm_scratch_is_private(scratch);
    snprintf(expected, sizeof(expected), "%s/dir", base);
    CHECK(strcmp(cm_scratch_directory(scratch), expected) == 0);

    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        scratch_enter(scratch);
        layout_check(scratch);
        file_make(cm_scratch_directory(scratch), "data");
        CHECK(geteuid() == getuid());
        cm_scratch_close(scratch);
        _exit(failures == 0 ? 0 : 1);
    }
    CHECK(child_status(pid) == 0);
    CHECK(exists(base, "."));
    CHECK(exists(cm_scratch_directory(scratch), "data") == !private);
    cm_scratch_close(scratch);
    CHECK(!exists(base, "."));
}

static void life_test(void)
{
    surroundings_run_all(life);
}

/* Whether they work is asked of unshare(1): not in every container, nor in a chroot. */
static void namespaces_expected(void)
{
    struct cm_scratch *scratch = scratch_open();
    bool work = system("unshare --mount true >/dev/null 2>&1") == 0 ||
                system("unshare --user --mount true >/dev/null 2>&1") == 0;
    CHECK(cm_scratch_is_private(scratch) == work);
    cm_scratch_close(scratch);
}

static void no_namespaces_expected(void)
{
    struct cm_scratch *scratch = scratch_open();
    CHECK(!cm_scratch_is_private(scratch));
    cm_scratch_close(scratch);
}

static void privacy_test(void)
{
    /* Root has namespaces unless it lost the capability, as in some containers:
     * then there is nothing to test. */
    if (geteuid() == 0 && prctl(PR_CAPBSET_READ, 21 /* CAP_SYS_ADMIN */, 0, 0, 0) == 1)
        surroundings_run(AS_CALLER, namespaces_expected);
    surroundings_run(NO_NAMESPACES, no_namespaces_expected);
}

/* Whatever a command does in BASE, the next one finds it new. */
static void clearing(void)
{
    static const char *const deeds[] = {
        "touch a; mkdir -p b/c; touch b/c/d; ln -s /nowhere e; ln a f; mkfifo g",
        "mkdir -p b/c; touch b/c/d; chmod 000 b/c b .",
        "touch ../stdout ../home/x ../tmp/y ../other; mkdir ../more",
        "cd ..; rm -rf dir home tmp; ln -s / dir; touch home",
        "cd ..; chmod 000 . || exit 0",
        "cd ..; rm -rf * .[a-z]*; rmdir \"$PWD\" 2>/dev/null || true",
        "true",
    };
    struct cm_scratch *scratch = scratch_open();
    scratch_enter(scratch);
    for (size_t i = 0; i < sizeof(deeds) / sizeof(deeds[0]); i++) {
        char text[2 * PATH_MAX];
        struct ff_error error = {""};
        snprintf(text, sizeof(text), "cd %s && { %s; }", cm_scratch_directory(scratch), deeds[i]);
        shell(text);
        bool cleared = cm_scratch_clear(scratch, &error) == 0;
        if (!cleared)
            printf("after %s: %s\n", deeds[i], error.text);
        CHECK(cleared);
        layout_check(scratch);
    }
    CHECK(chdir("/") == 0);
    file_make(cm_scratch_directory(scratch), "left");
    cm_scratch_close(scratch);
    CHECK(!exists(base, "."));
}

static void clearing_test(void)
{
    surroundings_run_all(clearing);
}

static void unmounting(void)
{
    struct ff_error error = {""};
    struct cm_scratch *scratch = scratch_open();
    if (cm_scratch_is_private(scratch)) {
        scratch_enter(scratch);
        CHECK(umount2(base, MNT_DETACH) == 0);
        CHECK(cm_scratch_clear(scratch, &error) == 0);
        layout_check(scratch);
        /* and one that mounted */
        CHECK(mount("tmpfs", cm_scratch_directory(scratch), "tmpfs", 0, NULL) == 0);
        CHECK(cm_scratch_clear(scratch, &error) == 0);
        layout_check(scratch);
    }
    cm_scratch_close(scratch);
    CHECK(!exists(base, "."));
}

static void unmounting_test(void)
{
    surroundings_run_all(unmounting);
}

/* Each of several runs opens, uses, and closes, again and again: none may lose its
 * mount to another one that removes BASE. */
_Noreturn static void rounds_run(unsigned run)
{
    for (unsigned round = 0; round < 25; round++) {
        char name[32];
        struct cm_scratch *scratch = scratch_open();
        snprintf(name, sizeof(name), "run-%u-%u", run, round);
        fflush(stdout);
        pid_t pid = fork();
        if (pid == 0) {
            scratch_enter(scratch);
            layout_check(scratch);
            file_make(cm_scratch_directory(scratch), name);
            usleep(1000 * (run + 1));
            CHECK(exists(cm_scratch_directory(scratch), name));
            fflush(stdout);
            _exit(failures == 0 ? 0 : 1);
        }
        CHECK(child_status(pid) == 0);
        cm_scratch_close(scratch);
    }
    fflush(stdout);
    _exit(failures == 0 ? 0 : 1);
}

static void sharing(void)
{
    enum { RUNS = 6 };
    pid_t pids[RUNS];
    struct cm_scratch *scratch = scratch_open();
    bool private = cm_scratch_is_private(scratch);
    cm_scratch_close(scratch);
    if (!private)
        return;
    fflush(stdout);
    for (unsigned i = 0; i < RUNS; i++) {
        pids[i] = fork();
        if (pids[i] == 0)
            rounds_run(i);
    }
    for (unsigned i = 0; i < RUNS; i++)
        CHECK(child_status(pids[i]) == 0);
    CHECK(!exists(base, "."));
}

static void sharing_test(void)
{
    surroundings_run_all(sharing);
}

static void not_sharing(void)
{
    struct ff_error error = {""};
    struct cm_scratch *scratch = scratch_open();
    CHECK(cm_scratch_open(parent, &error) == NULL);
    CHECK(strstr(error.text, "another run uses it") != NULL);
    cm_scratch_close(scratch);
}

static void not_sharing_test(void)
{
    surroundings_run(NO_NAMESPACES, not_sharing);
    surroundings_run(UNPRIVILEGED | NO_NAMESPACES, not_sharing);
}

/* A run that is killed leaves nothing that the next one does not remove. */
static void takeover(void)
{
    int ends[2];
    char byte;
    CHECK(pipe(ends) == 0);
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        struct cm_scratch *scratch = scratch_open();
        scratch_enter(scratch);
        file_make(cm_scratch_directory(scratch), "left");
        CHECK(write(ends[1], "x", 1) == 1);
        pause();
    }
    CHECK(read(ends[0], &byte, 1) == 1);
    kill(pid, SIGKILL);
    child_status(pid);
    struct cm_scratch *scratch = scratch_open();
    scratch_enter(scratch);
    layout_check(scratch);
    cm_scratch_close(scratch);
    CHECK(!exists(base, "."));
}

static void takeover_test(void)
{
    surroundings_run_all(takeover);
}

static void refusal_check(const char *place, const char *reason)
{
    struct ff_error error = {""};
    struct cm_scratch *scratch = cm_scratch_open(place, &error);
    CHECK(scratch == NULL);
    if (strstr(error.text, reason) == NULL)
        printf("\"%s\" lacks \"%s\"\n", error.text, reason);
    CHECK(strstr(error.text, reason) != NULL);
    cm_scratch_close(scratch);
}

static void refusal(void)
{
    char path[2 * PATH_MAX];
    refusal_check("/nonexistent/directory", "No such file");
    refusal_check("/dev/null", "not a directory");
    CHECK(symlink("/tmp", base) == 0);
    refusal_check(parent, "--scratch");
    CHECK(unlink(base) == 0);
    file_make(parent, "file");
    snprintf(path, sizeof(path), "%s/file", parent);
    CHECK(rename(path, base) == 0);
    refusal_check(parent, "--scratch");
    CHECK(unlink(base) == 0);
    if (geteuid() != 0) {
        CHECK(chmod(parent, 0555) == 0);
        refusal_check(parent, "Permission denied");
        CHECK(chmod(parent, 0755) == 0);
    } else if (mkdir(base, 0777) == 0) {
        CHECK(chown(base, NOBODY, NOBODY) == 0);
        refusal_check(parent, "belongs to another user");
        CHECK(rmdir(base) == 0);
    }
}

static void refusal_test(void)
{
    surroundings_run(AS_CALLER, refusal);
    surroundings_run(UNPRIVILEGED, refusal);
}

static void root_refusal_check(const char *root)
{
    struct ff_error error = {""};
    struct cm_scratch *scratch = cm_scratch_open_for_root(root, &error);
    if (scratch != NULL)
        printf("%s was accepted\n", root);
    CHECK(scratch == NULL && error.text[0] != '\0');
    cm_scratch_close(scratch);
}

static void roots(void)
{
    char root[2 * PATH_MAX];
    struct ff_error error = {""};
    snprintf(root, sizeof(root), "%s/crashmatrix-4711/dir", parent);
    struct cm_scratch *scratch = cm_scratch_open_for_root(root, &error);
    CHECK(scratch != NULL);
    if (scratch != NULL)
        CHECK(strcmp(cm_scratch_directory(scratch), root) == 0);
    cm_scratch_close(scratch);
    CHECK(access(root, F_OK) != 0);

    root_refusal_check("");
    root_refusal_check("/dir");
    root_refusal_check("/etc/dir");
    root_refusal_check("relative/crashmatrix-1/dir");
    root_refusal_check("/tmp/crashmatrix-/dir");
    root_refusal_check("/tmp/crashmatrix-1x/dir");
    root_refusal_check("/nonexistent/crashmatrix-1/dir");
    snprintf(root, sizeof(root), "%s/../crashmatrix-1/dir", parent);
    root_refusal_check(root);
}

static void roots_test(void)
{
    surroundings_run(AS_CALLER, roots);
    surroundings_run(UNPRIVILEGED, roots);
}

static void environment(void)
{
    struct cm_scratch *scratch = scratch_open();
    cm_scratch_set_environment(scratch);
    CHECK(strcmp(getenv("CRASHMATRIX_DIR"), cm_scratch_directory(scratch)) == 0);
    CHECK(strcmp(getenv("CRASHMATRIX_STDOUT"), cm_scratch_stdout(scratch)) == 0);
    CHECK(strncmp(getenv("HOME"), base, strlen(base)) == 0);
    CHECK(strncmp(getenv("TMPDIR"), base, strlen(base)) == 0);
    cm_scratch_close(scratch);
}

static void environment_test(void)
{
    surroundings_run(AS_CALLER, environment);
}

static const struct unit_test tests[] = {
    {"open, enter, close leave nothing", life_test},
    {"namespaces are used where they work", privacy_test},
    {"clear survives any command", clearing_test},
    {"clear survives mounting and unmounting", unmounting_test},
    {"runs at the same time do not disturb each other", sharing_test},
    {"without namespaces a second run is refused", not_sharing_test},
    {"a killed run is taken over", takeover_test},
    {"foreign places are refused", refusal_test},
    {"the root of a trace is checked", roots_test},
    {"commands are told where they are", environment_test},
};

UNIT_MAIN("scratch", tests)
