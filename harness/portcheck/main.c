/*
 * portcheck-host: cuts the power of a board that runs portcheck, and judges whether it
 * keeps what it acknowledged.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "fail.h"
#include "host.h"
#include "memory.h"
#include "report.h"

enum { EXIT_PASS, EXIT_FAIL, EXIT_USAGE, EXIT_TROUBLE, EXIT_OPEN };

typedef int report_writer(const struct ph_report *report, FILE *stream);

static int write_file(const struct ph_report *report, const char *directory, const char *name,
                      report_writer *write_report, struct ff_error *error)
{
    char *path = cm_format("%s/%s", directory, name), *made = cm_format("%s.tmp", path);
    FILE *stream = fopen(made, "w");
    int status = stream != NULL ? write_report(report, stream) : -1;
    if (stream != NULL && fclose(stream) != 0)
        status = -1;
    if (status == 0)
        status = rename(made, path);
    if (status != 0)
        cm_fail(error, "%s: cannot be written: %s", path, strerror(errno));
    free(made);
    free(path);
    return status;
}

static int write_reports(const struct ph_report *report, const struct ph_settings *settings,
                         struct ff_error *error)
{
    const char *directory = settings->report;
    if ((settings->json ? ph_report_json : ph_report_text)(report, stdout) != 0)
        return cm_fail(error, "the report cannot be printed: %s", strerror(errno));
    if (directory == NULL)
        return 0;
    if (mkdir(directory, 0777) != 0 && errno != EEXIST)
        return cm_fail(error, "%s: cannot be created: %s", directory, strerror(errno));
    if (write_file(report, directory, "portcheck.json", ph_report_json, error) != 0)
        return -1;
    return write_file(report, directory, "junit.xml", ph_report_junit, error);
}

static int validate(struct ph_host *host, struct ph_settings *settings)
{
    static const int statuses[] = {EXIT_PASS, EXIT_FAIL, EXIT_OPEN, EXIT_OPEN};
    struct ff_error error;
    bool usage = false;
    if (ph_host_begin(host, settings, &usage, &error) != 0) {
        fprintf(stderr, "portcheck-host: %s\n", error.text);
        return usage ? EXIT_USAGE : EXIT_TROUBLE;
    }
    bool ran = ph_host_run(host, &error) == 0;
    if (!ran)
        fprintf(stderr, "portcheck-host: %s\n--resume continues when that is mended.\n",
                error.text);
    struct ph_report report = {.judge = &host->judge,
                               .kind = settings->what,
                               .board = settings->board,
                               .run = settings->run,
                               .seed = settings->seed_number,
                               .stopped = host->stopped};
    if (ran && write_reports(&report, settings, &error) != 0) {
        fprintf(stderr, "portcheck-host: %s\n", error.text);
        ran = false;
    }
    return ran ? statuses[ph_judge_verdict(&host->judge)] : EXIT_TROUBLE;
}

int main(int argc, char **argv)
{
    struct ph_settings settings;
    struct ph_host host = {0};
    int status = 0;
    if (ph_settings_parse(&settings, argc, argv, &status)) {
        status = validate(&host, &settings);
        ph_host_end(&host);
    }
    ph_settings_free(&settings);
    return status;
}
