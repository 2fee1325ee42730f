/*
 * Bytes choose what is in a folder, its backup and the target of a restore (scene.h), which
 * functions of the library are called in which order, and which calls of the platform fail. Each
 * result is compared with what truth.c finds out by itself, and around each call run.c checks
 * that nothing was touched that the call has no business with.
 *
 *     FUZZ_DIRECTORY_TELL=1 replay_directory FILE     says what the calls are and what they find
 */
#include "calls.h"
#include "target.h"

#include <errno.h>

enum { STEPS_MAX = 128 };

static void step_change(struct run *run)
{
    scene_change(run->shelf, &run->choices);
    run->strange = run->strange || run->database != NULL;
}

/* From now on some call fails, or none does any more. */
static void step_faults(struct run *run)
{
    static const int errors[] = {EIO, ENOSPC, EMFILE, EROFS, EACCES, EDQUOT, ENOMEM, ENXIO};
    unsigned how = choose_byte(&run->choices);
    struct shelf_faults faults = run->shelf->faults;
    faults.at = choose_byte(&run->choices);
    faults.error = errors[how % 8];
    faults.lasting = (how & 8) != 0;
    faults.after = (how & 16) != 0;
    shelf_arm(run->shelf, &faults);
}

/* The next call runs out of memory: most have few allocations, so mostly soon. */
static void step_memory(struct run *run)
{
    unsigned choice = choose_byte(&run->choices);
    run->memory_ends = 1 + (choice < 128 ? choice : choice % 8);
}

static void run_step(struct run *run)
{
    static void (*const steps[])(struct run *) = {
        step_change,   call_open,     call_close,   call_verify,  call_begin,   call_add,
        call_commit,   call_versions, call_orphans, call_clean,   call_discard, call_backup,
        call_restore,  call_inspect,  call_init,    call_recover, call_adopt,   call_load,
        call_take_out, call_abort,    step_faults,  step_change,  step_memory,  call_open,
    };
    steps[choose(&run->choices, sizeof(steps) / sizeof(steps[0]))](run);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct run run = {.choices = {.next = data, .end = data + size}, .shelf = shelf_new()};
    run.told = getenv("FUZZ_DIRECTORY_TELL") != NULL;
    unsigned how = choose_byte(&run.choices);
    run.options = (struct mf_options){
        .platform = &run.shelf->platform,
        .sizes_only = (how & 3) == 3,
        .read.accept_unsealed = (how & 4) != 0,
        .commit_point = (how & 8) != 0 ? MF_COMMIT_SLOTS : MF_COMMIT_AUTOMATIC,
    };
    shelf_arm(run.shelf, &(struct shelf_faults){.interrupted = (how & 0x60) == 0x60,
                                                .max_transfer = (how & 0x90) == 0x90 ? 7 : 0});
    if ((how & 0x30) == 0x30)
        run.shelf->platform.sync_many = NULL;
    if ((how & 0xc0) == 0x80)
        run.shelf->platform.rename_is_atomic = NULL;
    run.shelf->rename_is_atomic = (how & 0xc0) != 0xc0;
    scene_decoys(run.shelf);
    for (int step = 0; step < STEPS_MAX && choices_left(&run.choices); step++)
        run_step(&run);
    call_close(&run);
    shelf_free(run.shelf);
    return 0;
}
