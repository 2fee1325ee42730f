/*
 * The report for people, and the words that all reports use.
 */
#include "report_sample.h"

/* ---- Safe text ---- */

static void safe_text_escapes_what_no_reader_takes(void)
{
    static const struct {
        const char *text, *safe;
    } rows[] = {
        {"plain", "plain"},
        {"a\nb\x1b[31m\x7f", "a\\x0ab\\x1b[31m\\x7f"},
        {"back\\slash", "back\\\\slash"},
        {"gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80", /* 2, 3 and 4 bytes */
         "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80"},
        {"\xff\xfe", "\\xff\\xfe"},
        {"cut \xe2\x82", "cut \\xe2\\x82"},
        {"\xc0\xaf", "\\xc0\\xaf"},                   /* '/' in two bytes */
        {"\xed\xa0\x80", "\\xed\\xa0\\x80"},          /* a surrogate */
        {"\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"}, /* beyond U+10FFFF */
        {"\xc2\x9b", "\\xc2\\x9b"},                   /* a C1 control */
        {"\xef\xbf\xbf", "\\xef\\xbf\\xbf"},          /* U+FFFF */
        {"\xef\xbf\xbd", "\xef\xbf\xbd"},             /* U+FFFD */
        {"", ""},
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        CU_ASSERT_TRUE(same_text(cm_safe_text(rows[i].text), rows[i].safe));
}

static void descriptions_are_cut_between_characters(void)
{
    static const struct ff_call call[] = {{.name = "unlink",
                                           .effect = FF_EFFECT_UNLINK,
                                           .node = 2,
                                           .parent = FF_ROOT_NODE,
                                           .filename = BYTES("\xe2\x82\xac\xe2\x82\xac")}};
    struct ff_trace one = trace;
    char text[64];
    one.calls = call;
    one.call_count = 1;
    cm_describe_call(&one, 0, text, sizeof(text));
    CU_ASSERT_STRING_EQUAL(text, "unlink \xe2\x82\xac\xe2\x82\xac");
    cm_describe_call(&one, 0, text, 13);
    CU_ASSERT_STRING_EQUAL(text, "unlink ...");
    cm_describe_call(&one, 0, text, 14);
    CU_ASSERT_STRING_EQUAL(text, "unlink \xe2\x82\xac\xe2\x82\xac");
    cm_describe_call(&one, 0, text, 2);
    CU_ASSERT_STRING_EQUAL(text, ".");
}

/* ---- Calls and operations ---- */

static void calls_are_described(void)
{
    static const char *const expected[] = {
        "openat data.new (new)",   "write data.new 0+3",         "fsync data.new",
        "rename data.new -> data", "write stdout \"committed\"", "close",
    };
    for (uint32_t i = 0; i < COUNT(expected); i++)
        CU_ASSERT_TRUE(same_text(cm_call_text(&trace, i), expected[i]));
}

/* Directory a (2) holds f (3); b is created beside it. */
static void paths_are_those_of_the_time(void)
{
    static const struct ff_snapshot_node nodes[] = {
        {.mode = S_IFDIR}, {.mode = S_IFDIR}, {.mode = S_IFREG}};
    static const struct ff_snapshot_name names[] = {{1, 2, BYTES("a")}, {2, 3, BYTES("f")}};
    static const struct ff_call moves[] = {
        {.name = "ftruncate", .effect = FF_EFFECT_RESIZE, .node = 3, .offset = 7},
        {.name = "rename",
         .effect = FF_EFFECT_RENAME,
         .node = 2,
         .parent = 1,
         .filename = BYTES("a"),
         .parent2 = 1,
         .filename2 = BYTES("b")},
        {.name = "fchmod", .effect = FF_EFFECT_ATTRIBUTES, .node = 3, .mode = S_IFREG | 0600},
        {.name = "link", .effect = FF_EFFECT_LINK, .node = 3, .parent = 1, .filename = BYTES("g")},
        {.name = "unlink",
         .effect = FF_EFFECT_UNLINK,
         .node = 3,
         .parent = 1,
         .filename = BYTES("g")},
        {.name = "fdatasync", .effect = FF_EFFECT_SYNC_DATA, .node = 3},
        {.name = "unlink",
         .effect = FF_EFFECT_UNLINK,
         .node = 3,
         .parent = 2,
         .filename = BYTES("f")},
        {.name = "pwrite64",
         .effect = FF_EFFECT_WRITE,
         .node = 3,
         .offset = UINT64_MAX,
         .data = BYTES("x")},
        {.name = "symlinkat",
         .effect = FF_EFFECT_CREATE,
         .node = 4,
         .parent = 2,
         .filename = BYTES("s"),
         .mode = S_IFLNK | 0777,
         .data = BYTES("../f")},
        {.name = "renameat2",
         .effect = FF_EFFECT_EXCHANGE,
         .node = 4,
         .parent = 2,
         .filename = BYTES("s"),
         .node2 = 2,
         .parent2 = 1,
         .filename2 = BYTES("b")},
        {.name = "fsync", .effect = FF_EFFECT_SYNC_FILE, .node = 1},
        {.name = "syncfs", .effect = FF_EFFECT_SYNC_ALL},
        {.name = "unlinkat", .parent = 1, .filename = BYTES("none"), .result = -2},
        {.name = "fsync", .effect = FF_EFFECT_SYNC_FILE, .node = 9},
    };
    static const char *const expected[] = {
        "ftruncate a/f to 7 bytes",
        "rename a -> b",
        "fchmod b/f mode 0600 owner 0:0",
        "link b/f -> g",
        "unlink g",
        "fdatasync b/f",
        "unlink b/f",
        "pwrite64 g 18446744073709551615+1", /* nameless: the last name it got */
        "symlinkat b/s -> ../f",
        "renameat2 b/s <-> b",
        "fsync .",
        "syncfs",
        "unlinkat none: No such file or directory",
        "fsync (node 9 without a name)",
    };
    struct ff_trace moving = trace;
    moving.nodes = nodes;
    moving.node_count = COUNT(nodes);
    moving.names = names;
    moving.name_count = COUNT(names);
    moving.calls = moves;
    moving.call_count = COUNT(moves);
    CU_ASSERT_EQUAL(COUNT(moves), COUNT(expected));
    for (uint32_t i = 0; i < COUNT(expected); i++)
        CU_ASSERT_TRUE(same_text(cm_call_text(&moving, i), expected[i]));
}

static void operations_are_described(void)
{
    static const char *const expected[] = {
        "create of data.new (openat, call 1)",
        "data of data.new 0+3 (write, call 2)",
        "grow of data.new to 3 (write, call 2)",
        "rename of data.new -> data (rename, call 4)",
    };
    char text[128];
    for (uint32_t i = 0; i < COUNT(expected); i++) {
        cm_describe_operation(&trace, &bad.operations[i], text, sizeof(text));
        CU_ASSERT_STRING_EQUAL(text, expected[i]);
    }
}

static void replay_commands_are_quoted(void)
{
    static const struct {
        const char *path, *command;
    } rows[] = {
        {NULL, "crashmatrix replay posix.01234567.3 --trace TRACE --into state"},
        {"out/trace.cmt", "crashmatrix replay posix.01234567.3 --trace out/trace.cmt --into state"},
        {"my out/t$x", "crashmatrix replay posix.01234567.3 --trace 'my out/t$x' --into state"},
        {"it's", "crashmatrix replay posix.01234567.3 --trace $'it\\'s' --into state"},
        {"a\nb", "crashmatrix replay posix.01234567.3 --trace $'a\\x0ab' --into state"},
        {"", "crashmatrix replay posix.01234567.3 --trace '' --into state"},
    };
    struct cm_report report = report_new();
    report.target = NULL;
    for (size_t i = 0; i < COUNT(rows); i++) {
        report.trace_path = rows[i].path;
        CU_ASSERT_TRUE(same_text(cm_replay_command(&report, violations), rows[i].command));
    }
}

/* ---- Text ---- */

static void text_shows_the_whole_run(void)
{
    struct cm_report report = report_new();
    CU_ASSERT_TRUE(same_text(
        written(write_text, &report),
        "Crash matrix of demo: 6 calls, trace 0123456789abcdef\n"
        "\n"
        "  #  power cut after           process-crash  posix\n"
        "  0  before the first call     2 old          2 old\n"
        "  1  openat data.new (new)     2 old          2 old\n"
        "  2  write data.new 0+3        2 old          2 old\n"
        "  3  fsync data.new            2 old          2 old\n"
        "  4  rename data.new -> data   1 new, 3 old   1 new, 3 old\n"
        "  5  write stdout \"committed\"  1 new, 3 old   1 new, 3 old, 2 FAIL\n"
        "\n"
        "A cell counts the distinct states that a power cut after that call can leave, by\n"
        "label, and those that the check rejects (FAIL). One state may be in many rows.\n"
        "1 call that changed nothing (close, failed calls, ...) left out.\n"
        "\n"
        "Violations under posix\n"
        "  the acknowledged version is lost  (2 states)\n"
        "    power cut: after call 5 to call 6 (write stdout \"committed\")\n"
        "    lost: rename of data.new -> data (rename, call 4)\n"
        "    kept: create of data.new (openat, call 1)\n"
        "    replay: crashmatrix replay posix.01234567.3 --trace out/trace.cmt --target demo\n"
        "\n"
        "Summary\n"
        "  process-crash  covered 7 of 7 legal states, 4 distinct, 5 runs: pass, exhaustive\n"
        "  posix          covered ~2.21e36 of ~2.21e36 legal states, 18446744073709551615 "
        "distinct, 9007199254740993 runs: fail, 2 rejected, exhaustive\n"
        "\n"
        "At a glance\n"
        "  passes under  process-crash\n"
        "  fails under  posix\n"
        "      the acknowledged version is lost\n"
        "      power cut after call 5 (write stdout \"committed\")\n"
        "\n"
        "Verdict: fail\n"));
}

static void text_has_colours_only_when_asked(void)
{
    struct cm_report report = report_new();
    char *text = written(write_text, &report);
    CU_ASSERT_PTR_NULL(strchr(text, '\033'));
    free(text);
    CU_ASSERT_TRUE(contains(write_colours, &report, "\033[31m1 new, 3 old, 2 FAIL\033[0m"));
    CU_ASSERT_TRUE(contains(write_colours, &report, "Verdict: \033[31mfail\033[0m\n"));
}

static void text_of_an_interrupted_run_claims_nothing(void)
{
    static const struct cm_unobserved unobserved[] = {
        {"interrupted", "exploration was stopped", "posix", 1, false},
        {"odd\n", "no place", "", 1, false},
        {"io-uring", "refused", "program", 3, true}};
    struct cm_exploration part = clean;
    struct cm_exploration *const list[] = {&part};
    struct cm_report report = report_new();
    part.exhaustive = part.complete = false;
    part.stopped = true;
    part.legal = NULL;
    part.covered = NULL;
    report.explorations = list;
    report.exploration_count = 1;
    report.verdict = CM_INCOMPLETE;
    report.unobserved = unobserved;
    report.unobserved_count = COUNT(unobserved);
    CU_ASSERT_EQUAL(cm_exploration_verdict(&part), CM_INCOMPLETE);
    CU_ASSERT_TRUE(contains(write_text, &report, "incomplete >= 2\n"));
    CU_ASSERT_TRUE(contains(write_text, &report,
                            "covered ? of ? legal states, 4 distinct, 5 runs: incomplete, "
                            "interrupted, not exhaustive\n"));
    CU_ASSERT_TRUE(contains(write_text, &report,
                            "\nNot covered or not seen\n"
                            "  interrupted: exploration was stopped (posix)\n"
                            "  odd\\x0a: no place\n"
                            "  io-uring: refused (program, 3 times), accepted\n"
                            "\nVerdict: incomplete\n"));
    char *text = written(write_text, &report);
    CU_ASSERT_PTR_NULL(strstr(text, "pass"));
    free(text);
    CU_ASSERT_TRUE(contains(cm_report_json, &report, "\"exact\":\tfalse"));
    CU_ASSERT_TRUE(contains(cm_report_json, &report, "\"legal\":\tnull"));
    CU_ASSERT_TRUE(contains(cm_report_junit, &report, "failures=\"0\" errors=\"0\" skipped=\"7\""));
    CU_ASSERT_TRUE(report_is_valid(&report));
}

/* A long run whose cells change once. */
/* What a part of an exploration says must not look like a word on all of it. */
static void text_of_a_shard_speaks_of_the_shard(void)
{
    struct cm_exploration part = clean;
    struct cm_exploration *const list[] = {&part};
    struct cm_report report = report_new();
    part.exhaustive = false;
    part.shard = report.shard = (struct cm_shard){1, 7};
    report.explorations = list;
    report.exploration_count = 1;
    report.verdict = cm_exploration_verdict(&part);
    CU_ASSERT_EQUAL(report.verdict, CM_SHARD_PASS);
    CU_ASSERT_TRUE(contains(write_text, &report, "shard >= 2\n"));
    CU_ASSERT_TRUE(
        contains(write_text, &report, "5 runs: shard-pass, shard 2 of 7, not exhaustive\n"));
    CU_ASSERT_TRUE(contains(write_text, &report,
                            "\nVerdict: shard-pass (shard 2 of 7 only; crashmatrix merge tells of "
                            "all)\n"));
    char *json = written(cm_report_json, &report);
    CU_ASSERT_PTR_NULL(strstr(json, "\"pass\""));
    free(json);
    CU_ASSERT_TRUE(contains(cm_report_junit, &report, "<testsuite name=\"process-crash (shard 2"));
    CU_ASSERT_TRUE(report_is_valid(&report));
    part.complete = false;
    part.out_of_budget = true;
    CU_ASSERT_EQUAL(cm_exploration_verdict(&part), CM_INCOMPLETE);
}

/* Bounded is bounded, also when that was accepted. */
static void text_of_a_bounded_run_says_so(void)
{
    static const struct cm_unobserved accepted = {"budget", "used up", "process-crash", 1, true};
    struct cm_exploration part = clean;
    struct cm_exploration *const list[] = {&part};
    struct cm_report report = report_new();
    part.exhaustive = part.complete = false;
    part.out_of_budget = true;
    part.covered = (char *)(uintptr_t) "5";
    report.explorations = list;
    report.exploration_count = 1;
    report.unobserved = &accepted;
    report.unobserved_count = 1;
    report.verdict = CM_BOUNDED;
    CU_ASSERT_TRUE(contains(write_text, &report,
                            "covered 5 of 7 legal states, 4 distinct, 5 runs: incomplete, bounded "
                            "by the budget, not exhaustive\n"));
    CU_ASSERT_TRUE(contains(write_text, &report, "\nVerdict: bounded (not every state was"));
    CU_ASSERT_TRUE(contains(cm_report_json, &report, "\"bounded\":\ttrue"));
    CU_ASSERT_TRUE(contains(cm_report_junit, &report, "covered: bounded by the budget"));
    CU_ASSERT_TRUE(report_is_valid(&report));
    report.verdict = CM_PASS;
    CU_ASSERT_FALSE(report_is_valid(&report));
}

static void text_folds_equal_rows_of_a_long_matrix(void)
{
    enum { LENGTH = 200, CHANGE = 10 };
    struct ff_call many[LENGTH];
    struct cm_cell cells[LENGTH + 1];
    uint32_t numbers[LENGTH + 1] = {0};
    for (uint32_t b = 0; b <= LENGTH; b++) {
        cells[b] = b < CHANGE ? clean_cells[0] : bad_cells[6];
        if (b == 0)
            continue;
        numbers[b] = b - 1;
        many[b - 1] = calls[b == 1 ? 0 : 1];
        many[b - 1].offset = b;
    }
    struct ff_trace longer = trace;
    longer.calls = many;
    longer.call_count = LENGTH;
    struct cm_exploration exploration = clean;
    struct cm_exploration *const list[] = {&exploration};
    exploration.cells = cells;
    exploration.cell_count = LENGTH + 1;
    exploration.boundary_calls = numbers;
    exploration.operation_count = 0;
    struct cm_report report = report_new();
    report.trace = &longer;
    report.explorations = list;
    report.exploration_count = 1;
    CU_ASSERT_TRUE(
        contains(write_text, &report,
                 "       #  power cut after                            process-crash\n"
                 "       0  before the first call                      2 old\n"
                 "     1-9  9 calls, the last: write data.new 9+3      2 old\n"
                 "  10-200  191 calls, the last: write data.new 200+3  1 new, 3 old, 2 FAIL\n"
                 "\n"));
}

/* Models under which as many states are left before the first call as their number says,
 * 0 for the first of them. */
enum { MANY_MODELS = 9 };
static struct {
    char name[32];
    struct cm_label label;
    struct cm_cell cells[COUNT(clean_cells)];
    struct cm_exploration exploration;
} many_models[MANY_MODELS];
static struct cm_exploration *many_list[MANY_MODELS];

static void invent_models(struct cm_report *report, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        snprintf(many_models[i].name, sizeof(many_models[i].name), "file-system-%zu", i);
        many_models[i].label = (struct cm_label){"old", i};
        memcpy(many_models[i].cells, clean_cells, sizeof(clean_cells));
        many_models[i].cells[0].labels = &many_models[i].label;
        many_models[i].exploration = clean;
        many_models[i].exploration.model = many_models[i].name;
        many_models[i].exploration.cells = many_models[i].cells;
        many_list[i] = &many_models[i].exploration;
    }
    report->explorations = many_list;
    report->exploration_count = count;
}

