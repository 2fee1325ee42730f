/*
 * Where a program is safe, at a glance: the models under which it passes, and the others
 * with the first thing that was found, together where it is the same.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "report_page.h"

/* The one that the earliest power cut leaves; NULL: none. */
static const struct cm_violation *first_violation(const struct cm_exploration *exploration)
{
    const struct cm_violation *first = NULL;
    for (size_t i = 0; i < exploration->violation_count; i++) {
        const struct cm_violation *violation = &exploration->violations[i];
        if (first == NULL || violation->first_boundary < first->first_boundary)
            first = violation;
    }
    return first;
}

/* What is said of a model beside its verdict, malloc'ed; "" of one without violations. */
static char *finding_text(const struct cm_report *report, const struct cm_exploration *exploration)
{
    const struct cm_violation *first = first_violation(exploration);
    if (first == NULL)
        return cm_safe_text("");
    struct cm_buffer buffer;
    FILE *stream = cm_buffer_open(&buffer);
    size_t others = exploration->violation_count - 1;
    char *reason = cm_safe_text(first->reason);
    char *call = cm_boundary_text(report, first->first_boundary);
    fprintf(stream, "      %s\n      power cut ", reason);
    if (first->first_boundary > 0)
        fprintf(stream, "after call %" PRIu32 " (%s)", first->first_boundary, call);
    else
        fputs(call, stream);
    if (others > 0)
        fprintf(stream, "; %zu more reason%s", others, others == 1 ? "" : "s");
    fputc('\n', stream);
    free(call);
    free(reason);
    return cm_buffer_close(&buffer);
}

static const char *verdict_words(enum cm_verdict verdict, bool seen)
{
    switch (verdict) {
    case CM_PASS:
        return seen ? "passes under" : "nothing rejected, but not all was seen, under";
    case CM_FAIL:
        return "fails under";
    default:
        return "not decided under";
    }
}

/* Of all models with this verdict and finding; those are then done. */
static void print_alike(const struct cm_report *report, char **findings, size_t model, FILE *stream,
                        bool colours)
{
    enum cm_verdict verdict = cm_exploration_verdict(report->explorations[model]);
    bool seen = !cm_unobserved_matters(report->unobserved, report->unobserved_count);
    char *finding = findings[model];
    const char *words = verdict_words(verdict, seen);
    char *begin = cm_format("  %s  ", words);
    fputs("  ", stream);
    cm_page_print(stream, colours, seen || verdict != CM_PASS ? cm_page_colour(verdict) : CM_YELLOW,
                  words);
    fputs("  ", stream);
    struct cm_page_list list = cm_page_list(stream, begin);
    free(begin);
    for (size_t i = model; i < report->exploration_count; i++) {
        if (findings[i] == NULL || strcmp(findings[i], finding) != 0 ||
            cm_exploration_verdict(report->explorations[i]) != verdict)
            continue;
        char *name = cm_safe_text(report->explorations[i]->model);
        cm_page_list_add(&list, name);
        free(name);
        if (i != model)
            free(findings[i]);
        findings[i] = NULL;
    }
    fprintf(stream, "\n%s", finding);
    free(finding);
}

void cm_print_glance(const struct cm_report *report, FILE *stream, bool colours)
{
    static const enum cm_verdict order[] = {CM_PASS, CM_SHARD_PASS, CM_INCOMPLETE, CM_FAIL};
    size_t models = report->exploration_count;
    if (models < 2)
        return;
    char **findings = cm_allocate(models, sizeof(*findings));
    for (size_t i = 0; i < models; i++)
        findings[i] = finding_text(report, report->explorations[i]);
    fputs("\nAt a glance\n", stream);
    for (size_t o = 0; o < sizeof(order) / sizeof(order[0]); o++)
        for (size_t i = 0; i < models; i++)
            if (findings[i] != NULL && cm_exploration_verdict(report->explorations[i]) == order[o])
                print_alike(report, findings, i, stream, colours);
    free(findings);
}
