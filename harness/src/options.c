#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "port_case.h"
#include "unobserved.h"

enum { DEFAULT_TIMEOUT_MS = 10000 };

#define ON(identifier) (1u << CM_COMMAND_##identifier)

/* ---- Tables ---- */

/* One or more, which are taken as they are. */
#define ANY_OPERANDS SIZE_MAX
/* One or more, among options. */
#define MANY_OPERANDS (SIZE_MAX - 1)
/* Any number, or none. */
#define SOME_OPERANDS (SIZE_MAX - 2)

struct subcommand {
    const char *name;
    const char *operands;
    size_t operand_count;
    const char *what;
    const char *example;
};

static const struct subcommand subcommands[] = {
    [CM_COMMAND_RUN] = {"run", "", 0,
                        "Record a workload and check every state that a power cut could leave.",
                        "crashmatrix run --workload ./save --check ./load --model all\n"
                        "  crashmatrix run --target manifest --report out"},
    [CM_COMMAND_RECORD] = {"record", "", 0, "Record a workload into a trace file.",
                           "crashmatrix record --workload ./save -o save.cmt"},
    [CM_COMMAND_EXPLORE] = {"explore", "TRACE", 1,
                            "As run, from a trace that was recorded earlier.",
                            "crashmatrix explore save.cmt --check ./load --model posix"},
    [CM_COMMAND_SHOW] = {"show", "TRACE", 1, "Print the calls of a trace, one a line.",
                         "crashmatrix show save.cmt"},
    [CM_COMMAND_REPLAY] = {"replay", "ID", 1,
                           "Rebuild the state that a replay id names, and check it again.",
                           "crashmatrix replay posix.1f0a93c2.17:3+1,9 --trace out/trace.cmt "
                           "--into state\n"
                           "  crashmatrix replay posix.1f0a93c2.17:3+1,9 --trace out/trace.cmt "
                           "--check ./load"},
    [CM_COMMAND_MERGE] = {"merge", "DIR...", MANY_OPERANDS,
                          "Make one report of the report folders of all shards (--shard).",
                          "for i in 1 2 3; do crashmatrix explore save.cmt --check ./load "
                          "--shard $i/3 --report part$i; done\n"
                          "  crashmatrix merge part1 part2 part3 --report whole"},
    [CM_COMMAND_CUT] = {"cut", "COMMAND...", ANY_OPERANDS,
                        "Run a command in a directory, stop it as a power cut does, and leave what "
                        "that could leave.",
                        "for n in $(seq 0 40); do cp -a before db; (cd db &&\n"
                        "    crashmatrix cut --at $n --lose all -- ../save; ../load) || break; "
                        "rm -rf db; done"},
    [CM_COMMAND_PORT] =
        {"port", "", 0, "Check a port of the manifest commit, in any language, through an adapter.",
         "crashmatrix port --adapter ./my-adapter --report out\n"
         "  crashmatrix port --adapter 'python3 adapter.py' --commit-point rename "
         "--model 'ext4*'"},
    [CM_COMMAND_MODELS] = {"models", "[NAME|FILE|GLOB]...", SOME_OPERANDS,
                           "Print what models promise, explain some, or name that of a directory.",
                           "crashmatrix models\n"
                           "  crashmatrix models 'ext4*'\n"
                           "  crashmatrix models ./mine.json\n"
                           "  crashmatrix models --for /var/lib/mine"},
    [CM_COMMAND_TARGETS] = {"targets", "", 0, "Print the shipped targets.", "crashmatrix targets"},
};

enum option_kind {
    OPTION_TEXT,
    OPTION_WORDS,
    OPTION_FLAG,
    OPTION_NUMBER,
    OPTION_DURATION,
    OPTION_SHARD,
    OPTION_NESTED,
    OPTION_BUDGET
};

struct option_row {
    const char *name;
    char letter; /* or 0 */
    enum option_kind kind;
    size_t offset; /* of the setting */
    unsigned commands;
    const char *value;
    const char *help;
};

#define SETTING(member) offsetof(struct cm_settings, member)
#define EXPLORES        (ON(RUN) | ON(EXPLORE))
#define REPORTS         (EXPLORES | ON(MERGE))
#define ALL_REPORTS     (REPORTS | ON(PORT))

