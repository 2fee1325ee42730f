/* The command run: commits, and tells the host what is durable. */
#include "command.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "durable.h"
#include "text.h"
#include "workload.h"

/* After so many commits it says how fast it was and looks at the mount again. */
enum { LOOK_EVERY = 100 };

enum outcome { GO_ON, NEXT_CYCLE, ENDED };

struct run {
    struct pc_arguments *arguments;
    struct pc_channel *channel;
    bool listens; /* there is a way back, and the host is at its other end */
    struct pc_target target;
    char *serial; /* of the disk, or NULL */
    char *mark;   /* of the file system, or NULL; marked: made by this start */
    bool marked;
    struct pc_workload workload;
    bool created;
    uint64_t found;        /* the version at the start */
    uint64_t microseconds; /* of the commits of this cycle */
    int status;            /* of the program, when it ends */
    bool gone;             /* the host, and that was told */
};

/* ---- Lines ---- */

static void begin(struct run *run, struct pc_message *message, const char *word)
{
    pc_channel_begin(run->channel, message, word);
}

/* Without the host there is nothing to do: what is not heard does not count. */
static enum outcome lost(struct run *run)
{
    if (*run->arguments->stop == 0) {
        if (!run->gone)
            fprintf(stderr, "portcheck: %s: nobody is there any more\n", run->channel->name);
        run->gone = true;
        run->status = PC_EXIT_FAILED;
    }
    return ENDED;
}

static enum outcome finish(struct run *run, struct pc_message *message)
{
    return !run->gone && pc_channel_send(run->channel, message) ? GO_ON : lost(run);
}

static enum outcome say_number(struct run *run, const char *word, uint64_t number)
{
    struct pc_message message;
    begin(run, &message, word);
    pc_message_add_number(&message, NULL, number);
    return finish(run, &message);
}

/* The last word, with its reason, which is freed. People at the board see it, too. */
static enum outcome give_up(struct run *run, const char *word, char *reason)
{
    struct pc_message message;
    fprintf(stderr, "portcheck: %s: %s\n", word, reason);
    begin(run, &message, word);
    pc_message_add_text(&message, "reason", reason);
    free(reason);
    finish(run, &message);
    run->status = PC_EXIT_FAILED;
    return ENDED;
}

static enum outcome say_hello(struct run *run)
{
    struct pc_message message;
    begin(run, &message, "hello");
    pc_message_add(&message, "program", "portcheck/" CRASHMATRIX_VERSION);
    pc_message_add_number(&message, "protocol", PC_PROTOCOL);
    pc_message_add_number(&message, "cycle", run->arguments->cycle);
    if (run->arguments->mutant != NULL)
        pc_message_add(&message, "mutant", run->arguments->mutant);
    return finish(run, &message);
}

/* The options come last: they are what may be cut. */
static enum outcome say_target(struct run *run)
{
    struct pc_message message;
    const struct pc_target *target = &run->target;
    begin(run, &message, "target");
    pc_message_add(&message, "fs", target->mount.type);
    pc_message_add(&message, "device", target->mount.device);
    if (target->uuid[0] != '\0')
        pc_message_add(&message, "uuid", target->uuid);
    if (run->mark != NULL)
        pc_message_add_text(&message, "mark", run->mark);
    if (run->marked)
        pc_message_add(&message, "marked", "1");
    if (run->serial != NULL)
        pc_message_add_text(&message, "serial", run->serial);
    pc_message_add_text(&message, "source", target->mount.source);
    pc_message_add_text(&message, "path", target->path);
    pc_message_add_text(&message, "options", target->mount.options);
    return finish(run, &message);
}

static enum outcome say_found(struct run *run)
{
    struct pc_message message;
    begin(run, &message, "found");
    pc_message_add_number(&message, "version", run->found);
    pc_message_add(&message, "point",
                   mf_commit_point_word(mf_database_commit_point(run->workload.open)));
    if (run->created)
        pc_message_add(&message, "created", "1");
    return finish(run, &message);
}

static enum outcome say_torn(struct run *run, char *reason)
{
    struct pc_message message;
    begin(run, &message, "found");
    pc_message_add(&message, "torn", "1");
    pc_message_add_text(&message, "reason", reason);
    fprintf(stderr, "portcheck: not whole: %s\n", reason);
    free(reason);
    run->status = PC_EXIT_WRONG;
    finish(run, &message);
    return ENDED;
}

static enum outcome say_rate(struct run *run)
{
    struct pc_message message;
    begin(run, &message, "rate");
    pc_message_add_number(&message, "commits", run->workload.commits);
    pc_message_add_number(&message, "microseconds", run->microseconds);
    return finish(run, &message);
}

