/*
 * report.json, schema crashmatrix/report/1 (harness/report.schema.json).
 *
 * Integers are written from their own digits, never by way of a double, so that
 * all 64 bits arrive; the number of legal states has no limit and is a string.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "faults.h"
#include "report_shared.h"

/* ---- Values ---- */

/* Adding to an object fails only without memory. */
static cJSON *added(cJSON *item)
{
    if (item == NULL)
        cm_report_no_memory();
    return item;
}

static cJSON *append(cJSON *array, cJSON *item)
{
    cJSON_AddItemToArray(array, added(item));
    return item;
}

static cJSON *integer(uint64_t value)
{
    char digits[24];
    snprintf(digits, sizeof(digits), "%" PRIu64, value);
    return added(cJSON_CreateRaw(digits));
}

static void add_integer(cJSON *object, const char *key, uint64_t value)
{
    cJSON_AddItemToObject(object, key, integer(value));
}

static void add_digest(cJSON *object, const char *key, uint64_t value)
{
    char digits[24];
    snprintf(digits, sizeof(digits), "%016" PRIx64, value);
    added(cJSON_AddStringToObject(object, key, digits));
}

/* A string that may hold any byte; NULL becomes null. */
static void add_text(cJSON *object, const char *key, const char *text)
{
    if (text == NULL) {
        added(cJSON_AddNullToObject(object, key));
        return;
    }
    char *safe = cm_safe_text(text);
    added(cJSON_AddStringToObject(object, key, safe));
    free(safe);
}

/* Takes over text, which is safe already. */
static void add_description(cJSON *object, const char *key, char *text)
{
    added(cJSON_AddStringToObject(object, key, text));
    free(text);
}

/* ---- Trace ---- */

static uint64_t route_count(const struct ff_trace *trace, enum ff_route route)
{
    uint64_t count = 0;
    for (size_t i = 0; i < trace->call_count; i++)
        count += trace->calls[i].route == route;
    return count;
}

static void add_unobserved(cJSON *object, const struct cm_report *report)
{
    cJSON *list = added(cJSON_AddArrayToObject(object, "unobserved"));
    for (size_t i = 0; i < report->unobserved_count; i++) {
        cJSON *item = append(list, cJSON_CreateObject());
        add_text(item, "kind", report->unobserved[i].kind);
        add_text(item, "what", report->unobserved[i].what);
        add_text(item, "where", report->unobserved[i].where);
        add_integer(item, "times", report->unobserved[i].times);
        added(cJSON_AddBoolToObject(item, "accepted", report->unobserved[i].accepted));
    }
}

static void add_trace(cJSON *root, const struct cm_report *report)
{
    cJSON *trace = added(cJSON_AddObjectToObject(root, "trace"));
    add_digest(trace, "digest", report->trace->digest);
    add_integer(trace, "calls", report->trace->call_count);
    cJSON *routes = added(cJSON_AddObjectToObject(trace, "routes"));
    for (int route = 0; route < FF_ROUTE_COUNT; route++)
        add_integer(routes, ff_route_name((enum ff_route)route),
                    route_count(report->trace, (enum ff_route)route));
    added(cJSON_AddBoolToObject(
        trace, "complete", !cm_unobserved_matters(report->unobserved, report->unobserved_count)));
    add_unobserved(trace, report);
}

/* ---- Models ---- */

/* What was found out about a site; nothing, if it was not looked up. */
static void add_place(cJSON *object, const struct cm_site *site)
{
    static const struct cm_site unknown = {0};
    if (site == NULL)
        site = &unknown;
    add_text(object, "function", site->place.function);
    add_text(object, "file", site->place.file);
    if (site->place.line > 0)
        add_integer(object, "line", site->place.line);
    else
        added(cJSON_AddNullToObject(object, "line"));
    add_text(object, "problem", site->problem);
}

