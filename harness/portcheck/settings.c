/* Options: see settings.h. */
#include "settings.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "fail.h"
#include "memory.h"
#include "text.h"

static const struct row {
    const char *name, *value, *standard, *help;
    size_t offset;
} rows[] = {
#define X(member, option, value, standard, help)                                                   \
    {option, value, standard, help, offsetof(struct ph_settings, member)},
    PH_KEPT_OPTIONS(X)
#undef X
};

enum { ROWS = sizeof(rows) / sizeof(rows[0]) };
enum {
    OPTION_RECORD = ROWS,
    OPTION_REPORT,
    OPTION_RESUME,
    OPTION_JSON,
    OPTION_HELP,
    OPTION_VERSION
};

static char **setting(struct ph_settings *settings, const struct row *row)
{
    return (char **)(void *)((char *)settings + row->offset);
}

static const char *setting_of(const struct ph_settings *settings, const struct row *row)
{
    return *(char *const *)(const void *)((const char *)settings + row->offset);
}

/* ---- Help ---- */

/* Words, in lines of at most this many columns that begin with blanks. */
static void print_wrapped(FILE *stream, const char *text)
{
    enum { INDENT = 8, COLUMNS = 90 };
    size_t column = COLUMNS;
    while (*text != '\0') {
        size_t length = strcspn(text, " ");
        if (column + 1 + length > COLUMNS) {
            fprintf(stream, "\n%*s", INDENT - 1, "");
            column = INDENT - 1;
        }
        fprintf(stream, " %.*s", (int)length, text);
        column += 1 + length;
        text += length + (text[length] == ' ');
    }
}

static void print_option(FILE *stream, const struct row *row)
{
    bool valued = row->value != NULL, usual = row->standard != NULL && row->standard[0] != '\0';
    char *text = cm_format("%s%s%s%s", row->help, usual ? " (default: " : "",
                           usual ? row->standard : "", usual ? ")" : "");
    fprintf(stream, "  --%s%s%s", row->name, valued ? " " : "", valued ? row->value : "");
    print_wrapped(stream, text);
    fputc('\n', stream);
    free(text);
}

static void print_help(FILE *stream)
{
    fputs("Usage: portcheck-host --listen WHERE --kind KIND --record DIR [OPTION]...\n"
          "Cut the power of a board again and again while portcheck commits versions on it, and\n"
          "judge whether it keeps what it acknowledged. See harness/PORTS.md.\n\n",
          stream);
    for (size_t i = 0; i < ROWS; i++)
        print_option(stream, &rows[i]);
    fputs(
        "  --record DIR\n        keep the record there: every line is on the disk before it "
        "counts\n"
        "  --resume\n        continue the record, with the options that it has\n"
        "  --report DIR\n        leave portcheck.json and junit.xml there\n"
        "  --json\n        print portcheck.json instead of the text\n"
        "  --help\n  --version\n\n"
        "Commands find PORTCHECK_RUN, PORTCHECK_CYCLE and, with tcp, PORTCHECK_PORT in their\n"
        "environment; what they print goes to commands.log in the record's directory.\n\n"
        "Example:\n"
        "  portcheck-host --listen serial:/dev/ttyUSB0 --kind power --record robot7 \\\n"
        "      --power-off 'labgrid-client power off' --power-on 'labgrid-client power on' \\\n"
        "      --cycles 300 --report robot7/report\n\n"
        "Exit status: 0 PASS, 1 FAIL, 4 INCONCLUSIVE or UNSUPPORTED, 2 wrong usage, 3 trouble on\n"
        "this host: a command failed, the record cannot be written.\n",
        stream);
}

/* ---- Parsing ---- */

static void fill_options(struct option *options)
{
    static const struct option others[] = {
        {"record", required_argument, NULL, OPTION_RECORD},
        {"report", required_argument, NULL, OPTION_REPORT},
        {"resume", no_argument, NULL, OPTION_RESUME},
        {"json", no_argument, NULL, OPTION_JSON},
        {"help", no_argument, NULL, OPTION_HELP},
        {"version", no_argument, NULL, OPTION_VERSION},
        {0},
    };
    for (int i = 0; i < ROWS; i++)
        options[i] = (struct option){
            rows[i].name, rows[i].value != NULL ? required_argument : no_argument, NULL, i};
    memcpy(options + ROWS, others, sizeof(others));
}

