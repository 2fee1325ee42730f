/* The names of a database directory: what each one means, and how they are made. */
#ifndef MANIFEST_SRC_NAMES_H
#define MANIFEST_SRC_NAMES_H

#include <manifest/document.h>
#include <stdbool.h>
#include <stdint.h>

#define MF_NAME_PREFIX  "MANIFEST-" /* of all that are not data files */
#define MF_NAME_CURRENT "MANIFEST-CURRENT"
#define MF_NAME_LOCK    "MANIFEST-LOCK" /* never removed, never read */
#define MF_NAME_SLOT_A  "MANIFEST-SLOT-A"
#define MF_NAME_SLOT_B  "MANIFEST-SLOT-B"
#define MF_NAME_MAX     255

enum mf_name_class {
    MF_CLASS_OTHER,     /* a data file, or none of our business */
    MF_CLASS_CURRENT,   /* MANIFEST-CURRENT */
    MF_CLASS_LOCK,      /* MANIFEST-LOCK */
    MF_CLASS_SLOT,      /* MANIFEST-SLOT-A or -B */
    MF_CLASS_VERSION,   /* MANIFEST-NNNNNN, in the one spelling that is used */
    MF_CLASS_REMOVED,   /* MANIFEST-NNNNNN.removed, likewise */
    MF_CLASS_DAMAGED,   /* MANIFEST-NNNNNN.damaged, likewise */
    MF_CLASS_LINK,      /* MANIFEST-BACKUP-NNNNNN, likewise */
    MF_CLASS_PART,      /* MANIFEST-BACKUP-NNNNNN.part, likewise */
    MF_CLASS_TEMPORARY, /* MANIFEST-*.tmp */
    MF_CLASS_RESERVED,  /* any other MANIFEST-* */
};

/* Sets *version for the classes that have a number. */
enum mf_name_class mf_name_classify(const char *name, uint64_t *version);

/* Whether the number of a name of this class counts as used by a version. */
bool mf_name_uses_number(enum mf_name_class class);

/* A buffer for each name made here. */
struct mf_name {
    char text[MF_NAME_MAX + 1];
};

/* MANIFEST-000007: six digits, more when needed. */
struct mf_name mf_name_of_version(uint64_t version);

/* MANIFEST-000007.removed: of a version that is being removed. */
struct mf_name mf_name_of_removed(uint64_t version);

/* MANIFEST-000007.damaged, MANIFEST-000007.damaged-1 for the next attempt: bytes that were no
 * manifest, set aside. */
struct mf_name mf_name_of_damaged(uint64_t version, unsigned attempt);

/* MANIFEST-BACKUP-000007: the link of a version in a backup. */
struct mf_name mf_name_of_link(uint64_t version);

/* MANIFEST-BACKUP-000007.part: of a link that is being written in place. */
struct mf_name mf_name_of_part(uint64_t version);

/* MANIFEST-CURRENT.0.tmp, and so on for the next attempt. */
struct mf_name mf_name_of_temporary(unsigned attempt);

/* Whether a name is one that mf_name_of_data gives. */
bool mf_name_is_data(const char *name);

/* vector-title-000007, vector-title-000007-1 for the next attempt: the kind, as
 * much of the key as can be read in a listing, the version. */
struct mf_name mf_name_of_data(enum mf_kind kind, const char *key, uint64_t version,
                               unsigned attempt);

#endif
