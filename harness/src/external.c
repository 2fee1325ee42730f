/*
 * The check that runs a command on each state: see cm_external_check_new().
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "command.h"
#include "fail.h"
#include "memo.h"
#include "memory.h"
#include "process.h"
#include "runner.h"
#include "text.h"

#define LABEL_PREFIX "label:"
/* To end what a command that ran too long left behind. */
#define GRACE_MS 3000u

/* Of runs that are forked, every so many one is compared with one that is not. */
#define COMPARED 128u

struct external_check {
    struct cm_check check; /* check.context is this */
    struct cm_external_plan plan;
    struct cm_runner *runner;
    unsigned forked; /* runs */
};

static int external_prepare(void *context, struct ff_error *error)
{
    struct external_check *external = context;
    /* A check that crashes is an answer; a core dump of it is only slow. */
    const struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    /* Programs hash and sort addresses. It may be forbidden. */
    int persona = personality(0xffffffff);
    if (persona >= 0)
        personality((unsigned long)persona | ADDR_NO_RANDOMIZE);
    /* So that no descriptor that is passed on has the number of a standard one. */
    int fd;
    do
        fd = open("/dev/null", O_RDWR);
    while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd >= 0)
        close(fd);
    return cm_scratch_enter(external->plan.scratch, error);
}

/* ---- Reading the verdict ---- */

/* Appends the printable form of bytes to text. */
static void text_append(char *text, const char *bytes, size_t size)
{
    size_t used = strlen(text);
    cm_text_printable(text + used, CM_TEXT_SIZE - used, bytes, size);
}

/* The WORD of a line "label: WORD", else "ok". */
static void label_find(const char *line, size_t length, char *text)
{
    size_t prefix = strlen(LABEL_PREFIX);
    text[0] = '\0';
    if (line != NULL && length > prefix && memcmp(line, LABEL_PREFIX, prefix) == 0) {
        size_t start = prefix;
        while (start < length && (line[start] == ' ' || line[start] == '\t'))
            start++;
        size_t end = start;
        while (end < length && line[end] != ' ' && line[end] != '\t')
            end++;
        text_append(text, line + start, end - start);
    }
    if (text[0] == '\0')
        strcpy(text, "ok");
}

static void outcome_judge(const struct cm_run *run, unsigned timeout_ms, struct cm_outcome *outcome)
{
    size_t length = 0;
    int status = run->status;
    const char *line = cm_text_first_line(run->output.data, run->output.size, &length);

    if (status == CM_COMMAND_TIMED_OUT) {
        char text[64];
        outcome->status = CM_TIMEOUT;
        text_append(outcome->text, text,
                    (size_t)snprintf(text, sizeof(text), "did not end within %u ms", timeout_ms));
        return;
    }
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
        outcome->status = CM_ACCEPTED;
        label_find(line, length, outcome->text);
        return;
    }
    if (line == NULL)
        line = cm_text_first_line(run->errors.data, run->errors.size, &length);
    outcome->status = WIFSIGNALED(status) ? CM_CRASHED : CM_VIOLATED;
    if (WIFSIGNALED(status) || line == NULL) {
        char how[CM_TEXT_SIZE];
        cm_process_describe(status, how, sizeof(how));
        text_append(outcome->text, how, strlen(how));
    }
    if (WIFSIGNALED(status) && line != NULL)
        text_append(outcome->text, ": ", 2);
    if (line != NULL)
        text_append(outcome->text, line, length);
}

/*
 * Whether a command that cannot be started says something about the state: its
 * program is one of the files under test. (A shell that finds no program exits
 * with 127 like any program may: that is a verdict, since the program may be
 * missing from this state only.)
 */
static bool program_is_tested(const struct external_check *external,
                              const struct cm_command *command)
{
    const char *program = command->argv[0];
    const char *directory = cm_scratch_directory(external->plan.scratch);
    size_t length = strlen(directory);
    if (program[0] != '/')
        return strchr(program, '/') != NULL;
    return strncmp(program, directory, length) == 0 && program[length] == '/';
}

/* Returns whether it was forked from a program that had been started before. */
static bool run_once(const struct external_check *external, const struct cm_state *state, bool anew,
                     struct cm_outcome *outcome)
{
    const struct cm_external_plan *plan = &external->plan;
    struct cm_run run;
    struct ff_error error;
    outcome->status = CM_BROKEN;
    int result = cm_runner_run(external->runner, state, anew, &run, &error);
    snprintf(outcome->text, sizeof(outcome->text), "%s", run.recovering ? "recover: " : "");
    if (result == 0) {
        outcome_judge(&run, plan->timeout_ms, outcome);
    } else {
        const struct cm_command *command = run.recovering ? plan->recover : plan->check;
        if (run.status == CM_COMMAND_NO_PROGRAM && program_is_tested(external, command))
            outcome->status = CM_VIOLATED;
        text_append(outcome->text, error.text, strlen(error.text));
    }
    return run.forked;
}