static int complain(struct ff_error *error)
{
    fprintf(stderr, "portcheck-host: %s\nSee portcheck-host --help.\n", error->text);
    return 2;
}

static void replace(char **text, const char *value)
{
    free(*text);
    *text = cm_format("%s", value);
}

static int take_option(struct ph_settings *settings, int option, struct ff_error *error)
{
    if (option == '?' || option < 0)
        return cm_fail(error, "wrong usage");
    if (option < ROWS) {
        const char *value = optarg != NULL ? optarg : "yes";
        if (strchr(value, '\n') != NULL)
            return cm_fail(error, "--%s: a value is one line; put a longer command into a script",
                           rows[option].name);
        replace(setting(settings, &rows[option]), value);
    } else if (option == OPTION_RECORD) {
        replace(&settings->record, optarg);
    } else if (option == OPTION_REPORT) {
        replace(&settings->report, optarg);
    } else {
        settings->resume |= option == OPTION_RESUME;
        settings->json |= option == OPTION_JSON;
    }
    return 0;
}

bool ph_settings_parse(struct ph_settings *settings, int argc, char **argv, int *status)
{
    struct option options[ROWS + 8];
    struct ff_error error;
    int option = 0;
    *settings = (struct ph_settings){0};
    fill_options(options);
    *status = 0;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == OPTION_HELP) {
            print_help(stdout);
            return false;
        }
        if (option == OPTION_VERSION) {
            puts("portcheck-host " CRASHMATRIX_VERSION);
            return false;
        }
        if (take_option(settings, option, &error) != 0) {
            *status = complain(&error);
            return false;
        }
    }
    if (optind < argc)
        cm_fail(&error, "'%s' is no option", argv[optind]);
    else if (settings->record == NULL)
        cm_fail(&error, "--record is missing: the directory of the record");
    else
        return true;
    *status = complain(&error);
    return false;
}

/* ---- The header ---- */

int ph_settings_take(void *context, const char *name, const char *value, struct ff_error *error)
{
    struct ph_settings *settings = context;
    for (size_t i = 0; i < ROWS; i++) {
        if (strcmp(rows[i].name, name) != 0)
            continue;
        char **kept = setting(settings, &rows[i]);
        if (*kept != NULL && strcmp(*kept, value) != 0)
            return cm_fail(error,
                           "--resume: the record was made with --%s '%s', not '%s'; leave the "
                           "option out, or begin another record",
                           name, value, *kept);
        replace(kept, value);
        return 0;
    }
    return cm_fail(error, "%s: the record has an option that is not known: %s", settings->record,
                   name);
}

char *ph_settings_header(const struct ph_settings *settings)
{
    char *header = cm_format("%s", "");
    for (size_t i = 0; i < ROWS; i++) {
        char *more = cm_format("%s%s %s\n", header, rows[i].name, setting_of(settings, &rows[i]));
        free(header);
        header = more;
    }
    return header;
}

void ph_settings_free(struct ph_settings *settings)
{
    for (size_t i = 0; i < ROWS; i++)
        free(*setting(settings, &rows[i]));
    free(settings->record);
    free(settings->report);
    *settings = (struct ph_settings){0};
}

/* ---- What they mean ---- */

static bool read_number(const char *text, int base, uint64_t *number)
{
    char *end = NULL;
    errno = 0;
    *number = strtoull(text, &end, base);
    return *text != '-' && *text != '+' && *text != ' ' && end != text && *end == '\0' &&
           errno == 0;
}

static int take_number(const char *name, const char *text, uint64_t least, uint64_t *number,
                       struct ff_error *error)
{
    if (read_number(text, 10, number) && *number >= least)
        return 0;
    return cm_fail(error, "--%s: '%s' is not a number of at least %" PRIu64, name, text, least);
}

/* "500ms", "10s", "2m", at most a day; *end: behind it. */
static bool read_time(const char *text, const char **end, unsigned *milliseconds)
{
    static const struct {
        const char *suffix;
        double factor;
    } units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}};
    char *rest = NULL;
    if (*text < '0' || *text > '9')
        return false;
    double value = strtod(text, &rest);
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        size_t length = strlen(units[i].suffix);
        if (strncmp(rest, units[i].suffix, length) != 0)
            continue;
        *end = rest + length;
        *milliseconds = (unsigned)(value * units[i].factor);
        return value * units[i].factor <= 86400000;
    }
    return false;
}

