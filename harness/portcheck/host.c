/* Running a validation: see host.h. */
#include "host.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "fail.h"
#include "memory.h"
#include "moment.h"
#include "process.h"
#include "switch.h"

/* Milliseconds: between two words to a board that is silent; of silence before it is
 * spoken to again; between looks; of silence after which nothing more is on its way; for
 * that at most; after which the moment is not waited for any longer. */
enum { REPEAT = 100, SILENCE = 3000, LOOK = 5, QUIET = 50, DRAIN = 2000, PATIENCE = 500 };

static volatile sig_atomic_t stop_signal;

static void note_stop(int number)
{
    stop_signal = number;
}

static uint64_t now_of(const struct ph_host *host)
{
    return (cm_process_clock() - host->began) / 1000000;
}

/* ---- Events ---- */

/* Records an event and then judges it. The text is what the record says behind the time. */
static int tell(struct ph_host *host, struct ph_event event, const char *text,
                struct ff_error *error)
{
    event.milliseconds = now_of(host);
    char *line = cm_format("%" PRIu64 " %s", event.milliseconds, text);
    int status = ph_record_append(&host->record, line, error);
    free(line);
    if (status != 0 || ph_record_sync(&host->record, error) != 0)
        return -1;
    ph_judge_event(&host->judge, &event);
    return 0;
}

static int tell_number(struct ph_host *host, struct ph_event event, const char *word,
                       uint64_t number, struct ff_error *error)
{
    char text[64];
    event.number = number;
    snprintf(text, sizeof(text), "%s %" PRIu64, word, number);
    return tell(host, event, text, error);
}

/* What the reader has thrown away since the last time. */
static int tell_noise(struct ph_host *host, struct ff_error *error)
{
    char text[80];
    struct ph_event event = {.kind = PH_EVENT_NOISE,
                             .number = host->reader.foreign - host->foreign,
                             .other = host->reader.garbled - host->garbled};
    if (event.number == 0 && event.other == 0)
        return 0;
    host->foreign = host->reader.foreign;
    host->garbled = host->reader.garbled;
    snprintf(text, sizeof(text), "noise %" PRIu64 " %" PRIu64, event.number, event.other);
    return tell(host, event, text, error);
}

static int append_line(struct ph_host *host, const struct pc_line *line, uint64_t milliseconds,
                       struct ff_error *error)
{
    struct pc_message message;
    pc_message_begin(&message, line->run, line->sequence, pc_line_word(line));
    for (size_t i = 0; i < line->argument_count; i++)
        pc_message_add(&message, NULL, pc_line_argument(line, i));
    if (!pc_message_end(&message))
        return cm_fail(error, "a line of the board cannot be kept: %s", pc_line_word(line));
    message.text[message.length - 1] = '\0';
    char *text = cm_format("%" PRIu64 " line %s", milliseconds, message.text);
    int status = ph_record_append(&host->record, text, error);
    free(text);
    return status;
}

/* ---- Hearing and speaking ---- */

/* Lines that came together are made durable together, and count only then. */
static int hear_bytes(struct ph_host *host, const char *bytes, size_t size, struct ff_error *error)
{
    size_t count = 0, capacity = 0;
    struct pc_line *lines = NULL;
    struct ph_event event = {.kind = PH_EVENT_LINE, .milliseconds = now_of(host)};
    int status = 0;
    for (size_t i = 0; i < size && status == 0; i++) {
        lines = cm_reserve(lines, count, &capacity, sizeof(*lines));
        if (pc_reader_take(&host->reader, bytes[i], &lines[count]))
            status = append_line(host, &lines[count++], event.milliseconds, error);
    }
    if (status == 0 && count > 0)
        status = ph_record_sync(&host->record, error);
    for (size_t i = 0; i < count && status == 0; i++) {
        event.line = &lines[i];
        ph_judge_event(&host->judge, &event);
        host->heard = event.milliseconds;
    }
    free(lines);
    return status;
}

