/*
 * The subcommand cut: a power cut in place. The command runs in a directory and is
 * stopped at a boundary, with all that it started; then the directory is made to hold
 * a state that a power cut at that moment could leave.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "catalogue.h"
#include "fail.h"
#include "identity.h"
#include "install.h"
#include "memory.h"
#include "report.h"
#include "run.h"
#include "state.h"
#include "temporary.h"

struct cut {
    const struct cm_settings *settings;
    char root[PATH_MAX];
    char *trace_path; /* a temporary file, or NULL */
    struct ff_trace *trace;
    struct cm_models models;
    struct cm_poset *poset;
    cm_word *ideal;
    uint32_t boundary;
    uint32_t granule; /* 0: the model's */
};

/* ---- The command, up to the cut ---- */

/* The launcher's command line; the caller frees it, not its words. */
static char **launcher_command(const struct cut *cut, char *launcher)
{
    const struct cm_settings *settings = cut->settings;
    const char *head[] = {launcher, "--root",     cut->root,   "--output", cut->trace_path,
                          "--cut",  settings->at, "--timeout", "1440m",    "--"};
    size_t count = sizeof(head) / sizeof(head[0]);
    char **argv = cm_allocate(count + settings->operand_count + 1, sizeof(char *));
    memcpy(argv, head, sizeof(head));
    memcpy(argv + count, settings->operands, settings->operand_count * sizeof(char *));
    return argv;
}