static int take_time(const char *name, const char *text, unsigned *milliseconds,
                     struct ff_error *error)
{
    const char *end = NULL;
    if (read_time(text, &end, milliseconds) && *end == '\0')
        return 0;
    return cm_fail(error, "--%s: '%s' is not a time such as 500ms, 10s or 2m", name, text);
}

static int take_delay(struct ph_settings *settings, struct ff_error *error)
{
    const char *end = NULL;
    if (read_time(settings->delay, &end, &settings->delay_least) && strncmp(end, "..", 2) == 0 &&
        read_time(end + 2, &end, &settings->delay_most) && *end == '\0' &&
        settings->delay_least <= settings->delay_most)
        return 0;
    return cm_fail(error, "--delay: '%s' is not a range such as 10ms..2s", settings->delay);
}

static int take_run(struct ph_settings *settings, struct ff_error *error)
{
    uint64_t run = 0;
    if (settings->run[0] == '\0') {
        uint32_t chosen = 0;
        if (getrandom(&chosen, sizeof(chosen), 0) != (ssize_t)sizeof(chosen))
            return cm_fail(error, "no random number for the run: %s", strerror(errno));
        free(settings->run);
        settings->run = cm_format("%08" PRIx32, chosen);
    }
    if (strspn(settings->run, "0123456789abcdef") != 8 || settings->run[8] != '\0')
        return cm_fail(error, "--run: '%s' is not 8 hexadecimal digits in lower case",
                       settings->run);
    read_number(settings->run, 16, &run);
    settings->rules.run = (uint32_t)run;
    return 0;
}

/* It stands in reports. */
static int check_board(const struct ph_settings *settings, struct ff_error *error)
{
    size_t size = strlen(settings->board);
    char *printable = cm_allocate(size + 1, 1);
    cm_text_printable(printable, size + 1, settings->board, size);
    bool same = strcmp(printable, settings->board) == 0;
    free(printable);
    return same ? 0 : cm_fail(error, "--board: the name is no printable text in UTF-8");
}

static int take_kind(struct ph_settings *settings, struct ff_error *error)
{
    bool cuts = settings->power_off[0] != '\0' && settings->power_on[0] != '\0';
    bool some = settings->power_off[0] != '\0' || settings->power_on[0] != '\0';
    if (!ph_kind_find(settings->kind, &settings->what))
        return cm_fail(error, "--kind: '%s' is none of kill, reset, power", settings->kind);
    if (some != cuts)
        return cm_fail(error, "--power-off and --power-on belong together");
    if (cuts == (settings->ask[0] != '\0'))
        return cm_fail(error, "who cuts? Either --power-off CMD --power-on CMD, or --ask");
    return 0;
}

int ph_settings_finish(struct ph_settings *settings, struct ff_error *error)
{
    for (size_t i = 0; i < ROWS; i++) {
        char **value = setting(settings, &rows[i]);
        if (*value == NULL && rows[i].standard == NULL)
            return cm_fail(error, "--%s is missing: %s", rows[i].name, rows[i].value);
        if (*value == NULL)
            replace(value, rows[i].standard);
    }
    if (take_kind(settings, error) != 0 || take_run(settings, error) != 0 ||
        take_delay(settings, error) != 0 || check_board(settings, error) != 0)
        return -1;
    if (take_number("cycles", settings->cycles, 1, &settings->rules.cycles, error) != 0 ||
        take_number("in-flight", settings->in_flight, 0, &settings->rules.in_flight, error) != 0 ||
        take_number("give-up", settings->give_up, 1, &settings->give_up_count, error) != 0 ||
        take_number("seed", settings->seed, 0, &settings->seed_number, error) != 0)
        return -1;
    if (take_time("off-time", settings->off_time, &settings->off_ms, error) != 0 ||
        take_time("return-time", settings->return_time, &settings->return_ms, error) != 0)
        return -1;
    return take_time("command-time", settings->command_time, &settings->command_ms, error);
}
