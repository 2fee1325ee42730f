/*
 * The subcommands that print: show, targets.
 */
#include <stdio.h>
#include <stdlib.h>

#include "catalogue.h"
#include "memory.h"
#include "poset.h"
#include "report_shared.h"
#include "run.h"
#include "target.h"

int cm_give_up(enum cm_exit status, const char *text)
{
    fprintf(stderr, "crashmatrix: %s\n", text);
    return (int)status;
}

static void print_call(const struct ff_trace *trace, const struct cm_sites *sites, size_t number,
                       uint32_t index)
{
    const struct ff_call *call = &trace->calls[index];
    char text[CM_TEXT_SIZE];
    cm_describe_call(trace, index, text, sizeof(text));
    printf("%6zu  p%u t%u  %s", number, call->process, call->thread, text);
    if (call->result >= 0)
        printf(" = %lld", (long long)call->result);
    char *site = cm_site_text(sites, index);
    printf("%s%s\n", site[0] != '\0' ? "  " : "", site);
    free(site);
}

int cm_show(const struct cm_settings *settings)
{
    struct ff_error error;
    struct ff_trace *trace = ff_trace_open(settings->operands[0], &error);
    if (trace == NULL)
        return cm_give_up(CM_EXIT_USAGE, error.text);
    printf("digest %016llx, %zu nodes before the workload, %zu calls, recorded in %s\n",
           (unsigned long long)trace->digest, trace->node_count, trace->call_count, trace->root);
    struct cm_sites *sites = cm_sites_find(trace);
    uint32_t *calls = cm_calls_in_order(trace);
    for (size_t i = 0; i < trace->call_count; i++)
        print_call(trace, sites, i + 1, calls[i]);
    free(calls);
    for (size_t i = 0; i < trace->unobserved_count; i++) {
        char *what = cm_safe_text(trace->unobserved[i].what);
        printf("not observed: %s: %s (%llu)\n", trace->unobserved[i].kind, what,
               (unsigned long long)trace->unobserved[i].count);
        free(what);
    }
    cm_sites_free(sites);
    ff_trace_free(trace);
    return CM_EXIT_PASS;
}

static void print_target(const struct cm_target *target)
{
    struct ff_error missing;
    printf("%s\n    %s\n    expected: %s\n", target->name, target->description,
           target->expect_pass ? "pass" : "fail");
    if (target->restriction != NULL)
        printf("    models: %s\n", target->restriction);
    if (cm_target_check_needs(target, &missing) != 0)
        printf("    not here: %s\n", missing.text);
}

int cm_list_targets(const struct cm_settings *settings)
{
    size_t count = 0;
    char **names = cm_shipped_names("targets", &count);
    int status = CM_EXIT_PASS;
    (void)settings;
    for (size_t i = 0; i < count; i++) {
        struct ff_error error;
        struct cm_target *target = cm_target_load(names[i], &error);
        if (target != NULL)
            print_target(target);
        else
            status = cm_give_up(CM_EXIT_USAGE, error.text);
        cm_target_free(target);
        free(names[i]);
    }
    free(names);
    return status;
}