static enum outcome say_bye(struct run *run)
{
    struct pc_message message;
    if (say_rate(run) != GO_ON)
        return ENDED;
    begin(run, &message, "bye");
    pc_message_add_number(&message, "commits", run->workload.commits);
    finish(run, &message);
    return ENDED;
}

static void say_verified(void *argument, const char *what, const char *name, const char *problem)
{
    struct run *run = argument;
    struct pc_message message;
    bool canary = strcmp(what, "canary") == 0;
    begin(run, &message, canary ? "canary" : "verified");
    pc_message_add(&message, canary ? NULL : "version", name);
    pc_message_add(&message, NULL, problem == NULL ? "ok" : canary ? "bad" : "failed");
    if (problem != NULL) {
        pc_message_add_text(&message, "reason", problem);
        fprintf(stderr, "portcheck: %s %s: %s\n", what, name, problem);
        run->status = PC_EXIT_WRONG;
    }
    finish(run, &message);
}

/* ---- What the host says ---- */

/* A run line of this run, or of any as long as there is none. */
static bool take_order(struct run *run, const struct pc_line *line, bool any_run)
{
    struct pc_arguments *arguments = run->arguments;
    char text[16];
    uint64_t cycle, commits, files = arguments->files;
    snprintf(text, sizeof(text), "%08" PRIx32, line->run);
    if (strcmp(pc_line_word(line), "run") != 0 || !pc_line_has(line, text) ||
        !pc_line_number(line, "cycle", &cycle) || !pc_line_number(line, "commits", &commits) ||
        (!any_run && line->run == arguments->run && cycle == arguments->cycle))
        return false;
    pc_line_number(line, "files", &files);
    arguments->run = line->run;
    arguments->cycle = cycle;
    arguments->commits = commits;
    if (files >= 1 && files <= PC_FILES_MAX)
        arguments->files = (unsigned)files;
    return true;
}

/* Waits for the host to say what to do. False: stopped, or nobody is there. */
static bool wait_for_order(struct run *run)
{
    struct pc_line line;
    fprintf(stderr, "portcheck: %s: waiting for portcheck-host\n", run->channel->name);
    while (pc_channel_receive(run->channel, -1, &line))
        if (take_order(run, &line, true))
            return true;
    return false;
}

/* Looks whether the host has said something, without waiting. */
static enum outcome hear(struct run *run)
{
    struct pc_line line;
    while (run->listens && pc_channel_receive(run->channel, 0, &line)) {
        if (line.run == run->arguments->run && strcmp(pc_line_word(&line), "stop") == 0)
            return say_bye(run);
        if (strcmp(pc_line_word(&line), "run") != 0)
            continue;
        if (take_order(run, &line, false))
            return NEXT_CYCLE;
        if (say_hello(run) != GO_ON || say_target(run) != GO_ON || say_found(run) != GO_ON)
            return ENDED;
    }
    return *run->arguments->stop != 0 ? say_bye(run) : GO_ON;
}

/* ---- The start of a cycle ---- */

static enum outcome refuse_point(struct run *run, const char *reason)
{
    struct pc_message message;
    begin(run, &message, "refused");
    pc_message_add(&message, "unsupported", "1");
    pc_message_add_text(&message, "reason", reason);
    fprintf(stderr, "portcheck: --commit-point rename does not work on this %s: %s\n",
            run->target.mount.type, reason);
    finish(run, &message);
    run->status = PC_EXIT_FAILED;
    return ENDED;
}

/* What the file system needs, unless it was said. NULL, or why that does not work. An unknown
 * kind is not refused: a validation is how it becomes known. A mutant is meant to be wrong. */
static const char *choose_point(struct run *run)
{
    const char *reason;
    const char *fitting = pc_fitting_point(run->arguments->directory, &reason);
    bool needs_slots = strcmp(fitting, "slots") == 0;
    run->workload.point = run->arguments->point;
    if (run->workload.point == MF_COMMIT_AUTOMATIC && needs_slots)
        run->workload.point = MF_COMMIT_SLOTS;
    if (run->workload.point == MF_COMMIT_RENAME && needs_slots && run->arguments->mutant == NULL)
        return reason;
    return NULL;
}

/* By what the host knows the file system and its disk again. Nothing is written to a target
 * that is refused. */
static void identify(struct run *run)
{
    const struct pc_arguments *arguments = run->arguments;
    char *fresh = pc_format("%08" PRIx32 ".%" PRIu64, arguments->run, arguments->cycle);
    run->mark = pc_mark(arguments->directory, fresh, &run->marked);
    run->marked = run->marked && run->mark != NULL;
    run->serial = pc_medium_serial(arguments->directory);
    free(fresh);
}