static const struct option_row rows[] = {
    {"adapter", 0, OPTION_TEXT, SETTING(adapter), ON(PORT), "CMD",
     "performs one operation of the port: see PORTS.md"},
    {"commit-point", 0, OPTION_TEXT, SETTING(commit_point), ON(PORT), "rename|slots|both",
     "which of those that the port writes (default: both)"},
    {"only", 0, OPTION_WORDS, SETTING(only), ON(PORT), "GLOB",
     "only these parts, such as vectors or 'rename/*', may be repeated (default: all)"},
    {"target", 0, OPTION_TEXT, SETTING(target), EXPLORES | ON(RECORD) | ON(REPLAY), "NAME|FILE",
     "a ready-made target; other options override what it says"},
    {"setup", 0, OPTION_TEXT, SETTING(setup), ON(RUN) | ON(RECORD), "CMD",
     "prepares the directory; not recorded, durable"},
    {"workload", 0, OPTION_TEXT, SETTING(workload), ON(RUN) | ON(RECORD), "CMD",
     "the program to record; what it prints it has promised"},
    {"recover", 0, OPTION_TEXT, SETTING(recover), EXPLORES | ON(REPLAY), "CMD",
     "repairs each state before the check judges it; must exit with 0"},
    {"nested", 0, OPTION_NESTED, SETTING(nested), EXPLORES | ON(PORT), "N|fixpoint",
     "cut the power during recovery, too: N times, or as often as it makes a difference"},
    {"check", 0, OPTION_TEXT, SETTING(check), EXPLORES | ON(REPLAY), "CMD",
     "judges a state: exit status 0 accepts it; builtin:NAME runs in-process"},
    {"model", 0, OPTION_WORDS, SETTING(models), ALL_REPORTS | ON(REPLAY) | ON(CUT),
     "NAME|FILE|GLOB|all",
     "persistence model, may be repeated, !GLOB takes some out again (default: posix, or the "
     "target's; port: all)"},
    {"accept", 0, OPTION_WORDS, SETTING(accept), ALL_REPORTS, "KIND",
     "pass although this was not seen, may be repeated; kinds: below"},
    {"faults", 0, OPTION_WORDS, SETTING(faults), ON(RUN) | ON(PORT), "SPEC|all",
     "run it again with calls that fail: see faultfs-run --help; all: each call, each error"},
    {"granule", 0, OPTION_NUMBER, SETTING(granule), EXPLORES, "BYTES",
     "tear data at this size instead of the model's"},
    {"report", 0, OPTION_TEXT, SETTING(report), ALL_REPORTS, "DIR",
     "leave trace.cmt, report.json, junit.xml and the progress there"},
    {"resume", 0, OPTION_FLAG, SETTING(resume), EXPLORES, NULL,
     "continue the run whose report folder this is, from its recording and progress"},
    {"shard", 0, OPTION_SHARD, SETTING(shard), EXPLORES, "I/N",
     "cover only part I of N (1 to N); crashmatrix merge puts the parts together"},
    {"budget", 0, OPTION_BUDGET, SETTING(budget), EXPLORES | ON(PORT), "5000|60s",
     "runs of the check, or time, under each model: what deviates the least comes first"},
    {"seed", 0, OPTION_NUMBER, SETTING(seed), EXPLORES, "N",
     "of the sample in the last quarter of a budget, and of the audit (default: 1)"},
    {"keep", 0, OPTION_FLAG, SETTING(keep), REPORTS, NULL,
     "leave the failing states in the report's folder, too"},
    {"json", 0, OPTION_FLAG, SETTING(json), ALL_REPORTS, NULL,
     "print report.json instead of the matrix"},
    {"eager", 0, OPTION_FLAG, SETTING(eager), EXPLORES, NULL,
     "run the check on every state, also if it says what it looks at"},
    {"spawn", 0, OPTION_FLAG, SETTING(spawn), EXPLORES, NULL,
     "execute the check's program for each run; do not fork it at its main()"},
    {"apart", 0, OPTION_FLAG, SETTING(apart), EXPLORES, NULL,
     "run the check for each model by itself, also on what it would see the same of"},
    {"monotone", 0, OPTION_FLAG, SETTING(monotone), EXPLORES, NULL,
     "what the check accepts it would accept had less been printed: not run with less"},
    {"reproducible", 0, OPTION_FLAG, SETTING(reproducible), ALL_REPORTS, NULL,
     "leave timings out of the reports"},
    {"jobs", 'j', OPTION_NUMBER, SETTING(jobs), EXPLORES | ON(PORT), "N",
     "checks run at the same time (default: one for each processor)"},
    {"timeout", 0, OPTION_DURATION, SETTING(timeout_ms), EXPLORES | ON(REPLAY) | ON(PORT), "10s",
     "longest time for one check; ms, s or m (default: 10s)"},
    {"scratch", 0, OPTION_TEXT, SETTING(scratch), ON(RUN) | ON(RECORD) | ON(PORT), "DIR",
     "where the directory under test is made (default: $TMPDIR or /tmp)"},
    {"output", 'o', OPTION_TEXT, SETTING(output), ON(RECORD), "TRACE", "the trace to write"},
    {"trace", 0, OPTION_TEXT, SETTING(trace), ON(REPLAY), "TRACE", "the trace of the id"},
    {"at", 0, OPTION_TEXT, SETTING(at), ON(CUT), "N",
     "cut when N calls on the directory, or outputs, are done (0: before the first)"},
    {"lose", 0, OPTION_TEXT, SETTING(lose), ON(CUT), "all|none|ID",
     "of what was not durable: all that a cut can lose, nothing (default), or as in an ID"},
    {"root", 0, OPTION_TEXT, SETTING(root), ON(CUT), "DIR",
     "where the command runs and what is cut (default: the current directory)"},
    {"for", 0, OPTION_TEXT, SETTING(directory), ON(MODELS), "DIR",
     "the model that fits DIR's file system (else status 4), and what breaks it (status 1)"},
    {"into", 0, OPTION_TEXT, SETTING(into), ON(REPLAY), "DIR",
     "a new directory for the state's files"},
};