/* Listens for at most so long. Returns whether anything came, or -1. */
static int hear(struct ph_host *host, unsigned milliseconds, struct ff_error *error)
{
    char bytes[PH_PORTION];
    host->stopped |= stop_signal != 0;
    size_t size = ph_link_read(&host->link, bytes, sizeof(bytes), host->terminal, milliseconds);
    host->stopped |= stop_signal != 0;
    if (size == 0)
        return 0;
    return hear_bytes(host, bytes, size, error) == 0 ? 1 : -1;
}

static void send_message(struct ph_host *host, struct pc_message *message)
{
    if (!pc_message_end(message))
        return;
    ph_link_write(&host->link, message->text, message->length);
    host->spoke = now_of(host);
}

static void say_run(struct ph_host *host)
{
    struct pc_message message;
    char run[16];
    snprintf(run, sizeof(run), "%08" PRIx32, host->judge.rules.run);
    pc_message_begin(&message, host->judge.rules.run, host->sequence++, "run");
    pc_message_add(&message, NULL, run);
    pc_message_add_number(&message, "cycle", host->cycle);
    pc_message_add_number(&message, "commits", 0);
    send_message(host, &message);
}

static void say_stop(struct ph_host *host)
{
    struct pc_message message;
    pc_message_begin(&message, host->judge.rules.run, host->sequence++, "stop");
    send_message(host, &message);
}

/* Until the hello has come, and to a board that has fallen silent. */
static void speak(struct ph_host *host)
{
    uint64_t now = now_of(host);
    bool awaited = host->judge.start.phase == PH_AWAITED;
    if (now - host->spoke >= REPEAT && (awaited || now - host->heard >= SILENCE))
        say_run(host);
}

/* Listens until nothing has come for a while. */
static int drain(struct ph_host *host, unsigned quiet, struct ff_error *error)
{
    uint64_t end = now_of(host) + DRAIN + quiet, last = now_of(host);
    int got = 0;
    while (got >= 0 && now_of(host) < end && now_of(host) - last < quiet && !host->stopped) {
        got = hear(host, quiet, error);
        if (got > 0)
            last = now_of(host);
    }
    return got < 0 ? -1 : 0;
}

/* ---- The power ---- */

/* Listens until the person has answered. */
static int ask(struct ph_host *host, const char *what, struct ff_error *error)
{
    char typed[64];
    ph_switch_forget(host->terminal);
    ph_switch_say(host->terminal, what);
    while (!host->stopped) {
        if (hear(host, QUIET, error) < 0)
            return -1;
        ssize_t size = read(host->terminal, typed, sizeof(typed));
        if (size > 0 && memchr(typed, '\n', (size_t)size) != NULL)
            return 0;
        if (size == 0)
            return cm_fail(error, "--ask: the terminal has gone");
    }
    return 0;
}

static int switch_off(struct ph_host *host, const char *request, struct ff_error *error)
{
    const struct ph_settings *settings = host->settings;
    bool asks = settings->ask[0] != '\0';
    int status = asks ? ask(host, request, error)
                      : ph_switch_run("power-off", settings->power_off, host->output,
                                      settings->command_ms, error);
    if (status != 0)
        return -1;
    unsigned quiet = settings->off_ms > QUIET ? settings->off_ms : QUIET;
    return drain(host, asks ? QUIET : quiet, error);
}

static int switch_on(struct ph_host *host, struct ff_error *error)
{
    char number[24];
    snprintf(number, sizeof(number), "%" PRIu64, ++host->cycle);
    setenv("PORTCHECK_CYCLE", number, 1);
    if (tell_noise(host, error) != 0 ||
        tell_number(host, (struct ph_event){.kind = PH_EVENT_ON}, "on", host->cycle, error) != 0)
        return -1;
    host->spoke = host->heard = 0;
    if (host->settings->ask[0] != '\0') {
        ph_switch_say(host->terminal, "Switch the board on");
        return 0; /* its hello is the answer */
    }
    return ph_switch_run("power-on", host->settings->power_on, host->output,
                         host->settings->command_ms, error);
}

