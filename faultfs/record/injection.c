#include "injection.h"

#include "../trace/error.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int injection_add_fault(struct injection *injection, const char *spec, struct ff_error *error)
{
    if (injection->count == CHANNEL_FAULTS)
        return ff_error_set(error, "fault %.200s: there are more than %d", spec, CHANNEL_FAULTS);
    injection->specs[injection->count] = spec;
    if (ff_fault_parse(spec, &injection->faults[injection->count], error) != 0)
        return -1;
    injection->count++;
    return 0;
}

int injection_set_cut(struct injection *injection, const char *calls, struct ff_error *error)
{
    char *end;
    errno = 0;
    injection->has_cut = true;
    injection->cut_at = strtoull(calls, &end, 10);
    if (strspn(calls, "0123456789") != strlen(calls) || calls[0] == '\0' || errno != 0)
        return ff_error_set(error, "not a number of calls: %.200s", calls);
    return 0;
}

bool injection_is_empty(const struct injection *injection)
{
    return injection->count == 0 && !injection->has_cut;
}

static bool can_cut(const struct injection *injection)
{
    for (uint32_t i = 0; i < injection->count; i++)
        if (injection->faults[i].action == FF_FAULT_CUT_BEFORE ||
            injection->faults[i].action == FF_FAULT_CUT_AFTER)
            return true;
    return injection->has_cut;
}

void injection_install(const struct injection *injection, struct recording *recording)
{
    struct channel *channel = recording->channel;
    for (uint32_t i = 0; i < injection->count; i++)
        channel->faults[i].fault = injection->faults[i];
    channel->fault_count = injection->count;
    channel->cut_at = injection->cut_at;
    channel->cut = injection->has_cut && injection->cut_at == 0;
    recording->can_be_cut = can_cut(injection);
}

int injection_check(const struct injection *injection, const struct recording *recording,
                    struct ff_error *error)
{
    if (recording->ending.how == ENDING_CUT)
        return 0;
    for (uint32_t i = 0; i < injection->count; i++) {
        const struct fault_rule *rule = &recording->channel->faults[i];
        if (rule->acted == 0)
            return ff_error_set(error,
                                "the fault %.200s never happened: %" PRIu64
                                " such calls were made on such files",
                                injection->specs[i], (uint64_t)rule->matched);
    }
    if (injection->has_cut)
        return ff_error_set(error,
                            "the command ended after %" PRIu64 " calls, before the cut at %" PRIu64,
                            recording->channel->calls, injection->cut_at);
    return 0;
}

static char *result_print(const struct injection *injection, const struct recording *recording)
{
    static const char *const endings[] = {
        [ENDING_EXITED] = "exited", [ENDING_KILLED] = "killed", [ENDING_CUT] = "cut"};
    cJSON *result = cJSON_CreateObject();
    cJSON_AddStringToObject(result, "ended", endings[recording->ending.how]);
    cJSON_AddNumberToObject(result, "status", recording->ending.status);
    cJSON_AddNumberToObject(result, "calls", (double)recording->channel->calls);
    cJSON *faults = cJSON_AddArrayToObject(result, "faults");
    for (uint32_t i = 0; i < injection->count; i++) {
        const struct fault_rule *rule = &recording->channel->faults[i];
        cJSON *fault = cJSON_CreateObject();
        cJSON_AddStringToObject(fault, "spec", injection->specs[i]);
        cJSON_AddNumberToObject(fault, "matched", (double)rule->matched);
        cJSON_AddNumberToObject(fault, "injected", (double)rule->injected);
        cJSON_AddItemToArray(faults, fault);
    }
    char *text = cJSON_Print(result);
    cJSON_Delete(result);
    return text;
}

int injection_write_result(const struct injection *injection, const struct recording *recording,
                           const char *path, struct ff_error *error)
{
    char *text = result_print(injection, recording);
    FILE *file = text == NULL ? NULL : fopen(path, "we");
    bool written = file != NULL && fprintf(file, "%s\n", text) > 0;
    if (file != NULL && fclose(file) != 0)
        written = false;
    cJSON_free(text);
    return written ? 0 : ff_error_set_errno(error, "cannot write %.300s", path);
}