static void add_site(cJSON *object, const struct cm_report *report, uint32_t index)
{
    const struct ff_trace *trace = report->trace;
    const struct ff_call *call = &trace->calls[index];
    if (call->module >= trace->module_count) {
        added(cJSON_AddNullToObject(object, "site"));
        return;
    }
    const struct ff_module *module = &trace->modules[call->module];
    cJSON *site = added(cJSON_AddObjectToObject(object, "site"));
    add_text(site, "module", module->path);
    struct cm_buffer id;
    FILE *stream = cm_buffer_open(&id);
    for (size_t i = 0; i < module->build_id.size; i++)
        fprintf(stream, "%02x", module->build_id.data[i]);
    add_description(site, "build_id", cm_buffer_close(&id));
    add_integer(site, "offset", call->site);
    add_place(site, cm_site_of(report->sites, index));
}

static void add_operations(cJSON *model, const struct cm_report *report,
                           const struct cm_exploration *exploration)
{
    cJSON *list = added(cJSON_AddArrayToObject(model, "operations"));
    for (size_t i = 0; i < exploration->operation_count; i++) {
        const struct cm_operation *operation = &exploration->operations[i];
        cJSON *item = append(list, cJSON_CreateObject());
        add_integer(item, "index", i);
        add_integer(item, "boundary", operation->boundary);
        if (operation->durable == UINT32_MAX)
            added(cJSON_AddNullToObject(item, "durable"));
        else
            add_integer(item, "durable", operation->durable);
        add_text(item, "call", report->trace->calls[operation->call].name);
        add_text(item, "class", operation->class);
        add_text(item, "path", operation->path);
        add_integer(item, "offset", operation->offset);
        add_integer(item, "length", operation->length);
        add_description(item, "text", cm_operation_text(report->trace, operation));
        add_site(item, report, operation->call);
    }
}

static void add_indices(cJSON *object, const char *key, const uint32_t *indices, size_t count)
{
    cJSON *list = added(cJSON_AddArrayToObject(object, key));
    for (size_t i = 0; i < count; i++)
        append(list, integer(indices[i]));
}

static void add_operation_texts(cJSON *object, const char *key, const struct cm_cut *cut,
                                const uint32_t *indices, size_t count)
{
    cJSON *list = added(cJSON_AddArrayToObject(object, key));
    for (size_t i = 0; i < count; i++) {
        char *text = cm_operation_text(cut->trace, &cut->operations[indices[i]]);
        append(list, cJSON_CreateString(text));
        free(text);
    }
}

static void add_cuts(cJSON *violation, const struct cm_violation *from)
{
    cJSON *list = added(cJSON_AddArrayToObject(violation, "recovery_cuts"));
    for (size_t i = 0; i < from->cut_count; i++) {
        const struct cm_cut *cut = &from->cuts[i];
        cJSON *item = append(list, cJSON_CreateObject());
        add_integer(item, "boundary", cut->boundary);
        if (cut->boundary == 0)
            added(cJSON_AddNullToObject(item, "call"));
        else
            add_description(item, "call",
                            cm_call_text(cut->trace, cut->boundary_calls[cut->boundary]));
        add_operation_texts(item, "lost", cut, cut->lost, cut->lost_count);
        add_operation_texts(item, "kept", cut, cut->kept, cut->kept_count);
    }
}

static void add_depths(cJSON *model, const struct cm_exploration *exploration)
{
    cJSON *nested = added(cJSON_AddObjectToObject(model, "nested"));
    if (exploration->nested == CM_NESTED_FIXPOINT)
        add_text(nested, "asked", "fixpoint");
    else
        add_integer(nested, "asked", exploration->nested);
    added(cJSON_AddBoolToObject(nested, "fixpoint", exploration->fixpoint));
    cJSON *list = added(cJSON_AddArrayToObject(nested, "depths"));
    for (size_t i = 0; i < exploration->depth_count; i++) {
        const struct cm_depth *depth = &exploration->depths[i];
        cJSON *item = append(list, cJSON_CreateObject());
        add_integer(item, "cuts", i + 1);
        add_integer(item, "recoveries", depth->recoveries);
        add_text(item, "legal", depth->legal);
        add_text(item, "covered", depth->covered);
        add_integer(item, "distinct", depth->distinct);
        add_integer(item, "runs", depth->runs);
        add_integer(item, "rejected", depth->rejected);
    }
}

