/* Reports: see report.h. The texts of the board are printable: judge.c saw to that. */
#include "report.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "text.h"

/* ---- Words ---- */

static const struct {
    const char *survived, *lost, *not_shown;
} words[PH_KINDS] = {
    [PH_KILL] = {"keeps what it acknowledged when the process is killed",
                 "loses data when the process is killed",
                 "A killed process leaves the page cache, so this is no word on the sync calls, on "
                 "resets or on power loss."},
    [PH_RESET] = {"keeps what it acknowledged when the machine is reset and its storage stays "
                  "powered",
                  "loses data when the machine is reset",
                  "The storage stayed powered, so this is no word on power loss: caches of the "
                  "device and flushes that never reach it were not tested."},
    [PH_POWER] = {"survives power loss", "does not survive power loss",
                  "Other media, temperatures, wear, file systems and mount options are other "
                  "boards."},
};

const char *ph_report_not_shown(enum ph_kind kind)
{
    return words[kind].not_shown;
}

static char *sentence_of_pass(const struct ph_report *report)
{
    uint64_t cuts = report->judge->survived;
    return cm_format("%s: none of %" PRIu64 " cut%s lost anything, so that a cut does with a "
                     "probability below %.2f %% (95 %% upper bound)",
                     words[report->kind].survived, cuts, cuts == 1 ? "" : "s",
                     100 * ph_upper_bound(cuts));
}

char *ph_report_sentence(const struct ph_report *report)
{
    const struct ph_judge *judge = report->judge;
    char doubt[300];
    switch (ph_judge_verdict(judge)) {
    case PH_PASS:
        return sentence_of_pass(report);
    case PH_FAIL:
        return cm_format("%s: %" PRIu64 " of %" PRIu64 " cuts did", words[report->kind].lost,
                         judge->lost, judge->lost + judge->survived);
    case PH_UNSUPPORTED:
        return cm_format("the board says that it cannot be done there: %s",
                         judge->unsupported_reason);
    case PH_INCONCLUSIVE:
        break;
    }
    ph_judge_doubt(judge, doubt, sizeof(doubt));
    return cm_format("%s%s", report->stopped ? "stopped, --resume continues it: " : "", doubt);
}

static const char *reason_of(const struct ph_result *result)
{
    return result->outcome == PH_UNCOUNTED ? ph_reason_text(result->reason) : "";
}

/* "what happened: in the board's words"; malloc'ed. */
static char *describe(const struct ph_result *result)
{
    const char *reason = reason_of(result);
    return cm_format("%s%s%s", reason, *reason != '\0' && result->detail[0] != '\0' ? ": " : "",
                     result->detail);
}

/* "acknowledged 17, announced 18, found 17"; malloc'ed. */
static char *versions_of(const struct ph_result *result)
{
    char found[32] = "nothing";
    if (result->has_found)
        snprintf(found, sizeof(found), "%" PRIu64, result->found);
    return cm_format("acknowledged %" PRIu64 ", announced %" PRIu64 ", found %s",
                     result->acknowledged, result->announced, found);
}

static bool rate_is_a_hint(const struct ph_judge *judge)
{
    return ph_rate_is_suspicious(judge->target.source, judge->best_rate);
}

/* ---- Text ---- */

static void print_target(const struct ph_target *target, FILE *stream)
{
    if (target->fs[0] == '\0') {
        fputs("  target   none was seen\n", stream);
        return;
    }
    fprintf(stream, "  target   %s on %s (device %s%s%s%s%s), %s, commit point %s\n", target->fs,
            target->source[0] != '\0' ? target->source : "a source that it did not say",
            target->device, target->uuid[0] != '\0' ? ", UUID " : "", target->uuid,
            target->serial[0] != '\0' ? ", serial number " : "", target->serial, target->path,
            target->point[0] != '\0' ? target->point : "not said");
}

static void print_results(const struct ph_judge *judge, FILE *stream)
{
    for (size_t i = 0; i < judge->result_count; i++) {
        const struct ph_result *result = &judge->results[i];
        if (result->outcome == PH_SURVIVED)
            continue;
        char *what = describe(result), *versions = versions_of(result);
        fprintf(stream, "    cycle %" PRIu64 ": %s: %s (%s)\n", result->cycle,
                result->outcome == PH_LOST ? "LOST" : "did not count", what, versions);
        free(what);
        free(versions);
    }
}

