/*
 * The reports for programs: report.json and junit.xml. The checker of the tests
 * (report_check.py) reads them back.
 */
#include "report_sample.h"

static void reports_are_valid(void)
{
    struct cm_report report = report_new();
    CU_ASSERT_TRUE(report_is_valid(&report));
    report.timing = true;
    report.record_seconds = 0.125;
    report.explore_seconds = 1.5;
    CU_ASSERT_TRUE(report_is_valid(&report));
    CU_ASSERT_TRUE(contains(write_text, &report, "recorded in 0.12 s, explored in 1.50 s\n"));
    report.target = NULL;
    CU_ASSERT_TRUE(report_is_valid(&report));
}

static void reports_without_models_are_valid(void)
{
    struct cm_report report = report_new();
    report.exploration_count = 0;
    report.verdict = CM_PASS;
    CU_ASSERT_TRUE(report_is_valid(&report));
    CU_ASSERT_TRUE(contains(write_text, &report, "\nSummary\n\nVerdict: pass\n"));
}

/* The checker of this test notices what the schema and the run forbid. */
static void the_checker_rejects_what_is_wrong(void)
{
    static const struct {
        const char *old, *new;
    } faults[] = {
        {"\"verdict\":\t\"fail\"", "\"verdict\":\t\"FAIL\""},
        {"\"verdict\":\t\"fail\"", "\"verdict\":\t\"pass\""},
        {"\"target\":", "\"unknown\":\t1, \"target\":"},
        {"\"index\":\t3", "\"index\":\t2"},
        {"\"lost\":\t[3]", "\"lost\":\t[4]"},
        {"\"legal\":\t\"7\"", "\"legal\":\t7"},
        {"\"violations\":\t2", "\"violations\":\t0"},
    };
    struct cm_report report = report_new();
    char *json = written(cm_report_json, &report);
    char *junit = written(cm_report_junit, &report);
    for (size_t i = 0; i < COUNT(faults); i++) {
        char *at = strstr(json, faults[i].old);
        CU_ASSERT_PTR_NOT_NULL_FATAL(at);
        struct cm_buffer buffer;
        fprintf(cm_buffer_open(&buffer), "%.*s%s%s", (int)(at - json), json, faults[i].new,
                at + strlen(faults[i].old));
        char *wrong = cm_buffer_close(&buffer);
        CU_ASSERT_FALSE(checker_accepts(wrong, junit));
        free(wrong);
    }
    CU_ASSERT_FALSE(checker_accepts(json, "<testsuites/>"));
    CU_ASSERT_TRUE(checker_accepts(json, junit));
    free(junit);
    free(json);
}

static void json_keeps_all_bits(void)
{
    struct cm_report report = report_new();
    CU_ASSERT_TRUE(contains(cm_report_json, &report, "\"distinct\":\t18446744073709551615"));
    CU_ASSERT_TRUE(contains(cm_report_json, &report, "\"runs\":\t9007199254740993"));
    CU_ASSERT_TRUE(
        contains(cm_report_json, &report, "\"legal\":\t\"2213609288845146193920000000000000000\""));
    CU_ASSERT_TRUE(contains(cm_report_json, &report, "\"digest\":\t\"ffffffffffffffff\""));
    CU_ASSERT_TRUE(contains(cm_report_json, &report, "\"build_id\":\t\"01fe\""));
    CU_ASSERT_TRUE(contains(cm_report_json, &report, "\"offset\":\t4660"));
}

/* Without timings, the same run gives the same bytes. */
static void reports_differ_only_in_timing(void)
{
    static writer *const writers[] = {write_text, cm_report_json, cm_report_junit};
    for (size_t i = 0; i < COUNT(writers); i++) {
        struct cm_report report = report_new();
        char *first = written(writers[i], &report);
        report.record_seconds = 3;
        report.explore_seconds = 4;
        CU_ASSERT_TRUE(same_text(written(writers[i], &report), first));
        report.timing = true;
        char *timed = written(writers[i], &report);
        CU_ASSERT_STRING_NOT_EQUAL(timed, first);
        free(timed);
        free(first);
    }
}

static void junit_fails_where_a_state_is_rejected(void)
{
    struct cm_report report = report_new();
    CU_ASSERT_TRUE(contains(
        cm_report_junit, &report,
        "    <testcase classname=\"posix\" name=\"5: write stdout &quot;committed&quot;\">\n"
        "      <failure type=\"rejected\" message=\"the acknowledged version is lost\">"
        "2 rejected states\n"
        "\n"
        "the acknowledged version is lost\n"
        "status: rejected\n"
        "legal: boundaries 5 to 6\n"
        "lost: rename of data.new -&gt; data (rename, call 4)\n"
        "kept: create of data.new (openat, call 1)\n"
        "replay: crashmatrix replay posix.01234567.3 --trace out/trace.cmt --target demo\n"
        "</failure>\n"
        "    </testcase>\n"));
    CU_ASSERT_TRUE(contains(cm_report_junit, &report,
                            "<testsuite name=\"posix\" tests=\"7\" failures=\"2\" errors=\"0\" "
                            "skipped=\"0\">"));
}

