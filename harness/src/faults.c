#include "faults.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fail.h"
#include "faultfs/faults.h"
#include "memory.h"

static void add_case(struct cm_fault_cases *list, char *spec, char *error, uint32_t call)
{
    list->cases = cm_reserve(list->cases, list->count, &list->capacity, sizeof(*list->cases));
    list->cases[list->count++] = (struct cm_fault_case){
        .spec = spec, .error = error, .call = call, .verdict = CM_INCOMPLETE};
}

/* Half of the data, or nothing to add when there is no half. */
static void add_short(struct cm_fault_cases *list, const char *name, uint64_t ordinal,
                      const struct ff_call *call, uint32_t index)
{
    if (call->data.size < 2)
        return;
    char *error = cm_format("short:%zu", call->data.size / 2);
    add_case(list, cm_format("%s#%llu=%s", name, (unsigned long long)ordinal, error), error, index);
}

static void add_errors(struct cm_fault_cases *list, enum ff_fault_call fault, uint64_t ordinal,
                       const struct ff_call *call, uint32_t index)
{
    const char *name = ff_fault_call_name(fault);
    for (const int *error = ff_fault_errors(fault); *error != 0; error++) {
        const char *word = ff_fault_error_name(*error);
        add_case(list, cm_format("%s#%llu=%s", name, (unsigned long long)ordinal, word),
                 cm_format("%s", word), index);
    }
    if (ff_fault_writes(fault))
        add_short(list, name, ordinal, call, index);
}

/* The n-th call of its kind is found again by its number; output cannot be made to fail. */
static void list_all(const struct ff_trace *trace, struct cm_fault_cases *list)
{
    uint64_t ordinals[FF_FAULT_CALL_COUNT] = {0};
    for (uint32_t i = 0; i < trace->call_count; i++) {
        const struct ff_call *call = &trace->calls[i];
        enum ff_fault_call fault = ff_fault_call_find(call->name);
        if (fault == FF_FAULT_CALL_COUNT || call->effect == FF_EFFECT_OUTPUT ||
            call->route == FF_ROUTE_MAPPING)
            continue;
        ordinals[fault]++;
        if (call->result >= 0)
            add_errors(list, fault, ordinals[fault], call, i);
    }
}

int cm_fault_cases_list(const struct ff_trace *trace, const struct cm_words *words,
                        struct cm_fault_cases *list, struct ff_error *error)
{
    for (size_t i = 0; i < words->count; i++) {
        struct ff_fault fault;
        if (strcmp(words->items[i], "all") == 0)
            list_all(trace, list);
        else if (ff_fault_parse(words->items[i], &fault, error) != 0)
            return -1;
        else
            add_case(list, cm_format("%s", words->items[i]), cm_format("%s", words->items[i]),
                     UINT32_MAX);
    }
    return 0;
}

void cm_fault_cases_free(struct cm_fault_cases *list)
{
    for (size_t i = 0; i < list->count; i++) {
        struct cm_fault_case *one = &list->cases[i];
        free(one->spec);
        free(one->error);
        free(one->ended);
        free(one->problem);
        free(one->model);
        free(one->id);
        free(one->trace_path);
    }
    free(list->cases);
}
