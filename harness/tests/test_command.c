/*
 * Tests of running commands, and of the check that runs a command on each state:
 * above all that no command, however hostile, changes the verdict on another
 * state or leaves anything behind.
 */
#include "command.h"

#include <errno.h>
#include <signal.h>

#include "process.h"
#include "surroundings.h"
#include "text.h"
#include "watch.h"

/* ---- Parsing ---- */

static void parse_check(const char *text, const char *const *expected, bool shell)
{
    struct ff_error error = {""};
    struct cm_command command;
    size_t count = 0;
    CU_ASSERT_EQUAL_FATAL(cm_command_parse(text, &command, &error), 0);
    CU_ASSERT_EQUAL(command.shell, shell);
    while (expected[count] != NULL)
        count++;
    CU_ASSERT_EQUAL_FATAL(command.argc, count);
    for (size_t i = 0; i < count; i++)
        CU_ASSERT_STRING_EQUAL(command.argv[i], expected[i]);
    CU_ASSERT_PTR_NULL(command.argv[count]);
    cm_command_free(&command);
}

static void words_are_split(void)
{
    parse_check("true", (const char *[]){"true", NULL}, false);
    parse_check(" \tls  -l\t/tmp ", (const char *[]){"ls", "-l", "/tmp", NULL}, false);
    parse_check("dd if=/dev/zero of=x%y,z@1",
                (const char *[]){"dd", "if=/dev/zero", "of=x%y,z@1", NULL}, false);
    parse_check("cdrom", (const char *[]){"cdrom", NULL}, false);
}