static enum outcome check_target(struct run *run)
{
    char *problem = pc_target_look(run->arguments->directory, &run->target);
    if (problem != NULL)
        return give_up(run, "refused", problem);
    problem = pc_target_refuse(&run->target, &run->arguments->expected);
    const char *unsupported = choose_point(run);
    if (problem == NULL && unsupported == NULL)
        identify(run);
    enum outcome outcome = say_target(run);
    if (outcome == GO_ON && problem != NULL)
        return give_up(run, "refused", problem);
    free(problem);
    return outcome == GO_ON && unsupported != NULL ? refuse_point(run, unsupported) : outcome;
}

/* A database that was made with the other commit point is no proof of this one. */
static enum outcome check_point(struct run *run)
{
    enum mf_commit_point there = mf_database_commit_point(run->workload.open);
    if (run->arguments->point == MF_COMMIT_AUTOMATIC || run->arguments->point == there)
        return GO_ON;
    return give_up(run, "refused",
                   pc_format("%s has the commit point %s", run->workload.database,
                             mf_commit_point_word(there)));
}

static enum outcome recover(struct run *run)
{
    char *reason = NULL;
    enum pc_started started = pc_workload_start(&run->workload, &reason);
    if (started == PC_BROKEN)
        return give_up(run, "error", reason);
    pc_canaries_verify(&run->workload, say_verified, run);
    if (started == PC_TORN)
        return say_torn(run, reason);
    run->created = started == PC_CREATED;
    run->found = pc_workload_version(&run->workload);
    if (check_point(run) != GO_ON || say_found(run) != GO_ON)
        return ENDED;
    pc_workload_verify(&run->workload, say_verified, run);
    return run->gone ? ENDED : GO_ON;
}

/* ---- Committing ---- */

static uint64_t now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* Between the commit and its line the directory is looked at: what went into another one
 * is not to be told. */
static enum outcome commit(struct run *run)
{
    char *reason = NULL;
    uint64_t version, start = now_us();
    if (!pc_workload_begin(&run->workload, &version, &reason))
        return give_up(run, "error", reason);
    if (say_number(run, "committing", version) != GO_ON)
        return ENDED;
    if (!pc_workload_commit(&run->workload, &reason))
        return give_up(run, "error", reason);
    run->microseconds += now_us() - start;
    reason = pc_target_changed(&run->target);
    if (reason != NULL)
        return give_up(run, "refused", reason);
    enum outcome outcome = say_number(run, "committed", version);
    if (outcome == GO_ON && !pc_workload_clean(&run->workload, &reason))
        return give_up(run, "error", reason);
    return outcome;
}

static enum outcome look_again(struct run *run)
{
    if (run->workload.commits % LOOK_EVERY != 0)
        return GO_ON;
    char *reason = pc_target_changed_mount(&run->target);
    if (reason != NULL)
        return give_up(run, "refused", reason);
    return say_rate(run);
}

static enum outcome commit_all(struct run *run)
{
    uint64_t most = run->arguments->commits;
    enum outcome outcome = GO_ON;
    while (outcome == GO_ON && (most == 0 || run->workload.commits < most)) {
        outcome = commit(run);
        if (outcome == GO_ON)
            outcome = look_again(run);
        if (outcome == GO_ON)
            outcome = hear(run);
    }
    return outcome == GO_ON ? say_bye(run) : outcome;
}

static enum outcome run_cycle(struct run *run)
{
    struct pc_arguments *arguments = run->arguments;
    run->channel->run = arguments->run;
    run->microseconds = 0;
    run->workload = (struct pc_workload){.run = arguments->run,
                                         .files = arguments->files,
                                         .platform = arguments->platform,
                                         .directory = arguments->directory};
    pc_workload_name(&run->workload);
    enum outcome outcome = say_hello(run);
    if (outcome == GO_ON)
        outcome = check_target(run);
    if (outcome == GO_ON)
        outcome = recover(run);
    if (outcome == GO_ON)
        outcome = commit_all(run);
    pc_workload_close(&run->workload);
    pc_target_free(&run->target);
    free(run->mark);
    free(run->serial);
    run->mark = run->serial = NULL;
    run->marked = false;
    return outcome;
}

int pc_run(struct pc_arguments *arguments)
{
    char *error;
    struct run run = {.arguments = arguments, .channel = &arguments->channel};
    run.channel->stop = arguments->stop;
    run.listens = run.channel->kind != PC_STDOUT || !arguments->has_run;
    if (!pc_channel_open(run.channel, &error)) {
        if (error != NULL)
            fprintf(stderr, "portcheck: %s\n", error);
        run.status = error != NULL ? PC_EXIT_FAILED : PC_EXIT_OK;
        free(error);
    } else if (!arguments->has_run && !wait_for_order(&run)) {
        lost(&run);
    } else {
        while (run_cycle(&run) == NEXT_CYCLE)
            ;
    }
    pc_channel_close(run.channel);
    return run.status;
}