enum { ROW_COUNT = sizeof(rows) / sizeof(rows[0]) };

/* ---- Help ---- */

static void print_main_help(FILE *stream)
{
    fputs("Usage: crashmatrix COMMAND [OPTION]...\n"
          "Can a power cut, at any moment, leave files from which a program cannot recover?\n\n"
          "Commands:\n",
          stream);
    for (size_t i = 0; i < CM_COMMAND_COUNT; i++)
        fprintf(stream, "  %-9s%s\n", subcommands[i].name, subcommands[i].what);
    fputs("\ncrashmatrix COMMAND --help says more. crashmatrix --version prints the version.\n"
          "\nExamples:\n  crashmatrix run --workload ./save --check ./load --model all\n"
          "  crashmatrix run --target manifest\n"
          "\nExit status: 0 every legal state was covered and none failed; 1 a violation;\n"
          "2 wrong usage or configuration; 3 setup, workload or recording failed;\n"
          "4 no violation, but not everything was covered or seen.\n",
          stream);
}

static void print_help(enum cm_command_name command, FILE *stream)
{
    const struct subcommand *chosen = &subcommands[command];
    bool last = chosen->operand_count == ANY_OPERANDS;
    fprintf(stream, "Usage: crashmatrix %s%s%s%s%s\n%s\n\n", chosen->name,
            last || *chosen->operands == '\0' ? " [OPTION]..." : " ", last ? " [--] " : "",
            chosen->operands, !last && *chosen->operands != '\0' ? " [OPTION]..." : "",
            chosen->what);
    for (size_t i = 0; i < ROW_COUNT; i++) {
        if ((rows[i].commands & 1u << command) == 0)
            continue;
        char left[64];
        snprintf(left, sizeof(left), "%s%c%s--%s%s%s", rows[i].letter != 0 ? "-" : "",
                 rows[i].letter != 0 ? rows[i].letter : ' ', rows[i].letter != 0 ? ", " : "   ",
                 rows[i].name, rows[i].value != NULL ? " " : "",
                 rows[i].value != NULL ? rows[i].value : "");
        fprintf(stream, "  %-32s %s\n", left, rows[i].help);
    }
    fprintf(stream, "  %-32s %s\n", "    --help", "print this");
    if ((ALL_REPORTS & 1u << command) != 0)
        cm_print_accept_help(stream);
    if (command == CM_COMMAND_PORT)
        cm_print_port_help(stream);
    fprintf(stream, "\nExample:\n  %s\n", chosen->example);
}

