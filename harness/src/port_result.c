/*
 * What a run for `crashmatrix port` has left: report.json and trace.cmt.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fail.h"
#include "folder.h"
#include "memory.h"
#include "port.h"
#include "port_words.h"
#include "text.h"

/* ---- report.json ---- */

static const char *text_of(const cJSON *object, const char *name)
{
    return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));
}

static uint64_t number_of(const cJSON *object, const char *name)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
    return cJSON_IsNumber(item) && item->valuedouble > 0 ? (uint64_t)item->valuedouble : 0;
}

static char *copy_of(const char *text)
{
    return text != NULL ? cm_format("%s", text) : NULL;
}

static void read_model(struct cm_port_part *part, const cJSON *model, struct cm_port_model *row)
{
    const cJSON *states = cJSON_GetObjectItemCaseSensitive(model, "states");
    const cJSON *violation = NULL;
    *row = (struct cm_port_model){
        .name = copy_of(text_of(model, "name")),
        .verdict = copy_of(text_of(model, "verdict")),
        .states = copy_of(text_of(states, "legal")),
        .runs = number_of(model, "runs"),
    };
    part->runs += row->runs;
    cJSON_ArrayForEach(violation, cJSON_GetObjectItemCaseSensitive(model, "violations"))
    {
        const char *reason = text_of(violation, "reason");
        cm_port_reject(part, row->name, text_of(violation, "id"), reason != NULL ? reason : "?",
                       number_of(violation, "states"));
    }
}

static void read_fault(struct cm_port_part *part, const cJSON *fault)
{
    const char *verdict = text_of(fault, "verdict"), *problem = text_of(fault, "problem");
    const char *spec = text_of(fault, "spec");
    part->cases++;
    if (verdict == NULL || strcmp(verdict, "pass") == 0)
        return;
    char *reason = cm_format("%s: %s", spec != NULL ? spec : "?", problem != NULL ? problem : "?");
    if (strcmp(verdict, "fail") == 0) {
        cm_port_reject(part, text_of(fault, "model"), text_of(fault, "id"), reason,
                       number_of(fault, "states"));
        part->violations[part->violation_count - 1].trace = copy_of(text_of(fault, "trace"));
        free(reason);
    } else {
        cm_port_set(part, CM_PORT_VERDICT_INCOMPLETE, reason);
    }
}

static cJSON *read_json(const char *path, struct ff_error *error)
{
    FILE *file = fopen(path, "rbe");
    size_t size = 0, room = 0;
    char *text = NULL;
    if (file == NULL) {
        cm_fail(error, "%s: %s", path, strerror(errno));
        return NULL;
    }
    do {
        text = cm_reserve(text, size, &room, 1);
        size += fread(text + size, 1, room - size, file);
    } while (size == room);
    fclose(file);
    cJSON *json = cJSON_ParseWithLength(text, size);
    free(text);
    if (json == NULL)
        cm_fail(error, "%s: is no JSON", path);
    return json;
}

int cm_port_read_report(struct cm_port_part *part, struct ff_error *error)
{
    char *path = cm_format("%s/report.json", part->folder);
    cJSON *report = read_json(path, error);
    free(path);
    if (report == NULL)
        return -1;
    const cJSON *models = cJSON_GetObjectItemCaseSensitive(report, "models"), *model = NULL;
    const cJSON *fault = NULL;
    part->models = cm_allocate((size_t)cJSON_GetArraySize(models) + 1, sizeof(*part->models));
    cJSON_ArrayForEach(model, models)
    {
        read_model(part, model, &part->models[part->model_count++]);
    }
    cJSON_ArrayForEach(fault, cJSON_GetObjectItemCaseSensitive(report, "faults"))
    {
        read_fault(part, fault);
    }
    cJSON_Delete(report);
    return 0;
}

/* ---- trace.cmt ---- */

/* All that the workload has printed; malloc'ed. */
static char *printed(const struct ff_trace *trace, size_t *size)
{
    char *text = NULL;
    *size = 0;
    for (size_t i = 0; i < trace->call_count; i++) {
        const struct ff_call *call = &trace->calls[i];
        if (call->effect != FF_EFFECT_OUTPUT)
            continue;
        text = realloc(text, *size + call->data.size + 1);
        if (text == NULL)
            abort();
        memcpy(text + *size, call->data.data, call->data.size);
        *size += call->data.size;
        text[*size] = '\0';
    }
    return text != NULL ? text : cm_format("%s", "");
}

int cm_port_check_trace(const struct cm_port_part *part, enum cm_port_case_id id,
                        struct ff_error *error)
{
    struct cm_port_words words;
    char *path = cm_folder_trace(part->folder);
    struct ff_trace *trace = ff_trace_open(path, error);
    size_t size = 0;
    free(path);
    if (trace == NULL)
        return -1;
    char *text = printed(trace, &size);
    ff_trace_free(trace);
    char shown[300];
    cm_text_printable(shown, sizeof(shown), text, size);
    int status = cm_port_words_read(id, text, size, &words, error);
    if (status == 0 && !words.finished)
        status = size == 0 ? cm_fail(error, "the adapter's %s printed nothing",
                                     cm_port_cases[id].operation)
                           : cm_fail(error, "the adapter's %s did not answer OK: %s",
                                     cm_port_cases[id].operation, shown);
    free(text);
    return status;
}
