/*
 * The subcommand port: is an implementation of the manifest commit in another language one?
 */
#include "port.h"

#include <errno.h>
#include <fnmatch.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fail.h"
#include "faultfs/tree.h"
#include "folder.h"
#include "memory.h"
#include "program.h"
#include "run.h"
#include "temporary.h"
#include "unobserved.h"

static const char unsupported_kind[] = "unsupported";
static const char *const points[] = {"rename", "slots"};

enum { POINT_COUNT = sizeof(points) / sizeof(points[0]) };

static volatile int stop_requested;

/* The parts are processes of our group: Ctrl-C reaches them by itself. */
static void request_stop(int signal_number)
{
    (void)signal_number;
    stop_requested = 1;
}

/* ---- Parts ---- */

const char *cm_port_verdict_name(enum cm_port_verdict verdict)
{
    static const char *const names[] = {
#define X(identifier, name) name,
        CM_PORT_VERDICTS(X)
#undef X
    };
    return names[verdict];
}

static char *part_name(const char *point, const char *name)
{
    return cm_format("%s%s%s", point != NULL ? point : "", point != NULL ? "/" : "", name);
}

struct cm_port_part *cm_port_add(struct cm_port *port, const char *point, const char *name)
{
    port->parts =
        cm_reserve(port->parts, port->part_count, &port->part_capacity, sizeof(*port->parts));
    struct cm_port_part *part = &port->parts[port->part_count++];
    *part = (struct cm_port_part){.name = part_name(point, name)};
    return part;
}

void cm_port_set(struct cm_port_part *part, enum cm_port_verdict verdict, char *problem)
{
    if (verdict < part->verdict || (verdict == part->verdict && part->problem != NULL)) {
        free(problem);
        return;
    }
    free(part->problem);
    part->problem = problem;
    part->verdict = verdict;
}

void cm_port_reject(struct cm_port_part *part, const char *model, const char *id,
                    const char *reason, uint64_t states)
{
    part->violations = cm_reserve(part->violations, part->violation_count,
                                  &part->violation_capacity, sizeof(*part->violations));
    part->violations[part->violation_count++] = (struct cm_port_violation){
        .model = model != NULL ? cm_format("%s", model) : NULL,
        .id = id != NULL ? cm_format("%s", id) : NULL,
        .reason = cm_format("%s", reason),
        .states = states,
    };
    cm_port_set(part, CM_PORT_VERDICT_FAIL, NULL);
}

bool cm_port_has(const struct cm_port *port, const char *operation)
{
    return cm_port_lists(&port->capabilities, "operations", operation);
}

bool cm_port_writes(const struct cm_port *port, const char *point)
{
    return cm_port_lists(&port->capabilities, "commit_points", point);
}

bool cm_port_is_wanted(const struct cm_port *port, const char *point, const char *name)
{
    const struct cm_words *only = &port->settings->only;
    char *whole = part_name(point, name);
    bool wanted = only->count == 0;
    for (size_t i = 0; i < only->count && !wanted; i++)
        wanted = fnmatch(only->items[i], whole, 0) == 0;
    free(whole);
    return wanted;
}

/* ---- The adapter ---- */

/* The command runs in other directories: what names a file is made absolute. */
static char *absolute(const char *word, bool is_program)
{
    char whole[PATH_MAX];
    bool is_path = strchr(word, '/') != NULL || !is_program;
    if (is_path && *word != '\0' && *word != '-' && access(word, F_OK) == 0 &&
        realpath(word, whole) != NULL)
        return cm_format("%s", whole);
    return cm_format("%s", word);
}

static void add_word(struct cm_port *port, const char *word, size_t length)
{
    char *copy = cm_duplicate(word, length);
    port->words = realloc(port->words, (port->word_count + 2) * sizeof(*port->words));
    if (port->words == NULL)
        abort();
    port->words[port->word_count] = absolute(copy, port->word_count == 0);
    port->words[++port->word_count] = NULL;
    free(copy);
}

