/*
 * The manifest command: looks into a database directory and changes it, through
 * libmanifest only. This file reads the command line; what each subcommand
 * does is in subcommands.c, history.c and copies.c.
 */
#include "command.h"
#include "help.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_WAIT_MS 10000
#define MAX_WAIT_S      86400

enum {
    OPTION_HELP = 256,
    OPTION_JSON,
    OPTION_UNSEALED,
    OPTION_WAIT,
    OPTION_COMMIT_POINT,
    OPTION_FROM,
    OPTION_TO,
    OPTION_KEEP,
    OPTION_BACKUP,
    OPTION_REMOVE_ORPHANS,
    OPTION_REMOVE,
    OPTION_KIND,
};

#define WITHOUT_VALUE(name, option)                                                                \
    {                                                                                              \
        name, no_argument, NULL, option                                                            \
    }
#define WITH_VALUE(name, option)                                                                   \
    {                                                                                              \
        name, required_argument, NULL, option                                                      \
    }
#define COMMON       WITHOUT_VALUE("help", OPTION_HELP), WITHOUT_VALUE("json", OPTION_JSON)
#define UNSEALED     WITHOUT_VALUE("unsealed", OPTION_UNSEALED)
#define WAIT         WITH_VALUE("wait", OPTION_WAIT)
#define COMMIT_POINT WITH_VALUE("commit-point", OPTION_COMMIT_POINT)

static const struct option init_options[] = {COMMON, WAIT, COMMIT_POINT, {0}};
static const struct option reading_options[] = {COMMON, UNSEALED, {0}};
static const struct option verify_options[] = {
    COMMON, UNSEALED, WITHOUT_VALUE("backup", OPTION_BACKUP), {0}};
static const struct option orphans_options[] = {
    COMMON, UNSEALED, WAIT, WITHOUT_VALUE("remove", OPTION_REMOVE_ORPHANS), {0}};
static const struct option gc_options[] = {
    COMMON, UNSEALED, WAIT, WITH_VALUE("keep", OPTION_KEEP), {0}};
static const struct option backup_options[] = {COMMON, WAIT, {0}};
static const struct option restore_options[] = {COMMON, WAIT, COMMIT_POINT, {0}};
static const struct option recover_options[] = {
    COMMON, UNSEALED, WAIT, WITH_VALUE("to", OPTION_TO), {0}};
static const struct option commit_options[] = {
    COMMON,
    UNSEALED,
    WAIT,
    WITH_VALUE("from", OPTION_FROM),
    WITH_VALUE("remove", OPTION_REMOVE),
#define X(name, word, member) WITH_VALUE(word, OPTION_KIND + MF_KIND_##name),
    MF_KINDS(X)
#undef X
        {0},
};

/* What follows the directory: a folder, then so many version numbers. */
static const struct command {
    const char *name;
    const char *full_name; /* for getopt's messages */
    const struct option *options;
    const char *help;
    bool takes_folder;
    unsigned least_versions, most_versions;
    int (*run)(const struct arguments *arguments);
} commands[] = {
#define COMMAND(name, options, folder, least, most)                                                \
    {                                                                                              \
#name, "manifest " #name, options, name##_help, folder, least, most, run_##name            \
    }
    COMMAND(init, init_options, false, 0, 0),        COMMAND(commit, commit_options, false, 0, 0),
    COMMAND(show, reading_options, false, 0, 1),     COMMAND(verify, verify_options, false, 0, 0),
    COMMAND(versions, reading_options, false, 0, 0), COMMAND(diff, reading_options, false, 1, 2),
    COMMAND(orphans, orphans_options, false, 0, 0),  COMMAND(gc, gc_options, false, 0, 0),
    COMMAND(backup, backup_options, true, 0, 1),     COMMAND(restore, restore_options, true, 0, 1),
    COMMAND(recover, recover_options, false, 0, 0),
#undef COMMAND
};

