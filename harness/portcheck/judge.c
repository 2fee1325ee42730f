/* Judging a board by its lines: see judge.h. */
#include "judge.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "text.h"

/* ---- Words ---- */

static const char *const kinds[PH_KINDS] = {
    [PH_KILL] = "kill", [PH_RESET] = "reset", [PH_POWER] = "power"};

const char *ph_kind_name(enum ph_kind kind)
{
    return kinds[kind];
}

bool ph_kind_find(const char *name, enum ph_kind *kind)
{
    for (size_t i = 0; i < PH_KINDS; i++)
        if (strcmp(name, kinds[i]) == 0) {
            *kind = (enum ph_kind)i;
            return true;
        }
    return false;
}

const char *ph_verdict_name(enum ph_verdict verdict)
{
    static const char *const names[] = {"PASS", "FAIL", "INCONCLUSIVE", "UNSUPPORTED"};
    return names[verdict];
}

static const struct {
    const char *word, *text;
} reasons[] = {
#define X(name, word, text) {word, text},
    PH_REASONS(X)
#undef X
};

const char *ph_reason_word(enum ph_reason reason)
{
    return reasons[reason].word;
}

const char *ph_reason_text(enum ph_reason reason)
{
    return reasons[reason].text;
}

/* The board's words, made fit for a report. */
static void copy(char *to, size_t size, const char *from)
{
    from = from != NULL ? from : "";
    cm_text_printable(to, size, from, strlen(from));
}

/* ---- Results ---- */

void ph_judge_begin(struct ph_judge *judge, const struct ph_rules *rules)
{
    *judge = (struct ph_judge){.rules = *rules};
}

void ph_judge_end(struct ph_judge *judge)
{
    free(judge->results);
    *judge = (struct ph_judge){0};
}

/* Of the cut that waits, or of this cycle if none does. */
static void add_result(struct ph_judge *judge, enum ph_outcome outcome, enum ph_reason reason,
                       const char *detail)
{
    judge->results = cm_reserve(judge->results, judge->result_count, &judge->result_capacity,
                                sizeof(*judge->results));
    struct ph_result *result = &judge->results[judge->result_count++];
    *result = (struct ph_result){
        .cycle = judge->cut ? judge->cut_cycle : judge->cycle,
        .outcome = outcome,
        .reason = reason,
        .acknowledged = judge->acknowledged,
        .announced = judge->announced,
        .has_found = judge->start.has_found,
        .found = judge->start.found,
    };
    copy(result->detail, sizeof(result->detail), detail);
    judge->cut = false;
    judge->survived += outcome == PH_SURVIVED;
    judge->lost += outcome == PH_LOST;
    judge->uncounted += outcome == PH_UNCOUNTED;
}

static void add_uncounted(struct ph_judge *judge, enum ph_reason reason, const char *detail)
{
    add_result(judge, PH_UNCOUNTED, reason, detail);
}

/* ---- The target ---- */

static void read_target(const struct pc_line *line, struct ph_target *target)
{
    copy(target->fs, sizeof(target->fs), pc_line_value(line, "fs"));
    copy(target->device, sizeof(target->device), pc_line_value(line, "device"));
    copy(target->uuid, sizeof(target->uuid), pc_line_value(line, "uuid"));
    copy(target->path, sizeof(target->path), pc_line_value(line, "path"));
    copy(target->source, sizeof(target->source), pc_line_value(line, "source"));
    copy(target->mark, sizeof(target->mark), pc_line_value(line, "mark"));
    copy(target->serial, sizeof(target->serial), pc_line_value(line, "serial"));
    target->marked = pc_line_has(line, "marked=1");
}

/* Of what both say: 1 if it is the same, -1 if it is not, 0 if one of them is silent. */
static int compare(const char *a, const char *b)
{
    if (a[0] == '\0' || b[0] == '\0')
        return 0;
    return strcmp(a, b) == 0 ? 1 : -1;
}

/* One that was made by this start cannot be an older one, whatever it says. */
static bool same_mark(const struct ph_target *before, const struct ph_target *now)
{
    return compare(before->mark, now->mark) > 0 && !now->marked;
}