/* Its exit status; the launcher has said what is wrong when that is not 0. */
static int launcher_run(const struct cut *cut, struct ff_error *error)
{
    char *launcher = cm_install_bin("faultfs-record");
    char **argv = launcher_command(cut, launcher);
    int status = 0;
    pid_t child = fork();
    if (child == 0) {
        execv(launcher, argv);
        _exit(CM_EXIT_RECORDING);
    }
    if (child < 0)
        cm_fail(error, "no process: %s", strerror(errno));
    while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    free(argv);
    free(launcher);
    if (child < 0)
        return CM_EXIT_RECORDING;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* ---- The state ---- */

/*
 * What every state at the boundary holds, and nothing else. The call before it has
 * returned, so what that made durable by returning belongs to it.
 */
static void lose_everything(const struct cut *cut)
{
    for (size_t o = 0; o < cut->poset->operation_count; o++)
        if (cut->poset->operations[o].shown.durable <= cut->boundary + 1)
            cm_unite(cut->ideal, cm_down(cut->poset, o), cut->poset->words);
}

/*
 * An id of a report is of the whole run's trace, of which this one is the beginning:
 * the operations have the same numbers, if the command does the same again.
 */
static char *identity_here(const struct cut *cut, const char *id)
{
    const char *digest = strchr(id, '.');
    const char *rest = digest == NULL ? NULL : strchr(digest + 1, '.');
    if (rest == NULL)
        return cm_format("%s", id);
    char *own = cm_identity_format(cut->poset, cut->ideal, cut->boundary);
    const char *own_digest = strchr(own, '.');
    char *changed = cm_format("%.*s%.*s%s", (int)(digest - id), id,
                              (int)(strchr(own_digest + 1, '.') - own_digest), own_digest, rest);
    free(own);
    return changed;
}

static int lose_named(const struct cut *cut, const char *id, struct ff_error *error)
{
    uint32_t boundary = 0;
    char *here = identity_here(cut, id);
    int result = cm_identity_parse(cut->poset, here, cut->ideal, &boundary, error);
    free(here);
    if (result != 0)
        return -1;
    if (boundary != cut->boundary)
        return cm_fail(error, "--lose %s: is a state of boundary %u, but the cut was at %u", id,
                       boundary, cut->boundary);
    return 0;
}

static int choose_state(struct cut *cut, struct ff_error *error)
{
    const char *lose = cut->settings->lose;
    cut->poset = cm_poset_build(cut->trace, cut->models.models[0], cut->granule, error);
    if (cut->poset == NULL)
        return -1;
    cut->boundary = (uint32_t)cut->trace->call_count;
    cut->ideal = cm_allocate(cut->poset->words == 0 ? 1 : cut->poset->words, sizeof(cm_word));
    if (strcmp(lose, "all") == 0)
        lose_everything(cut);
    else if (strcmp(lose, "none") != 0)
        return lose_named(cut, lose, error);
    for (size_t o = 0; o < cut->poset->operation_count && strcmp(lose, "none") == 0; o++)
        cm_add(cut->ideal, o);
    return 0;
}

/* The files as the state has them; the directory itself stays the same one. */
static int leave_state(const struct cut *cut, struct ff_error *error)
{
    struct ff_tree *tree = cm_state_build(cut->poset, cut->ideal);
    int result = ff_directory_clear(cut->root, error);
    if (result == 0)
        result = ff_tree_store(tree, cut->root, error);
    ff_tree_free(tree);
    return result;
}

/* On standard error, since standard output is the command's. */
static void report(const struct cut *cut)
{
    char call[CM_TEXT_SIZE] = "before the first call";
    size_t lost = 0;
    if (cut->boundary > 0)
        cm_describe_call(cut->trace, cut->poset->boundary_calls[cut->boundary], call, sizeof(call));
    for (size_t o = 0; o < cut->poset->operation_count; o++)
        lost += !cm_has(cut->ideal, o);
    char *id = cm_identity_format(cut->poset, cut->ideal, cut->boundary);
    fprintf(stderr, "crashmatrix: cut at boundary %u (%s); lost %zu of %zu operations: %s\n",
            cut->boundary, call, lost, cut->poset->operation_count, id);
    free(id);
}

/* ---- All of it ---- */

/* That of the id, if there is one. */
static int choose_model(struct cut *cut, struct ff_error *error)
{
    char name[128] = "posix";
    const char *const standard[] = {name};
    const struct cm_words *words = &cut->settings->models;
    const char *lose = cut->settings->lose;
    if (strcmp(lose, "all") != 0 && strcmp(lose, "none") != 0 &&
        !cm_identity_model(lose, name, sizeof(name), &cut->granule))
        return cm_fail(error, "--lose %.150s: is not all, none or a replay id", lose);
    if (cm_models_choose(words->count > 0 ? words->items : standard,
                         words->count > 0 ? words->count : 1, &cut->models, error) != 0)
        return -1;
    if (cut->models.count != 1)
        return cm_fail(error, "--model: one model, not %zu", cut->models.count);
    return 0;
}

static int prepare(struct cut *cut, struct ff_error *error)
{
    const struct cm_settings *settings = cut->settings;
    const char *root = settings->root != NULL ? settings->root : ".";
    if (settings->at == NULL || settings->at[0] == '\0' ||
        settings->at[strspn(settings->at, "0123456789")] != '\0')
        return cm_fail(error, "--at: after how many calls to cut is missing, or not a number");
    if (realpath(root, cut->root) == NULL)
        return cm_fail(error, "--root %s: %s", root, strerror(errno));
    if (choose_model(cut, error) != 0)
        return -1;
    cut->trace_path = cm_temporary_file(error);
    return cut->trace_path != NULL ? 0 : -1;
}

static int cut_make(struct cut *cut, struct ff_error *error)
{
    if (prepare(cut, error) != 0)
        return CM_EXIT_USAGE;
    int status = launcher_run(cut, error);
    if (status != 0)
        return status;
    cut->trace = ff_trace_open(cut->trace_path, error);
    if (cut->trace == NULL)
        return CM_EXIT_RECORDING;
    if (choose_state(cut, error) != 0)
        return CM_EXIT_USAGE;
    if (strcmp(cut->settings->lose, "none") != 0 && leave_state(cut, error) != 0)
        return CM_EXIT_RECORDING;
    report(cut);
    return CM_EXIT_PASS;
}

int cm_cut(const struct cm_settings *settings)
{
    struct cut cut = {.settings = settings};
    struct ff_error error = {""};
    int status = cut_make(&cut, &error);
    if (cut.trace_path != NULL)
        unlink(cut.trace_path);
    free(cut.trace_path);
    free(cut.ideal);
    cm_poset_free(cut.poset);
    ff_trace_free(cut.trace);
    cm_models_free(&cut.models);
    return error.text[0] != '\0' ? cm_give_up((enum cm_exit)status, error.text) : status;
}