/* Five models leave little of a page of 100 columns to the calls. */
static void text_shortens_calls_in_the_middle(void)
{
    struct ff_call long_calls[COUNT(calls)];
    struct ff_trace longer = trace;
    struct cm_report report = report_new();
    memcpy(long_calls, calls, sizeof(long_calls));
    long_calls[4].data = (struct ff_bytes)BYTES("version 00000017 is committed");
    longer.calls = long_calls;
    report.trace = &longer;
    invent_models(&report, 5);
    CU_ASSERT_TRUE(contains(write_text, &report, "\n  5  write s... is committed\"  1 new, 3 old"));
}

static void text_of_many_models_joins_equal_columns(void)
{
    struct cm_report report = report_new();
    invent_models(&report, MANY_MODELS);
    for (size_t i = 2; i < MANY_MODELS; i++)
        many_models[i].label.states = i % 2;
    CU_ASSERT_TRUE(contains(write_text, &report,
                            "  #  power cut after           file-system-0 +4  file-system-1 +3\n"
                            "  0  before the first call     0 old             1 old\n"));
    CU_ASSERT_TRUE(contains(write_text, &report,
                            "\n  file-system-1 +3: file-system-1, file-system-3, file-system-5, "
                            "file-system-7\n"));
    /* Not when one of them is known in part only. */
    many_models[3].exploration.exhaustive = false;
    CU_ASSERT_TRUE(contains(write_text, &report,
                            "file-system-0 +4  file-system-1 +2  "
                            "file-system-3\n"));
}