/* ---- Values ---- */

static bool complain(const char *format, const char *a, const char *b)
{
    fputs("crashmatrix: ", stderr);
    /* The formats are literals of this file. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    fprintf(stderr, format, a, b);
#pragma GCC diagnostic pop
    fputs("; see crashmatrix --help\n", stderr);
    return false;
}

static bool parse_number(const char *text, unsigned long limit, unsigned *number)
{
    char *end = NULL;
    errno = 0;
    unsigned long value = strtoul(text, &end, 10);
    *number = (unsigned)value;
    return *text >= '0' && *text <= '9' && *end == '\0' && errno == 0 && value > 0 &&
           value <= limit;
}

static bool parse_duration(const char *text, unsigned *milliseconds)
{
    static const struct {
        const char *suffix;
        double factor;
    } units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"", 1000}};
    char *end = NULL;
    if (*text < '0' || *text > '9')
        return false;
    double value = strtod(text, &end);
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        double product = value * units[i].factor;
        if (strcmp(end, units[i].suffix) != 0)
            continue;
        *milliseconds = product >= 1 && product <= 86400000 ? (unsigned)product : 0;
        return *milliseconds > 0;
    }
    return false;
}

bool cm_parse_shard(const char *text, struct cm_shard *shard)
{
    if (text == NULL)
        return false;
    char *end = NULL;
    unsigned long index = strtoul(text, &end, 10);
    if (*text < '0' || *text > '9' || *end != '/')
        return false;
    unsigned count = 0;
    if (!parse_number(end + 1, 1 << 16, &count) || index < 1 || index > count)
        return false;
    *shard = (struct cm_shard){(uint32_t)index - 1, count};
    return true;
}

/* A number is one of runs; a duration has a unit. */
static bool parse_budget(const char *text, struct cm_budget *budget)
{
    unsigned milliseconds = 0;
    char *end = NULL;
    errno = 0;
    unsigned long long runs = strtoull(text, &end, 10);
    *budget = (struct cm_budget){.text = text};
    if (*text < '0' || *text > '9')
        return false;
    if (*end == '\0') {
        budget->runs = runs;
        return errno == 0 && runs > 0;
    }
    bool valid = parse_duration(text, &milliseconds);
    budget->milliseconds = milliseconds;
    return valid;
}

static bool parse_nested(const char *text, unsigned *nested)
{
    *nested = CM_NESTED_FIXPOINT;
    if (strcmp(text, "fixpoint") == 0)
        return true;
    *nested = 0;
    return strcmp(text, "0") == 0 || parse_number(text, CM_NESTED_LIMIT, nested);
}

static void add_word(struct cm_words *words, const char *word)
{
    words->items = realloc(words->items, (words->count + 1) * sizeof(*words->items));
    if (words->items == NULL)
        abort();
    words->items[words->count++] = word;
}

static bool set_option(struct cm_settings *settings, const struct option_row *row, const char *text)
{
    void *setting = (char *)settings + row->offset;
    switch (row->kind) {
    case OPTION_TEXT:
        memcpy(setting, &text, sizeof(text));
        return true;
    case OPTION_WORDS:
        add_word(setting, text);
        return true;
    case OPTION_FLAG:
        *(bool *)setting = true;
        return true;
    case OPTION_NUMBER:
        return parse_number(text, 1 << 24, setting) ||
               complain("--%s: '%s' is not a whole number from 1 to 16777216", row->name, text);
    case OPTION_SHARD:
        return cm_parse_shard(text, setting) ||
               complain("--%s: '%s' is not I/N with I from 1 to N, such as 2/7", row->name, text);
    case OPTION_NESTED:
        return parse_nested(text, setting) ||
               complain("--%s: '%s' is neither a whole number from 0 to 64 nor fixpoint", row->name,
                        text);
    case OPTION_BUDGET:
        return parse_budget(text, setting) ||
               complain("--%s: '%s' is neither a number of runs nor a duration such as 60s",
                        row->name, text);
    default:
        return parse_duration(text, setting) ||
               complain("--%s: '%s' is not a duration such as 500ms, 10s or 2m", row->name, text);
    }
}

/* ---- Parsing ---- */

static bool find_subcommand(const char *name, enum cm_command_name *command)
{
    for (size_t i = 0; i < CM_COMMAND_COUNT; i++) {
        if (strcmp(subcommands[i].name, name) == 0) {
            *command = (enum cm_command_name)i;
            return true;
        }
    }
    return false;
}

enum { HELP = 1000 };

/* The rows of a subcommand in the form that getopt wants; rows are 1 .. */
static void make_getopt_tables(enum cm_command_name command, struct option *longs, char *shorts)
{
    if (subcommands[command].operand_count == ANY_OPERANDS)
        *shorts++ = '+'; /* what follows the first operand is not ours */
    *shorts++ = ':';
    for (size_t i = 0; i < ROW_COUNT; i++) {
        if ((rows[i].commands & 1u << command) == 0)
            continue;
        int argument = rows[i].kind == OPTION_FLAG ? no_argument : required_argument;
        *longs++ = (struct option){rows[i].name, argument, NULL, (int)i + HELP + 1};
        if (rows[i].letter != 0) {
            *shorts++ = rows[i].letter;
            *shorts++ = ':';
        }
    }
    *longs++ = (struct option){"help", no_argument, NULL, HELP};
    *longs = (struct option){0};
    *shorts = '\0';
}

static const struct option_row *find_row(int code)
{
    if (code > HELP)
        return &rows[code - HELP - 1];
    for (size_t i = 0; i < ROW_COUNT; i++)
        if (rows[i].letter == code)
            return &rows[i];
    return NULL;
}

/* False when the command line is wrong (said on stderr) or asks for help. */
static bool parse_options(int argc, char **argv, struct cm_settings *settings, int *status)
{
    struct option longs[ROW_COUNT + 2];
    char shorts[2 * ROW_COUNT + 3];
    make_getopt_tables(settings->command, longs, shorts);
    *status = CM_EXIT_USAGE;
    for (int code; (code = getopt_long(argc, argv, shorts, longs, NULL)) != -1;) {
        if (code == HELP) {
            print_help(settings->command, stdout);
            *status = CM_EXIT_PASS;
            return false;
        }
        if (code == '?')
            return complain("%s: unknown option '%s'", argv[0], argv[optind - 1]);
        if (code == ':')
            return complain("%s: option '%s' needs a value", argv[0], argv[optind - 1]);
        if (!set_option(settings, find_row(code), optarg))
            return false;
    }
    settings->operands = argv + optind;
    settings->operand_count = (size_t)(argc - optind);
    const struct subcommand *chosen = &subcommands[settings->command];
    if (settings->operand_count > chosen->operand_count)
        return complain("%s: unexpected argument '%s'", chosen->name,
                        settings->operands[chosen->operand_count]);
    size_t least = chosen->operand_count == SOME_OPERANDS  ? 0
                   : chosen->operand_count < SOME_OPERANDS ? chosen->operand_count
                                                           : 1;
    if (settings->operand_count < least)
        return complain("%s: %s is missing", chosen->name, chosen->operands);
    return true;
}

bool cm_options_parse(int argc, char **argv, struct cm_settings *settings, int *status)
{
    *settings = (struct cm_settings){
        .timeout_ms = DEFAULT_TIMEOUT_MS, .lose = "none", .seed = 1, .shard = {0, 1}};
    *status = CM_EXIT_USAGE;
    if (argc < 2) {
        print_main_help(stderr);
        return false;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0) {
        print_main_help(stdout);
        *status = CM_EXIT_PASS;
        return false;
    }
    if (strcmp(argv[1], "--version") == 0) {
        puts("crashmatrix " CRASHMATRIX_VERSION);
        *status = CM_EXIT_PASS;
        return false;
    }
    if (!find_subcommand(argv[1], &settings->command))
        return complain("unknown command '%s'%s", argv[1], "");
    opterr = 0;
    return parse_options(argc - 1, argv + 1, settings, status);
}

void cm_options_free(struct cm_settings *settings)
{
    free(settings->models.items);
    free(settings->accept.items);
    free(settings->faults.items);
    free(settings->only.items);
    settings->models = settings->accept = settings->faults = settings->only = (struct cm_words){0};
}
