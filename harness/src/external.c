/*
 * The check that runs a command on each state: see cm_external_check_new().
 *
 * A worker clears its scratch directory before each state, not after, so that
 * nothing that one check left can be part of the next one's state.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

#include "command.h"
#include "layout.h"
#include "process.h"
#include "text.h"

#define LABEL_PREFIX "label:"
/* To end what a command that ran too long left behind. */
#define GRACE_MS 3000u

struct external_check {
    struct cm_check check; /* check.context is this */
    const struct cm_command *command;
    struct cm_scratch *scratch;
    struct cm_layout *layout;
    struct cm_watch *watch; /* NULL: it cannot be watched here */
    unsigned timeout_ms;
};

static int external_prepare(void *context, struct ff_error *error)
{
    struct external_check *external = context;
    /* A check that crashes is an answer; a core dump of it is only slow. */
    const struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
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

static void external_run(void *context, struct cm_state *state, struct cm_outcome *outcome)
{
    const struct external_check *external = context;
    struct cm_capture output;
    struct cm_capture errors;
    struct ff_error error;
    int status = 0;

    outcome->status = CM_BROKEN;
    if (cm_layout_put(external->layout, state, &error) != 0)
        goto failed;
    cm_layout_doubt(external->layout);
    struct cm_watch *watch = state->observer != NULL ? external->watch : NULL;
    if (watch != NULL)
        cm_watch_begin(watch, state, external->layout);
    if (cm_command_capture(external->command, external->scratch, &output, &errors, watch,
                           external->timeout_ms, &status, &error) != 0) {
        if (status == CM_COMMAND_NO_PROGRAM && program_is_tested(external))
            outcome->status = CM_VIOLATED;
        goto failed;
    }
    outcome_judge(status, &output, &errors, external->timeout_ms, outcome);
    return;
failed:
    outcome->text[0] = '\0';
    text_append(outcome->text, error.text, strlen(error.text));
}

struct cm_check *cm_external_check_new(const struct cm_command *command, struct cm_scratch *scratch,
                                       unsigned timeout_ms)
{
    struct external_check *external = calloc(1, sizeof(*external));
    if (external == NULL) {
        fputs("crashmatrix: out of memory\n", stderr);
        abort();
    }
    external->command = command;
    external->scratch = scratch;
    external->timeout_ms = timeout_ms;
    external->layout = cm_layout_new(scratch, time(NULL));
    external->check.context = external;
    external->check.prepare = external_prepare;
    external->check.run = external_run;
    if (cm_watch_is_possible())
        external->watch = cm_watch_new(scratch);
    external->check.observes = external->watch != NULL;
    external->check.is_costly = true;
    external->check.grace_ms = GRACE_MS;
    return &external->check;
}

void cm_external_check_free(struct cm_check *check)
{
    if (check == NULL)
        return;
    struct external_check *external = check->context;
    cm_watch_free(external->watch);
    cm_layout_free(external->layout);
    free(external);
}