/* States with one reason are legal at more boundaries than their example. */
static void junit_fails_beyond_the_example(void)
{
    struct cm_violation early = violations[0];
    struct cm_exploration exploration = bad;
    struct cm_exploration *const list[] = {&exploration};
    struct cm_report report = report_new();
    early.first_boundary = 6;
    early.status = CM_TIMEOUT;
    exploration.violations = &early;
    report.explorations = list;
    report.exploration_count = 1;
    CU_ASSERT_TRUE(contains(cm_report_junit, &report,
                            "      <failure type=\"timeout\" message=\"rejected states; one for "
                            "each reason is shown where it is legal\">2 rejected states\n"
                            "</failure>\n"));
    CU_ASSERT_TRUE(report_is_valid(&report));
}

/* Every text that a program under test chooses, at its worst. */
static void hostile_text_stays_text(void)
{
    static const char hostile[] = "]]>&amp;<a b=\"c'\">\x01\x1b\n\xff\xc3\xa4\\";
    struct ff_call wild_calls[COUNT(calls)];
    struct cm_operation wild_operations[COUNT(operations)];
    struct cm_label label = {.states = 1};
    struct cm_cell cells[COUNT(bad_cells)];
    struct cm_violation violation = violations[0];
    const struct cm_unobserved unobserved = {hostile, hostile, hostile, 1, false};
    const struct ff_module module = {hostile, BYTES("")};
    struct cm_exploration exploration = bad;
    struct cm_exploration *const list[] = {&exploration};
    struct ff_trace wild = trace;
    struct cm_report report = report_new();

    memcpy(wild_calls, calls, sizeof(wild_calls));
    wild_calls[0].filename = wild_calls[3].filename = (struct ff_bytes)BYTES(hostile);
    wild_calls[4].data = (struct ff_bytes)BYTES(hostile);
    memcpy(wild_operations, operations, sizeof(wild_operations));
    wild_operations[0].path = hostile;
    strcpy(label.name, hostile);
    for (size_t b = 0; b < COUNT(cells); b++)
        cells[b] = (struct cm_cell){&label, 1, b == 6};
    violation.reason = violation.id = (char *)(uintptr_t)hostile;
    exploration.model = hostile;
    exploration.operations = wild_operations;
    exploration.cells = cells;
    exploration.violations = &violation;
    wild.calls = wild_calls;
    wild.modules = &module;
    report.target = hostile;
    report.trace = &wild;
    report.explorations = list;
    report.exploration_count = 1;
    report.unobserved = &unobserved;
    report.unobserved_count = 1;

    char *text = written(write_text, &report);
    for (const char *c = text; *c != '\0'; c++)
        CU_ASSERT_TRUE_FATAL(*c == '\n' || (unsigned char)*c >= ' ');
    free(text);
    char *json = written(cm_report_json, &report);
    char *junit = written(cm_report_junit, &report);
    /* The id needs quotes in a command, so only its escaped form is in there. */
    CU_ASSERT_PTR_NOT_NULL(strstr(json, "\\\\x01\\\\x1b\\\\x0a\\\\xff\xc3\xa4\\\\\\\\\""));
    CU_ASSERT_PTR_NOT_NULL(strstr(junit, "crashmatrix replay $'"));
    violation.id = violations[0].id;
    CU_ASSERT_TRUE(report_is_valid(&report));
    free(junit);
    free(json);
}

static void a_full_disk_is_an_error(void)
{
    static writer *const writers[] = {cm_report_json, cm_report_junit};
    struct cm_report report = report_new();
    for (size_t i = 0; i < COUNT(writers); i++) {
        FILE *full = fopen("/dev/full", "w");
        CU_ASSERT_PTR_NOT_NULL_FATAL(full);
        CU_ASSERT_EQUAL(writers[i](&report, full), -1);
        fclose(full);
    }
}

static const struct unit_test tests[] = {
    {"reports are valid", reports_are_valid},
    {"reports without models are valid", reports_without_models_are_valid},
    {"the checker rejects what is wrong", the_checker_rejects_what_is_wrong},
    {"json keeps all bits", json_keeps_all_bits},
    {"reports differ only in timing", reports_differ_only_in_timing},
    {"junit fails where a state is rejected", junit_fails_where_a_state_is_rejected},
    {"junit fails beyond the example", junit_fails_beyond_the_example},
    {"a full disk is an error", a_full_disk_is_an_error},
    {"hostile text stays text", hostile_text_stays_text},
};

UNIT_MAIN("report data", tests)
