/*
 * The matrix of faults on the terminal: a row for each call, a column for each error.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "faults.h"
#include "poset.h"
#include "report_shared.h"

enum { COLUMNS_LIMIT = 64, CALL_WIDTH = 36 };

static const char *cell_text(const struct cm_fault_case *one)
{
    return one->verdict == CM_PASS ? "ok" : one->verdict == CM_FAIL ? "FAIL" : "?";
}

/* The errors in the order in which they first come; of calls, not of given SPECs. */
static size_t list_columns(const struct cm_report *report, const char *columns[COLUMNS_LIMIT])
{
    size_t count = 0;
    for (size_t i = 0; i < report->fault_count; i++) {
        const struct cm_fault_case *one = &report->faults[i];
        const char *error = strncmp(one->error, "short:", 6) == 0 ? "short" : one->error;
        size_t at = 0;
        while (at < count && strcmp(columns[at], error) != 0)
            at++;
        if (one->call != UINT32_MAX && at == count && count < COLUMNS_LIMIT)
            columns[count++] = error;
    }
    return count;
}

static const struct cm_fault_case *find_case(const struct cm_report *report, uint32_t call,
                                             const char *error)
{
    for (size_t i = 0; i < report->fault_count; i++) {
        const struct cm_fault_case *one = &report->faults[i];
        if (one->call == call &&
            (strcmp(one->error, error) == 0 ||
             (strcmp(error, "short") == 0 && strncmp(one->error, "short:", 6) == 0)))
            return one;
    }
    return NULL;
}

/* The number of a call, as cm_show() has it. */
static size_t number_of(const struct ff_trace *trace, uint32_t call)
{
    uint32_t *calls = cm_calls_in_order(trace);
    size_t at = 0;
    while (calls[at] != call)
        at++;
    free(calls);
    return at + 1;
}

static void print_row(const struct cm_report *report, uint32_t call, const char *const *columns,
                      size_t count, FILE *stream)
{
    char *text = cm_call_text(report->trace, call);
    fprintf(stream, "  %4zu  %-*.*s", number_of(report->trace, call), CALL_WIDTH, CALL_WIDTH, text);
    free(text);
    for (size_t c = 0; c < count; c++) {
        const struct cm_fault_case *one = find_case(report, call, columns[c]);
        fprintf(stream, "  %-*s", (int)strlen(columns[c]), one != NULL ? cell_text(one) : "");
    }
    fputc('\n', stream);
}

static void print_matrix(const struct cm_report *report, FILE *stream)
{
    const char *columns[COLUMNS_LIMIT];
    size_t count = list_columns(report, columns);
    if (count == 0)
        return;
    fprintf(stream, "  %4s  %-*s", "call", CALL_WIDTH, "");
    for (size_t c = 0; c < count; c++)
        fprintf(stream, "  %s", columns[c]);
    fputc('\n', stream);
    uint32_t last = UINT32_MAX;
    for (size_t i = 0; i < report->fault_count; i++)
        if (report->faults[i].call != UINT32_MAX && report->faults[i].call != last) {
            last = report->faults[i].call;
            print_row(report, last, columns, count, stream);
        }
}

static void print_case(const struct cm_report *report, const struct cm_fault_case *one,
                       FILE *stream)
{
    const char *why = one->problem != NULL ? one->problem : "not run";
    char *problem = cm_safe_text(one->verdict == CM_PASS ? "every state was accepted" : why);
    fprintf(stream, "  %s: %s: %s\n", one->spec, cell_text(one), problem);
    free(problem);
    if (one->ended != NULL)
        fprintf(stream, "    the workload ended with %s\n", one->ended);
    if (one->id == NULL)
        return;
    struct cm_report own = *report;
    struct cm_violation violation = {.id = one->id};
    own.trace_path = one->trace_path;
    char *command = cm_replay_command(&own, &violation);
    fprintf(stream, "    %" PRIu64 " state%s, the first under %s\n    replay: %s\n", one->states,
            one->states == 1 ? "" : "s", one->model, one->trace_path != NULL ? command : one->id);
    free(command);
}

void cm_print_faults(const struct cm_report *report, FILE *stream)
{
    size_t counts[3] = {0};
    if (report->fault_count == 0)
        return;
    fputs("\nFaults\n", stream);
    print_matrix(report, stream);
    for (size_t i = 0; i < report->fault_count; i++) {
        const struct cm_fault_case *one = &report->faults[i];
        counts[one->verdict]++;
        if (one->verdict != CM_PASS || one->call == UINT32_MAX)
            print_case(report, one, stream);
    }
    fprintf(stream, "  %zu cases: %zu ok, %zu FAIL, %zu not decided\n", report->fault_count,
            counts[CM_PASS], counts[CM_FAIL], counts[CM_INCOMPLETE]);
}