static void shell_syntax_goes_to_the_shell(void)
{
    static const char *const texts[] = {
        "a | b",    "a && b", "a; b",   "a > b",     "a < b", "(a)",   "echo $HOME",
        "echo `a`", "a\\ b",  "a 'b'",  "a \"b\"",   "ls *",  "ls ?",  "ls [a]",
        "a # b",    "cd ~",   "{ a; }", "! a",       "a\nb",  "A=b c", " A=b c",
        "cd /tmp",  "exit 3", ". ./x",  ": nothing",
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        parse_check(texts[i], (const char *[]){"/bin/sh", "-c", texts[i], NULL}, true);
}

static void empty_command_is_refused(void)
{
    static const char *const texts[] = {"", " ", "\t \t", "\n"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct ff_error error = {""};
        struct cm_command command;
        CU_ASSERT_EQUAL(cm_command_parse(texts[i], &command, &error), -1);
        CU_ASSERT_STRING_EQUAL(error.text, "the command is empty");
    }
}

/* ---- Text ---- */

static void printable_check(const char *bytes, size_t size, size_t capacity, const char *expected)
{
    char text[64];
    memset(text, 'x', sizeof(text));
    CU_ASSERT_EQUAL(cm_text_printable(text, capacity, bytes, size), strlen(expected));
    CU_ASSERT_STRING_EQUAL(text, expected);
}

static void text_is_made_printable(void)
{
    printable_check("plain", 5, 64, "plain");
    printable_check("a\0b\x1b[0m\t\x7f", 9, 64, "a?b?[0m??");
    printable_check("\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", 9, 64,
                    "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80");
    printable_check("\xff\xc3x\xe2\x82", 5, 64, "??x??");
    printable_check("\xc0\x80\xed\xa0\x80\xf4\x90\x80\x80", 9, 64, "????");
    printable_check("\xef\xbf\xbf\xc2\x85.", 6, 64, "??.");
    printable_check("cut here", 8, 5, "cut ");
    printable_check("ab\xe2\x82\xac", 5, 5, "ab");
    printable_check("", 0, 1, "");
}

static void first_line_is_found(void)
{
    size_t length = 0;
    const char *text = "\n  \n\t first one \r\nsecond\n";
    const char *line = cm_text_first_line(text, strlen(text), &length);
    CU_ASSERT_PTR_NOT_NULL_FATAL(line);
    CU_ASSERT_EQUAL(length, strlen("first one"));
    CU_ASSERT_EQUAL(memcmp(line, "first one", length), 0);
    CU_ASSERT_PTR_NULL(cm_text_first_line(" \n\n", 3, &length));
    CU_ASSERT_PTR_NULL(cm_text_first_line("", 0, &length));
}

/* ---- Running ---- */

/* Parses, runs, and returns the status; what it printed is in *output. */
static int command_run(struct cm_scratch *scratch, const char *text, unsigned timeout_ms,
                       struct cm_capture *output)
{
    struct ff_error error = {""};
    struct cm_command command;
    struct cm_capture errors;
    int status = -3;
    CHECK(cm_command_parse(text, &command, &error) == 0);
    if (cm_command_capture(&command, scratch, output, &errors, NULL, timeout_ms, &status, &error) !=
        0) {
        printf("%s: %s\n", text, error.text);
        status = -4;
    }
    cm_command_free(&command);
    return status;
}

static bool printed(const struct cm_capture *output, const char *expected)
{
    return output->size == strlen(expected) && memcmp(output->data, expected, output->size) == 0;
}

static void running(void)
{
    char expected[4 * PATH_MAX];
    struct cm_capture output;
    struct cm_scratch *scratch = scratch_entered();

    CHECK(command_run(scratch, "true", 0, &output) == 0);
    CHECK(printed(&output, ""));
    CHECK(command_run(scratch, "exit 7", 0, &output) == 7 << 8);
    CHECK(command_run(scratch, "kill -9 $$", 0, &output) == SIGKILL);
    CHECK(command_run(scratch, "echo out; echo err >&2", 1000000, &output) == 0);
    CHECK(printed(&output, "out\n"));
    /* A session of its own, nothing to read, the directory under test. */
    CHECK(command_run(scratch, "cat", 0, &output) == 0);
    CHECK(command_run(scratch, "test \"$(ps -o sid= -p $$ | tr -d ' ')\" = $$", 0, &output) == 0);
    snprintf(expected, sizeof(expected), "%s/dir %s/dir %s/dir\n", base, base, base);
    CHECK(command_run(scratch, "echo $(pwd -P) $PWD $CRASHMATRIX_DIR", 0, &output) == 0);
    CHECK(printed(&output, expected));
    /* Default dispositions, whatever the caller's are. */
    signal(SIGTERM, SIG_IGN);
    signal(SIGPIPE, SIG_IGN);
    CHECK(command_run(scratch, "kill -TERM $$; kill -PIPE $$", 0, &output) == SIGTERM);
    signal(SIGTERM, SIG_DFL);
    signal(SIGPIPE, SIG_DFL);
    cm_scratch_close(scratch);
}

static void running_test(void)
{
    surroundings_run_all(running);
}

static void to_descriptors(void)
{
    struct ff_error error = {""};
    struct cm_command command;
    char text[16] = "";
    int ends[2];
    int status = -3;
    struct cm_scratch *scratch = scratch_entered();
    CHECK(pipe(ends) == 0);
    CHECK(cm_command_parse("printf a; printf b >&2", &command, &error) == 0);
    CHECK(cm_command_run(&command, scratch, ends[1], ends[1], 0, &status, &error) == 0);
    CHECK(status == 0);
    CHECK(read(ends[0], text, sizeof(text)) == 2 && memcmp(text, "ab", 2) == 0);
    cm_command_free(&command);

    CHECK(cm_command_parse("/nonexistent/program", &command, &error) == 0);
    CHECK(cm_command_run(&command, scratch, ends[1], ends[1], 0, &status, &error) == -1);
    CHECK(status == CM_COMMAND_NO_PROGRAM);
    CHECK(strstr(error.text, "/nonexistent/program") != NULL);
    CHECK(strstr(error.text, "No such file or directory") != NULL);
    cm_command_free(&command);
    cm_scratch_close(scratch);
}

static void to_descriptors_test(void)
{
    surroundings_run(AS_CALLER, to_descriptors);
}

static void time_out(void)
{
    struct cm_capture output;
    struct cm_scratch *scratch = scratch_entered();
    uint64_t start = cm_process_clock();
    CHECK(command_run(scratch, "sleep 1000", 50, &output) == CM_COMMAND_TIMED_OUT);
    CHECK(command_run(scratch, "echo yes; trap '' TERM INT HUP; sleep 1000", 2000, &output) ==
          CM_COMMAND_TIMED_OUT);
    CHECK(printed(&output, "yes\n"));
    CHECK(command_run(scratch, "yes", 50, &output) == CM_COMMAND_TIMED_OUT);
    CHECK(command_run(scratch, "kill -STOP $$", 50, &output) == CM_COMMAND_TIMED_OUT);
    CHECK(cm_process_clock() - start >= 200 * 1000000u);
    CHECK(cm_process_clock() - start < 30 * 1000000000ull);
    cm_scratch_close(scratch);
}

static void time_out_test(void)
{
    surroundings_run(AS_CALLER, time_out);
    surroundings_run(UNPRIVILEGED, time_out);
}

/* No process that a command started may be there when it is over. They are found
 * by an argument that only they have. */
static bool sleepers_left(void)
{
    return system("grep -lzsx 98765[0-9] /proc/[0-9]*/cmdline >/dev/null") == 0;
}

static void leftovers(void)
{
    static const char *const deeds[] = {
        "sleep 987650 &",
        "setsid sleep 987651 & sleep 0.05",
        "setsid sh -c 'setsid sleep 987652 & setsid sleep 987653 & sleep 0.05' & sleep 0.1",
        "(trap '' TERM HUP; sleep 987654 & sleep 987655 &) & sleep 0.05",
        "sleep 987656 & sleep 0.05; kill -9 0",
        "(while :; do (sleep 0.001 & sleep 0.001 &) ; done) & (setsid sleep 987657 &) ; sleep 0.05",
    };
    struct cm_capture output;
    struct cm_scratch *scratch = scratch_entered();
    for (size_t i = 0; i < sizeof(deeds) / sizeof(deeds[0]); i++) {
        int expected = strstr(deeds[i], "kill") != NULL ? SIGKILL : 0;
        CHECK(command_run(scratch, deeds[i], 60000, &output) == expected);
        CHECK(waitpid(-1, NULL, 0) == -1 && errno == ECHILD);
        CHECK(!sleepers_left());
    }
    CHECK(command_run(scratch, "setsid sleep 987658 & sleep 987659", 50, &output) ==
          CM_COMMAND_TIMED_OUT);
    CHECK(!sleepers_left());
    cm_scratch_close(scratch);
}

static void leftovers_test(void)
{
    surroundings_run(AS_CALLER, leftovers);
    surroundings_run(UNPRIVILEGED, leftovers);
}

/* A process that runs commands takes them with it, whoever ends it. */
static void confinement(void)
{
    pid_t first = fork();
    if (first == 0) {
        pid_t confiner = getpid();
        pid_t second = fork();
        if (second == 0) {
            struct cm_capture output;
            cm_process_confine(confiner);
            struct cm_scratch *scratch = scratch_entered();
            command_run(scratch, "setsid sleep 987650 & touch ../../started; sleep 987651", 0,
                        &output);
            _exit(0);
        }
        pause();
    }
    char started[2 * PATH_MAX];
    snprintf(started, sizeof(started), "%s/started", parent);
    while (access(started, F_OK) != 0)
        usleep(1000);
    kill(first, SIGKILL);
    CHECK(waitpid(first, NULL, 0) == first);
    for (int i = 0; i < 1000 && sleepers_left(); i++)
        usleep(10000);
    CHECK(!sleepers_left());
    CHECK(unlink(started) == 0);
    struct cm_scratch *scratch = scratch_entered();
    cm_scratch_close(scratch);
}

static void confinement_test(void)
{
    surroundings_run(AS_CALLER, confinement);
    surroundings_run(UNPRIVILEGED, confinement);
}

/* ---- The external check ---- */

/* A small state: two files, a subdirectory, and what was printed. */
static struct ff_tree *tree_sample(void)
{
    struct ff_tree *tree = ff_tree_new();
    struct ff_node *root = ff_tree_edit(tree, FF_ROOT_NODE);
    uint32_t uid = geteuid();
    uint32_t gid = getegid();
    root->uid = uid;
    root->gid = gid;
    ff_node_write(ff_tree_create(tree, 2, 0100644, uid, gid), "one\n", 4, 0);
    ff_tree_create(tree, 3, 0040755, uid, gid);
    ff_node_write(ff_tree_create(tree, 4, 0100600, uid, gid), "two\n", 4, 0);
    ff_node_write(ff_tree_create(tree, 5, 0100755, uid, gid), "torn program", 12, 0);
    ff_tree_set_name(tree, FF_ROOT_NODE, "a", 2);
    ff_tree_set_name(tree, FF_ROOT_NODE, "sub", 3);
    ff_tree_set_name(tree, 3, "b", 4);
    ff_tree_set_name(tree, FF_ROOT_NODE, "torn", 5);
    return tree;
}

/* Of the library that lets a program be forked; NULL: it is executed. */
static const char *library;

static struct cm_outcome check_run(struct cm_scratch *scratch, const char *text,
                                   unsigned timeout_ms)
{
    struct ff_error error = {""};
    struct cm_command command;
    struct cm_state state = {
        .tree = tree_sample(), .output = "committed 1\n", .output_size = 12, .model = "posix"};
    struct cm_outcome outcome = {.status = CM_BROKEN};
    CHECK(cm_command_parse(text, &command, &error) == 0);
    const struct cm_external_plan plan = {
        .check = &command, .scratch = scratch, .library = library, .timeout_ms = timeout_ms};
    struct cm_check *check = cm_external_check_new(&plan);
    if (check->prepare(check->context, &error) == 0)
        check->run(check->context, &state, &outcome);
    else
        snprintf(outcome.text, sizeof(outcome.text), "%.200s", error.text);
    cm_external_check_free(check);
    cm_command_free(&command);
    ff_tree_free(state.tree);
    return outcome;
}

static void outcome_check(struct cm_scratch *scratch, const char *text, enum cm_status status,
                          const char *expected)
{
    struct cm_outcome outcome = check_run(scratch, text, status == CM_TIMEOUT ? 200 : 60000);
    if (outcome.status != status || strcmp(outcome.text, expected) != 0)
        printf("%s: status %d, \"%s\"\n", text, (int)outcome.status, outcome.text);
    CHECK(outcome.status == status);
    CHECK(strcmp(outcome.text, expected) == 0);
}

/* Fails unless everything is as in tree_sample(). */
#define SAMPLE_CHECK                                                                               \
    "test \"$(cat a sub/b)\" = \"$(printf 'one\\ntwo')\" && "                                      \
    "test \"$(find . | sort | tr '\\n' ' ')\" = '. ./a ./sub ./sub/b ./torn ' && "                 \
    "test \"$(stat -c %a sub/b)\" = 600 && test \"$(cat $CRASHMATRIX_STDOUT)\" = 'committed 1' "   \
    "&& "                                                                                          \
    "test -z \"$(ls -A $HOME $TMPDIR | grep -v :)\""

static void verdicts(void)
{
    static const struct {
        const char *text;
        enum cm_status status;
        const char *expected;
    } rows[] = {
        {"true", CM_ACCEPTED, "ok"},
        {SAMPLE_CHECK, CM_ACCEPTED, "ok"},
        {"echo label: old", CM_ACCEPTED, "old"},
        {"echo; echo 'label:new and more'; echo label: x", CM_ACCEPTED, "new"},
        {"echo label:", CM_ACCEPTED, "ok"},
        {"echo all is well; echo label: x", CM_ACCEPTED, "ok"},
        {"false", CM_VIOLATED, "exit status 1"},
        {"exit 99", CM_VIOLATED, "exit status 99"},
        {"echo too late >&2; echo a is gone; exit 1", CM_VIOLATED, "a is gone"},
        {"echo too late >&2; exit 1", CM_VIOLATED, "too late"},
        {"echo label: old; exit 1", CM_VIOLATED, "label: old"},
        {"kill -SEGV $$", CM_CRASHED, "ended by SIGSEGV"},
        {"echo assertion; kill -ABRT $$", CM_CRASHED, "ended by SIGABRT: assertion"},
        {"sleep 1000", CM_TIMEOUT, "did not end within 200 ms"},
        /* A program that is missing altogether is no verdict; one that is part of the
         * state, or that only the shell looked for, is. */
        {"/nonexistent/program", CM_BROKEN, NULL},
        {"nonexistent-program", CM_BROKEN, NULL},
        {"./missing", CM_VIOLATED, NULL},
        {"sub/../torn", CM_VIOLATED, NULL},
        {"exec ./missing-too 2>/dev/null", CM_VIOLATED, "exit status 127"},
    };
    struct cm_scratch *scratch = scratch_entered();
    setenv("PATH", "/usr/bin:/bin", 1); /* all of it readable for everybody */
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char expected[CM_TEXT_SIZE];
        const char *reason =
            strstr(rows[i].text, "torn") ? "Exec format error" : "No such file or directory";
        snprintf(expected, sizeof(expected), "cannot run %s in %.100s/dir: %s", rows[i].text, base,
                 reason);
        outcome_check(scratch, rows[i].text, rows[i].status,
                      rows[i].expected != NULL ? rows[i].expected : expected);
    }
    cm_scratch_close(scratch);
}

