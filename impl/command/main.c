/*
 * The manifest command: looks into a database directory and changes it, through
 * libmanifest only. This file reads the command line; subcommands.c does the
 * work.
 */
#include "command.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_WAIT_MS 10000
#define MAX_WAIT_S      86400

enum { OPTION_HELP = 256, OPTION_JSON, OPTION_UNSEALED, OPTION_WAIT, OPTION_REMOVE, OPTION_KIND };

#define COMMON_OPTIONS                                                                             \
    {"help", no_argument, NULL, OPTION_HELP},                                                      \
    {                                                                                              \
        "json", no_argument, NULL, OPTION_JSON                                                     \
    }

static const struct option init_options[] = {
    COMMON_OPTIONS,
    {"wait", required_argument, NULL, OPTION_WAIT},
    {0},
};

static const struct option commit_options[] = {
    COMMON_OPTIONS,
    {"unsealed", no_argument, NULL, OPTION_UNSEALED},
    {"wait", required_argument, NULL, OPTION_WAIT},
    {"remove", required_argument, NULL, OPTION_REMOVE},
#define X(name, word, member) {word, required_argument, NULL, OPTION_KIND + MF_KIND_##name},
    MF_KINDS(X)
#undef X
        {0},
};

static const struct option reading_options[] = {
    COMMON_OPTIONS,
    {"unsealed", no_argument, NULL, OPTION_UNSEALED},
    {0},
};

static const char general_help[] =
    "Usage: manifest COMMAND DIR [...]\n"
    "\n"
    "Several files of a database replaced as one, even by a power cut.\n"
    "\n"
    "  manifest init DIR              create a database\n"
    "  manifest commit DIR --lsm FILE put files into its next version\n"
    "  manifest show DIR [VERSION]    what a version consists of\n"
    "  manifest verify DIR            read everything and compare checksums\n"
    "\n"
    "  --help      this text; after a command, its own\n"
    "  --version   the version of this program\n"
    "\n"
    "Exit status\n"
    "  0  done; committed and durable; verified\n"
    "  1  the database is corrupt\n"
    "  2  wrong usage\n"
    "  3  failed (error of the file system, locked, exists already, ...): not\n"
    "     committed, the current version is what it was\n"
    "  4  the outcome of a commit is unknown: a power cut may leave the version\n"
    "     before or the new one, each whole; the next commit settles it first\n"
    "  5  no database there, or no such version\n"
    "\n"
    "Example\n"
    "  manifest init /var/lib/robot/map && manifest show /var/lib/robot/map\n";

static const char init_help[] =
    "Usage: manifest init [--json] [--wait SECONDS] DIR\n"
    "\n"
    "Creates a database in DIR, which is made if it is missing (its parent is not).\n"
    "Other files in DIR are left alone. The first version has no files.\n"
    "\n"
    "  --wait SECONDS  how long to wait for another writer (default 10)\n"
    "  --json          print the result as JSON\n"
    "\n"
    "Example\n"
    "  manifest init /var/lib/robot/map\n";

static const char commit_help[] =
    "Usage: manifest commit [OPTION...] DIR CHANGE...\n"
    "\n"
    "Makes the next version: the current one with these changes. Each FILE is copied\n"
    "into DIR under a new name; the FILE itself is left alone. When the command\n"
    "succeeds the new version is durable; if the power fails before, the version\n"
    "before is still there, whole.\n"
    "\n"
    "Changes\n"
    "  --lsm FILE           the file with the rows\n"
    "  --vector KEY=FILE    an index of that kind, by its key; also\n"
    "  --spatial, --text, --timestamp, --column KEY=FILE\n"
    "  --remove lsm         leave that entry out of the new version; its file stays,\n"
    "  --remove KIND:KEY    for the versions that name it\n"
    "\n"
    "Options\n"
    "  --wait SECONDS       how long to wait for another writer (default 10)\n"
    "  --unsealed           also accept a current manifest without sizes and CRC32Cs\n"
    "  --json               print the result as JSON\n"
    "\n"
    "Example\n"
    "  manifest commit /var/lib/robot/map --lsm rows.dat --vector places=places.idx\n";

static const char show_help[] =
    "Usage: manifest show [--json] [--unsealed] DIR [VERSION]\n"
    "\n"
    "Prints what the current version, or another that is kept, consists of. Takes no\n"
    "lock and writes nothing, so it cannot know whether the current version is on the\n"
    "device yet. The files of the current version are verified first.\n"
    "\n"
    "  --unsealed  also accept a manifest without sizes and CRC32Cs\n"
    "  --json      print it as JSON\n"
    "\n"
    "Example\n"
    "  manifest show /var/lib/robot/map 41\n";

static const char verify_help[] =
    "Usage: manifest verify [--json] [--unsealed] DIR\n"
    "\n"
    "Reads the current manifest, its kept copy and every file of the current version,\n"
    "and compares sizes and CRC32Cs. Lists every fault, and what commits that were\n"
    "cut short left behind, which is no fault. Takes no lock and writes nothing.\n"
    "Exit status 0 without a fault, 1 with one.\n"
    "\n"
    "  --unsealed  also accept a manifest without sizes and CRC32Cs\n"
    "  --json      print the findings as JSON\n"
    "\n"
    "Example\n"
    "  manifest verify /var/lib/robot/map || echo 'do not start'\n";

static const struct command {
    const char *name;
    const char *full_name; /* for getopt's messages */
    const struct option *options;
    const char *help;
    bool takes_version;
    int (*run)(const struct arguments *arguments);
} commands[] = {
    {"init", "manifest init", init_options, init_help, false, run_init},
    {"commit", "manifest commit", commit_options, commit_help, false, run_commit},
    {"show", "manifest show", reading_options, show_help, true, run_show},
    {"verify", "manifest verify", reading_options, verify_help, false, run_verify},
};

static bool usage_error(const struct command *command, const char *what, const char *value)
{
    fprintf(stderr, "%s: %s%s%s\n", command->full_name, what, value[0] != '\0' ? ": " : "", value);
    return false;
}

static bool parse_wait(const struct command *command, struct arguments *arguments)
{
    char *end;
    errno = 0;
    unsigned long seconds = strtoul(optarg, &end, 10);
    if (optarg[0] < '0' || optarg[0] > '9' || *end != '\0' || errno != 0 || seconds > MAX_WAIT_S)
        return usage_error(command, "--wait takes whole seconds, at most a day", optarg);
    arguments->wait_ms = (uint32_t)seconds * 1000;
    return true;
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
    if (command->takes_version && optind < argc)
        arguments->version = argv[optind++];
    if (optind < argc)
        return usage_error(command, "one argument too many", argv[optind]);
    if (command->run == run_commit && arguments->change_count == 0)
        return usage_error(command, "nothing to commit: expected --lsm, --vector, --remove, ...",
                           "");
    return true;
}

static bool parse_arguments(const struct command *command, struct arguments *arguments, int argc,
                            char **argv)
{
    int option;
    while ((option = getopt_long(argc, argv, "", command->options, NULL)) != -1)
        if (!parse_option(command, arguments, option))
            return false;
    return parse_operands(command, arguments, argc, argv);
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