static bool usage_error(const struct command *command, const char *what, const char *value)
{
    fprintf(stderr, "%s: %s%s%s\n", command->full_name, what, value[0] != '\0' ? ": " : "", value);
    return false;
}

/* An unsigned decimal number and nothing else. */
static bool parse_number(const char *text, uint64_t most, uint64_t *number)
{
    char *end;
    errno = 0;
    *number = strtoull(text, &end, 10);
    return text[0] >= '0' && text[0] <= '9' && *end == '\0' && errno == 0 && *number <= most;
}

static bool parse_wait(const struct command *command, struct arguments *arguments)
{
    uint64_t seconds;
    if (!parse_number(optarg, MAX_WAIT_S, &seconds))
        return usage_error(command, "--wait takes whole seconds, at most a day", optarg);
    arguments->wait_ms = (uint32_t)seconds * 1000;
    return true;
}

static bool parse_keep(const struct command *command, struct arguments *arguments)
{
    if (parse_number(optarg, SIZE_MAX, &arguments->keep) && arguments->keep > 0)
        return true;
    return usage_error(command, "--keep takes a number from 1", optarg);
}

static bool parse_version(const struct command *command, struct arguments *arguments,
                          const char *text)
{
    if (!parse_number(text, UINT64_MAX, &arguments->versions[arguments->version_count]))
        return usage_error(command, "not a version number", text);
    arguments->version_count++;
    return true;
}

/* --from and --to, which is the one version of its command; the last one counts. */
static bool parse_version_option(const struct command *command, struct arguments *arguments)
{
    arguments->version_count = 0;
    return parse_version(command, arguments, optarg);
}

static bool parse_commit_point(const struct command *command, struct arguments *arguments)
{
#define X(name, word)                                                                              \
    if (strcmp(optarg, word) == 0) {                                                               \
        arguments->commit_point = MF_COMMIT_##name;                                                \
        return true;                                                                               \
    }
    MF_COMMIT_POINTS(X)
#undef X
    return usage_error(command, "--commit-point takes automatic, rename or slots", optarg);
}

static void add_change(struct arguments *arguments, enum mf_kind kind, const char *key,
                       const char *path)
{
    arguments->changes[arguments->change_count++] =
        (struct change){.kind = kind, .key = key, .path = path};
}

/* Ends a word at a separator and returns what follows; NULL: there is none. */
static char *split(char *word, char separator)
{
    char *found = strchr(word, separator);
    if (found == NULL)
        return NULL;
    *found = '\0';
    return found + 1;
}

static bool parse_kind(const struct command *command, struct arguments *arguments,
                       enum mf_kind kind)
{
    if (kind == MF_KIND_LSM) {
        add_change(arguments, kind, "", optarg);
        return true;
    }
    char *path = split(optarg, '=');
    if (path == NULL || optarg[0] == '\0' || path[0] == '\0')
        return usage_error(command, "expected KEY=FILE after an index option", optarg);
    add_change(arguments, kind, optarg, path);
    return true;
}

static bool parse_remove(const struct command *command, struct arguments *arguments)
{
    char *key = split(optarg, ':');
    for (int i = 0; i < MF_KIND_COUNT; i++) {
        enum mf_kind kind = (enum mf_kind)i;
        if (strcmp(optarg, mf_kind_word(kind)) != 0 || (kind == MF_KIND_LSM) != (key == NULL))
            continue;
        add_change(arguments, kind, key != NULL ? key : "", NULL);
        return true;
    }
    return usage_error(command, "--remove takes lsm or KIND:KEY, such as vector:places", optarg);
}