/* Of commands that are executed for each run, and of those that are forked. */
static void verdicts_test(void)
{
    library = NULL;
    surroundings_run_all(verdicts);
    library = START_LIBRARY;
    surroundings_run_all(verdicts);
}

static void hostility(void)
{
    static const struct {
        const char *text;
        enum cm_status status;
        const char *expected;
    } rows[] = {
        {"rm -rf * ../home ../tmp ../stdout; touch ../more; echo x > a", CM_ACCEPTED, "ok"},
        {"chmod 000 a sub .; chmod 000 .. 2>/dev/null; true", CM_ACCEPTED, "ok"},
        {"touch $HOME/x $TMPDIR/y; mkdir -p 1/2/3/4; ln -s / 1/root; chmod 000 1/2", CM_ACCEPTED,
         "ok"},
        {"cd ..; rm -rf dir; ln -s /usr dir", CM_ACCEPTED, "ok"},
        {"setsid sh -c 'while :; do echo x >> a; mkdir -p late; done' & sleep 0.02", CM_ACCEPTED,
         "ok"},
        {"echo gone; yes | head -c 5000000; yes | head -c 5000000 >&2; exit 1", CM_VIOLATED,
         "gone"},
        {"head -c 3000000 /dev/zero; exit 1", CM_VIOLATED, NULL},
        {"printf '\\377\\001\\033bad\\n'; exit 1", CM_VIOLATED, "???bad"},
        {"exec >&- 2>&-; exit 1", CM_VIOLATED, "exit status 1"},
        {"exec >&- 2>&-; sleep 0.05; exit 2", CM_VIOLATED, "exit status 2"},
        {"kill -9 0", CM_CRASHED, "ended by SIGKILL"},
        {"trap '' TERM HUP INT; sleep 0.01; exit 3", CM_VIOLATED, "exit status 3"},
        {"yes", CM_TIMEOUT, "did not end within 200 ms"},
    };
    char zeros[CM_TEXT_SIZE];
    memset(zeros, '?', sizeof(zeros) - 1);
    zeros[sizeof(zeros) - 1] = '\0';

    struct cm_scratch *scratch = scratch_entered();
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        outcome_check(scratch, rows[i].text, rows[i].status,
                      rows[i].expected != NULL ? rows[i].expected : zeros);
        outcome_check(scratch, SAMPLE_CHECK, CM_ACCEPTED, "ok");
    }
    cm_scratch_close(scratch);
}

