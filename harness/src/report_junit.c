/*
 * junit.xml, as continuous-integration servers read it: a test suite for each
 * model, a test case for each boundary of the run. A boundary fails when the
 * check rejects a state that a power cut there can leave; it is skipped when
 * nothing was rejected but not every such state was covered. What makes the
 * whole run incomplete is a skipped case of a suite of its own.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "faults.h"
#include "report_shared.h"
#include "text.h"

/* Operations listed for a violation, lost and kept each. */
#define OPERATIONS_SHOWN 50

/* ---- XML ---- */

/* Takes over text, which is safe already. */
static void print_taken(FILE *stream, char *text)
{
    cm_text_print_xml(stream, text);
    free(text);
}

static void print_text(FILE *stream, const char *text)
{
    print_taken(stream, cm_safe_text(text));
}

/* ---- Violations ---- */

static void print_operations(const struct cm_listed *listed, const char *word,
                             const uint32_t *operations, size_t count, FILE *stream)
{
    size_t shown = count <= OPERATIONS_SHOWN + 1 ? count : OPERATIONS_SHOWN;
    for (size_t i = 0; i < shown; i++) {
        print_taken(stream, cm_listed_text(listed, word, operations[i]));
        fputc('\n', stream);
    }
    if (shown < count)
        fprintf(stream, "%s: %zu more, see report.json\n", word, count - shown);
}

static void print_cut(const struct cm_cut *cut, size_t number, FILE *stream)
{
    const struct cm_listed listed = {.trace = cut->trace, .operations = cut->operations};
    print_taken(stream, cm_cut_text(cut, number));
    fputc('\n', stream);
    print_operations(&listed, "lost", cut->lost, cut->lost_count, stream);
    print_operations(&listed, "kept", cut->kept, cut->kept_count, stream);
}

static void print_violation(const struct cm_report *report,
                            const struct cm_exploration *exploration,
                            const struct cm_violation *violation, FILE *stream)
{
    const struct cm_listed listed = {report->trace, report->sites, exploration->operations};
    print_text(stream, violation->reason);
    fprintf(stream, "\nstatus: %s\nlegal: boundaries %" PRIu32 " to %" PRIu32 "\n",
            cm_violation_status(violation), violation->first_boundary, violation->last_boundary);
    print_operations(&listed, "lost", violation->lost, violation->lost_count, stream);
    print_operations(&listed, "kept", violation->kept, violation->kept_count, stream);
    if (violation->unreadable != NULL) {
        print_taken(stream, cm_unreadable_text(violation));
        fputc('\n', stream);
    }
    for (size_t i = 0; i < violation->cut_count; i++)
        print_cut(&violation->cuts[i], i, stream);
    fputs("replay: ", stream);
    print_taken(stream, cm_replay_command(report, violation));
    fputc('\n', stream);
}

static bool violation_covers(const struct cm_violation *violation, uint32_t boundary)
{
    /* An exploration with violations has an array of them, which the analyzer cannot know.
     * NOLINTNEXTLINE(clang-analyzer-core.NullDereference) */
    return violation->cut_count == 0 && violation->first_boundary <= boundary &&
           boundary <= violation->last_boundary;
}

/* The first violation whose representative is legal at the boundary. The states
 * rejected there may all be represented by one that is legal elsewhere: then the
 * first of all. */
static const struct cm_violation *violation_at(const struct cm_exploration *exploration,
                                               uint32_t boundary)
{
    for (size_t i = 0; i < exploration->violation_count; i++)
        if (violation_covers(&exploration->violations[i], boundary))
            return &exploration->violations[i];
    return exploration->violation_count > 0 ? &exploration->violations[0] : NULL;
}

static void print_failure(const struct cm_report *report, const struct cm_exploration *exploration,
                          uint32_t boundary, FILE *stream)
{
    const struct cm_violation *headline = violation_at(exploration, boundary);
    fprintf(stream, "      <failure type=\"%s\" message=\"",
            headline != NULL ? cm_violation_status(headline) : "rejected");
    if (headline != NULL && violation_covers(headline, boundary))
        print_text(stream, headline->reason);
    else
        fprintf(stream, "rejected states; one for each reason is shown where it is legal");
    fprintf(stream, "\">%" PRIu64 " rejected state%s\n", exploration->cells[boundary].violations,
            exploration->cells[boundary].violations == 1 ? "" : "s");
    for (size_t i = 0; i < exploration->violation_count; i++) {
        if (!violation_covers(&exploration->violations[i], boundary))
            continue;
        fputc('\n', stream);
        print_violation(report, exploration, &exploration->violations[i], stream);
    }
    fputs("</failure>\n", stream);
}