static void text_of_many_columns_has_parts(void)
{
    struct cm_report report = report_new();
    invent_models(&report, MANY_MODELS);
    CU_ASSERT_TRUE(contains(write_text, &report,
                            "  #  power cut after           file-system-0  file-system-1  "
                            "file-system-2  file-system-3\n"));
    CU_ASSERT_TRUE(contains(write_text, &report,
                            "\n\n  #  power cut after           file-system-8\n"
                            "  0  before the first call     8 old\n"));
}

static void text_tells_at_a_glance_where_it_is_safe(void)
{
    static const struct cm_unobserved unseen = {"io-uring", "refused", "program", 1, false};
    struct cm_violation two[] = {violations[0], violations[0]};
    struct cm_report report = report_new();
    invent_models(&report, 7);
    for (size_t i = 2; i < 5; i++) {
        many_models[i].exploration.violations = violations;
        many_models[i].exploration.violation_count = 1;
    }
    two[1].first_boundary = 0;
    two[1].reason = "the version is damaged";
    many_models[4].exploration.violations = two;
    many_models[4].exploration.violation_count = 2;
    many_models[5].exploration.exhaustive = many_models[5].exploration.complete = false;
    CU_ASSERT_TRUE(contains(write_text, &report,
                            "\nAt a glance\n"
                            "  passes under  file-system-0, file-system-1, file-system-6\n"
                            "  not decided under  file-system-5\n"
                            "  fails under  file-system-2, file-system-3\n"
                            "      the acknowledged version is lost\n"
                            "      power cut after call 5 (write stdout \"committed\")\n"
                            "  fails under  file-system-4\n"
                            "      the version is damaged\n"
                            "      power cut before the first call; 1 more reason\n"));
    CU_ASSERT_TRUE(contains(write_text, &report,
                            "\nViolations under file-system-2, file-system-3\n"
                            "  (replay ids of the first model; report.json has all)\n"));
    CU_ASSERT_TRUE(contains(write_text, &report, "\nViolations under file-system-4\n"));
    for (size_t i = 2; i < 7; i++)
        many_models[i].exploration = many_models[0].exploration;
    CU_ASSERT_TRUE(contains(write_text, &report,
                            "  passes under  file-system-0, file-system-1, file-system-0, "
                            "file-system-0, file-system-0,\n"
                            "                file-system-0, file-system-0\n"));
    report.unobserved = &unseen;
    report.unobserved_count = 1;
    CU_ASSERT_TRUE(contains(write_text, &report,
                            "  nothing rejected, but not all was seen, under  file-system-0,"));
}