/* A file is one word, whatever its name; anything else is split at blanks. */
static int split_adapter(struct cm_port *port, struct ff_error *error)
{
    const char *text = port->settings->adapter;
    if (text == NULL)
        return cm_fail(error, "--adapter is missing: the command that performs one operation");
    if (strchr(text, '/') != NULL && access(text, X_OK) == 0) {
        add_word(port, text, strlen(text));
    } else {
        while (*(text += strspn(text, " \t")) != '\0') {
            size_t length = strcspn(text, " \t");
            add_word(port, text, length);
            text += length;
        }
    }
    if (port->word_count == 0)
        return cm_fail(error, "--adapter: the command is empty");
    port->text = cm_format("%s", "");
    for (size_t i = 0; i < port->word_count; i++) {
        char *quoted = cm_port_quote(port->words[i]);
        char *longer = cm_format("%s%s%s", port->text, i > 0 ? " " : "", quoted);
        free(quoted);
        free(port->text);
        port->text = longer;
    }
    port->adapter = (struct cm_port_adapter){
        .argv = port->words, .argc = port->word_count, .timeout_ms = port->settings->timeout_ms};
    return 0;
}

static enum cm_exit ask_capabilities(struct cm_port *port, struct ff_error *error)
{
    if (cm_port_ask(&port->adapter, &port->capabilities, error, "capabilities", NULL) != 0)
        return CM_EXIT_RECORDING;
    bool listed =
        cm_port_answered(&port->capabilities, "OK") &&
        cJSON_IsArray(cJSON_GetObjectItemCaseSensitive(port->capabilities.json, "operations")) &&
        cJSON_IsArray(cJSON_GetObjectItemCaseSensitive(port->capabilities.json, "commit_points"));
    if (listed)
        return CM_EXIT_PASS;
    cm_fail(error, "the adapter's capabilities: not OK with the arrays 'operations' and "
                   "'commit_points'; see PORTS.md");
    return CM_EXIT_RECORDING;
}

/* ---- Preparing ---- */

static bool is_chosen(const struct cm_port *port, const char *point)
{
    const char *chosen = port->settings->commit_point;
    return chosen == NULL || strcmp(chosen, "both") == 0 || strcmp(chosen, point) == 0;
}

static int check_options(struct cm_port *port, struct ff_error *error)
{
    const struct cm_words *accept = &port->settings->accept;
    if (!is_chosen(port, points[0]) && !is_chosen(port, points[1]))
        return cm_fail(error, "--commit-point: '%s' is neither rename, slots nor both",
                       port->settings->commit_point);
    port->accept.items = cm_allocate(accept->count + 1, sizeof(*port->accept.items));
    for (size_t i = 0; i < accept->count; i++) {
        if (strcmp(accept->items[i], unsupported_kind) == 0)
            port->accepts_unsupported = true;
        else
            port->accept.items[port->accept.count++] = accept->items[i];
    }
    return cm_accept_check(&port->accept, error);
}

static int choose_models(struct cm_port *port, struct ff_error *error)
{
    static const char *const all[] = {"all"};
    const struct cm_words *words = &port->settings->models;
    return cm_models_choose(words->count > 0 ? words->items : all,
                            words->count > 0 ? words->count : 1, &port->models, error);
}

static int make_folders(struct cm_port *port, struct ff_error *error)
{
    char whole[PATH_MAX];
    const char *report = port->settings->report;
    if (report == NULL) {
        port->folder = cm_temporary_folder(error);
    } else if (cm_folder_make(report, error) == 0) {
        if (realpath(report, whole) == NULL)
            return cm_fail(error, "%s: %s", report, strerror(errno));
        port->folder = cm_format("%s", whole);
    }
    if (port->folder == NULL)
        return -1;
    port->contents = cm_format("%s/contents", port->folder);
    return cm_folder_make(port->contents, error) == 0 ? cm_port_write_contents(port, error) : -1;
}

static int check_python(const struct cm_port *port, struct ff_error *error)
{
    if (!cm_port_is_wanted(port, NULL, "vectors") || cm_program_is_installed("python3"))
        return 0;
    return cm_fail(error, "the conformance vectors need python3, which is not installed (Debian: "
                          "python3); --only 'rename/*' --only 'slots/*' does without them");
}