/* Device numbers may change with the order in which drivers start: all else says more. A card
 * may be a copy of another one. */
static bool same_target(const struct ph_target *before, const struct ph_target *now)
{
    int uuid = compare(before->uuid, now->uuid);
    if (strcmp(before->fs, now->fs) != 0 || strcmp(before->path, now->path) != 0 || uuid < 0 ||
        compare(before->serial, now->serial) < 0)
        return false;
    return uuid > 0 || same_mark(before, now) || strcmp(before->device, now->device) == 0;
}

/* Whether what is empty now is what the promise was made on: see judge.h. */
static bool same_though_empty(const struct ph_target *before, const struct ph_target *now)
{
    if (same_mark(before, now))
        return true;
    bool young = before->marked || before->mark[0] == '\0';
    return young && compare(before->uuid, now->uuid) > 0;
}

struct identity {
    const char *name, *before, *now;
};

/* What tells one target from another, the surest first. */
static const char *difference(const struct ph_target *before, const struct ph_target *now,
                              char *text, size_t size)
{
    const struct identity all[] = {{"file system", before->fs, now->fs},
                                   {"directory", before->path, now->path},
                                   {"serial number", before->serial, now->serial},
                                   {"UUID", before->uuid, now->uuid},
                                   {"mark", before->mark, now->mark},
                                   {"device", before->device, now->device}};
    size_t i = 0;
    while (i < sizeof(all) / sizeof(all[0]) && compare(all[i].before, all[i].now) >= 0)
        i++;
    snprintf(text, size, "%s", "");
    if (i < sizeof(all) / sizeof(all[0]))
        snprintf(text, size, "%s %s, before %s", all[i].name, all[i].now, all[i].before);
    return text;
}

/* What a start did not say is still known from one before. */
static void learn_target(struct ph_target *known, const struct ph_target *now)
{
    struct ph_target before = *known;
    *known = *now;
    if (now->uuid[0] == '\0')
        memcpy(known->uuid, before.uuid, sizeof(known->uuid));
    if (now->serial[0] == '\0')
        memcpy(known->serial, before.serial, sizeof(known->serial));
    if (now->mark[0] == '\0') {
        memcpy(known->mark, before.mark, sizeof(known->mark));
        known->marked = before.marked;
    }
}

/* What was promised before cannot be looked for any more. */
static void change_target(struct ph_judge *judge, enum ph_reason reason)
{
    judge->abandoned += judge->promised;
    judge->abandoned_reason = reason;
    judge->based = judge->promised = judge->open = false;
    judge->acknowledged = judge->announced = 0;
}

/* ---- Canaries ---- */

/* The index of a canary, which is new if it is the count; PH_CANARIES: no more places. */
static size_t find_canary(const struct ph_judge *judge, const char *name)
{
    size_t i = 0;
    while (i < judge->canary_count && strcmp(judge->canaries[i], name) != 0)
        i++;
    return i;
}

/* "WHAT: REASON", unless something is known to be wrong already. */
static void add_damage(struct ph_start *start, const char *what, const char *reason)
{
    if (start->damage[0] != '\0')
        return;
    char *text = cm_format("%s: %s", what, reason != NULL ? reason : "no reason given");
    copy(start->damage, sizeof(start->damage), text);
    free(text);
}

static void take_canary(struct ph_judge *judge, const struct pc_line *line)
{
    const char *name = pc_line_argument(line, 0);
    if (name == NULL)
        return;
    size_t index = find_canary(judge, name);
    if (index == judge->canary_count && index < PH_CANARIES)
        copy(judge->canaries[judge->canary_count++], PH_NAME_SIZE, name);
    if (index < PH_CANARIES)
        judge->start.seen[index] = true;
    if (pc_line_has(line, "bad"))
        add_damage(&judge->start, name, pc_line_value(line, "reason"));
    else if (!pc_line_has(line, "ok"))
        judge->start.gap = true;
}

