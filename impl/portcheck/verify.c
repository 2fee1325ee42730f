/* The command verify: reads back what the runs have left in a directory. */
#include "command.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"
#include "workload.h"

static void print(void *argument, const char *what, const char *name, const char *problem)
{
    (void)argument;
    if (problem == NULL)
        printf("  ok      %s %s\n", what, name);
    else
        printf("  FAILED  %s %s: %s\n", what, name, problem);
}

static int verify_run(const struct pc_arguments *arguments, uint32_t run)
{
    char *reason = NULL;
    struct pc_workload workload = {
        .run = run, .platform = arguments->platform, .directory = arguments->directory};
    pc_workload_name(&workload);
    printf("%s\n", workload.folder);
    bool well = pc_canaries_verify(&workload, print, NULL);
    enum pc_started started = pc_workload_look(&workload, &reason);
    if (started == PC_STARTED)
        well = pc_workload_verify(&workload, print, NULL) && well;
    else
        printf("  FAILED  database: %s\n", reason);
    if (started == PC_STARTED)
        printf("  %s current is version %" PRIu64 "\n", well ? "ok     " : "FAILED ",
               pc_workload_version(&workload));
    free(reason);
    pc_workload_close(&workload);
    if (started == PC_BROKEN)
        return PC_EXIT_FAILED;
    return started == PC_STARTED && well ? PC_EXIT_OK : PC_EXIT_WRONG;
}

/* The run of a folder's name: portcheck-HHHHHHHH. */
static bool run_of_name(const char *name, uint32_t *run)
{
    static const char start[] = "portcheck-";
    const char *digits = name + strlen(start);
    if (strncmp(name, start, strlen(start)) != 0 || strlen(digits) != 8 ||
        strspn(digits, "0123456789abcdef") != 8)
        return false;
    *run = (uint32_t)strtoul(digits, NULL, 16);
    return true;
}

int pc_verify(const struct pc_arguments *arguments)
{
    DIR *stream = opendir(arguments->directory);
    if (stream == NULL) {
        fprintf(stderr, "portcheck: %s: %s\n", arguments->directory, strerror(errno));
        return PC_EXIT_FAILED;
    }
    int status = PC_EXIT_OK;
    unsigned runs = 0;
    for (const struct dirent *entry; (entry = readdir(stream)) != NULL;) {
        uint32_t run;
        if (!run_of_name(entry->d_name, &run) || (arguments->has_run && run != arguments->run))
            continue;
        int result = verify_run(arguments, run);
        if (status == PC_EXIT_OK || result == PC_EXIT_WRONG)
            status = result;
        runs++;
    }
    closedir(stream);
    if (runs > 0)
        return status;
    fprintf(stderr, "portcheck: %s: no run has left anything there to verify\n",
            arguments->directory);
    return PC_EXIT_FAILED;
}
