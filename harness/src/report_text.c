/*
 * The report for people: the matrix, then each violation with what it lost and
 * the command that replays it, then a summary, a line for each model, and the
 * verdict as the last line.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "report_page.h"

/* Lost and kept operations listed for a violation, each. */
#define OPERATIONS_SHOWN 12

/* Digits of a count that are printed; larger ones are rounded. */
#define DIGITS_SHOWN 18

/* ---- Violations ---- */

static void print_operations(const struct cm_listed *listed, const char *word,
                             const uint32_t *operations, size_t count, FILE *stream)
{
    size_t shown = count <= OPERATIONS_SHOWN + 1 ? count : OPERATIONS_SHOWN;
    for (size_t i = 0; i < shown; i++) {
        char *text = cm_listed_text(listed, word, operations[i]);
        fprintf(stream, "    %s\n", text);
        free(text);
    }
    if (shown < count)
        fprintf(stream, "    %s: %zu more, see report.json\n", word, count - shown);
}

/* Number n of the cuts during recovery, from 0. */
static void print_cut(const struct cm_cut *cut, size_t number, FILE *stream)
{
    const struct cm_listed listed = {.trace = cut->trace, .operations = cut->operations};
    char *text = cm_cut_text(cut, number);
    fprintf(stream, "    %s\n", text);
    free(text);
    print_operations(&listed, "lost", cut->lost, cut->lost_count, stream);
    print_operations(&listed, "kept", cut->kept, cut->kept_count, stream);
}

static void print_interval(const struct cm_report *report, const struct cm_violation *violation,
                           FILE *stream)
{
    uint32_t first = violation->first_boundary;
    uint32_t last = violation->last_boundary;
    char *call = cm_boundary_text(report, first);
    fputs("    power cut: ", stream);
    if (first == 0)
        fputs(call, stream);
    else
        fprintf(stream, "after call %" PRIu32, first);
    if (last > first)
        fprintf(stream, " to call %" PRIu32, last);
    if (first > 0)
        fprintf(stream, " (%s)", call);
    fputc('\n', stream);
    free(call);
}

/* The trace of a run without --report is gone, and no command can replay it. */
static void print_replay(const struct cm_report *report, const struct cm_violation *violation,
                         FILE *stream)
{
    char *text = report->trace_path != NULL ? cm_replay_command(report, violation)
                                            : cm_safe_text(violation->id);
    fprintf(stream, "    replay: %s", text);
    fputs(report->trace_path != NULL ? "\n" : " (after a run with --report DIR)\n", stream);
    free(text);
}

static void print_violation(const struct cm_report *report,
                            const struct cm_exploration *exploration,
                            const struct cm_violation *violation, FILE *stream, bool colours)
{
    const struct cm_listed listed = {report->trace, report->sites, exploration->operations};
    char *reason = cm_safe_text(violation->reason);
    fputs("  ", stream);
    cm_page_print(stream, colours, CM_RED, reason);
    fprintf(stream, "  (%" PRIu64 " state%s)\n", violation->states,
            violation->states == 1 ? "" : "s");
    print_interval(report, violation, stream);
    print_operations(&listed, "lost", violation->lost, violation->lost_count, stream);
    print_operations(&listed, "kept", violation->kept, violation->kept_count, stream);
    if (violation->unreadable != NULL) {
        char *text = cm_unreadable_text(violation);
        fprintf(stream, "    %s\n", text);
        free(text);
    }
    for (size_t i = 0; i < violation->cut_count; i++)
        print_cut(&violation->cuts[i], i, stream);
    free(reason);
}

/* What print_violation() says of all of a model, to be compared; malloc'ed. */
static char *violations_text(const struct cm_report *report,
                             const struct cm_exploration *exploration)
{
    struct cm_buffer buffer;
    FILE *stream = cm_buffer_open(&buffer);
    for (size_t i = 0; i < exploration->violation_count; i++)
        print_violation(report, exploration, &exploration->violations[i], stream, false);
    return cm_buffer_close(&buffer);
}