static bool all_canaries_seen(const struct ph_judge *judge)
{
    for (size_t i = 0; i < judge->canary_count; i++)
        if (!judge->start.seen[i])
            return false;
    return true;
}

/* ---- The check that a start makes ---- */

static bool heard_all(const struct ph_judge *judge)
{
    const struct ph_start *start = &judge->start;
    return !start->gap && start->has_found && start->read_back && all_canaries_seen(judge);
}

static bool is_ahead(const struct ph_judge *judge)
{
    uint64_t found = judge->start.found;
    return judge->based && !judge->unheard && found > judge->announced &&
           found - judge->announced > judge->rules.in_flight;
}

/* What the start shows to be lost, as text in damage. */
static bool shows_loss(struct ph_judge *judge)
{
    struct ph_start *start = &judge->start;
    char versions[80];
    if (judge->promised && start->has_found &&
        (start->found < judge->acknowledged || start->created)) {
        snprintf(versions, sizeof(versions), "version %" PRIu64 " was acknowledged",
                 judge->acknowledged);
        add_damage(start, versions,
                   start->created ? "there was no database" : "the board found an older one");
    }
    return start->damage[0] != '\0';
}

static void pass_check(struct ph_judge *judge, bool ahead)
{
    struct ph_start *start = &judge->start;
    if (!judge->based)
        judge->target = (struct ph_target){0};
    learn_target(&judge->target, &start->target);
    if (ahead && judge->cut)
        add_uncounted(judge, PH_AHEAD, "");
    else if (judge->cut && judge->cut_counts)
        add_result(judge, PH_SURVIVED, PH_REASON_COUNT, "");
    else if (judge->cut)
        add_uncounted(judge, judge->cut_reason, "");
    if (start->found > judge->announced)
        judge->announced = start->found;
    judge->based = true;
    judge->open = judge->unheard = false;
    start->passed = true;
}

/* A target that is not the one before, for all that is known, is a new beginning. */
static void recognize_target(struct ph_judge *judge)
{
    const struct ph_target *now = &judge->start.target;
    enum ph_reason reason = PH_REASON_COUNT;
    if (!same_target(&judge->target, now))
        reason = PH_OTHER_TARGET;
    else if (judge->start.created && judge->promised && !same_though_empty(&judge->target, now))
        reason = PH_MADE_ANEW;
    if (reason == PH_REASON_COUNT) {
        judge->target.marked &= now->marked;
        return;
    }
    char what[200];
    add_uncounted(judge, reason, difference(&judge->target, now, what, sizeof(what)));
    change_target(judge, reason);
}

/* Once for each start, when it has said what it found. */
static void judge_start(struct ph_judge *judge)
{
    struct ph_start *start = &judge->start;
    if (judge->based && start->has_target)
        recognize_target(judge);
    if (!start->has_target) {
        add_uncounted(judge, PH_LINES_LOST, "");
    } else if (shows_loss(judge)) {
        if (judge->based)
            add_result(judge, PH_LOST, PH_REASON_COUNT, start->damage);
        else
            add_uncounted(judge, PH_DAMAGED_BEFORE, start->damage);
    } else if (!heard_all(judge)) {
        add_uncounted(judge, judge->went_on ? PH_WENT_ON : PH_LINES_LOST, "");
    } else {
        pass_check(judge, is_ahead(judge));
    }
}

/* The board goes on to the next phase; what it found is judged first. */
static void leave_check(struct ph_judge *judge, enum ph_phase phase)
{
    if (judge->start.phase == PH_CHECKING)
        judge_start(judge);
    judge->start.phase = phase;
}

/* ---- Lines ---- */

static void take_program(struct ph_judge *judge, const struct pc_line *line)
{
    copy(judge->program, sizeof(judge->program), pc_line_value(line, "program"));
    copy(judge->mutant, sizeof(judge->mutant), pc_line_value(line, "mutant"));
}

/* A process numbers its lines from 0. One that goes on where the last start ended was never
 * restarted, whatever the switch did; with any other number, lines before it were lost. */