/* The names of the parts that there may be, of a commit point (NULL: of none). */
static const char *part_at(size_t i, const char *point)
{
    static const char *const others[] = {"interchange", "commit-faults", "commit-nested"};
    if (point == NULL)
        return i == 0 ? "vectors" : NULL;
    if (i < CM_PORT_CASE_COUNT)
        return cm_port_cases[i].name;
    i -= CM_PORT_CASE_COUNT;
    return i < sizeof(others) / sizeof(others[0]) ? others[i] : NULL;
}

/* Whether a pattern chooses any part of the point. */
static bool matches_any(const char *pattern, const char *point)
{
    bool found = false;
    const char *name = NULL;
    for (size_t i = 0; !found && (name = part_at(i, point)) != NULL; i++) {
        char *whole = part_name(point, name);
        found = fnmatch(pattern, whole, 0) == 0;
        free(whole);
    }
    return found;
}

static bool wants_any(const struct cm_port *port, const char *point)
{
    const struct cm_words *only = &port->settings->only;
    bool found = only->count == 0;
    for (size_t i = 0; i < only->count && !found; i++)
        found = matches_any(only->items[i], point);
    return found;
}

static int check_only(const struct cm_port *port, struct ff_error *error)
{
    const struct cm_words *only = &port->settings->only;
    for (size_t i = 0; i < only->count; i++) {
        const char *pattern = only->items[i];
        bool found = matches_any(pattern, NULL);
        for (size_t p = 0; p < POINT_COUNT; p++)
            found = found || (is_chosen(port, points[p]) && matches_any(pattern, points[p]));
        if (!found)
            return cm_fail(error,
                           "--only: no part matches '%s'; there are vectors, and for each commit "
                           "point those such as rename/commit: see crashmatrix port --help",
                           pattern);
    }
    return 0;
}

static enum cm_exit prepare(struct cm_port *port, struct ff_error *error)
{
    if (check_options(port, error) != 0 || check_only(port, error) != 0 ||
        check_python(port, error) != 0 || split_adapter(port, error) != 0 ||
        choose_models(port, error) != 0 || make_folders(port, error) != 0)
        return CM_EXIT_USAGE;
    /* Recordings are alike, so that what is known of the states of one is of the others'. */
    setenv("SOURCE_DATE_EPOCH", "1000000000", 0);
    return ask_capabilities(port, error);
}

/* ---- Running ---- */

static void run_point(struct cm_port *port, const char *point)
{
    cm_port_run_interchange(port, point);
    for (unsigned i = 0; i < CM_PORT_CASE_COUNT && stop_requested == 0; i++)
        cm_port_run_case(port, point, (enum cm_port_case_id)i);
    if (stop_requested == 0)
        cm_port_run_faults(port, point);
    if (stop_requested == 0 && port->settings->nested > 0)
        cm_port_run_nested(port, point);
}

static void run_points(struct cm_port *port)
{
    for (size_t i = 0; i < POINT_COUNT && stop_requested == 0; i++) {
        if (!is_chosen(port, points[i]))
            continue;
        if (cm_port_writes(port, points[i]))
            run_point(port, points[i]);
        else if (wants_any(port, points[i]))
            cm_port_set(cm_port_add(port, NULL, points[i]), CM_PORT_VERDICT_UNSUPPORTED,
                        cm_format("the port does not write this commit point"));
    }
}

/* The part that was stopped is no broken one. */
static void note_interruption(struct cm_port *port)
{
    struct cm_port_part *last = port->part_count > 0 ? &port->parts[port->part_count - 1] : NULL;
    if (last != NULL && last->verdict == CM_PORT_VERDICT_ERROR)
        last->verdict = CM_PORT_VERDICT_INCOMPLETE;
    cm_port_set(cm_port_add(port, NULL, "interrupted"), CM_PORT_VERDICT_INCOMPLETE,
                cm_format("what is missing was not run"));
}

static void run_parts(struct cm_port *port)
{
    cm_port_run_vectors(port);
    if (stop_requested == 0)
        run_points(port);
    if (isatty(STDERR_FILENO) != 0)
        fputs("\r\033[K", stderr);
    if (stop_requested != 0)
        note_interruption(port);
}

