/*
 * faultfs-record: runs a command under libfaultfs.so and writes the trace of
 * what it did to one directory.
 */
#include "injection.h"
#include "library.h"
#include "mappings.h"
#include "recording.h"
#include "workload.h"

#include <errno.h>
#include <getopt.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Exit statuses, as for every command of crashmatrix. */
enum { STATUS_USAGE = 2, STATUS_FAILED = 3 };

static const char help[] =
    "usage: faultfs-record --root DIR --output TRACE [OPTION...] -- COMMAND [ARGUMENT...]\n"
    "\n"
    "Runs COMMAND in DIR and records what it and its descendants ask the file system to\n"
    "do below DIR, and what they print, into the new file TRACE. Then replays the record\n"
    "onto the directory as it was before: only a record that gives what is really there\n"
    "is kept.\n"
    "\n"
    "  --root DIR       the directory under test\n"
    "  --output TRACE   the trace file to be written; an older one is removed first\n"
    "  --timeout TIME   kill everything after that time, e.g. 500ms, 10s, 2m (60s)\n"
    "  --no-net         do without seccomp, as where there is none: only calls that go\n"
    "                   through the preloaded library are seen\n"
    "  --fault SPEC     make calls fail, or cut the power there: see faultfs-run --help;\n"
    "                   may be given more than once\n"
    "  --cut N          cut the power when N calls are recorded, 0: before the first: every\n"
    "                   process is stopped there, and TRACE has N calls, besides what is\n"
    "                   found to have been stored through shared mappings until then\n"
    "  --result FILE    write what became of the faults and of COMMAND to FILE, as JSON\n"
    "  --check-content all|sampled\n"
    "                   compare all of a file with the record whenever it is synced, or of\n"
    "                   files larger than 64 KiB some parts, different each time (sampled)\n"
    "  --help           print this\n"
    "  --version        print the version\n"
    "\n"
    "A COMMAND with a slash is looked up from DIR. Its standard output is passed on; its\n"
    "standard input is empty. With --fault or --cut it may end in any way, and after a cut\n"
    "only what it printed before is passed on.\n"
    "\n"
    "Exit status: 0 recorded; 2 wrong usage; 3 COMMAND failed or took too long, or a fault\n"
    "or the cut never came to happen, or the recording is unsound (then TRACE does not\n"
    "exist); 128 + N stopped by signal N.\n"
    "\n"
    "Example:\n"
    "  mkdir /tmp/db && faultfs-record --root /tmp/db --output /tmp/db.cmt -- \\\n"
    "      python3 -c 'import os; f = os.open(\"x\", os.O_CREAT | os.O_WRONLY); os.fsync(f)'\n";

struct options {
    const char *root;
    const char *output;
    const char *result;
    struct workload workload;
    struct injection injection;
    bool content_whole;
};

static int usage_error(const char *problem, const char *detail)
{
    fprintf(stderr, "faultfs-record: %s%s\nTry 'faultfs-record --help'.\n", problem, detail);
    return STATUS_USAGE;
}

/* "500ms", "10s", "2m"; seconds without a unit. Negative if it is none. */
static double duration_parse(const char *text)
{
    char *unit;
    errno = 0;
    double value = strtod(text, &unit);
    if (unit == text || errno != 0 || !(value > 0) || value > 1e9)
        return -1;
    if (unit[0] == '\0' || strcmp(unit, "s") == 0)
        return value;
    if (strcmp(unit, "ms") == 0)
        return value / 1000;
    return strcmp(unit, "m") == 0 ? value * 60 : -1;
}