/* ---- Suites ---- */

/* Of a shard: all of it. Its suite is named after it. */
static bool covered_entirely(const struct cm_exploration *exploration)
{
    return exploration->complete && !exploration->stopped && !exploration->out_of_budget;
}

static void print_skipped(const struct cm_exploration *exploration, FILE *stream)
{
    fprintf(stream, "      <skipped message=\"not every legal state was covered%s\"/>\n",
            exploration->out_of_budget ? ": bounded by the budget" : "");
}

/* Violations that it takes cuts during recovery to reach. */
static size_t count_nested(const struct cm_exploration *exploration)
{
    size_t count = 0;
    for (size_t i = 0; i < exploration->violation_count; i++)
        count += exploration->violations[i].cut_count > 0;
    return count;
}

/* These come last among the violations. */
static void print_nested_case(const struct cm_report *report,
                              const struct cm_exploration *exploration, FILE *stream)
{
    size_t count = count_nested(exploration);
    size_t first = exploration->violation_count - count;
    fputs("    <testcase classname=\"", stream);
    print_text(stream, exploration->model);
    fputs("\" name=\"cuts during recovery\">\n", stream);
    if (count > 0) {
        fprintf(stream, "      <failure type=\"%s\" message=\"",
                cm_violation_status(&exploration->violations[first]));
        print_text(stream, exploration->violations[first].reason);
        fputs("\">", stream);
        for (size_t i = first; i < exploration->violation_count; i++) {
            fputc('\n', stream);
            print_violation(report, exploration, &exploration->violations[i], stream);
        }
        fputs("</failure>\n", stream);
    } else if (!covered_entirely(exploration)) {
        print_skipped(exploration, stream);
    }
    fputs("    </testcase>\n", stream);
}

static void print_case(const struct cm_report *report, const struct cm_exploration *exploration,
                       uint32_t boundary, FILE *stream)
{
    fputs("    <testcase classname=\"", stream);
    print_text(stream, exploration->model);
    fprintf(stream, "\" name=\"%" PRIu32 ": ", boundary);
    print_taken(stream, cm_boundary_text(report, boundary));
    fputs("\">\n", stream);
    if (exploration->cells[boundary].violations > 0)
        print_failure(report, exploration, boundary, stream);
    else if (!covered_entirely(exploration))
        print_skipped(exploration, stream);
    fputs("    </testcase>\n", stream);
}

static void print_property(FILE *stream, const char *name, const char *value)
{
    fprintf(stream, "      <property name=\"%s\" value=\"", name);
    print_text(stream, value);
    fputs("\"/>\n", stream);
}

static void print_properties(const struct cm_exploration *exploration, FILE *stream)
{
    char distinct[24], runs[24];
    snprintf(distinct, sizeof(distinct), "%" PRIu64, exploration->distinct);
    snprintf(runs, sizeof(runs), "%" PRIu64, exploration->runs);
    fputs("    <properties>\n", stream);
    print_property(stream, "verdict", cm_verdict_name(cm_exploration_verdict(exploration)));
    print_property(stream, "legal", exploration->legal != NULL ? exploration->legal : "unknown");
    print_property(stream, "covered",
                   exploration->covered != NULL ? exploration->covered : "unknown");
    print_property(stream, "distinct", distinct);
    print_property(stream, "runs", runs);
    print_property(stream, "exhaustive", exploration->exhaustive ? "true" : "false");
    print_property(stream, "bounded", exploration->out_of_budget ? "true" : "false");
    fputs("    </properties>\n", stream);
}

struct tally {
    size_t cases;
    size_t failures;
    size_t skipped;
};

static struct tally count_cases(const struct cm_exploration *exploration)
{
    struct tally tally = {.cases = exploration->cell_count};
    for (size_t b = 0; b < exploration->cell_count; b++)
        tally.failures += exploration->cells[b].violations > 0;
    tally.cases += exploration->nested > 0;
    tally.failures += count_nested(exploration) > 0;
    if (!covered_entirely(exploration))
        tally.skipped = tally.cases - tally.failures;
    return tally;
}