static void begin_start(struct ph_judge *judge, const struct pc_line *line)
{
    bool went_on = line->sequence > 0 && line->sequence >= judge->last_sequence;
    judge->went_on |= went_on;
    judge->start = (struct ph_start){.phase = PH_CHECKING,
                                     .numbered = true,
                                     .next_sequence = line->sequence + 1,
                                     .gap = line->sequence > 0};
}

static void take_hello(struct ph_judge *judge, const struct pc_line *line)
{
    uint64_t cycle = 0, protocol = 0;
    struct ph_start *start = &judge->start;
    if (!pc_line_number(line, "cycle", &cycle) || cycle != judge->cycle) {
        judge->stale++;
        return;
    }
    if (start->phase != PH_AWAITED && line->sequence >= start->next_sequence) {
        /* The same start says it again, because it was asked again. */
        start->next_sequence = line->sequence + 1;
        return;
    }
    if (start->phase != PH_AWAITED) {
        judge->restarts++;
        judge->open = judge->promised;
    }
    take_program(judge, line);
    begin_start(judge, line);
    if (!pc_line_number(line, "protocol", &protocol) || protocol != PC_PROTOCOL) {
        add_uncounted(judge, PH_REFUSED, "the board speaks another version of the protocol");
        start->phase = PH_ENDED;
    }
}

static void take_target(struct ph_judge *judge, const struct pc_line *line)
{
    struct ph_target *target = &judge->start.target;
    judge->start.has_target = true;
    read_target(line, target);
}

static void take_found(struct ph_judge *judge, const struct pc_line *line)
{
    struct ph_start *start = &judge->start;
    uint64_t torn = 0, created = 0;
    copy(start->target.point, sizeof(start->target.point), pc_line_value(line, "point"));
    start->torn = pc_line_number(line, "torn", &torn) && torn != 0;
    start->created = pc_line_number(line, "created", &created) && created != 0;
    start->has_found = !start->torn && pc_line_number(line, "version", &start->found);
    if (!start->torn)
        return;
    add_damage(start, "what is there is not whole", pc_line_value(line, "reason"));
    leave_check(judge, PH_ENDED); /* the board says no more */
}

static void take_verified(struct ph_judge *judge, const struct pc_line *line)
{
    uint64_t version = 0;
    char name[32];
    if (!pc_line_number(line, "version", &version))
        return;
    snprintf(name, sizeof(name), "version %" PRIu64, version);
    if (pc_line_has(line, "ok"))
        judge->start.read_back |= judge->start.has_found && version == judge->start.found;
    else
        add_damage(&judge->start, name, pc_line_value(line, "reason"));
}

static void take_committing(struct ph_judge *judge, const struct pc_line *line,
                            uint64_t milliseconds)
{
    uint64_t version = 0;
    if (!pc_line_number_at(line, 0, &version))
        return;
    if (judge->start.phase == PH_AWAITED)
        judge->went_on = true;
    else
        leave_check(judge, PH_COMMITTING);
    judge->start.announced_milliseconds = milliseconds;
    if (version > judge->announced)
        judge->announced = version;
}

static void time_acknowledgement(struct ph_judge *judge, uint64_t milliseconds)
{
    struct ph_start *start = &judge->start;
    if (start->acknowledgements++ == 0)
        start->first_milliseconds = milliseconds;
    start->last_milliseconds = milliseconds;
    uint64_t span = milliseconds - start->first_milliseconds;
    /* Lines come in portions, so that a short span says little. */
    if (span < 500)
        return;
    double rate = (double)(start->acknowledgements - 1) * 1000 / (double)span;
    if (rate > judge->best_rate)
        judge->best_rate = rate;
}

static void take_committed(struct ph_judge *judge, const struct pc_line *line,
                           uint64_t milliseconds)
{
    uint64_t version = 0;
    if (!pc_line_number_at(line, 0, &version))
        return;
    if (judge->start.phase != PH_AWAITED) {
        leave_check(judge, PH_COMMITTING);
        time_acknowledgement(judge, milliseconds);
    }
    judge->acknowledgements++;
    judge->promised = true;
    if (version > judge->acknowledged)
        judge->acknowledged = version;
    if (version > judge->announced)
        judge->announced = version;
}

