/*
 * A run for the tests of the reports, made up: a commit by rename whose
 * directory is not synced, seen by two models. And the reports of it, as text.
 */
#ifndef REPORT_SAMPLE_H
#define REPORT_SAMPLE_H

#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "report_shared.h"
#include "unit.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define BYTES(string)                                                                              \
    {                                                                                              \
        (const unsigned char *)(string), sizeof(string) - 1                                        \
    }

/* ---- A run ---- */

enum { NODE_DATA = 3, NODE_OLD = 2 };

/* openat new; write; fsync; rename new -> data; write to stdout; close */
static const struct ff_call calls[] = {
    {.name = "openat",
     .effect = FF_EFFECT_CREATE,
     .node = NODE_DATA,
     .parent = FF_ROOT_NODE,
     .filename = BYTES("data.new"),
     .mode = S_IFREG | 0644,
     .begin = 1,
     .end = 1,
     .result = 3,
     .module = 0,
     .site = 4660},
    {.name = "write",
     .effect = FF_EFFECT_WRITE,
     .node = NODE_DATA,
     .data = BYTES("new"),
     .begin = 2,
     .end = 2,
     .result = 3,
     .module = UINT32_MAX},
    {.name = "fsync",
     .effect = FF_EFFECT_SYNC_FILE,
     .node = NODE_DATA,
     .begin = 3,
     .end = 4,
     .module = UINT32_MAX},
    {.name = "rename",
     .effect = FF_EFFECT_RENAME,
     .node = NODE_DATA,
     .parent = FF_ROOT_NODE,
     .filename = BYTES("data.new"),
     .node2 = NODE_OLD,
     .parent2 = FF_ROOT_NODE,
     .filename2 = BYTES("data"),
     .begin = 5,
     .end = 5,
     .module = UINT32_MAX},
    {.name = "write",
     .effect = FF_EFFECT_OUTPUT,
     .data = BYTES("committed\n"),
     .begin = 6,
     .end = 7,
     .result = 10,
     .module = UINT32_MAX},
    {.name = "close", .begin = 8, .end = 8, .module = UINT32_MAX},
};

static const struct ff_snapshot_node snapshot_nodes[] = {{.mode = S_IFDIR | 0755},
                                                         {.mode = S_IFREG | 0644}};
static const struct ff_snapshot_name snapshot_names[] = {{FF_ROOT_NODE, NODE_OLD, BYTES("data")}};
static const struct ff_module modules[] = {{"/usr/bin/demo", BYTES("\x01\xfe")}};

static const struct ff_trace trace = {
    .root = "/tmp/scratch/dir",
    .nodes = snapshot_nodes,
    .node_count = COUNT(snapshot_nodes),
    .names = snapshot_names,
    .name_count = COUNT(snapshot_names),
    .calls = calls,
    .call_count = COUNT(calls),
    .modules = modules,
    .module_count = COUNT(modules),
    .digest = 0x0123456789abcdef,
};

static struct cm_operation operations[] = {
    {0, 1, UINT32_MAX, "create", "data.new", 0, 0},
    {1, 2, 3, "allocate", "data.new", 0, 3},
    {1, 2, 3, "grow", "data.new", 3, 0},
    {3, 4, UINT32_MAX, "rename", "data", 0, 0},
};

static uint32_t boundary_calls[] = {0, 0, 1, 2, 3, 4, 5};
static struct cm_label old_label[] = {{"old", 2}};
static struct cm_label both_labels[] = {{"new", 1}, {"old", 3}};

#define CLEAN_CELL                                                                                 \
    {                                                                                              \
        old_label, COUNT(old_label), 0                                                             \
    }
#define BOTH_CELL                                                                                  \
    {                                                                                              \
        both_labels, COUNT(both_labels), 0                                                         \
    }
#define BAD_CELL                                                                                   \
    {                                                                                              \
        both_labels, COUNT(both_labels), 2                                                         \
    }

static struct cm_cell clean_cells[] = {CLEAN_CELL, CLEAN_CELL, CLEAN_CELL, CLEAN_CELL,
                                       BOTH_CELL,  BOTH_CELL,  BOTH_CELL};
static struct cm_cell bad_cells[] = {CLEAN_CELL, CLEAN_CELL, CLEAN_CELL, CLEAN_CELL,
                                     BOTH_CELL,  BAD_CELL,   BAD_CELL};