static void hostility_test(void)
{
    library = NULL;
    surroundings_run_all(hostility);
    library = START_LIBRARY;
    surroundings_run_all(hostility);
}

/* ---- Forking a program at its main() ---- */

/* The reason if it was forked: that is found out by comparing it with one that was not. */
#define FORKED                                                                                     \
    "it says \"forked\" when it is forked at its main(), and \"executed\" when it is executed; "   \
    "--spawn executes it for each run"

static void forking(void)
{
    static const char *const unsuitable[] = {
        "open",
        "map",
        "thread",
        "child",
        "timer",
        "kernel-timer",
        "print",
        "look",
        "look-at-home",
        "write",
        "write-into-directory",
        "write-elsewhere",
        "something-unknown",
        "close-everything",
        "exit",
        "change-directory",
    };
    struct cm_scratch *scratch = scratch_entered();
    library = START_LIBRARY;
    setenv("STARTED", "nothing", 1);
    if (cm_watch_is_possible())
        outcome_check(scratch, STARTED, CM_BROKEN, FORKED);
    for (size_t i = 0; i < sizeof(unsuitable) / sizeof(unsuitable[0]); i++) {
        setenv("STARTED", unsuitable[i], 1);
        outcome_check(scratch, STARTED, CM_ACCEPTED, "executed");
    }
    setenv("STARTED", "hang", 1);
    struct cm_outcome hung = check_run(scratch, STARTED, 300);
    CHECK(hung.status == CM_ACCEPTED && strcmp(hung.text, "executed") == 0);
    setenv("STARTED", "nothing", 1);
    /* What the user preloads is heeded. */
    setenv("LD_PRELOAD", START_LIBRARY, 1);
    outcome_check(scratch, STARTED, CM_ACCEPTED, "executed");
    unsetenv("LD_PRELOAD");
    library = "/nonexistent/library.so";
    outcome_check(scratch, STARTED, CM_ACCEPTED, "executed");
    library = NULL;
    outcome_check(scratch, STARTED, CM_ACCEPTED, "executed");
    outcome_check(scratch, STATIC_PROGRAM, CM_ACCEPTED, "executed");
    library = START_LIBRARY;
    outcome_check(scratch, STATIC_PROGRAM, CM_ACCEPTED, "executed");
    cm_scratch_close(scratch);
}

