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
    const struct cm_command *command;
    struct cm_scratch *scratch;
    struct cm_runner *runner;
    unsigned timeout_ms;
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
    return cm_scratch_enter(external->scratch, error);
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

static void outcome_judge(int status, const struct cm_capture *output,
                          const struct cm_capture *errors, unsigned timeout_ms,
                          struct cm_outcome *outcome)
{
    size_t length = 0;
    const char *line = cm_text_first_line(output->data, output->size, &length);

    outcome->text[0] = '\0';
    if (status == CM_COMMAND_TIMED_OUT) {
        outcome->status = CM_TIMEOUT;
        snprintf(outcome->text, sizeof(outcome->text), "did not end within %u ms", timeout_ms);
        return;
    }
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
        outcome->status = CM_ACCEPTED;
        label_find(line, length, outcome->text);
        return;
    }
    if (line == NULL)
        line = cm_text_first_line(errors->data, errors->size, &length);
    outcome->status = WIFSIGNALED(status) ? CM_CRASHED : CM_VIOLATED;
    if (WIFSIGNALED(status) || line == NULL)
        cm_process_describe(status, outcome->text, sizeof(outcome->text));
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
static bool program_is_tested(const struct external_check *external)
{
    const char *program = external->command->argv[0];
    const char *directory = cm_scratch_directory(external->scratch);
    size_t length = strlen(directory);
    if (program[0] != '/')
        return strchr(program, '/') != NULL;
    return strncmp(program, directory, length) == 0 && program[length] == '/';
}

/* Returns whether it was forked from a program that had been started before. */
static bool run_once(const struct external_check *external, const struct cm_state *state, bool anew,
                     struct cm_outcome *outcome)
{
    struct cm_run run;
    struct ff_error error;
    outcome->status = CM_BROKEN;
    outcome->text[0] = '\0';
    if (cm_runner_run(external->runner, state, anew, &run, &error) == 0) {
        outcome_judge(run.status, &run.output, &run.errors, external->timeout_ms, outcome);
    } else {
        if (run.status == CM_COMMAND_NO_PROGRAM && program_is_tested(external))
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
    if (run_once(external, state, false, outcome) && external->forked++ % COMPARED == 0)
        compare(external, state, outcome);
}

struct cm_check *cm_external_check_new(const struct cm_command *command, struct cm_scratch *scratch,
                                       const char *library, unsigned timeout_ms)
{
    struct external_check *external = cm_allocate(1, sizeof(*external));
    external->command = command;
    external->scratch = scratch;
    external->timeout_ms = timeout_ms;
    external->runner = cm_runner_new(command, scratch, library, timeout_ms);
    external->check.context = external;
    external->check.prepare = external_prepare;
    external->check.run = external_run;
    external->check.observes = cm_runner_observes(external->runner);
    external->check.is_costly = true;
    external->check.grace_ms = GRACE_MS;
    return &external->check;
}

void cm_external_check_free(struct cm_check *check)
{
    if (check == NULL)
        return;
    struct external_check *external = check->context;
    cm_runner_free(external->runner);
    free(external);
}
