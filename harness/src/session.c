#include "session.h"

#include <stdlib.h>
#include <string.h>

#include "builtin.h"
#include "fail.h"
#include "install.h"
#include "memory.h"

static const char builtin_prefix[] = "builtin:";

static const char *choose(const char *option, const char *target)
{
    return option != NULL ? option : target;
}

int cm_session_open(struct cm_session *session, const struct cm_settings *settings,
                    struct ff_error *error)
{
    *session = (struct cm_session){0};
    if (settings->target != NULL) {
        session->target = cm_target_load(settings->target, error);
        if (session->target == NULL)
            return -1;
        if (cm_target_check_needs(session->target, error) != 0) {
            cm_target_free(session->target);
            session->target = NULL;
            return -1;
        }
    }
    const struct cm_target *target = session->target;
    session->setup = choose(settings->setup, target != NULL ? target->setup : NULL);
    session->workload = choose(settings->workload, target != NULL ? target->workload : NULL);
    session->recover_text = choose(settings->recover, target != NULL ? target->recover : NULL);
    session->check_text = choose(settings->check, target != NULL ? target->check : NULL);
    session->monotone = settings->monotone || (target != NULL && target->monotone);
    return 0;
}

static int prepare_command(struct cm_session *session, const struct cm_settings *settings,
                           struct ff_error *error)
{
    const char *recover = session->recover_text;
    if (cm_command_parse(session->check_text, &session->command, error) != 0 ||
        (recover != NULL && cm_command_parse(recover, &session->recover, error) != 0))
        return -1;
    if (!settings->spawn)
        session->library = cm_install_library("libcrashmatrix-start.so");
    if (recover != NULL)
        session->launcher = cm_install_bin("faultfs-record");
    const struct cm_external_plan plan = {
        .check = &session->command,
        .recover = recover != NULL ? &session->recover : NULL,
        .scratch = session->scratch,
        .library = session->library,
        .launcher = session->launcher,
        .timeout_ms = settings->timeout_ms,
        .shares_runs = !settings->apart,
    };
    session->external = cm_external_check_new(&plan);
    session->external->monotone = session->monotone;
    session->check = session->external;
    return 0;
}

int cm_session_prepare_check(struct cm_session *session, const struct cm_settings *settings,
                             struct ff_error *error)
{
    const char *text = session->check_text;
    if (text == NULL)
        return cm_fail(error, "--check is missing: the command that judges a state");
    if (strncmp(text, builtin_prefix, strlen(builtin_prefix)) != 0)
        return prepare_command(session, settings, error);
    if (session->recover_text != NULL)
        return cm_fail(error,
                       "--recover goes with a check that is a command; %s judges files in memory, "
                       "and recovers by itself",
                       text);
    const struct cm_builtin *builtin = cm_builtin_find(text + strlen(builtin_prefix));
    if (builtin == NULL) {
        char *known = cm_format("%s", "");
        for (const struct cm_builtin *row = cm_builtins; row->name != NULL; row++) {
            char *longer = cm_format("%s %s", known, row->name);
            free(known);
            known = longer;
        }
        cm_fail(error, "there is no built-in check '%s'; there are:%s",
                text + strlen(builtin_prefix), known);
        free(known);
        return -1;
    }
    struct cm_check *check = cm_allocate(1, sizeof(*check));
    check->run = builtin->run;
    check->observes = true;
    check->monotone = session->monotone;
    session->check = check;
    return 0;
}

void cm_session_close(struct cm_session *session)
{
    if (session->external != NULL)
        cm_external_check_free(session->external);
    else
        free((void *)(uintptr_t)session->check);
    free(session->library);
    free(session->launcher);
    cm_command_free(&session->command);
    cm_command_free(&session->recover);
    if (session->scratch != NULL)
        cm_scratch_close(session->scratch);
    cm_models_free(&session->models);
    cm_target_free(session->target);
}