/* Returns -1 to go on, or an exit status. */
static int options_parse(int argc, char **argv, struct options *options)
{
    static const struct option known[] = {
        {"root", required_argument, NULL, 'r'},
        {"output", required_argument, NULL, 'o'},
        {"timeout", required_argument, NULL, 't'},
        {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, 'v'},
        {"no-net", no_argument, NULL, 'n'},
        {"check-content", required_argument, NULL, 'c'},
        {"fault", required_argument, NULL, 'f'},
        {"cut", required_argument, NULL, 'C'},
        {"result", required_argument, NULL, 'R'},
        {NULL, 0, NULL, 0},
    };
    int option;
    struct ff_error error;
    *options = (struct options){.workload.timeout = 60};
    while ((option = getopt_long(argc, argv, "+", known, NULL)) != -1) {
        switch (option) {
        case 'r':
            options->root = optarg;
            break;
        case 'o':
            options->output = optarg;
            break;
        case 't':
            options->workload.timeout = duration_parse(optarg);
            if (options->workload.timeout < 0)
                return usage_error("not a time: ", optarg);
            break;
        case 'c':
            options->content_whole = strcmp(optarg, "all") == 0;
            if (!options->content_whole && strcmp(optarg, "sampled") != 0)
                return usage_error("--check-content is all or sampled, not ", optarg);
            break;
        case 'n':
            options->workload.without_net = true;
            break;
        case 'f':
            if (injection_add_fault(&options->injection, optarg, &error) != 0)
                return usage_error(error.text, "");
            break;
        case 'C':
            if (injection_set_cut(&options->injection, optarg, &error) != 0)
                return usage_error(error.text, "");
            break;
        case 'R':
            options->result = optarg;
            break;
        case 'h':
            fputs(help, stdout);
            return 0;
        case 'v':
            puts("faultfs-record " CRASHMATRIX_VERSION);
            return 0;
        default:
            return usage_error("wrong usage", "");
        }
    }
    if (options->root == NULL || options->output == NULL)
        return usage_error(options->root == NULL ? "--root" : "--output", " is missing");
    if (optind == argc)
        return usage_error("the command to be recorded is missing", "");
    options->workload.command = argv + optind;
    options->workload.may_fail = !injection_is_empty(&options->injection);
    return -1;
}

/* Removes an older trace, and says early when a new one could not be written. */
static int output_prepare(const char *output, struct ff_error *error)
{
    char copy[PATH_MAX];
    snprintf(copy, sizeof(copy), "%s", output);
    const char *directory = dirname(copy);
    if (access(directory, W_OK) != 0 || (unlink(output) != 0 && errno != ENOENT)) {
        snprintf(error->text, sizeof(error->text), "cannot write %.300s: %s", output,
                 strerror(errno));
        return -1;
    }
    return 0;
}

/* Returns 0, -1 with *error set, or the number of a signal. */
static int record(const struct options *options, struct ff_error *error)
{
    struct recording recording;
    int result = recording_open(&recording, options->root, error);
    if (result == 0)
        result = mappings_open(&recording, error);
    if (result == 0) {
        injection_install(&options->injection, &recording);
        recording.channel->content_whole = options->content_whole;
        result = workload_run(&recording, &options->workload, error);
    }
    if (result == 0)
        result = recording_assemble(&recording, error);
    if (result == 0)
        result = recording_check(&recording, error);
    if (result == 0 && options->result != NULL)
        result = injection_write_result(&options->injection, &recording, options->result, error);
    if (result == 0)
        result = injection_check(&options->injection, &recording, error);
    if (result == 0)
        result = ff_trace_write(&recording.trace, options->output, error);
    recording_close(&recording);
    return result;
}

int main(int argc, char **argv)
{
    struct options options;
    struct ff_error error = {""};
    char library[PATH_MAX];
    int status = options_parse(argc, argv, &options);
    if (status >= 0)
        return status;
    options.workload.library = library;
    int result = library_find(library, &error);
    if (result == 0)
        result = output_prepare(options.output, &error);
    if (result == 0)
        result = record(&options, &error);
    if (result > 0)
        return 128 + result;
    if (result < 0)
        fprintf(stderr, "faultfs-record: %s\n", error.text);
    return result == 0 ? 0 : STATUS_FAILED;
}
