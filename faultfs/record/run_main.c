/*
 * faultfs-run: runs a command with faults in its calls on one directory. The same
 * as faultfs-record --fault, but nothing is kept.
 */
#include "injection.h"
#include "library.h"
#include "mappings.h"
#include "recording.h"
#include "workload.h"

#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { STATUS_USAGE = 2, STATUS_FAILED = 3, SIGNALLED = 128, CUT_SIGNAL = 9 };

static const char help[] =
    "usage: faultfs-run [--root DIR] --fault SPEC... [--] COMMAND [ARGUMENT...]\n"
    "\n"
    "Runs COMMAND, and makes calls of it and of its descendants fail that concern the\n"
    "directory DIR or something below it.\n"
    "\n"
    "  --root DIR    the directory (the current one); it is read as a whole first\n"
    "  --fault SPEC  what fails, and how; may be given more than once\n"
    "  --help        print this\n"
    "  --version     print the version\n"
    "\n"
    "SPEC is CALL[,CALL...][:GLOB][#WHICH]=ACTION\n"
    "\n"
    "  CALL     open, write, fsync, rename, ...: the name of a call, whatever its variant\n"
    "           (open is openat and creat too); * for every call\n"
    "  GLOB     the path relative to DIR, with * (also a /), ?, [a-z], [!a-z] and \\\n"
    "  WHICH    of the calls that match so far: N, N-M, or all (1)\n"
    "  ACTION   ERROR         the call fails with it: EIO, ENOSPC, EROFS, ...\n"
    "           ERROR@BYTES   ENOSPC, EDQUOT or EFBIG once so many bytes were written\n"
    "           short:N       the call writes N bytes at most\n"
    "           eintr         the call fails with EINTR\n"
    "           cut-before    everything stops before the call, as in a power cut\n"
    "           cut-after     everything stops when the call has been made\n"
    "\n"
    "Standard input, output and error, the current directory and the exit status are those\n"
    "of COMMAND.\n"
    "\n"
    "Exit status: that of COMMAND, or 128 + N if signal N killed it; 137 after a cut; 2 wrong\n"
    "usage; 3 COMMAND could not be run, or a fault never came to happen.\n"
    "\n"
    "Example: the second fsync of a log fails\n"
    "  faultfs-run --fault 'fsync,fdatasync:*.log#2=EIO' -- ./server\n";

struct options {
    const char *root;
    struct workload workload;
    struct injection injection;
};

static int usage_error(const char *problem)
{
    fprintf(stderr, "faultfs-run: %s\nTry 'faultfs-run --help'.\n", problem);
    return STATUS_USAGE;
}

/* Returns -1 to go on, or an exit status. */
static int options_parse(int argc, char **argv, struct options *options)
{
    static const struct option known[] = {
        {"root", required_argument, NULL, 'r'},
        {"fault", required_argument, NULL, 'f'},
        {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, 'v'},
        {NULL, 0, NULL, 0},
    };
    int option;
    struct ff_error error;
    *options = (struct options){.root = "."};
    while ((option = getopt_long(argc, argv, "+", known, NULL)) != -1) {
        switch (option) {
        case 'r':
            options->root = optarg;
            break;
        case 'f':
            if (injection_add_fault(&options->injection, optarg, &error) != 0)
                return usage_error(error.text);
            break;
        case 'h':
            fputs(help, stdout);
            return 0;
        case 'v':
            puts("faultfs-run " CRASHMATRIX_VERSION);
            return 0;
        default:
            return usage_error("wrong usage");
        }
    }
    if (injection_is_empty(&options->injection))
        return usage_error("--fault is missing");
    if (optind == argc)
        return usage_error("the command is missing");
    options->workload.command = argv + optind;
    return -1;
}

static int ending_status(const struct ending *ending)
{
    if (ending->how == ENDING_CUT)
        return SIGNALLED + CUT_SIGNAL;
    return ending->how == ENDING_KILLED ? SIGNALLED + ending->status : ending->status;
}

/* Returns an exit status, or -1 with *error set. */
static int run(const struct options *options, struct ff_error *error)
{
    struct recording recording;
    int status = -1;
    int result = recording_open(&recording, options->root, error);
    if (result == 0)
        result = mappings_open(&recording, error);
    if (result == 0) {
        injection_install(&options->injection, &recording);
        result = workload_run(&recording, &options->workload, error);
    }
    if (result > 0)
        status = SIGNALLED + result;
    else if (result == 0 && injection_check(&options->injection, &recording, error) == 0)
        status = ending_status(&recording.ending);
    recording_close(&recording);
    return status;
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
    options.workload.timeout = INFINITY;
    options.workload.may_fail = true;
    options.workload.in_place = true;
    status = library_find(library, &error);
    if (status == 0)
        status = run(&options, &error);
    if (status < 0)
        fprintf(stderr, "faultfs-run: %s\n", error.text);
    return status < 0 ? STATUS_FAILED : status;
}