int ph_report_text(const struct ph_report *report, FILE *stream)
{
    const struct ph_judge *judge = report->judge;
    char *sentence = ph_report_sentence(report);
    fprintf(stream, "Board %s: cuts of kind %s, run %s, seed %" PRIu64 "\n",
            report->board[0] != '\0' ? report->board : "(not named)", ph_kind_name(report->kind),
            report->run, report->seed);
    print_target(&judge->target, stream);
    fprintf(stream,
            "  cuts     %" PRIu64 " counted of %" PRIu64 " wanted, %" PRIu64
            " lost something, %" PRIu64 " did not count\n",
            judge->survived + judge->lost, judge->rules.cycles, judge->lost, judge->uncounted);
    print_results(judge, stream);
    fprintf(stream, "  commits  %" PRIu64 " acknowledged", judge->acknowledgements);
    if (judge->best_rate > 0)
        fprintf(stream, ", up to %.0f a second", judge->best_rate);
    fputc('\n', stream);
    fprintf(stream,
            "  lines    %" PRIu64 " missing, %" PRIu64 " garbled, %" PRIu64 " repeated, %" PRIu64
            " of other runs, %" PRIu64 " late; %" PRIu64 " were none\n",
            judge->missing, judge->garbled, judge->repeated, judge->wrong_runs, judge->stale,
            judge->foreign);
    if (judge->program[0] == '\0')
        fputs("  hint     no start of portcheck was heard: is it started on the board, and is the "
              "way "
              "to it the right one, at the right rate?\n",
              stream);
    if (judge->mutant[0] != '\0')
        fprintf(stream, "  note     the board's program is wrong on purpose: %s\n", judge->mutant);
    if (judge->restarts > 0)
        fprintf(stream, "  note     the board restarted by itself %" PRIu64 " times\n",
                judge->restarts);
    if (rate_is_a_hint(judge))
        fputs("  hint     more commits a second than such a medium usually syncs: is there a cache "
              "that ignores flushes? No proof.\n",
              stream);
    fprintf(stream, "\nVerdict: %s: %s\n", ph_verdict_name(ph_judge_verdict(judge)), sentence);
    if (ph_judge_verdict(judge) == PH_PASS)
        fprintf(stream, "Not shown: %s\n", words[report->kind].not_shown);
    free(sentence);
    return fflush(stream) != 0 || ferror(stream) ? -1 : 0;
}

/* ---- JSON ---- */

static void add_count(cJSON *object, const char *name, uint64_t count)
{
    cJSON_AddNumberToObject(object, name, (double)count);
}

static void add_target(cJSON *root, const struct ph_target *target)
{
    if (target->fs[0] == '\0') {
        cJSON_AddNullToObject(root, "target");
        return;
    }
    cJSON *object = cJSON_AddObjectToObject(root, "target");
    cJSON_AddStringToObject(object, "fs", target->fs);
    cJSON_AddStringToObject(object, "device", target->device);
    cJSON_AddStringToObject(object, "uuid", target->uuid);
    cJSON_AddStringToObject(object, "mark", target->mark);
    cJSON_AddStringToObject(object, "serial", target->serial);
    cJSON_AddStringToObject(object, "source", target->source);
    cJSON_AddStringToObject(object, "path", target->path);
    cJSON_AddStringToObject(object, "point", target->point);
}

static cJSON *result_object(const struct ph_result *result)
{
    static const char *const outcomes[] = {"survived", "lost", "uncounted"};
    cJSON *object = cJSON_CreateObject();
    add_count(object, "cycle", result->cycle);
    cJSON_AddStringToObject(object, "outcome", outcomes[result->outcome]);
    if (result->outcome == PH_UNCOUNTED)
        cJSON_AddStringToObject(object, "reason", ph_reason_word(result->reason));
    else
        cJSON_AddNullToObject(object, "reason");
    cJSON_AddStringToObject(object, "detail", result->detail);
    add_count(object, "acknowledged", result->acknowledged);
    add_count(object, "announced", result->announced);
    if (result->has_found)
        add_count(object, "found", result->found);
    else
        cJSON_AddNullToObject(object, "found");
    return object;
}

static void add_cuts(cJSON *root, const struct ph_judge *judge)
{
    cJSON *cuts = cJSON_AddObjectToObject(root, "cuts");
    add_count(cuts, "wanted", judge->rules.cycles);
    add_count(cuts, "survived", judge->survived);
    add_count(cuts, "lost", judge->lost);
    add_count(cuts, "uncounted", judge->uncounted);
    if (judge->lost == 0)
        cJSON_AddNumberToObject(cuts, "upper_bound", ph_upper_bound(judge->survived));
    else
        cJSON_AddNullToObject(cuts, "upper_bound");
    cJSON *results = cJSON_AddArrayToObject(root, "results");
    for (size_t i = 0; i < judge->result_count; i++)
        cJSON_AddItemToArray(results, result_object(&judge->results[i]));
}

static void add_lines(cJSON *root, const struct ph_judge *judge)
{
    cJSON *commits = cJSON_AddObjectToObject(root, "commits");
    add_count(commits, "acknowledged", judge->acknowledgements);
    cJSON_AddNumberToObject(commits, "best_rate", judge->best_rate);
    cJSON_AddBoolToObject(commits, "suspicious", rate_is_a_hint(judge));
    add_count(root, "restarts", judge->restarts);
    cJSON *lines = cJSON_AddObjectToObject(root, "lines");
    add_count(lines, "missing", judge->missing);
    add_count(lines, "garbled", judge->garbled);
    add_count(lines, "repeated", judge->repeated);
    add_count(lines, "other_runs", judge->wrong_runs);
    add_count(lines, "late", judge->stale);
    add_count(lines, "foreign", judge->foreign);
}