static void print_tally(FILE *stream, struct tally tally)
{
    fprintf(stream, " tests=\"%zu\" failures=\"%zu\" errors=\"0\" skipped=\"%zu\"", tally.cases,
            tally.failures, tally.skipped);
}

static void print_suite(const struct cm_report *report, const struct cm_exploration *exploration,
                        FILE *stream)
{
    fputs("  <testsuite name=\"", stream);
    print_text(stream, exploration->model);
    if (exploration->shard.count > 1)
        fprintf(stream, " (shard %" PRIu32 " of %" PRIu32 ")", exploration->shard.index + 1,
                exploration->shard.count);
    fputc('"', stream);
    print_tally(stream, count_cases(exploration));
    if (report->timing)
        fprintf(stream, " time=\"%.6f\"", exploration->seconds);
    fputs(">\n", stream);
    print_properties(exploration, stream);
    for (uint32_t b = 0; b < exploration->cell_count; b++)
        print_case(report, exploration, b, stream);
    if (exploration->nested > 0)
        print_nested_case(report, exploration, stream);
    fputs("  </testsuite>\n", stream);
}

/* What was accepted is a case that passed. */
static void print_unobserved_case(const struct cm_unobserved *unobserved, size_t number,
                                  FILE *stream)
{
    fprintf(stream, "    <testcase classname=\"coverage\" name=\"%zu: ", number);
    print_text(stream, unobserved->kind);
    fputs("\">\n      ", stream);
    fputs(unobserved->accepted ? "<system-out>" : "<skipped message=\"", stream);
    print_text(stream, unobserved->what);
    if (unobserved->where[0] != '\0')
        fputs(": ", stream);
    print_text(stream, unobserved->where);
    fputs(unobserved->accepted ? "</system-out>\n" : "\"/>\n", stream);
    fputs("    </testcase>\n", stream);
}

static void print_unobserved(const struct cm_report *report, FILE *stream)
{
    if (report->unobserved_count == 0)
        return;
    struct tally tally = {.cases = report->unobserved_count};
    for (size_t i = 0; i < tally.cases; i++)
        tally.skipped += !report->unobserved[i].accepted;
    fputs("  <testsuite name=\"coverage\"", stream);
    print_tally(stream, tally);
    fputs(">\n", stream);
    for (size_t i = 0; i < tally.cases; i++)
        print_unobserved_case(&report->unobserved[i], i + 1, stream);
    fputs("  </testsuite>\n", stream);
}

static void print_fault(const struct cm_fault_case *one, FILE *stream)
{
    fputs("    <testcase classname=\"faults\" name=\"", stream);
    print_text(stream, one->spec);
    fputs(one->verdict == CM_PASS ? "\"/>\n" : "\">\n", stream);
    if (one->verdict == CM_PASS)
        return;
    fputs(one->verdict == CM_FAIL ? "      <failure message=\"" : "      <skipped message=\"",
          stream);
    print_text(stream, one->problem != NULL ? one->problem : "not run");
    fputs("\"/>\n    </testcase>\n", stream);
}

static void print_faults(const struct cm_report *report, FILE *stream)
{
    struct tally tally = {.cases = report->fault_count};
    if (tally.cases == 0)
        return;
    for (size_t i = 0; i < tally.cases; i++) {
        tally.failures += report->faults[i].verdict == CM_FAIL;
        tally.skipped += report->faults[i].verdict == CM_INCOMPLETE;
    }
    fputs("  <testsuite name=\"faults\"", stream);
    print_tally(stream, tally);
    fputs(">\n", stream);
    for (size_t i = 0; i < tally.cases; i++)
        print_fault(&report->faults[i], stream);
    fputs("  </testsuite>\n", stream);
}

int cm_report_junit(const struct cm_report *report, FILE *stream)
{
    fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"", stream);
    print_text(stream, report->target != NULL ? report->target : "crashmatrix");
    fputs("\">\n", stream);
    for (size_t i = 0; i < report->exploration_count; i++)
        print_suite(report, report->explorations[i], stream);
    print_faults(report, stream);
    print_unobserved(report, stream);
    fputs("</testsuites>\n", stream);
    return fflush(stream) != 0 || ferror(stream) ? -1 : 0;
}
