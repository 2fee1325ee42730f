/*
 * manifest-target: the programs of the targets "manifest...". Those work on the
 * database db in the current directory.
 *
 *     manifest-target init POINT        make it, with the commit point rename or slots
 *     manifest-target commit CASE LAST  commit versions up to LAST
 *     manifest-target killed CASE       the same by writers that are killed
 *     manifest-target leftovers CASE    leave what a killed writer leaves
 *     manifest-target clean             remove old versions
 *     manifest-target sweep             remove leftovers
 *     manifest-target backup LAST       back up versions up to LAST
 *     manifest-target restore           restore a version from the backup
 *     manifest-target recover           go back to a version by hand
 *     manifest-target seed-order LAST   commit in the order of the module that
 *                                       libmanifest descends from, which is not safe
 *     manifest-target check CASE        judge it; $CRASHMATRIX_STDOUT names what was
 *                                       printed before the power cut
 *
 * CASE is of the table in manifest_case.h. Exit status 0 when done (check: when the
 * database is accepted), 1 when not, 2 on wrong usage.
 */
#include "manifest_target.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "manifest_case.h"

static int now_pinned(void *context, uint64_t *seconds)
{
    (void)context;
    *seconds = CM_MANIFEST_TIMESTAMP;
    return 0;
}

int complain(const char *what, const char *why)
{
    fprintf(stderr, "manifest-target: %s: %s\n", what, why);
    return 1;
}

int say(const char *word, uint64_t number)
{
    char line[64];
    int length = number == 0 ? snprintf(line, sizeof(line), "%s\n", word)
                             : snprintf(line, sizeof(line), "%s %" PRIu64 "\n", word, number);
    if (write(STDOUT_FILENO, line, (size_t)length) != length)
        return complain("standard output", strerror(errno));
    return 0;
}

/* ---- Checking ---- */

/* Reads the file that $CRASHMATRIX_STDOUT names. Returns NULL with a message. */
static char *output_read(size_t *size)
{
    const char *path = getenv("CRASHMATRIX_STDOUT");
    struct stat status;
    char *text = NULL;
    if (path == NULL) {
        complain("CRASHMATRIX_STDOUT", "is not set");
        return NULL;
    }
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0 && fstat(fd, &status) == 0)
        text = malloc((size_t)status.st_size + 1);
    ssize_t count = text != NULL ? read(fd, text, (size_t)status.st_size) : -1;
    if (count < 0) {
        complain(path, strerror(errno));
        free(text);
        text = NULL;
    }
    *size = (size_t)count;
    if (fd >= 0)
        close(fd);
    return text;
}

static int run_check(const struct mf_platform *platform, char **arguments)
{
    const struct cm_manifest_case *wanted = cm_manifest_case_find(arguments[0]);
    struct cm_outcome outcome;
    size_t size;
    if (wanted == NULL) {
        complain(arguments[0], "no such case");
        return 2;
    }
    char *output = output_read(&size);
    if (output == NULL)
        return 2;
    cm_manifest_judge(wanted, platform, output, size, &outcome);
    free(output);
    if (outcome.status == CM_ACCEPTED)
        printf("label: ");
    puts(outcome.text);
    return outcome.status == CM_ACCEPTED ? 0 : 1;
}

static const struct {
    const char *name;
    int (*run)(const struct mf_platform *platform, char **arguments);
    int argument_count;
} commands[] = {
    {"init", workload_init, 1},       {"commit", workload_commit, 2},
    {"killed", workload_killed, 1},   {"leftovers", workload_leftovers, 1},
    {"clean", workload_clean, 0},     {"sweep", workload_sweep, 0},
    {"backup", workload_backup, 1},   {"restore", workload_restore, 0},
    {"recover", workload_recover, 0}, {"seed-order", workload_seed_order, 1},
    {"check", run_check, 1},
};

int main(int argc, char **argv)
{
    struct mf_platform platform = *mf_platform_posix();
    platform.now = now_pinned;
    for (size_t i = 0; argc >= 2 && i < sizeof(commands) / sizeof(commands[0]); i++) {
        if (strcmp(argv[1], commands[i].name) == 0 && argc == 2 + commands[i].argument_count)
            return commands[i].run(&platform, argv + 2);
    }
    fputs("usage: manifest-target init rename|slots\n"
          "       manifest-target commit CASE LAST\n"
          "       manifest-target killed|leftovers|check CASE\n"
          "       manifest-target backup|seed-order LAST\n"
          "       manifest-target clean|sweep|restore|recover\n",
          stderr);
    return 2;
}
