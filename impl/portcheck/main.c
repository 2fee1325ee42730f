/* portcheck, on the board: reads the command line. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "speed.h"
#include "workload.h"
#ifdef PORTCHECK_MUTANTS
#include "mutant.h"
#endif

enum {
    OPTION_HELP = 256,
    OPTION_JSON,
    OPTION_ROOT,
    OPTION_RUN,
    OPTION_CYCLE,
    OPTION_COMMITS,
    OPTION_FILES,
    OPTION_ACK,
    OPTION_BAUD,
    OPTION_EXPECT_FS,
    OPTION_EXPECT_DEVICE,
    OPTION_COMMIT_POINT,
    OPTION_MUTANT,
};

static const struct option probe_options[] = {{"help", no_argument, NULL, OPTION_HELP},
                                              {"json", no_argument, NULL, OPTION_JSON},
                                              {"root", required_argument, NULL, OPTION_ROOT},
                                              {0}};
static const struct option selftest_options[] = {
    {"help", no_argument, NULL, OPTION_HELP},
    {"commit-point", required_argument, NULL, OPTION_COMMIT_POINT},
    {0}};
static const struct option verify_options[] = {
    {"help", no_argument, NULL, OPTION_HELP}, {"run", required_argument, NULL, OPTION_RUN}, {0}};
static const struct option run_options[] = {
    {"help", no_argument, NULL, OPTION_HELP},
    {"ack", required_argument, NULL, OPTION_ACK},
    {"baud", required_argument, NULL, OPTION_BAUD},
    {"run", required_argument, NULL, OPTION_RUN},
    {"cycle", required_argument, NULL, OPTION_CYCLE},
    {"commits", required_argument, NULL, OPTION_COMMITS},
    {"files", required_argument, NULL, OPTION_FILES},
    {"expect-fs", required_argument, NULL, OPTION_EXPECT_FS},
    {"expect-device", required_argument, NULL, OPTION_EXPECT_DEVICE},
    {"commit-point", required_argument, NULL, OPTION_COMMIT_POINT},
#ifdef PORTCHECK_MUTANTS
    {"mutant", required_argument, NULL, OPTION_MUTANT},
#endif
    {0}};

enum command { PROBE, SELFTEST, RUN, VERIFY, COMMANDS };

static const struct {
    const char *name;
    const char *full_name; /* for the messages of getopt */
    const struct option *options;
} commands[COMMANDS] = {
    [PROBE] = {"probe", "portcheck probe", probe_options},
    [SELFTEST] = {"selftest", "portcheck selftest", selftest_options},
    [RUN] = {"run", "portcheck run", run_options},
    [VERIFY] = {"verify", "portcheck verify", verify_options},
};

static volatile sig_atomic_t stopped;

static void on_signal(int number)
{
    (void)number;
    stopped = 1;
}

/* Whatever waits shall stop waiting: no SA_RESTART. */
static void handle_signals(void)
{
    struct sigaction action = {.sa_handler = on_signal};
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGHUP, &action, NULL);
    action.sa_handler = SIG_IGN;
    sigaction(SIGPIPE, &action, NULL);
}

static bool wrong(const char *what, const char *value)
{
    fprintf(stderr, "portcheck: %s: %s\n", what, value);
    return false;
}

static bool parse_number(const char *text, int base, uint64_t most, uint64_t *number)
{
    char *end;
    errno = 0;
    *number = strtoull(text, &end, base);
    return strspn(text, base == 16 ? "0123456789abcdef" : "0123456789") == strlen(text) &&
           *text != '\0' && *end == '\0' && errno == 0 && *number <= most;
}

static bool parse_run(struct pc_arguments *arguments)
{
    uint64_t run;
    if (!parse_number(optarg, 16, UINT32_MAX, &run))
        return wrong("--run takes up to 8 lower-case hexadecimal digits", optarg);
    arguments->run = (uint32_t)run;
    arguments->has_run = true;
    return true;
}

static bool parse_files(struct pc_arguments *arguments)
{
    uint64_t files;
    if (!parse_number(optarg, 10, PC_FILES_MAX, &files) || files == 0)
        return wrong("--files takes a number from 1 to 16", optarg);
    arguments->files = (unsigned)files;
    return true;
}

static bool parse_point(struct pc_arguments *arguments)
{
#define X(name, word)                                                                              \
    if (strcmp(optarg, word) == 0) {                                                               \
        arguments->point = MF_COMMIT_##name;                                                       \
        return true;                                                                               \
    }
    MF_COMMIT_POINTS(X)
#undef X
    return wrong("--commit-point takes automatic, rename or slots", optarg);
}