static void text_names_few_labels_of_many(void)
{
    struct cm_label labels[300];
    for (size_t i = 0; i < COUNT(labels); i++) {
        snprintf(labels[i].name, sizeof(labels[i].name), "label-%03zu", i);
        labels[i].states = i;
    }
    memset(labels[0].name, 'x', sizeof(labels[0].name) - 1);
    labels[0].name[sizeof(labels[0].name) - 1] = '\0';
    struct cm_cell cells[COUNT(bad_cells)];
    memcpy(cells, bad_cells, sizeof(cells));
    cells[6].labels = labels;
    cells[6].label_count = COUNT(labels);
    cells[5].labels = labels;
    cells[5].label_count = 4;
    cells[4].label_count = 0;
    struct cm_exploration exploration = bad;
    struct cm_exploration *const list[] = {&exploration};
    exploration.cells = cells;
    struct cm_report report = report_new();
    report.explorations = list;
    report.exploration_count = 1;
    report.verdict = CM_FAIL;
    CU_ASSERT_TRUE(contains(write_text, &report,
                            "  0 xxxxx...xxxxxxxxxxxx, 1 label-001, 2 label-002, 3 label-003, "
                            "2 FAIL\n"));
    CU_ASSERT_TRUE(contains(write_text, &report, "  -\n"));
    struct ff_call all[COUNT(calls)];
    memcpy(all, calls, sizeof(all));
    all[5].effect = FF_EFFECT_SYNC_ALL;
    struct ff_trace syncing = trace;
    syncing.calls = all;
    report.trace = &syncing;
    CU_ASSERT_TRUE(contains(write_text, &report,
                            "  0 xxxxx...xxxxxxxxxxxx, 1 label-001, 2 label-002, 44847 of 297 "
                            "other labels, 2 FAIL\n"));
    CU_ASSERT_TRUE(report_is_valid(&report));
}

