/*
 * The reports of `crashmatrix port`. They change nothing; equal results give equal bytes.
 */
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "port.h"
#include "text.h"

/* ---- Text ---- */

enum { SHOWN_VIOLATIONS = 3 };

static void print_counts(const struct cm_port_part *part, FILE *stream)
{
    const char *separator = "  ";
    if (part->model_count > 0) {
        fprintf(stream, "%s%zu model%s, %llu checks", separator, part->model_count,
                part->model_count == 1 ? "" : "s", (unsigned long long)part->runs);
        separator = ", ";
    }
    if (part->cases > 0)
        fprintf(stream, "%s%llu %s", separator, (unsigned long long)part->cases,
                part->model_count > 0 ? "calls that fail" : "hold");
}

static void print_violation(const struct cm_port_part *part,
                            const struct cm_port_violation *violation, bool is_kept, FILE *stream)
{
    fprintf(stream, "      %s%s%s\n", violation->model != NULL ? violation->model : "",
            violation->model != NULL ? ": " : "", violation->reason);
    if (violation->id == NULL || !is_kept)
        return;
    char *check = cm_port_quote(part->check);
    char *recover = part->recover != NULL ? cm_port_quote(part->recover) : NULL;
    fprintf(stream, "      replay: crashmatrix replay %s --trace %s%s%s%s --check %s\n",
            violation->id, violation->trace != NULL ? violation->trace : part->folder,
            violation->trace != NULL ? "" : "/trace.cmt", recover != NULL ? " --recover " : "",
            recover != NULL ? recover : "", check);
    free(recover);
    free(check);
}

static void print_part(const struct cm_port *port, const struct cm_port_part *part, FILE *stream)
{
    const char *verdict = cm_port_verdict_name(part->verdict);
    fprintf(stream, "  %-11s %s", part->verdict == CM_PORT_VERDICT_FAIL ? "FAIL" : verdict,
            part->name);
    print_counts(part, stream);
    if (!port->settings->reproducible && part->seconds > 0)
        fprintf(stream, ", %.1f s", part->seconds);
    fputs("\n", stream);
    if (part->problem != NULL)
        fprintf(stream, "      %s\n", part->problem);
    bool is_kept = port->settings->report != NULL;
    for (size_t i = 0; i < part->violation_count && i < SHOWN_VIOLATIONS; i++)
        print_violation(part, &part->violations[i], is_kept, stream);
    if (part->violation_count > SHOWN_VIOLATIONS)
        fprintf(stream, "      and %zu other reasons\n", part->violation_count - SHOWN_VIOLATIONS);
}

/* Which models were left out, and why: that is no verdict on the port. */
static void print_misfits(const struct cm_port *port, FILE *stream)
{
    const char *chosen = port->settings->commit_point;
    if (!cm_port_writes(port, "rename") || (chosen != NULL && strcmp(chosen, "slots") == 0))
        return;
    for (size_t i = 0; i < port->models.count; i++) {
        const struct cm_model *model = port->models.models[i];
        const char *always = cm_port_misfit(model, "rename", CM_PORT_NEEDS_REPLACING);
        const char *cleaning = cm_port_misfit(model, "rename", CM_PORT_NEEDS_RENAME);
        if (always != NULL || cleaning != NULL)
            fprintf(stream, "  %s is no model for rename%s: %s\n", cm_model_name(model),
                    always != NULL ? "" : "/cleanup", always != NULL ? always : cleaning);
    }
}

void cm_port_report_text(const struct cm_port *port, FILE *stream)
{
    fprintf(stream, "Port: %s\n", port->text);
    for (size_t i = 0; i < port->part_count; i++)
        print_part(port, &port->parts[i], stream);
    print_misfits(port, stream);
    if (port->settings->report != NULL)
        fprintf(stream, "Report: %s\n", port->folder);
    else if (port->verdict != CM_PORT_VERDICT_PASS)
        fputs("--report DIR keeps what shows more, and can be replayed.\n", stream);
    fprintf(stream, "Verdict: %s\n", cm_port_verdict_name(port->verdict));
}

/* ---- JSON ---- */

static void add_text(cJSON *object, const char *name, const char *text)
{
    if (text == NULL)
        cJSON_AddNullToObject(object, name);
    else
        cJSON_AddStringToObject(object, name, text);
}

static void add_models(cJSON *object, const struct cm_port_part *part)
{
    cJSON *list = cJSON_AddArrayToObject(object, "models");
    for (size_t i = 0; i < part->model_count; i++) {
        cJSON *row = cJSON_CreateObject();
        add_text(row, "name", part->models[i].name);
        add_text(row, "verdict", part->models[i].verdict);
        add_text(row, "states", part->models[i].states);
        cJSON_AddNumberToObject(row, "runs", (double)part->models[i].runs);
        cJSON_AddItemToArray(list, row);
    }
}