static bool parse_option(const struct command *command, struct arguments *arguments, int option)
{
    switch (option) {
    case OPTION_HELP:
        fputs(command->help, stdout);
        exit(fflush(stdout) == 0 ? EXIT_DONE : EXIT_FAILED);
    case OPTION_JSON:
        arguments->json = true;
        return true;
    case OPTION_UNSEALED:
        arguments->unsealed = true;
        return true;
    case OPTION_WAIT:
        return parse_wait(command, arguments);
    case OPTION_COMMIT_POINT:
        return parse_commit_point(command, arguments);
    case OPTION_FROM:
    case OPTION_TO:
        return parse_version_option(command, arguments);
    case OPTION_KEEP:
        return parse_keep(command, arguments);
    case OPTION_BACKUP:
        arguments->backup = true;
        return true;
    case OPTION_REMOVE_ORPHANS:
        arguments->remove_orphans = true;
        return true;
    case OPTION_REMOVE:
        return parse_remove(command, arguments);
    case '?':
        return false; /* getopt has said why */
    default:
        return parse_kind(command, arguments, (enum mf_kind)(option - OPTION_KIND));
    }
}

static bool parse_operands(const struct command *command, struct arguments *arguments, int argc,
                           char **argv)
{
    if (optind == argc)
        return usage_error(command, "expected a directory", "");
    arguments->directory = argv[optind++];
    if (command->takes_folder && optind == argc)
        return usage_error(command, "expected the folder of the backup", "");
    if (command->takes_folder)
        arguments->folder = argv[optind++];
    for (unsigned i = 0; i < command->most_versions && optind < argc; i++)
        if (!parse_version(command, arguments, argv[optind++]))
            return false;
    if (optind < argc)
        return usage_error(command, "one argument too many", argv[optind]);
    if (arguments->version_count < command->least_versions)
        return usage_error(command, "expected a version", "");
    return true;
}

/* What a command cannot do without and has no place on the command line. */
static bool check_options(const struct command *command, const struct arguments *arguments)
{
    if (command->run == run_commit && arguments->change_count + arguments->version_count == 0)
        return usage_error(command, "nothing to commit: expected --lsm, --vector, --remove, ...",
                           "");
    if (command->run == run_gc && arguments->keep == 0)
        return usage_error(command, "expected --keep N", "");
    if (command->run == run_recover && arguments->version_count == 0)
        return usage_error(command, "expected --to VERSION", "");
    return true;
}

static bool parse_arguments(const struct command *command, struct arguments *arguments, int argc,
                            char **argv)
{
    int option;
    while ((option = getopt_long(argc, argv, "", command->options, NULL)) != -1)
        if (!parse_option(command, arguments, option))
            return false;
    return parse_operands(command, arguments, argc, argv) && check_options(command, arguments);
}

static int run_command(const struct command *command, int argc, char **argv)
{
    struct arguments arguments = {.wait_ms = DEFAULT_WAIT_MS};
    arguments.changes = calloc((size_t)argc + 1, sizeof(*arguments.changes));
    int status = EXIT_FAILED;
    if (arguments.changes == NULL) {
        fputs("manifest: out of memory\n", stderr);
    } else if (!parse_arguments(command, &arguments, argc, argv)) {
        fprintf(stderr, "%s --help says more\n", command->full_name);
        status = EXIT_USAGE;
    } else {
        status = command->run(&arguments);
    }
    free(arguments.changes);
    return status;
}

/* The directory is what it is by now; but a result that nobody could read must
 * not look like success. */
static int check_output(int status)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return status;
    fprintf(stderr, "manifest: standard output cannot be written: %s\n", strerror(errno));
    return status == EXIT_DONE ? EXIT_FAILED : status;
}

int main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "";
    if (strcmp(name, "--help") == 0) {
        fputs(general_help, stdout);
        return check_output(EXIT_DONE);
    }
    if (strcmp(name, "--version") == 0) {
        puts("manifest " CRASHMATRIX_VERSION);
        return check_output(EXIT_DONE);
    }
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        if (strcmp(name, commands[i].name) != 0)
            continue;
        argv[1] = (char *)commands[i].full_name;
        return check_output(run_command(&commands[i], argc - 1, argv + 1));
    }
    if (argc > 1)
        fprintf(stderr, "manifest: no such command: %s\n", name);
    fputs(general_help, stderr);
    return EXIT_USAGE;
}