static void text_lists_the_first_of_many_lost_operations(void)
{
    uint32_t many[40];
    struct cm_violation violation = violations[0];
    struct cm_exploration exploration = bad;
    struct cm_exploration *const list[] = {&exploration};
    struct cm_report report = report_new();
    for (uint32_t i = 0; i < COUNT(many); i++)
        many[i] = i % (uint32_t)COUNT(operations);
    violation.lost = many;
    violation.lost_count = COUNT(many);
    exploration.violations = &violation;
    report.explorations = list;
    report.exploration_count = 1;
    CU_ASSERT_TRUE(contains(write_text, &report, "    lost: 28 more, see report.json\n"));
    report.trace_path = NULL;
    CU_ASSERT_TRUE(contains(write_text, &report,
                            "    replay: posix.01234567.3 (after a run with --report DIR)\n"));
}

static const struct unit_test tests[] = {
    {"safe text escapes what no reader takes", safe_text_escapes_what_no_reader_takes},
    {"descriptions are cut between characters", descriptions_are_cut_between_characters},
    {"calls are described", calls_are_described},
    {"paths are those of the time", paths_are_those_of_the_time},
    {"operations are described", operations_are_described},
    {"replay commands are quoted", replay_commands_are_quoted},
    {"text shows the whole run", text_shows_the_whole_run},
    {"text has colours only when asked", text_has_colours_only_when_asked},
    {"text of an interrupted run claims nothing", text_of_an_interrupted_run_claims_nothing},
    {"text of a shard speaks of the shard", text_of_a_shard_speaks_of_the_shard},
    {"text of a bounded run says so", text_of_a_bounded_run_says_so},
    {"text folds equal rows of a long matrix", text_folds_equal_rows_of_a_long_matrix},
    {"text shortens calls in the middle", text_shortens_calls_in_the_middle},
    {"text of many models joins equal columns", text_of_many_models_joins_equal_columns},
    {"text of many columns has parts", text_of_many_columns_has_parts},
    {"text tells at a glance where it is safe", text_tells_at_a_glance_where_it_is_safe},
    {"text names few labels of many", text_names_few_labels_of_many},
    {"text lists the first of many lost operations", text_lists_the_first_of_many_lost_operations},
};

UNIT_MAIN("report text", tests)