static void add_violations(cJSON *object, const struct cm_port_part *part)
{
    cJSON *list = cJSON_AddArrayToObject(object, "violations");
    for (size_t i = 0; i < part->violation_count; i++) {
        const struct cm_port_violation *one = &part->violations[i];
        cJSON *row = cJSON_CreateObject();
        add_text(row, "model", one->model);
        add_text(row, "id", one->id);
        add_text(row, "trace", one->trace);
        add_text(row, "reason", one->reason);
        cJSON_AddNumberToObject(row, "states", (double)one->states);
        cJSON_AddItemToArray(list, row);
    }
}

static cJSON *describe_part(const struct cm_port *port, const struct cm_port_part *part)
{
    cJSON *object = cJSON_CreateObject();
    cJSON_AddStringToObject(object, "name", part->name);
    cJSON_AddStringToObject(object, "verdict", cm_port_verdict_name(part->verdict));
    add_text(object, "problem", part->problem);
    add_text(object, "folder", port->settings->report != NULL ? part->folder : NULL);
    add_text(object, "recover", part->recover);
    add_text(object, "check", part->check);
    cJSON_AddNumberToObject(object, "runs", (double)part->runs);
    cJSON_AddNumberToObject(object, "cases", (double)part->cases);
    add_models(object, part);
    add_violations(object, part);
    if (!port->settings->reproducible)
        cJSON_AddNumberToObject(object, "seconds", part->seconds);
    return object;
}

void cm_port_report_json(const struct cm_port *port, FILE *stream)
{
    cJSON *report = cJSON_CreateObject(), *tool = NULL;
    cJSON_AddStringToObject(report, "schema", "crashmatrix/port/1");
    tool = cJSON_AddObjectToObject(report, "tool");
    cJSON_AddStringToObject(tool, "name", "crashmatrix");
    cJSON_AddStringToObject(tool, "version", CRASHMATRIX_VERSION);
    cJSON_AddStringToObject(report, "adapter", port->text);
    cJSON_AddStringToObject(report, "verdict", cm_port_verdict_name(port->verdict));
    cJSON_AddBoolToObject(report, "accepts_unsupported", port->accepts_unsupported);
    cJSON *parts = cJSON_AddArrayToObject(report, "parts");
    for (size_t i = 0; i < port->part_count; i++)
        cJSON_AddItemToArray(parts, describe_part(port, &port->parts[i]));
    char *text = cJSON_Print(report);
    fprintf(stream, "%s\n", text);
    cJSON_free(text);
    cJSON_Delete(report);
}

/* ---- JUnit ---- */

/* Each verdict but pass is an element of the test case. */
static void print_case(const struct cm_port *port, const struct cm_port_part *part, FILE *stream)
{
    static const char *const elements[] = {
        [CM_PORT_VERDICT_UNSUPPORTED] = "skipped",
        [CM_PORT_VERDICT_INCOMPLETE] = "error",
        [CM_PORT_VERDICT_ERROR] = "error",
        [CM_PORT_VERDICT_FAIL] = "failure",
    };
    fputs("    <testcase classname=\"port\" name=\"", stream);
    cm_text_print_xml(stream, part->name);
    fputs("\"", stream);
    if (!port->settings->reproducible)
        fprintf(stream, " time=\"%.3f\"", part->seconds);
    if (part->verdict == CM_PORT_VERDICT_PASS) {
        fputs("/>\n", stream);
        return;
    }
    const char *reason = part->problem != NULL       ? part->problem
                         : part->violation_count > 0 ? part->violations[0].reason
                                                     : "";
    fprintf(stream, ">\n      <%s message=\"", elements[part->verdict]);
    cm_text_print_xml(stream, reason);
    fputs("\"/>\n    </testcase>\n", stream);
}

void cm_port_report_junit(const struct cm_port *port, FILE *stream)
{
    size_t counts[CM_PORT_VERDICT_FAIL + 1] = {0};
    for (size_t i = 0; i < port->part_count; i++)
        counts[port->parts[i].verdict]++;
    fprintf(stream,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n"
            "  <testsuite name=\"port\" tests=\"%zu\" failures=\"%zu\" errors=\"%zu\" "
            "skipped=\"%zu\">\n",
            port->part_count, counts[CM_PORT_VERDICT_FAIL],
            counts[CM_PORT_VERDICT_ERROR] + counts[CM_PORT_VERDICT_INCOMPLETE],
            counts[CM_PORT_VERDICT_UNSUPPORTED]);
    for (size_t i = 0; i < port->part_count; i++)
        print_case(port, &port->parts[i], stream);
    fputs("  </testsuite>\n</testsuites>\n", stream);
}