static void add_violations(cJSON *model, const struct cm_exploration *exploration)
{
    cJSON *list = added(cJSON_AddArrayToObject(model, "violations"));
    for (size_t i = 0; i < exploration->violation_count; i++) {
        const struct cm_violation *violation = &exploration->violations[i];
        const uint32_t interval[] = {violation->first_boundary, violation->last_boundary};
        cJSON *item = append(list, cJSON_CreateObject());
        add_text(item, "id", violation->id);
        add_text(item, "reason", violation->reason);
        add_text(item, "status", cm_violation_status(violation));
        add_indices(item, "boundary", interval, 2);
        add_indices(item, "lost", violation->lost, violation->lost_count);
        add_indices(item, "kept", violation->kept, violation->kept_count);
        if (violation->unreadable != NULL)
            add_text(item, "unreadable", violation->unreadable);
        add_integer(item, "states", violation->states);
        add_cuts(item, violation);
    }
}

static void add_model(cJSON *list, const struct cm_report *report,
                      const struct cm_exploration *exploration)
{
    cJSON *model = append(list, cJSON_CreateObject());
    add_text(model, "name", exploration->model);
    add_digest(model, "digest", exploration->model_digest);
    cJSON *options = added(cJSON_AddObjectToObject(model, "options"));
    add_integer(options, "unit", exploration->unit);
    add_integer(options, "granule", exploration->granule);
    add_text(model, "verdict", cm_verdict_name(cm_exploration_verdict(exploration)));
    added(cJSON_AddBoolToObject(model, "exhaustive", exploration->exhaustive));
    added(cJSON_AddBoolToObject(model, "complete", exploration->complete));
    added(cJSON_AddBoolToObject(model, "bounded", exploration->out_of_budget));
    add_text(model, "branching", exploration->observed ? "observed" : "eager");
    added(cJSON_AddBoolToObject(model, "monotone", exploration->monotone));
    cJSON *states = added(cJSON_AddObjectToObject(model, "states"));
    add_text(states, "legal", exploration->legal);
    add_text(states, "covered", exploration->covered);
    add_integer(states, "distinct", exploration->distinct);
    add_integer(model, "runs", exploration->runs);
    cJSON *audit = added(cJSON_AddObjectToObject(model, "audit"));
    add_integer(audit, "runs", exploration->audit_runs);
    add_integer(audit, "mismatches", exploration->audit_mismatches);
    add_depths(model, exploration);
    add_violations(model, exploration);
    add_operations(model, report, exploration);
}

/* ---- Matrix ---- */

static void add_cell(cJSON *cells, const struct cm_exploration *exploration, uint32_t boundary)
{
    const struct cm_cell *cell = &exploration->cells[boundary];
    cJSON *item = append(cells, cJSON_CreateObject());
    add_text(item, "model", exploration->model);
    cJSON *labels = added(cJSON_AddObjectToObject(item, "labels"));
    for (size_t i = 0; i < cell->label_count; i++) {
        char *name = cm_safe_text(cell->labels[i].name);
        add_integer(labels, name, cell->labels[i].states);
        free(name);
    }
    add_integer(item, "violations", cell->violations);
    added(cJSON_AddBoolToObject(item, "exact", exploration->exhaustive));
}