static void take_refused(struct ph_judge *judge, const struct pc_line *line)
{
    const char *reason = pc_line_value(line, "reason");
    uint64_t unsupported = 0;
    if (pc_line_number(line, "unsupported", &unsupported) && unsupported != 0) {
        judge->unsupported = true;
        copy(judge->unsupported_reason, sizeof(judge->unsupported_reason), reason);
    } else if (judge->start.phase != PH_ENDED) {
        add_uncounted(judge, PH_REFUSED, reason);
    }
    judge->start.phase = PH_ENDED;
}

static void take_error(struct ph_judge *judge, const struct pc_line *line)
{
    struct ph_start *start = &judge->start;
    bool checking = start->phase == PH_CHECKING;
    if (checking && start->has_target && shows_loss(judge))
        judge_start(judge);
    else if (start->phase != PH_ENDED)
        add_uncounted(judge, PH_ERROR, pc_line_value(line, "reason"));
    start->phase = PH_ENDED;
}

/* Notes what is missing before this line; false: it was there before. */
static bool take_sequence(struct ph_judge *judge, const struct pc_line *line)
{
    struct ph_start *start = &judge->start;
    if (!start->numbered)
        return true;
    if (line->sequence < start->next_sequence) {
        judge->repeated++;
        return false;
    }
    if (line->sequence > start->next_sequence) {
        judge->missing += line->sequence - start->next_sequence;
        if (start->phase == PH_CHECKING)
            start->gap = true;
    }
    start->next_sequence = line->sequence + 1;
    return true;
}

/* A start whose hello was lost is not worth waiting for: the power is cut once more. */
static void begin_without_hello(struct ph_judge *judge, const struct pc_line *line)
{
    judge->stale++;
    judge->start = (struct ph_start){
        .phase = PH_CHECKING, .numbered = true, .next_sequence = line->sequence + 1, .gap = true};
}

static bool is_of_check(const char *word)
{
    return strcmp(word, "target") == 0 || strcmp(word, "found") == 0 ||
           strcmp(word, "verified") == 0 || strcmp(word, "canary") == 0;
}

static void take_check_line(struct ph_judge *judge, const struct pc_line *line)
{
    const char *word = pc_line_word(line);
    if (judge->start.phase == PH_AWAITED)
        begin_without_hello(judge, line);
    if (judge->start.phase != PH_CHECKING)
        return;
    if (strcmp(word, "target") == 0)
        take_target(judge, line);
    else if (strcmp(word, "found") == 0)
        take_found(judge, line);
    else if (strcmp(word, "verified") == 0)
        take_verified(judge, line);
    else if (strcmp(word, "canary") == 0)
        take_canary(judge, line);
}

static void take_line(struct ph_judge *judge, const struct pc_line *line, uint64_t milliseconds)
{
    const char *word = pc_line_word(line);
    if (line->run != judge->rules.run) {
        judge->wrong_runs++;
    } else if (strcmp(word, "hello") == 0) {
        take_hello(judge, line);
    } else if (!take_sequence(judge, line)) {
        return;
    } else if (strcmp(word, "committing") == 0) {
        take_committing(judge, line, milliseconds);
    } else if (strcmp(word, "committed") == 0) {
        take_committed(judge, line, milliseconds);
    } else if (is_of_check(word)) {
        take_check_line(judge, line);
    } else if (judge->start.phase == PH_AWAITED) {
        judge->stale++;
    } else if (strcmp(word, "refused") == 0) {
        take_refused(judge, line);
    } else if (strcmp(word, "error") == 0) {
        take_error(judge, line);
    } else if (strcmp(word, "bye") == 0) {
        leave_check(judge, PH_ENDED);
    }
}

/* ---- What the host did ---- */

static void take_cut(struct ph_judge *judge)
{
    struct ph_start *start = &judge->start;
    leave_check(judge, start->phase);
    bool committing = start->phase == PH_COMMITTING && start->passed;
    judge->cut = true;
    judge->cut_cycle = judge->cycle;
    judge->cut_counts = committing && start->acknowledgements > 0;
    judge->cut_reason = start->phase == PH_ENDED ? PH_FINISHED : PH_NO_ACKNOWLEDGEMENT;
    if (start->phase == PH_COMMITTING && !start->passed)
        judge->cut_reason = PH_LINES_LOST;
    judge->open = judge->promised;
}

