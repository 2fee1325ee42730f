/*
 * Incremental backups: a folder that holds versions of one database, each whole,
 * and each file only once.
 *
 *     mf_backup_create(db, version, "/media/stick/map", NULL, &error);
 *     mf_backup_restore("/media/stick/map", version, "/var/lib/robot/map", NULL, NULL, &error);
 *
 * The folder is a chain of links, one for each version. A link records the one
 * that it was made on top of, its base; its increment is the files that the base
 * does not name. The folder alone is enough to restore any version in it. Layout:
 *
 *     MANIFEST-BACKUP-000005   the link of version 5; a version is in the chain
 *                              when its link is there
 *     MANIFEST-000005          the manifest of version 5, byte for byte
 *     lsm-000005, ...          the data files, under the names in the manifests
 *     MANIFEST-LOCK            one writer at a time, never removed
 *     MANIFEST-CURRENT.0.tmp   a copy in the making
 *     MANIFEST-BACKUP-000005.part   a link in the making, see below
 *
 * (Data files cannot have these names, see mf_name_check.) A link is this text, to
 * the byte, without a newline at the end; integers are decimal, and the last
 * member is the CRC32C of all bytes before the quotation mark that opens its name:
 *
 *     {
 *       "backup": 1,
 *       "version": 5,
 *       "base": 2,
 *       "base_crc32c": 305419896,
 *       "manifest_size": 1234,
 *       "manifest_crc32c": 2596069104,
 *       "crc32c": 3735928559
 *     }
 *
 * base_crc32c is the CRC32C of all bytes of MANIFEST-BACKUP-000002. The first link
 * has null for both, since its increment is everything.
 *
 * Each file is written as a temporary, compared with its record, synced and then
 * renamed (and synced again, which vfat needs), so that a file under its own name
 * was durable before; the directory is synced before the link is made in the same
 * way, and after it. Where a rename is not one step (the folder's file system is known
 * for it, or the database has slots) the link is written in place instead, after its
 * text has become durable as its part; the part is removed when the link is durable.
 * A link that is missing or damaged is read from its part, if that is whole. A cut
 * leaves files that no link names: the next run of the same backup verifies and uses
 * them.
 *
 * Errors are as in manifest.h, but a backup has two outcomes only: MF_OK, the
 * version is in the chain and durable; anything else, it may or may not be, the
 * links before are as they were, and running it again is safe and settles it.
 */
#ifndef MANIFEST_BACKUP_H
#define MANIFEST_BACKUP_H

#include <manifest/manifest.h>

struct mf_backup_report {
    bool has_base;
    uint64_t base;      /* the link that this one was made on top of */
    size_t copied;      /* files */
    uint64_t bytes;     /* of the files that were copied */
    size_t found_there; /* files that were in the folder already */
};

/*
 * Puts a kept version into the chain at path, which is made if it is missing (its
 * parent is not). Its base is the link with the next lower version. A version that
 * is there already is verified, and made durable once more.
 *
 * The current version must be durable (mf_database_durable, else MF_READ_ONLY): a
 * power cut could take it back, and another one with the same number follow. Older
 * versions can be backed up through a handle for reading, without stopping the
 * writer; if a clean-up removes the files meanwhile, the backup fails.
 *
 * options as in mf_database_open apply to the folder (platform, lock_timeout_ms;
 * sizes_only: of files that the base has, look at type and size only); NULL: those
 * of the handle. *report may be NULL and is set on MF_OK.
 *
 * MF_NO_VERSION; MF_CORRUPT when a file of the version is missing or not as
 * recorded, or a link of the chain is damaged; MF_INVALID when the folder is a
 * database or holds another file of the same name, or another version of the same
 * number (the chain of another database); MF_LOCKED, MF_IO, MF_NO_MEMORY.
 */
enum mf_code mf_backup_create(struct mf_database *database, uint64_t version, const char *path,
                              const struct mf_options *options, struct mf_backup_report *report,
                              struct mf_error *error);

/* One link, as mf_backup_inspect finds it. */
struct mf_backup_link {
    uint64_t version;
    bool has_base;
    uint64_t base;
    enum mf_code code;                  /* MF_OK: whole; MF_CORRUPT: not restorable */
    const struct mf_manifest *manifest; /* NULL when it cannot be read */
    const char *detail;                 /* what is wrong; "" when nothing is */
};

/*
 * Verifies every link of a chain: itself, its base, its manifest, and type, size
 * and CRC32C of each file (options->sizes_only: no CRC32C). Calls visit (may be
 * NULL) for each in ascending order. Nothing is written or locked. MF_OK when all
 * are whole; MF_CORRUPT when one is not (the message is the first fault), also
 * when a link's base is missing or another one than recorded; MF_NO_DATABASE when
 * there is no chain; MF_IO, MF_NO_MEMORY.
 */
enum mf_code mf_backup_inspect(const char *path, const struct mf_options *options,
                               void (*visit)(void *argument, const struct mf_backup_link *link),
                               void *argument, struct mf_error *error);

/*
 * Restores a version of a chain into the database at target, as a commit: the
 * files are copied under new names, compared with their records and synced, and
 * become the next version. Until then, and after any failure, the database is what
 * it was and can be read; the versions before stay.
 *
 * The number of the new version is the larger of the restored one and 1 + the
 * highest in the target. Where target is missing or holds no database one is
 * created first, with an empty version 1 (options->commit_point). options apply
 * to the target; the chain is read with the same platform and limits, and is not
 * written. *restored (may be NULL) is the new number.
 *
 * The outcomes of mf_transaction_commit, and: MF_NO_DATABASE, there is no chain;
 * MF_NO_VERSION, it is not in the chain; MF_CORRUPT, what is in the chain is not
 * whole, or the target is corrupt; MF_LOCKED; MF_IO. The target is what it was,
 * or an empty database was created.
 */
enum mf_code mf_backup_restore(const char *path, uint64_t version, const char *target,
                               const struct mf_options *options, uint64_t *restored,
                               struct mf_error *error);

#endif
