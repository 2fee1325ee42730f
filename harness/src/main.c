/*
 * The crashmatrix command.
 */
#include <signal.h>

#include "install.h"
#include "run.h"

typedef int subcommand_run(const struct cm_settings *settings);

static subcommand_run *const runs[CM_COMMAND_COUNT] = {
    [CM_COMMAND_RUN] = cm_run,
    [CM_COMMAND_EXPLORE] = cm_run,
    [CM_COMMAND_RECORD] = cm_record_only,
    [CM_COMMAND_SHOW] = cm_show,
    [CM_COMMAND_REPLAY] = cm_replay,
    [CM_COMMAND_MERGE] = cm_merge_run,
    [CM_COMMAND_CUT] = cm_cut,
    [CM_COMMAND_PORT] = cm_port_run,
    [CM_COMMAND_MODELS] = cm_show_models,
    [CM_COMMAND_TARGETS] = cm_list_targets,
};

int main(int argc, char **argv)
{
    struct cm_settings settings;
    int status = 0;
    if (!cm_options_parse(argc, argv, &settings, &status)) {
        cm_options_free(&settings);
        return status;
    }
    /* A reader of our output that goes away must not stop the clean-up. */
    signal(SIGPIPE, SIG_IGN);
    cm_install_set_path();
    status = runs[settings.command](&settings);
    cm_options_free(&settings);
    return status;
}