static void add_matrix(cJSON *root, const struct cm_report *report)
{
    cJSON *matrix = added(cJSON_AddArrayToObject(root, "matrix"));
    for (uint32_t b = 0; b < cm_boundary_count(report); b++) {
        cJSON *row = append(matrix, cJSON_CreateObject());
        add_integer(row, "boundary", b);
        if (b == 0)
            added(cJSON_AddNullToObject(row, "call"));
        else
            add_description(row, "call", cm_boundary_text(report, b));
        cJSON *cells = added(cJSON_AddArrayToObject(row, "cells"));
        for (size_t i = 0; i < report->exploration_count; i++)
            add_cell(cells, report->explorations[i], b);
    }
}

static void add_faults(cJSON *root, const struct cm_report *report)
{
    cJSON *list = added(cJSON_AddArrayToObject(root, "faults"));
    for (size_t i = 0; i < report->fault_count; i++) {
        const struct cm_fault_case *one = &report->faults[i];
        cJSON *item = append(list, cJSON_CreateObject());
        add_text(item, "spec", one->spec);
        if (one->call == UINT32_MAX)
            added(cJSON_AddNullToObject(item, "call"));
        else
            add_description(item, "call", cm_call_text(report->trace, one->call));
        add_text(item, "error", one->error);
        add_text(item, "verdict", cm_verdict_name(one->verdict));
        add_text(item, "ended", one->ended);
        add_text(item, "problem", one->problem);
        add_text(item, "model", one->model);
        add_text(item, "id", one->id);
        add_text(item, "trace", one->trace_path);
        add_integer(item, "states", one->states);
    }
}

static void add_timing(cJSON *root, const struct cm_report *report)
{
    cJSON *timing = added(cJSON_AddObjectToObject(root, "timing"));
    added(cJSON_AddNumberToObject(timing, "record_seconds", report->record_seconds));
    added(cJSON_AddNumberToObject(timing, "explore_seconds", report->explore_seconds));
    added(cJSON_AddNumberToObject(timing, "runs_made", (double)report->runs.made));
    added(cJSON_AddNumberToObject(timing, "runs_recalled", (double)report->runs.recalled));
    cJSON *models = added(cJSON_AddArrayToObject(timing, "models"));
    for (size_t i = 0; i < report->exploration_count; i++) {
        cJSON *model = append(models, cJSON_CreateObject());
        add_text(model, "name", report->explorations[i]->model);
        added(cJSON_AddNumberToObject(model, "seconds", report->explorations[i]->seconds));
    }
}

/* null: everything. */
static void add_shard(cJSON *root, struct cm_shard shard)
{
    if (shard.count <= 1) {
        added(cJSON_AddNullToObject(root, "shard"));
        return;
    }
    cJSON *object = added(cJSON_AddObjectToObject(root, "shard"));
    add_integer(object, "index", shard.index + 1);
    add_integer(object, "count", shard.count);
}

static cJSON *report_value(const struct cm_report *report)
{
    cJSON *root = added(cJSON_CreateObject());
    add_text(root, "schema", "crashmatrix/report/1");
    cJSON *tool = added(cJSON_AddObjectToObject(root, "tool"));
    add_text(tool, "name", "crashmatrix");
    add_text(tool, "version", CRASHMATRIX_VERSION);
    add_text(root, "target", report->target);
    add_text(root, "verdict", cm_verdict_name(report->verdict));
    add_integer(root, "seed", report->seed);
    add_shard(root, report->shard);
    add_trace(root, report);
    cJSON *models = added(cJSON_AddArrayToObject(root, "models"));
    for (size_t i = 0; i < report->exploration_count; i++)
        add_model(models, report, report->explorations[i]);
    add_matrix(root, report);
    add_faults(root, report);
    if (report->timing)
        add_timing(root, report);
    return root;
}

int cm_report_json(const struct cm_report *report, FILE *stream)
{
    cJSON *root = report_value(report);
    char *text = cJSON_Print(root);
    cJSON_Delete(root);
    if (text == NULL) {
        errno = ENOMEM;
        return -1;
    }
    int written = fprintf(stream, "%s\n", text);
    cJSON_free(text);
    return written < 0 || fflush(stream) != 0 ? -1 : 0;
}