static void forking_test(void)
{
    /* Without namespaces the scratch may be on the file system of the program. */
    surroundings_run(AS_CALLER, forking);
    surroundings_run(UNPRIVILEGED, forking);
}

/* Descriptors, environment, signals, limits, ... are as in a new process; that they are
 * is compared in the first run. */
static void surroundings_of_forked(void)
{
    struct cm_scratch *scratch = scratch_entered();
    unsetenv("STARTED");
    library = NULL;
    struct cm_outcome executed = check_run(scratch, STARTED " itself", 60000);
    library = START_LIBRARY;
    struct cm_outcome forked = check_run(scratch, STARTED " itself", 60000);
    CHECK(executed.status == CM_ACCEPTED && strcmp(executed.text, "ok") != 0);
    CHECK(forked.status == CM_ACCEPTED);
    CHECK(strcmp(executed.text, forked.text) == 0);
    cm_scratch_close(scratch);
}

static void surroundings_of_forked_test(void)
{
    surroundings_run_all(surroundings_of_forked);
}

static const struct unit_test tests[] = {
    {"words are split", words_are_split},
    {"shell syntax goes to the shell", shell_syntax_goes_to_the_shell},
    {"an empty command is refused", empty_command_is_refused},
    {"text is made printable", text_is_made_printable},
    {"the first line is found", first_line_is_found},
    {"commands run in the directory under test", running_test},
    {"output goes to descriptors", to_descriptors_test},
    {"a command that takes too long is killed", time_out_test},
    {"nothing that a command starts outlives it", leftovers_test},
    {"a confined process takes its command with it", confinement_test},
    {"an external check's verdict is read", verdicts_test},
    {"a hostile check harms no other", hostility_test},
    {"only what is as good as new is forked", forking_test},
    {"what is forked finds itself as if it was executed", surroundings_of_forked_test},
};

UNIT_MAIN("command", tests)
