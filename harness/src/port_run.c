/*
 * Running the parts: each by a process of its own, whose output is kept in the report's folder.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "fail.h"
#include "folder.h"
#include "install.h"
#include "memory.h"
#include "port.h"

/* ---- Processes ---- */

static double seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

struct words {
    char *items[256];
    size_t count;
};

static void add(struct words *words, char *word)
{
    words->items[words->count++] = word;
    words->items[words->count] = NULL;
}

static void add_copy(struct words *words, const char *word)
{
    add(words, cm_format("%s", word));
}

static void add_option(struct words *words, const char *option, char *value)
{
    add_copy(words, option);
    add(words, value);
}

static void free_words(struct words *words)
{
    for (size_t i = 0; i < words->count; i++)
        free(words->items[i]);
}

/* Output and errors go to new files. Who is to stop passes that on, and waits for what was kept.
 * Returns a wait status, or -1 with *error set. */
static int run(const struct cm_port *port, const struct words *words, const char *directory,
               const char *output, const char *errors, struct ff_error *error)
{
    posix_spawn_file_actions_t actions;
    pid_t pid = 0;
    int status = 0, flags = O_WRONLY | O_CREAT | O_TRUNC;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, output, flags, 0666);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, errors, flags, 0666);
    if (directory != NULL)
        posix_spawn_file_actions_addchdir_np(&actions, directory);
    int code = posix_spawnp(&pid, words->items[0], &actions, NULL, words->items, environ);
    posix_spawn_file_actions_destroy(&actions);
    if (code != 0)
        return cm_fail(error, "cannot run %s: %s", words->items[0], strerror(code));
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        if (*port->stop != 0)
            kill(pid, SIGTERM);
    return status;
}

