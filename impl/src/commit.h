/* The commit protocol: steps that write, and the switch. */
#ifndef MANIFEST_SRC_COMMIT_H
#define MANIFEST_SRC_COMMIT_H

#include "database.h"
#include "names.h"

/*
 * Makes one open file, or the directory, durable. When that fails the handle
 * takes no further commit: ext4, XFS and Btrfs mark the pages clean all the same,
 * so that a second fsync would succeed without anything being on the device
 * (Rebello et al., "Can Applications Recover from fsync Failures?", USENIX ATC
 * 2020). MF_IO.
 */
enum mf_code mf_commit_sync(struct mf_database *database, int handle, const char *what,
                            struct mf_error *error);

/* Creates a file that must not exist, writes it and makes its content durable,
 * but not its name. On failure it is removed. MF_IO. */
enum mf_code mf_commit_write(struct mf_database *database, const char *name, const char *text,
                             size_t size, struct mf_error *error);

/* Writes the bytes that a file has once more, and makes them durable: what is found
 * may be in memory only, and a bare sync proves nothing after somebody's failed one.
 * A cut leaves the same bytes. MF_IO. */
enum mf_code mf_commit_write_again(struct mf_database *database, const char *name, const char *text,
                                   size_t size, struct mf_error *error);

/*
 * Makes a name mean these bytes, in place and durably, but does not make the name so: for file
 * systems on which a rename is not one step. Bytes that are there already are
 * written again; anything else is removed first. A cut leaves anything: that nobody
 * needs the name until then is the caller's concern. MF_IO, MF_NO_MEMORY.
 */
enum mf_code mf_commit_put(struct mf_database *database, const char *name, const char *text,
                           size_t size, struct mf_error *error);

/* Creates a temporary, whatever earlier ones were left. *file is its handle; what
 * comes of it is the caller's. On failure *file is negative. MF_IO. */
enum mf_code mf_commit_create_temporary(struct mf_database *database, struct mf_name *name,
                                        int *file, struct mf_error *error);

/*
 * Makes name mean these bytes in one step, durably. MF_OK; MF_NOT_COMMITTED: the
 * name means what it did before; MF_UNKNOWN: a power cut decides, nothing was
 * removed and the handle takes no further commit.
 */
enum mf_code mf_commit_switch(struct mf_database *database, const char *name, const char *text,
                              size_t size, struct mf_error *error);

/* With slots: the two files, empty. MF_IO; what was made then may be there. */
enum mf_code mf_slots_create(struct mf_database *database, struct mf_error *error);

/* With slots: steps 4 to 6. Outcomes as mf_commit_switch. */
enum mf_code mf_slots_switch(struct mf_database *database, const struct mf_version *next,
                             struct mf_error *error);

/* With slots: makes what was found durable, and both slots valid. MF_OK,
 * MF_NOT_COMMITTED (nothing was written), MF_UNKNOWN. */
enum mf_code mf_slots_publish_again(struct mf_database *database, struct mf_error *error);

/*
 * Makes a version the current one, by the commit point of the database; its files
 * and its MANIFEST-n are written and synced. Outcomes as mf_commit_switch.
 */
enum mf_code mf_commit_publish(struct mf_database *database, const struct mf_version *next,
                               struct mf_error *error);

/* Makes a number of open files durable, all at once where the platform can.
 * Otherwise as mf_commit_sync. */
enum mf_code mf_commit_sync_files(struct mf_database *database, const int *files, size_t count,
                                  struct mf_error *error);

/* Removes a file that this handle created and that nothing names. If that fails
 * the next transaction sweeps. */
void mf_commit_undo(struct mf_database *database, const char *name);

#endif
