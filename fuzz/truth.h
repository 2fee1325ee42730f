/*
 * What is true of a folder by the rules of impl/SPEC.md, found out independently of the
 * library but for its reader of manifests, which has targets of its own.
 */
#ifndef CRASHMATRIX_FUZZ_TRUTH_H
#define CRASHMATRIX_FUZZ_TRUTH_H

#include <manifest/backup.h>
#include <manifest/history.h>
#include <manifest/manifest.h>

#include "shelf.h"

uint32_t truth_crc32c(const void *data, size_t size);

/* Of the bytes of a node. */
uint32_t truth_measure(struct shelf_node *node);

/* The manifest of a node, sealed or not; NULL when it is none. It belongs to the node. */
const struct mf_manifest *truth_manifest(struct shelf_node *node);

/* The same of a name, as long as it says that version. */
const struct mf_manifest *truth_version(const struct shelf_folder *folder, uint64_t version,
                                        bool unsealed);

/* The manifest of a MANIFEST-k.removed that is complete: it says that version. Else NULL. */
const struct mf_manifest *truth_removed(const struct shelf_folder *folder, uint64_t version);

/* Whether all files of a manifest are there as recorded. */
bool truth_whole(const struct shelf_folder *folder, const struct mf_manifest *manifest,
                 bool sizes_only);

struct truth {
    enum mf_code verdict; /* MF_OK, MF_NO_DATABASE or MF_CORRUPT (section 5) */
    bool slots;           /* the commit point */
    uint64_t version;     /* the current one, when MF_OK */
    uint64_t claimed;     /* the highest that CURRENT or a slot claims */
    const struct mf_manifest *current;
    bool exhausted; /* there is no higher sequence number */
    bool copy_missing;
    bool fell_back;
};

void truth_of(const struct shelf_folder *folder, bool unsealed, bool sizes_only,
              struct truth *truth);

/* The kept versions in ascending order: their count. */
size_t truth_kept(const struct shelf_folder *folder, const struct truth *truth,
                  uint64_t numbers[SHELF_NAMES]);

/* Whether a kept version at or after the first one of these names a file. */
bool truth_is_live(const struct shelf_folder *folder, const struct truth *truth,
                   const uint64_t *numbers, size_t count, const char *name);

/* Whether a MANIFEST-*.removed that is complete names a file. */
bool truth_is_doomed(const struct shelf_folder *folder, const char *name);

/* Whether a name is MANIFEST-k, and it and all MANIFEST-j with j > k are files that are no
 * manifests: these a recovery by hand sets aside. */
bool truth_is_set_aside(const struct shelf_folder *folder, const char *name);

/* Whether the bytes that were under a name are kept as it is for one that was set aside. */
bool truth_has_aside(const struct shelf_folder *folder, const char *name,
                     const struct shelf_node *node);

/* What an entry is to mf_orphans_list; -1: no orphan. */
int truth_orphan(const struct shelf_folder *folder, const struct truth *truth,
                 const struct shelf_entry *entry);

/* The highest number of a MANIFEST-k, MANIFEST-k.removed or MANIFEST-k.damaged. 0: none. */
uint64_t truth_highest(const struct shelf_folder *folder);

/* The manifest of a version of a backup that is whole by section 9, its base left aside;
 * else NULL. */
const struct mf_manifest *truth_backup(const struct shelf_folder *folder, uint64_t version);

/* "MANIFEST-000007.removed" for that prefix, number and suffix. Static buffers, used in turn. */
const char *truth_name(const char *prefix, uint64_t number, const char *suffix);

/* Whether a name is that of a temporary file. */
bool truth_is_temporary(const char *name);

/* Whether a name is prefix, a number in its one spelling, and suffix. */
bool truth_number(const char *name, const char *prefix, const char *suffix, uint64_t *number);

#endif