static bool outcomes_differ(const struct cm_outcome *a, const struct cm_outcome *b)
{
    return a->status != CM_TIMEOUT && b->status != CM_TIMEOUT &&
           (a->status != b->status || strcmp(a->text, b->text) != 0);
}

/*
 * That forking makes no difference is not only reasoned but tried. A check that is no
 * function of the state is not blamed on it: then executing it twice differs, too, or
 * forking it twice.
 */
static void compare(const struct external_check *external, const struct cm_state *state,
                    struct cm_outcome *outcome)
{
    struct cm_outcome executed, again, forked;
    char first[64], second[64];
    run_once(external, state, true, &executed);
    if (!outcomes_differ(outcome, &executed))
        return;
    run_once(external, state, true, &again);
    run_once(external, state, false, &forked);
    if (outcomes_differ(&executed, &again) || outcomes_differ(outcome, &forked))
        return;
    snprintf(first, sizeof(first), "%.60s", outcome->text);
    snprintf(second, sizeof(second), "%.60s", executed.text);
    outcome->status = CM_BROKEN;
    snprintf(outcome->text, sizeof(outcome->text),
             "it says \"%s\" when it is forked at its main(), and \"%s\" when it is executed; "
             "--spawn executes it for each run",
             first, second);
}

static void external_run(void *context, struct cm_state *state, struct cm_outcome *outcome)
{
    struct external_check *external = context;
    bool forked = run_once(external, state, false, outcome);
    size_t looks = cm_memo_mark(state->memo);
    if (forked && external->forked++ % COMPARED == 0)
        compare(external, state, outcome);
    cm_memo_return(state->memo, looks);
}

static int external_record(void *context, struct cm_state *state, const char *path,
                           struct ff_error *error)
{
    struct external_check *external = context;
    const struct cm_external_plan *plan = &external->plan;
    struct cm_run run;
    struct cm_command recorder = cm_command_recorder(
        plan->launcher, cm_scratch_directory(plan->scratch), path, NULL, plan->recover);
    int result = cm_runner_record(external->runner, state, &recorder, &run, error);
    free(recorder.argv);
    if (result != 0 || run.status == 0)
        return result;
    char why[CM_TEXT_SIZE] = "";
    size_t length = 0;
    const char *line = cm_text_first_line(run.errors.data, run.errors.size, &length);
    if (run.status == CM_COMMAND_TIMED_OUT)
        return cm_fail(error, "recording it took too long");
    if (line != NULL)
        text_append(why, line, length);
    return cm_fail(error, "%.250s", why);
}

struct cm_check *cm_external_check_new(const struct cm_external_plan *plan)
{
    struct external_check *external = cm_allocate(1, sizeof(*external));
    const struct cm_runner_plan runner = {.recover = plan->recover,
                                          .check = plan->check,
                                          .scratch = plan->scratch,
                                          .library = plan->library,
                                          .timeout_ms = plan->timeout_ms};
    external->plan = *plan;
    external->runner = cm_runner_new(&runner);
    external->check.context = external;
    external->check.prepare = external_prepare;
    external->check.run = external_run;
    external->check.observes = cm_runner_observes(external->runner);
    external->check.is_costly = true;
    if (plan->shares_runs && external->check.observes)
        external->check.memo = cm_memo_new();
    /* At the end of its time a run may be repeated, and then again (runner.c). */
    external->check.grace_ms = GRACE_MS + 2 * (plan->timeout_ms + GRACE_MS);
    if (plan->recover != NULL) /* two commands */
        external->check.grace_ms += 2 * (plan->timeout_ms + GRACE_MS);
    if (plan->recover != NULL && plan->launcher != NULL) {
        external->check.record = external_record;
        external->check.grace_ms += CM_RECORDING_FACTOR * plan->timeout_ms;
    }
    return &external->check;
}

void cm_external_check_free(struct cm_check *check)
{
    if (check == NULL)
        return;
    struct external_check *external = check->context;
    cm_runner_free(external->runner);
    cm_memo_free(external->check.memo);
    free(external);
}