/* A model, and after it those of which the same is to be said, which are then done. */
static void print_violations_of(const struct cm_report *report, char **texts, size_t model,
                                FILE *stream, bool colours)
{
    static const char begin[] = "Violations under ";
    const struct cm_exploration *exploration = report->explorations[model];
    fprintf(stream, "\n%s", begin);
    struct cm_page_list list = cm_page_list(stream, begin);
    for (size_t i = model; i < report->exploration_count; i++) {
        if (texts[i] == NULL || strcmp(texts[i], texts[model]) != 0)
            continue;
        char *name = cm_safe_text(report->explorations[i]->model);
        cm_page_list_add(&list, name);
        free(name);
        if (i != model) {
            free(texts[i]);
            texts[i] = NULL;
        }
    }
    fputs(list.count > 1 ? "\n  (replay ids of the first model; report.json has all)\n" : "\n",
          stream);
    for (size_t i = 0; i < exploration->violation_count; i++) {
        print_violation(report, exploration, &exploration->violations[i], stream, colours);
        print_replay(report, &exploration->violations[i], stream);
    }
}

static void print_violations(const struct cm_report *report, FILE *stream, bool colours)
{
    char **texts = cm_allocate(report->exploration_count, sizeof(*texts));
    for (size_t i = 0; i < report->exploration_count; i++)
        if (report->explorations[i]->violation_count > 0)
            texts[i] = violations_text(report, report->explorations[i]);
    for (size_t i = 0; i < report->exploration_count; i++) {
        if (texts[i] != NULL)
            print_violations_of(report, texts, i, stream, colours);
        free(texts[i]);
    }
    free(texts);
}

/* ---- Summary ---- */

/* A decimal count; "?" if it is not known, rounded down if it is long. */
static void print_count(FILE *stream, const char *digits)
{
    size_t length = digits == NULL ? 0 : strlen(digits);
    if (digits == NULL)
        fputc('?', stream);
    else if (length <= DIGITS_SHOWN)
        fputs(digits, stream);
    else
        fprintf(stream, "~%c.%c%ce%zu", digits[0], digits[1], digits[2], length - 1);
}

/* Below the line of the model. */
static void print_depth(const struct cm_depth *depth, size_t cuts, size_t width, FILE *stream)
{
    cm_page_pad(stream, 0, width + 4);
    fprintf(stream, "%zu cut%s during recovery: covered ", cuts, cuts == 1 ? "" : "s");
    print_count(stream, depth->covered);
    fputs(" of ", stream);
    print_count(stream, depth->legal);
    fprintf(stream,
            " states of %" PRIu64 " recoveries, %" PRIu64 " distinct, %" PRIu64 " runs, %" PRIu64
            " rejected\n",
            depth->recoveries, depth->distinct, depth->runs, depth->rejected);
}

static void print_summary_line(const struct cm_exploration *exploration, size_t width, FILE *stream,
                               bool colours)
{
    enum cm_verdict verdict = cm_exploration_verdict(exploration);
    char *model = cm_safe_text(exploration->model);
    fprintf(stream, "  %s", model);
    cm_page_pad(stream, cm_page_width(model), width);
    free(model);
    fputs("  covered ", stream);
    print_count(stream, exploration->covered);
    fputs(" of ", stream);
    print_count(stream, exploration->legal);
    fprintf(stream,
            " legal states, %" PRIu64 " distinct, %" PRIu64 " runs: ", exploration->distinct,
            exploration->runs);
    cm_page_print(stream, colours, cm_page_colour(verdict), cm_verdict_name(verdict));
    if (verdict == CM_FAIL)
        fprintf(stream, ", %" PRIu64 " rejected", cm_violation_states(exploration));
    if (exploration->stopped)
        fputs(", interrupted", stream);
    if (exploration->out_of_budget)
        fputs(", bounded by the budget", stream);
    if (exploration->shard.count > 1)
        fprintf(stream, ", shard %" PRIu32 " of %" PRIu32, exploration->shard.index + 1,
                exploration->shard.count);
    fputs(exploration->exhaustive ? ", exhaustive\n" : ", not exhaustive\n", stream);
    for (size_t i = 0; i < exploration->depth_count; i++)
        print_depth(&exploration->depths[i], i + 1, width, stream);
    if (exploration->nested > 0) {
        cm_page_pad(stream, 0, width + 4);
        if (exploration->fixpoint)
            fputs("one more cut would leave nothing new: this holds for any number of them\n",
                  stream);
        else
            fputs("more cuts might leave something new\n", stream);
    }
}