static void take_timeout(struct ph_judge *judge)
{
    enum ph_phase phase = judge->start.phase;
    if (phase == PH_COMMITTING)
        add_uncounted(judge, PH_NO_ACKNOWLEDGEMENT, "");
    else if (phase == PH_AWAITED)
        add_uncounted(judge, judge->went_on ? PH_WENT_ON : PH_NO_RETURN, "");
    leave_check(judge, PH_ENDED);
}

/* Whatever the board did meanwhile, no host was there to hear it. */
static void take_session(struct ph_judge *judge)
{
    judge->start = (struct ph_start){0};
    judge->open = judge->promised;
    judge->unheard = true;
}

void ph_judge_event(struct ph_judge *judge, const struct ph_event *event)
{
    switch (event->kind) {
    case PH_EVENT_SESSION:
        take_session(judge);
        break;
    case PH_EVENT_ON:
        judge->last_sequence = judge->start.next_sequence;
        judge->cycle = event->number;
        judge->start = (struct ph_start){0};
        judge->went_on = false;
        judge->open = judge->promised;
        break;
    case PH_EVENT_LINE:
        take_line(judge, event->line, event->milliseconds);
        break;
    case PH_EVENT_CUT:
        take_cut(judge);
        break;
    case PH_EVENT_TIMEOUT:
        take_timeout(judge);
        break;
    case PH_EVENT_NOISE:
        judge->foreign += event->number;
        judge->garbled += event->other;
        break;
    case PH_EVENT_KINDS:
        break;
    }
}

/* ---- The verdict ---- */

static bool has_passed(const struct ph_judge *judge)
{
    return judge->survived >= judge->rules.cycles && judge->survived > 0 && !judge->open &&
           judge->abandoned == 0;
}

bool ph_judge_is_decided(const struct ph_judge *judge)
{
    return judge->lost > 0 || judge->unsupported || judge->abandoned > 0 || has_passed(judge);
}

enum ph_verdict ph_judge_verdict(const struct ph_judge *judge)
{
    if (judge->lost > 0)
        return PH_FAIL;
    if (judge->unsupported)
        return PH_UNSUPPORTED;
    return has_passed(judge) ? PH_PASS : PH_INCONCLUSIVE;
}

void ph_judge_doubt(const struct ph_judge *judge, char *text, size_t size)
{
    *text = '\0';
    if (ph_judge_verdict(judge) != PH_INCONCLUSIVE)
        return;
    if (judge->abandoned > 0)
        snprintf(text, size, "what was acknowledged cannot be looked for: the board %s",
                 ph_reason_text(judge->abandoned_reason));
    else if (judge->open && judge->survived >= judge->rules.cycles)
        snprintf(text, size, "what was acknowledged last was not seen again");
    else
        snprintf(text, size, "%" PRIu64 " cuts counted of the %" PRIu64 " that were asked for",
                 judge->survived, judge->rules.cycles);
}

double ph_upper_bound(uint64_t cuts)
{
    return cuts == 0 ? 1 : 1 - pow(0.05, 1 / (double)cuts);
}

bool ph_rate_is_suspicious(const char *source, double rate)
{
    /* A commit waits for several flushes. Cards and eMMC take a millisecond or more for
     * one, a disk a turn: rates above these are those of a cache. */
    static const struct {
        const char *name;
        double most;
    } media[] = {{"mmcblk", 500}, {"ubi", 1000}, {"mtd", 1000}, {"sd", 2000}};
    const char *name = strrchr(source, '/');
    name = name != NULL ? name + 1 : source;
    for (size_t i = 0; i < sizeof(media) / sizeof(media[0]); i++)
        if (strncmp(name, media[i].name, strlen(media[i].name)) == 0)
            return rate > media[i].most;
    return false;
}