int ph_report_json(const struct ph_report *report, FILE *stream)
{
    const struct ph_judge *judge = report->judge;
    char *sentence = ph_report_sentence(report);
    cJSON *root = cJSON_CreateObject();
    cJSON_AddStringToObject(root, "schema", "crashmatrix/portcheck/1");
    cJSON *tool = cJSON_AddObjectToObject(root, "tool");
    cJSON_AddStringToObject(tool, "name", "portcheck-host");
    cJSON_AddStringToObject(tool, "version", CRASHMATRIX_VERSION);
    cJSON_AddStringToObject(root, "board", report->board);
    cJSON_AddStringToObject(root, "kind", ph_kind_name(report->kind));
    cJSON_AddStringToObject(root, "program", judge->program);
    cJSON_AddStringToObject(root, "mutant", judge->mutant);
    cJSON_AddStringToObject(root, "run", report->run);
    add_count(root, "seed", report->seed);
    cJSON_AddStringToObject(root, "verdict", ph_verdict_name(ph_judge_verdict(judge)));
    cJSON_AddStringToObject(root, "sentence", sentence);
    cJSON_AddStringToObject(root, "not_shown", words[report->kind].not_shown);
    cJSON_AddBoolToObject(root, "stopped", report->stopped);
    add_target(root, &judge->target);
    add_cuts(root, judge);
    add_lines(root, judge);
    char *text = cJSON_Print(root);
    if (text != NULL)
        fprintf(stream, "%s\n", text);
    bool failed = text == NULL || fflush(stream) != 0 || ferror(stream);
    cJSON_free(text);
    cJSON_Delete(root);
    free(sentence);
    return failed ? -1 : 0;
}

/* ---- JUnit ---- */

static void print_case(const struct ph_result *result, const char *kind, FILE *stream)
{
    fprintf(stream, "    <testcase classname=\"portcheck.%s\" name=\"cut of cycle %" PRIu64 "\"",
            kind, result->cycle);
    if (result->outcome == PH_SURVIVED) {
        fputs("/>\n", stream);
        return;
    }
    char *what = describe(result), *versions = versions_of(result);
    const char *element = result->outcome == PH_LOST ? "failure" : "skipped";
    fprintf(stream, ">\n      <%s message=\"", element);
    cm_text_print_xml(stream, what);
    fprintf(stream, "; %s\"/>\n    </testcase>\n", versions);
    free(what);
    free(versions);
}

/* A case of its own, so that a validation without a failed cut is no pass by that alone. */
static void print_verdict_case(const struct ph_report *report, FILE *stream)
{
    static const char *const elements[] = {"system-out", "failure", "skipped", "skipped"};
    enum ph_verdict verdict = ph_judge_verdict(report->judge);
    char *sentence = ph_report_sentence(report);
    fprintf(stream, "    <testcase classname=\"portcheck.%s\" name=\"verdict\">\n      <%s",
            ph_kind_name(report->kind), elements[verdict]);
    fputs(verdict == PH_PASS ? ">" : " message=\"", stream);
    fprintf(stream, "%s: ", ph_verdict_name(verdict));
    cm_text_print_xml(stream, sentence);
    if (verdict == PH_PASS) {
        fputs(". Not shown: ", stream);
        cm_text_print_xml(stream, words[report->kind].not_shown);
    }
    fputs(verdict == PH_PASS ? "</system-out>\n" : "\"/>\n", stream);
    fputs("    </testcase>\n", stream);
    free(sentence);
}

int ph_report_junit(const struct ph_report *report, FILE *stream)
{
    const struct ph_judge *judge = report->judge;
    enum ph_verdict verdict = ph_judge_verdict(judge);
    uint64_t failures = judge->lost + (verdict == PH_FAIL);
    uint64_t skipped = judge->uncounted + (verdict == PH_INCONCLUSIVE || verdict == PH_UNSUPPORTED);
    fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"portcheck\">\n"
          "  <testsuite name=\"",
          stream);
    cm_text_print_xml(stream, report->board[0] != '\0' ? report->board : "board");
    fprintf(stream,
            "\" tests=\"%zu\" failures=\"%" PRIu64 "\" errors=\"0\" skipped=\"%" PRIu64 "\">\n",
            judge->result_count + 1, failures, skipped);
    for (size_t i = 0; i < judge->result_count; i++)
        print_case(&judge->results[i], ph_kind_name(report->kind), stream);
    print_verdict_case(report, stream);
    fputs("  </testsuite>\n</testsuites>\n", stream);
    return fflush(stream) != 0 || ferror(stream) ? -1 : 0;
}