/* ---- A cycle ---- */

enum course { GOES_ON, CUT_NOW, NO_CUT };

static bool moment_came(const struct ph_host *host, struct ph_moment moment)
{
    const struct ph_judge *judge = &host->judge;
    uint64_t now = now_of(host), from = judge->start.first_milliseconds + moment.milliseconds;
    if (now < from)
        return false;
    if (now >= from + PATIENCE)
        return true;
    switch (moment.kind) {
    case PH_AT_ACKNOWLEDGED:
        return judge->start.last_milliseconds >= from;
    case PH_AT_ANNOUNCED:
        return judge->start.announced_milliseconds >= from;
    case PH_AT_TIME:
        break;
    }
    return true;
}

/* Until when the board must do something. */
static uint64_t deadline(const struct ph_host *host, uint64_t on)
{
    const struct ph_start *start = &host->judge.start;
    uint64_t from = start->acknowledgements > 0 ? start->last_milliseconds : on;
    return from + host->settings->return_ms;
}

static int look(struct ph_host *host, uint64_t on, struct ph_moment moment, enum course *course,
                struct ff_error *error)
{
    const struct ph_start *start = &host->judge.start;
    *course = GOES_ON;
    if (hear(host, LOOK, error) < 0)
        return -1;
    if (ph_judge_is_decided(&host->judge) || start->phase == PH_ENDED) {
        *course = NO_CUT;
    } else if (start->phase == PH_COMMITTING && start->acknowledgements > 0 &&
               moment_came(host, moment)) {
        *course = CUT_NOW;
    } else if (now_of(host) > deadline(host, on)) {
        *course = NO_CUT;
        return tell(host, (struct ph_event){.kind = PH_EVENT_TIMEOUT}, "timeout", error);
    }
    return 0;
}

static void show_progress(const struct ph_host *host, const char *what)
{
    if (isatty(STDERR_FILENO))
        fprintf(stderr, "\r\033[Kcycle %" PRIu64 ": %" PRIu64 " of %" PRIu64 " cuts, %s",
                host->cycle, host->judge.survived, host->judge.rules.cycles, what);
}

static int cut(struct ph_host *host, enum ph_moment_kind kind, struct ff_error *error)
{
    char text[32];
    snprintf(text, sizeof(text), "cut %s", ph_moment_name(kind));
    if (tell(host, (struct ph_event){.kind = PH_EVENT_CUT}, text, error) != 0)
        return -1;
    show_progress(host, "cut");
    return 0;
}

/* From the power's coming to its going. */
static int run_cycle(struct ph_host *host, struct ff_error *error)
{
    const struct ph_settings *settings = host->settings;
    enum course course = GOES_ON;
    uint64_t survived = host->judge.survived;
    if (switch_on(host, error) != 0)
        return -1;
    if (settings->ask[0] == '\0')
        show_progress(host, "waiting for the board");
    uint64_t on = now_of(host);
    struct ph_moment moment = ph_moment_draw(settings->seed_number, host->cycle,
                                             settings->delay_least, settings->delay_most);
    while (course == GOES_ON && !host->stopped) {
        speak(host);
        if (look(host, on, moment, &course, error) != 0)
            return -1;
    }
    host->barren = host->judge.survived > survived ? 0 : host->barren + 1;
    if (host->stopped || ph_judge_is_decided(&host->judge))
        return 0;
    if (course == CUT_NOW && cut(host, moment.kind, error) != 0)
        return -1;
    return switch_off(host, "Cut the power NOW, then press Enter", error);
}

