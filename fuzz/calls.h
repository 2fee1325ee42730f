/*
 * The calls of the library that the target "directory" makes: each takes its arguments from the
 * bytes and checks what came of it.
 */
#ifndef CRASHMATRIX_FUZZ_CALLS_H
#define CRASHMATRIX_FUZZ_CALLS_H

#include "run.h"

/* calls_handle.c */
void call_init(struct run *run);
void call_open(struct run *run);
void call_close(struct run *run);
void call_verify(struct run *run);
void call_recover(struct run *run);

/* calls_commit.c */
void call_begin(struct run *run);
void call_add(struct run *run);
void call_adopt(struct run *run);
void call_take_out(struct run *run);
void call_load(struct run *run);
void call_commit(struct run *run);
void call_abort(struct run *run);

/* calls_history.c */
void call_versions(struct run *run);
void call_orphans(struct run *run);
void call_discard(struct run *run);
void call_clean(struct run *run);

/* calls_backup.c */
void call_backup(struct run *run);
void call_inspect(struct run *run);
void call_restore(struct run *run);

#endif