static bool parse_ack(struct pc_arguments *arguments)
{
    char *problem = pc_channel_parse(&arguments->channel, optarg);
    if (problem == NULL)
        return true;
    wrong("--ack", problem);
    free(problem);
    return false;
}

static bool parse_baud(struct pc_arguments *arguments)
{
    arguments->channel.speed = pc_speed(optarg);
    return arguments->channel.speed != B0 ||
           wrong("--baud takes a rate of serial lines, such as 115200", optarg);
}

static bool parse_mutant(struct pc_arguments *arguments)
{
#ifdef PORTCHECK_MUTANTS
    arguments->mutant = optarg;
    arguments->platform = pc_mutant(optarg);
    return arguments->platform != NULL ? true : wrong("no such mutant", optarg);
#else
    (void)arguments;
    return false;
#endif
}

static bool parse_option(struct pc_arguments *arguments, int option)
{
    switch (option) {
    case OPTION_JSON:
        arguments->json = true;
        return true;
    case OPTION_ROOT:
        arguments->sysroot = optarg;
        return true;
    case OPTION_RUN:
        return parse_run(arguments);
    case OPTION_CYCLE:
        return parse_number(optarg, 10, UINT64_MAX, &arguments->cycle) ||
               wrong("--cycle takes a number", optarg);
    case OPTION_COMMITS:
        return parse_number(optarg, 10, UINT64_MAX, &arguments->commits) ||
               wrong("--commits takes a number", optarg);
    case OPTION_FILES:
        return parse_files(arguments);
    case OPTION_ACK:
        return parse_ack(arguments);
    case OPTION_BAUD:
        return parse_baud(arguments);
    case OPTION_EXPECT_FS:
        arguments->expected.fs = optarg;
        return true;
    case OPTION_EXPECT_DEVICE:
        arguments->expected.device = optarg;
        return true;
    case OPTION_COMMIT_POINT:
        return parse_point(arguments);
    case OPTION_MUTANT:
        return parse_mutant(arguments);
    default:
        return false; /* getopt has said why */
    }
}

static bool parse(enum command command, struct pc_arguments *arguments, int argc, char **argv)
{
    int option;
    bool acknowledges = false;
    while ((option = getopt_long(argc, argv, "", commands[command].options, NULL)) != -1) {
        if (option == OPTION_HELP) {
            fputs(pc_help, stdout);
            exit(fflush(stdout) == 0 ? PC_EXIT_OK : PC_EXIT_FAILED);
        }
        if (!parse_option(arguments, option))
            return false;
        acknowledges = acknowledges || option == OPTION_ACK;
    }
    if (optind + 1 != argc)
        return wrong("expected one directory", optind < argc ? argv[optind + 1] : "none is there");
    arguments->directory = argv[optind];
    if (command == RUN && !acknowledges)
        return wrong("expected --ack", "serial:DEVICE, tcp:ADDRESS:PORT or stdout");
    return true;
}

static int run_command(enum command command, int argc, char **argv)
{
    struct pc_arguments arguments = {
        .sysroot = "", .files = 3, .platform = mf_platform_posix(), .stop = &stopped};
    argv[0] = (char *)commands[command].full_name;
    if (!parse(command, &arguments, argc, argv)) {
        fputs("portcheck --help says more\n", stderr);
        return PC_EXIT_USAGE;
    }
    switch (command) {
    case PROBE:
        return pc_probe(&arguments);
    case SELFTEST:
        return pc_selftest(&arguments);
    case RUN:
        handle_signals();
        return pc_run(&arguments);
    case VERIFY:
        return pc_verify(&arguments);
    case COMMANDS:
        break;
    }
    return PC_EXIT_USAGE;
}

/* A result that nobody could read must not look like success. */
static int check_output(int status)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return status;
    fprintf(stderr, "portcheck: standard output cannot be written: %s\n", strerror(errno));
    return status == PC_EXIT_OK ? PC_EXIT_FAILED : status;
}

int main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "";
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) {
        fputs(pc_help, stdout);
        return check_output(PC_EXIT_OK);
    }
    if (strcmp(name, "--version") == 0) {
        puts("portcheck " CRASHMATRIX_VERSION);
        return check_output(PC_EXIT_OK);
    }
    for (enum command command = 0; command < COMMANDS; command++)
        if (strcmp(name, commands[command].name) == 0)
            return check_output(run_command(command, argc - 1, argv + 1));
    fprintf(stderr, "portcheck: %s%s\nportcheck --help says more\n",
            name[0] != '\0' ? "no such command: " : "expected a command", name);
    return PC_EXIT_USAGE;
}