static int exit_status(int status)
{
    return status >= 0 && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* The last line of a file; malloc'ed. */
static char *last_line(const char *path, const char *otherwise)
{
    char *line = NULL, *last = cm_format("%s", otherwise);
    size_t room = 0;
    FILE *file = fopen(path, "re");
    while (file != NULL && getline(&line, &room, file) > 0) {
        line[strcspn(line, "\n")] = '\0';
        if (*line == '\0')
            continue;
        free(last);
        last = cm_format("%s", line);
    }
    free(line);
    if (file != NULL)
        fclose(file);
    return last;
}

/* The folder of a part, made; slashes of its name are part of the path. */
static int make_folder(const struct cm_port *port, struct cm_port_part *part,
                       struct ff_error *error)
{
    part->folder = cm_format("%s/%s", port->folder, part->name);
    for (char *c = part->folder + strlen(port->folder) + 1; (c = strchr(c, '/')) != NULL; c++) {
        *c = '\0';
        int status = cm_folder_make(part->folder, error);
        *c = '/';
        if (status != 0)
            return -1;
    }
    return cm_folder_make(part->folder, error);
}

static void show_progress(const struct cm_port_part *part)
{
    if (isatty(STDERR_FILENO) != 0)
        fprintf(stderr, "\r\033[K%s", part->name);
}

static void give_up(struct cm_port_part *part, const struct ff_error *error)
{
    cm_port_set(part, CM_PORT_VERDICT_ERROR, cm_format("%s", error->text));
}

/* ---- Vectors ---- */

/* "FAILED: NAME (ABOUT): REASON", "N of M vectors hold, K unsupported" */
static void read_vectors(struct cm_port_part *part, const char *path)
{
    static const char failed[] = "FAILED: ";
    char *line = NULL;
    size_t room = 0;
    FILE *file = fopen(path, "re");
    while (file != NULL && getline(&line, &room, file) > 0) {
        unsigned long long hold = 0, all = 0, unsupported = 0;
        line[strcspn(line, "\n")] = '\0';
        if (strncmp(line, failed, strlen(failed)) == 0)
            cm_port_reject(part, NULL, NULL, line + strlen(failed), 1);
        else if (sscanf(line, "%llu of %llu vectors hold, %llu unsupported", &hold, &all,
                        &unsupported) == 3)
            part->cases = hold;
        if (unsupported > 0)
            cm_port_set(
                part, CM_PORT_VERDICT_UNSUPPORTED,
                cm_format("the port has not what %llu of %llu vectors need", unsupported, all));
    }
    free(line);
    if (file != NULL)
        fclose(file);
}

void cm_port_run_vectors(struct cm_port *port)
{
    if (!cm_port_is_wanted(port, NULL, "vectors"))
        return;
    struct cm_port_part *part = cm_port_add(port, NULL, "vectors");
    struct ff_error error = {""};
    struct words words = {.count = 0};
    show_progress(part);
    double start = seconds_now();
    if (make_folder(port, part, &error) != 0) {
        give_up(part, &error);
        return;
    }
    char *output = cm_format("%s/output.txt", part->folder);
    char *errors = cm_format("%s/errors.txt", part->folder);
    add_copy(&words, "python3");
    add(&words, cm_install_data("conformance/run.py"));
    add_option(&words, "--timeout", cm_format("%g", port->settings->timeout_ms / 1000.0));
    for (size_t i = 0; i < port->word_count; i++)
        add_option(&words, "--adapter", cm_format("%s", port->words[i]));
    int status = run(port, &words, NULL, output, errors, &error);
    if (status < 0)
        give_up(part, &error);
    else
        read_vectors(part, output);
    int expected = part->violation_count > 0                      ? 1
                   : part->verdict == CM_PORT_VERDICT_UNSUPPORTED ? 4
                                                                  : 0;
    if (status >= 0 && (exit_status(status) != expected || (expected == 0 && part->cases == 0)))
        cm_port_set(part, CM_PORT_VERDICT_ERROR, last_line(errors, "the vectors were not run"));
    part->seconds = seconds_now() - start;
    free_words(&words);
    free(errors);
    free(output);
}

/* ---- Interchange ---- */

/* "ok NAME", "unsupported NAME: OPERATION", "FAILED NAME: REASON" */
static size_t read_plays(struct cm_port *port, const char *point, const char *path,
                         const char *folder)
{
    char *line = NULL;
    size_t room = 0, count = 0;
    FILE *file = fopen(path, "re");
    while (file != NULL && getline(&line, &room, file) > 0) {
        line[strcspn(line, "\n")] = '\0';
        char *name = strchr(line, ' ');
        if (name == NULL)
            continue;
        *name++ = '\0';
        char *rest = strstr(name, ": ");
        if (rest != NULL) {
            *rest = '\0';
            rest += 2;
        }
        char *whole = cm_format("interchange: %s", name);
        struct cm_port_part *part = cm_port_add(port, point, whole);
        part->folder = cm_format("%s", folder);
        if (strcmp(line, "unsupported") == 0)
            cm_port_set(part, CM_PORT_VERDICT_UNSUPPORTED,
                        cm_format("the port has no operation %s", rest));
        else if (strcmp(line, "ok") != 0)
            cm_port_reject(part, NULL, NULL, rest != NULL ? rest : "?", 1);
        free(whole);
        count++;
    }
    free(line);
    if (file != NULL)
        fclose(file);
    return count;
}

/* Runs it in a folder of its own below that of the part; a wait status, or -1 with *error set. */
static int play(const struct cm_port *port, const char *point, const char *folder,
                const char *output, const char *errors, struct ff_error *error)
{
    struct words words = {.count = 0};
    char *directory = cm_format("%s/databases", folder);
    add_copy(&words, "port-judge");
    add_copy(&words, "interchange");
    add_copy(&words, point);
    add_copy(&words, port->contents);
    add(&words, cm_format("%u", port->settings->timeout_ms));
    for (size_t i = 0; i < port->word_count; i++)
        add_copy(&words, port->words[i]);
    int status = cm_folder_make(directory, error);
    if (status == 0)
        status = ff_directory_clear(directory, error);
    if (status == 0)
        status = run(port, &words, directory, output, errors, error);
    free(directory);
    free_words(&words);
    return status;
}

void cm_port_run_interchange(struct cm_port *port, const char *point)
{
    struct ff_error error = {""};
    if (!cm_port_is_wanted(port, point, "interchange"))
        return;
    struct cm_port_part place = {.name = cm_format("%s/interchange", point)};
    show_progress(&place);
    double start = seconds_now();
    int status = make_folder(port, &place, &error);
    char *output = cm_format("%s/output.txt", place.folder);
    char *errors = cm_format("%s/errors.txt", place.folder);
    if (status == 0)
        status = play(port, point, place.folder, output, errors, &error);
    size_t count = status >= 0 ? read_plays(port, point, output, place.folder) : 0;
    if (count == 0 || exit_status(status) > 1 || exit_status(status) < 0)
        cm_port_set(cm_port_add(port, point, "interchange"), CM_PORT_VERDICT_ERROR,
                    status < 0 ? cm_format("%s", error.text)
                               : last_line(errors, "it was not run to its end"));
    port->parts[port->part_count - 1].seconds = seconds_now() - start;
    free(errors);
    free(output);
    free(place.folder);
    free(place.name);
}

/* ---- Matrices ---- */

/* Adds the models that support the operation; those that do not are said on the way. */
static size_t add_models(const struct cm_port *port, const char *point, enum cm_port_need need,
                         struct words *words)
{
    size_t count = 0;
    for (size_t i = 0; i < port->models.count; i++) {
        if (cm_port_misfit(port->models.models[i], point, need) != NULL)
            continue;
        add_option(words, "--model", cm_format("%s", port->models.paths[i]));
        count++;
    }
    return count;
}

static void add_settings(const struct cm_port *port, struct words *words)
{
    const struct cm_settings *settings = port->settings;
    add_option(words, "--timeout", cm_format("%ums", settings->timeout_ms));
    if (settings->jobs > 0)
        add_option(words, "--jobs", cm_format("%u", settings->jobs));
    if (settings->budget.text != NULL)
        add_option(words, "--budget", cm_format("%s", settings->budget.text));
    if (settings->scratch != NULL)
        add_option(words, "--scratch", cm_format("%s", settings->scratch));
    for (size_t i = 0; i < port->accept.count; i++)
        add_option(words, "--accept", cm_format("%s", port->accept.items[i]));
    if (settings->reproducible)
        add_copy(words, "--reproducible");
}

/* Takes over what `crashmatrix run` has found: its exit status and its report. */
static void conclude(struct cm_port_part *part, enum cm_port_case_id id, int status,
                     const char *errors)
{
    struct ff_error error = {""};
    int code = exit_status(status);
    if (code != CM_EXIT_PASS && code != CM_EXIT_VIOLATION && code != CM_EXIT_INCOMPLETE) {
        cm_port_set(part, CM_PORT_VERDICT_ERROR, last_line(errors, "it was not run to its end"));
        return;
    }
    if (cm_port_read_report(part, &error) != 0) {
        give_up(part, &error);
        return;
    }
    if (code == CM_EXIT_INCOMPLETE)
        cm_port_set(part, CM_PORT_VERDICT_INCOMPLETE,
                    cm_format("not everything was covered or seen: see output.txt"));
    if (code == CM_EXIT_VIOLATION)
        cm_port_set(part, CM_PORT_VERDICT_FAIL, NULL);
    if (cm_port_check_trace(part, id, &error) != 0)
        give_up(part, &error);
}

static void run_matrix(struct cm_port *port, struct cm_port_part *part, const char *point,
                       enum cm_port_case_id id, struct words *words)
{
    struct ff_error error = {""};
    show_progress(part);
    double start = seconds_now();
    if (make_folder(port, part, &error) != 0) {
        give_up(part, &error);
        return;
    }
    char *output = cm_format("%s/output.txt", part->folder);
    char *errors = cm_format("%s/errors.txt", part->folder);
    part->check = cm_port_check(port, point, id);
    add_option(words, "--setup", cm_port_setup(port, point, id));
    add_option(words, "--workload", cm_port_workload(port, point, id));
    if (part->recover != NULL)
        add_option(words, "--recover", cm_format("%s", part->recover));
    add_option(words, "--check", cm_format("%s", part->check));
    add_option(words, "--report", cm_format("%s", part->folder));
    add_copy(words, "--monotone");
    add_settings(port, words);
    int status = run(port, words, NULL, output, errors, &error);
    if (status < 0)
        give_up(part, &error);
    else
        conclude(part, id, status, errors);
    part->seconds = seconds_now() - start;
    free(errors);
    free(output);
}

/* The words of `crashmatrix run` for a part, which is added; NULL, or why it cannot be run. */
static struct cm_port_part *begin(struct cm_port *port, const char *point, const char *name,
                                  enum cm_port_case_id id, struct words *words)
{
    const struct cm_port_case *one = &cm_port_cases[id];
    struct cm_port_part *part = cm_port_add(port, point, name);
    bool needs_backup = id == CM_PORT_RESTORE && !cm_port_has(port, "backup");
    if (!cm_port_has(port, one->operation) || needs_backup) {
        cm_port_set(
            part, CM_PORT_VERDICT_UNSUPPORTED,
            cm_format("the port has no operation %s", needs_backup ? "backup" : one->operation));
        return part;
    }
    add(words, cm_install_bin("crashmatrix"));
    add_copy(words, "run");
    if (add_models(port, point, one->need, words) == 0)
        cm_port_set(part, CM_PORT_VERDICT_UNSUPPORTED,
                    cm_format("none of the chosen models supports it: %s",
                              cm_port_misfit(port->models.models[0], point, one->need)));
    return part;
}

void cm_port_run_case(struct cm_port *port, const char *point, enum cm_port_case_id id)
{
    struct words words = {.count = 0};
    if (!cm_port_is_wanted(port, point, cm_port_cases[id].name))
        return;
    struct cm_port_part *part = begin(port, point, cm_port_cases[id].name, id, &words);
    if (part->verdict == CM_PORT_VERDICT_PASS)
        run_matrix(port, part, point, id, &words);
    free_words(&words);
}

/* Under one model: what matters is what the port does after an error. */
static void add_one_model(const struct cm_port *port, const char *point, struct words *words)
{
    const char *chosen = NULL;
    for (size_t i = 0; i < port->models.count; i++) {
        bool is_standard = strcmp(cm_model_name(port->models.models[i]), "posix") == 0;
        if (cm_port_misfit(port->models.models[i], point, CM_PORT_NEEDS_REPLACING) == NULL &&
            (chosen == NULL || is_standard))
            chosen = port->models.paths[i];
    }
    add_option(words, "--model", cm_format("%s", chosen));
}

void cm_port_run_faults(struct cm_port *port, const char *point)
{
    static const char name[] = "commit-faults";
    const struct cm_words *faults = &port->settings->faults;
    struct words words = {.count = 0};
    if (!cm_port_is_wanted(port, point, name))
        return;
    struct cm_port_part *part = begin(port, point, name, CM_PORT_COMMIT, &words);
    if (part->verdict == CM_PORT_VERDICT_PASS) {
        free_words(&words);
        words.count = 0;
        add(&words, cm_install_bin("crashmatrix"));
        add_copy(&words, "run");
        add_one_model(port, point, &words);
        for (size_t i = 0; i < faults->count; i++)
            add_option(&words, "--faults", cm_format("%s", faults->items[i]));
        if (faults->count == 0)
            add_option(&words, "--faults", cm_format("all"));
        run_matrix(port, part, point, CM_PORT_COMMIT, &words);
    }
    free_words(&words);
}

/* The power is cut during the port's recovery, too. The reference judges what that leaves. */
void cm_port_run_nested(struct cm_port *port, const char *point)
{
    static const char name[] = "commit-nested";
    unsigned nested = port->settings->nested;
    struct words words = {.count = 0};
    if (!cm_port_is_wanted(port, point, name))
        return;
    struct cm_port_part *part = begin(port, point, name, CM_PORT_COMMIT, &words);
    if (part->verdict == CM_PORT_VERDICT_PASS) {
        part->recover = cm_port_recover(port);
        add_option(&words, "--nested",
                   nested == CM_NESTED_FIXPOINT ? cm_format("fixpoint") : cm_format("%u", nested));
        run_matrix(port, part, point, CM_PORT_COMMIT, &words);
    }
    free_words(&words);
}
