#include "record.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "command.h"
#include "fail.h"
#include "install.h"
#include "memory.h"
#include "process.h"

/* Runs a command whose standard output nobody wants to see. */
static int run_quietly(const struct cm_command *command, const struct cm_scratch *scratch,
                       int *status, struct ff_error *error)
{
    int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (nowhere < 0)
        return cm_fail(error, "/dev/null: %s", strerror(errno));
    int result = cm_command_run(command, scratch, nowhere, STDERR_FILENO, 0, status, error);
    close(nowhere);
    return result;
}

static int run_setup(const struct cm_command *setup, const struct cm_scratch *scratch,
                     struct ff_error *error)
{
    int status = 0;
    char how[CM_TEXT_SIZE];
    if (run_quietly(setup, scratch, &status, error) != 0)
        return -1;
    cm_process_describe(status, how, sizeof(how));
    return status == 0 ? 0 : cm_fail(error, "setup failed: %s", how);
}

/* What to record, and how. */
struct recipe {
    struct cm_command setup, workload;
    struct cm_scratch *scratch;
    char *path; /* absolute, of the trace */
    const char *const *options;
};

/* The launcher has said on standard error what is wrong when this fails. */
static int run_workload(const struct recipe *recipe, struct ff_error *error)
{
    char *launcher = cm_install_bin("faultfs-record");
    struct cm_command command =
        cm_command_recorder(launcher, cm_scratch_directory(recipe->scratch), recipe->path,
                            recipe->options, &recipe->workload);
    int status = 0;
    int result = run_quietly(&command, recipe->scratch, &status, error);
    if (result == 0 && status != 0)
        result = cm_fail(error, "the workload could not be recorded");
    free(command.argv);
    free(launcher);
    return result;
}

/* In a process of its own, which makes the scratch directory private. */
static int record_here(const struct recipe *recipe, struct ff_error *error)
{
    if (cm_scratch_enter(recipe->scratch, error) != 0)
        return -1;
    if (recipe->setup.argc > 0 && run_setup(&recipe->setup, recipe->scratch, error) != 0)
        return -1;
    return run_workload(recipe, error);
}

/* Reads the child's error text until it ends. When asked to stop, ends it. */
static size_t read_errors(int fd, pid_t child, const volatile int *stop, char *text, size_t room)
{
    size_t size = 0;
    for (;;) {
        ssize_t count = read(fd, text + size, room - size);
        if (count > 0)
            size += (size_t)count;
        else if (count == 0 || errno != EINTR)
            return size;
        else if (*stop != 0)
            kill(child, SIGTERM);
    }
}

/* Forks for it; the child's error text comes through a pipe. */
static int record_apart(const struct recipe *recipe, const volatile int *stop,
                        struct ff_error *error)
{
    int ends[2];
    pid_t parent = getpid();
    if (pipe2(ends, O_CLOEXEC) != 0)
        return cm_fail(error, "no pipe: %s", strerror(errno));
    pid_t child = fork();
    if (child == 0) {
        cm_process_confine(parent);
        bool done = record_here(recipe, error) == 0;
        ssize_t written = done ? 0 : write(ends[1], error->text, strlen(error->text));
        _exit(done && written == 0 ? 0 : 1);
    }
    close(ends[1]);
    if (child < 0) {
        close(ends[0]);
        return cm_fail(error, "no process: %s", strerror(errno));
    }
    char text[sizeof(error->text)] = "";
    size_t size = read_errors(ends[0], child, stop, text, sizeof(text) - 1);
    close(ends[0]);
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    if (status == 0)
        return 0;
    return size > 0 && *stop == 0 ? cm_fail(error, "%s", text)
                                  : cm_fail(error, "recording was interrupted");
}

static char *absolute_path(const char *path)
{
    char folder[PATH_MAX];
    if (path[0] == '/' || getcwd(folder, sizeof(folder)) == NULL)
        return cm_format("%s", path);
    return cm_format("%s/%s", folder, path);
}

int cm_record(const char *setup, const char *workload, struct cm_scratch *scratch, const char *path,
              const char *const *options, const volatile int *stop, struct ff_error *error)
{
    struct recipe recipe = {.scratch = scratch, .path = absolute_path(path), .options = options};
    int result = -1;
    if ((setup == NULL || cm_command_parse(setup, &recipe.setup, error) == 0) &&
        cm_command_parse(workload, &recipe.workload, error) == 0)
        result = record_apart(&recipe, stop, error);
    cm_command_free(&recipe.setup);
    cm_command_free(&recipe.workload);
    free(recipe.path);
    return result;
}