static uint32_t lost[] = {3};
static uint32_t kept[] = {0};
static struct cm_violation violations[] = {
    {.id = "posix.01234567.3",
     .reason = "the acknowledged version is lost",
     .status = CM_VIOLATED,
     .states = 2,
     .first_boundary = 5,
     .last_boundary = 6,
     .lost = lost,
     .lost_count = 1,
     .kept = kept,
     .kept_count = 1},
};

static struct cm_exploration clean = {
    .model = "process-crash",
    .model_digest = 1,
    .unit = 4096,
    .granule = 4096,
    .exhaustive = true,
    .complete = true,
    .legal = "7",
    .covered = "7",
    .distinct = 4,
    .runs = 5,
    .operations = operations,
    .operation_count = COUNT(operations),
    .cells = clean_cells,
    .cell_count = COUNT(clean_cells),
    .boundary_calls = boundary_calls,
    .seconds = 0.25,
};

static struct cm_exploration bad = {
    .model = "posix",
    .model_digest = UINT64_MAX,
    .unit = 4096,
    .granule = 512,
    .exhaustive = true,
    .complete = true,
    .legal = "2213609288845146193920000000000000000",
    .covered = "2213609288845146193920000000000000000",
    .distinct = UINT64_MAX,
    .runs = 9007199254740993,
    .operations = operations,
    .operation_count = COUNT(operations),
    .cells = bad_cells,
    .cell_count = COUNT(bad_cells),
    .boundary_calls = boundary_calls,
    .violations = violations,
    .violation_count = COUNT(violations),
    .seconds = 0.5,
};

static struct cm_exploration *const explorations[] = {&clean, &bad};

static inline struct cm_report report_new(void)
{
    return (struct cm_report){
        .target = "demo",
        .verdict = CM_FAIL,
        .seed = 1,
        .trace = &trace,
        .trace_path = "out/trace.cmt",
        .explorations = explorations,
        .exploration_count = COUNT(explorations),
    };
}

/* ---- Writers, to memory and to files ---- */

static inline int write_text(const struct cm_report *report, FILE *stream)
{
    cm_report_text(report, stream, false);
    return 0;
}

static inline int write_colours(const struct cm_report *report, FILE *stream)
{
    cm_report_text(report, stream, true);
    return 0;
}

typedef int writer(const struct cm_report *report, FILE *stream);

static inline char *written(writer *write_report, const struct cm_report *report)
{
    struct cm_buffer buffer;
    CU_ASSERT_EQUAL(write_report(report, cm_buffer_open(&buffer)), 0);
    return cm_buffer_close(&buffer);
}

static inline bool contains(writer *write_report, const struct cm_report *report,
                            const char *expected)
{
    char *text = written(write_report, report);
    bool found = strstr(text, expected) != NULL;
    if (!found)
        fprintf(stderr, "expected: %s\nwritten:\n%s\n", expected, text);
    free(text);
    return found;
}

static inline bool same_text(char *text, const char *expected)
{
    bool same = strcmp(text, expected) == 0;
    if (!same)
        fprintf(stderr, "expected: %s\nwritten:  %s\n", expected, text);
    free(text);
    return same;
}

static inline void file_write(const char *path, const char *text)
{
    FILE *stream = fopen(path, "w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(stream);
    CU_ASSERT_NOT_EQUAL(fputs(text, stream), EOF);
    CU_ASSERT_EQUAL(fclose(stream), 0);
}

/* Whether report_check.py accepts the two texts. */
static inline bool checker_accepts(const char *json, const char *junit)
{
    char directory[] = "/tmp/test_report.XXXXXX";
    char json_path[64], junit_path[64], command[1024];
    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(directory));
    snprintf(json_path, sizeof(json_path), "%s/report.json", directory);
    snprintf(junit_path, sizeof(junit_path), "%s/junit.xml", directory);
    file_write(json_path, json);
    file_write(junit_path, junit);
    snprintf(command, sizeof(command), "python3 '%s' '%s' '%s' '%s'", REPORT_CHECK, REPORT_SCHEMA,
             json_path, junit_path);
    int status = system(command);
    unlink(json_path);
    unlink(junit_path);
    rmdir(directory);
    CU_ASSERT_TRUE_FATAL(WIFEXITED(status) && WEXITSTATUS(status) <= 1);
    return status == 0;
}

static inline bool report_is_valid(const struct cm_report *report)
{
    char *json = written(cm_report_json, report);
    char *junit = written(cm_report_junit, report);
    bool valid = checker_accepts(json, junit);
    free(junit);
    free(json);
    return valid;
}

#endif