static void print_summary(const struct cm_report *report, FILE *stream, bool colours)
{
    size_t width = 0;
    for (size_t i = 0; i < report->exploration_count; i++) {
        char *model = cm_safe_text(report->explorations[i]->model);
        width = cm_page_width(model) > width ? cm_page_width(model) : width;
        free(model);
    }
    fputs("\nSummary\n", stream);
    for (size_t i = 0; i < report->exploration_count; i++)
        print_summary_line(report->explorations[i], width, stream, colours);
    if (report->timing)
        fprintf(stream, "  recorded in %.2f s, explored in %.2f s", report->record_seconds,
                report->explore_seconds);
    if (report->timing && report->runs.recalled > 0)
        fprintf(stream, ": %" PRIu64 " runs made, %" PRIu64 " that would have seen the same",
                report->runs.made, report->runs.recalled);
    if (report->timing)
        fputc('\n', stream);
}

static void print_unobserved(const struct cm_report *report, FILE *stream)
{
    if (report->unobserved_count > 0)
        fputs("\nNot covered or not seen\n", stream);
    for (size_t i = 0; i < report->unobserved_count; i++) {
        const struct cm_unobserved *unobserved = &report->unobserved[i];
        char *kind = cm_safe_text(unobserved->kind);
        char *what = cm_safe_text(unobserved->what);
        char *where = cm_safe_text(unobserved->where);
        fprintf(stream, "  %s: %s", kind, what);
        if (where[0] != '\0')
            fprintf(stream, " (%s", where);
        if (where[0] != '\0' && unobserved->times > 1)
            fprintf(stream, ", %" PRIu64 " times", unobserved->times);
        fputs(where[0] != '\0' ? ")" : "", stream);
        fputs(unobserved->accepted ? ", accepted\n" : "\n", stream);
        free(where);
        free(what);
        free(kind);
    }
}

void cm_report_text(const struct cm_report *report, FILE *stream, bool colours)
{
    if (report->target != NULL) {
        char *target = cm_safe_text(report->target);
        fprintf(stream, "Crash matrix of %s: ", target);
        free(target);
    } else {
        fputs("Crash matrix: ", stream);
    }
    fprintf(stream, "%zu calls, trace %016" PRIx64 "\n\n", report->trace->call_count,
            report->trace->digest);
    if (report->exploration_count > 0)
        cm_print_matrix(report, stream, colours);
    print_violations(report, stream, colours);
    print_summary(report, stream, colours);
    cm_print_glance(report, stream, colours);
    cm_print_faults(report, stream);
    print_unobserved(report, stream);
    fputs("\nVerdict: ", stream);
    cm_page_print(stream, colours, cm_page_colour(report->verdict),
                  cm_verdict_name(report->verdict));
    if (report->verdict == CM_BOUNDED)
        fputs(" (not every state was covered, which was accepted)", stream);
    if (report->shard.count > 1)
        fprintf(stream, " (shard %" PRIu32 " of %" PRIu32 " only; crashmatrix merge tells of all)",
                report->shard.index + 1, report->shard.count);
    fputc('\n', stream);
}