static enum cm_port_verdict overall(const struct cm_port *port)
{
    enum cm_port_verdict worst = CM_PORT_VERDICT_PASS;
    bool passed = false;
    for (size_t i = 0; i < port->part_count; i++) {
        enum cm_port_verdict one = port->parts[i].verdict;
        passed = passed || one == CM_PORT_VERDICT_PASS;
        if (one == CM_PORT_VERDICT_UNSUPPORTED && port->accepts_unsupported)
            continue;
        worst = one > worst ? one : worst;
    }
    return worst == CM_PORT_VERDICT_PASS && !passed ? CM_PORT_VERDICT_UNSUPPORTED : worst;
}

/* ---- Reporting ---- */

static int write_file(const struct cm_port *port, const char *name,
                      void (*write)(const struct cm_port *port, FILE *stream),
                      struct ff_error *error)
{
    char *path = cm_format("%s/%s", port->folder, name);
    FILE *stream = fopen(path, "we");
    bool done = stream != NULL;
    if (done) {
        write(port, stream);
        done = ferror(stream) == 0;
        done = fclose(stream) == 0 && done;
    }
    int status = done ? 0 : cm_fail(error, "%s: cannot be written: %s", path, strerror(errno));
    free(path);
    return status;
}

static int report(const struct cm_port *port, struct ff_error *error)
{
    static const enum cm_exit exits[] = {
        [CM_PORT_VERDICT_PASS] = CM_EXIT_PASS,
        [CM_PORT_VERDICT_UNSUPPORTED] = CM_EXIT_INCOMPLETE,
        [CM_PORT_VERDICT_INCOMPLETE] = CM_EXIT_INCOMPLETE,
        [CM_PORT_VERDICT_ERROR] = CM_EXIT_RECORDING,
        [CM_PORT_VERDICT_FAIL] = CM_EXIT_VIOLATION,
    };
    if (port->settings->report != NULL &&
        (write_file(port, "report.json", cm_port_report_json, error) != 0 ||
         write_file(port, "junit.xml", cm_port_report_junit, error) != 0))
        return CM_EXIT_USAGE;
    if (port->settings->json)
        cm_port_report_json(port, stdout);
    else
        cm_port_report_text(port, stdout);
    if (fflush(stdout) != 0) {
        cm_fail(error, "standard output: cannot be written");
        return CM_EXIT_USAGE;
    }
    return (int)exits[port->verdict];
}

static void free_part(struct cm_port_part *part)
{
    for (size_t i = 0; i < part->model_count; i++) {
        free(part->models[i].name);
        free(part->models[i].verdict);
        free(part->models[i].states);
    }
    for (size_t i = 0; i < part->violation_count; i++) {
        free(part->violations[i].model);
        free(part->violations[i].id);
        free(part->violations[i].reason);
        free(part->violations[i].trace);
    }
    free(part->models);
    free(part->violations);
    free(part->name);
    free(part->problem);
    free(part->folder);
    free(part->check);
    free(part->recover);
}

/* A temporary folder goes; what a report was asked for stays. */
void cm_port_free(struct cm_port *port)
{
    struct ff_error ignored;
    if (port->folder != NULL && port->settings->report == NULL &&
        ff_directory_clear(port->folder, &ignored) == 0)
        rmdir(port->folder);
    for (size_t i = 0; i < port->part_count; i++)
        free_part(&port->parts[i]);
    for (size_t i = 0; i < port->word_count; i++)
        free(port->words[i]);
    free(port->parts);
    free(port->words);
    free(port->text);
    free(port->accept.items);
    free(port->folder);
    free(port->contents);
    cm_port_answer_free(&port->capabilities);
    cm_models_free(&port->models);
}

int cm_port_run(const struct cm_settings *settings)
{
    struct cm_port port = {.settings = settings, .stop = &stop_requested};
    struct ff_error error = {""};
    struct sigaction action = {.sa_handler = request_stop};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    int status = (int)prepare(&port, &error);
    if (status == CM_EXIT_PASS) {
        run_parts(&port);
        port.verdict = overall(&port);
        status = report(&port, &error);
    }
    cm_port_free(&port);
    return error.text[0] != '\0' ? cm_give_up((enum cm_exit)status, error.text) : status;
}