/* The first start adds no cut that counts, whatever happens. */
static bool goes_on(const struct ph_host *host)
{
    return !host->stopped && !ph_judge_is_decided(&host->judge) &&
           host->barren <= host->settings->give_up_count;
}

/* ---- The whole ---- */

static void catch_signals(void)
{
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
    struct sigaction action = {.sa_handler = note_stop};
    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
        sigaction(signals[i], &action, NULL);
    signal(SIGPIPE, SIG_IGN);
}

static int open_record(struct ph_host *host, struct ph_settings *settings, bool *usage,
                       struct ff_error *error)
{
    *usage = true;
    if (settings->resume) {
        if (ph_record_open(&host->record, settings->record, ph_settings_take, settings, error) != 0)
            return -1;
    }
    if (ph_settings_finish(settings, error) != 0)
        return -1;
    ph_judge_begin(&host->judge, &settings->rules);
    if (settings->resume)
        return ph_record_replay(&host->record, &host->judge, error);
    /* Where nobody can listen or be asked, no record is left either. */
    if (ph_link_open(&host->link, settings->listen, error) != 0)
        return -1;
    char *header = ph_settings_header(settings);
    int status = ph_record_create(&host->record, settings->record, header, error);
    free(header);
    return status;
}

static int open_surroundings(struct ph_host *host, struct ff_error *error)
{
    const struct ph_settings *settings = host->settings;
    if (settings->resume && ph_link_open(&host->link, settings->listen, error) != 0)
        return -1;
    if (settings->ask[0] != '\0' && (host->terminal = ph_switch_terminal(error)) < 0)
        return -1;
    char *path = cm_format("%s/commands.log", settings->record);
    host->output = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    int status =
        host->output >= 0 ? 0 : cm_fail(error, "%s: cannot be opened: %s", path, strerror(errno));
    free(path);
    setenv("PORTCHECK_RUN", settings->run, 1);
    if (host->link.port != NULL)
        setenv("PORTCHECK_PORT", host->link.port, 1);
    return status;
}

int ph_host_begin(struct ph_host *host, struct ph_settings *settings, bool *usage,
                  struct ff_error *error)
{
    *host = (struct ph_host){.settings = settings, .output = -1, .terminal = -1};
    host->record.file = host->link.file = host->link.listener = -1;
    host->began = cm_process_clock();
    catch_signals();
    if (open_record(host, settings, usage, error) != 0)
        return -1;
    host->cycle = host->judge.cycle;
    if (ph_judge_is_decided(&host->judge))
        return 0;
    *usage = false;
    return open_surroundings(host, error);
}

static int tell_session(struct ph_host *host, struct ff_error *error)
{
    char text[64];
    struct tm utc;
    time_t now = time(NULL); /* for people: nothing depends on it */
    strftime(text, sizeof(text), "session %Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &utc));
    return tell(host, (struct ph_event){.kind = PH_EVENT_SESSION}, text, error);
}

int ph_host_run(struct ph_host *host, struct ff_error *error)
{
    if (ph_judge_is_decided(&host->judge))
        return 0;
    if (host->link.port != NULL)
        fprintf(stderr, "portcheck-host: run %s, listening on port %s\n", host->settings->run,
                host->link.port);
    /* Whatever the board does now, it begins without power. */
    if (tell_session(host, error) != 0 ||
        switch_off(host, "Switch the board off, then press Enter", error) != 0)
        return -1;
    int status = 0;
    while (status == 0 && goes_on(host))
        status = run_cycle(host, error);
    say_stop(host);
    if (isatty(STDERR_FILENO))
        fputs("\r\033[K", stderr);
    return status == 0 ? tell_noise(host, error) : -1;
}

void ph_host_end(struct ph_host *host)
{
    ph_link_close(&host->link);
    ph_record_close(&host->record);
    ph_judge_end(&host->judge);
    if (host->output >= 0)
        close(host->output);
    if (host->terminal >= 0)
        close(host->terminal);
}
