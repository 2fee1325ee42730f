/*
 * The oracle of the target schedule: what was acknowledged to it, with its content, kept by
 * the rules of manifest.h alone, and compared with what is on the disk.
 */
#ifndef CRASHMATRIX_FUZZ_ACKNOWLEDGED_H
#define CRASHMATRIX_FUZZ_ACKNOWLEDGED_H

#include <manifest/backup.h>
#include <manifest/history.h>

#include "disk.h"

enum { SLOTS = 4, VERSIONS = 64, CONTENTS = 128 };

extern const char path[], backup_path[], copy_path[];

/* The files that a version may have. */
struct slot {
    enum mf_kind kind;
    const char *key;
};
extern const struct slot slots[SLOTS];

struct content {
    uint16_t size;
    uint8_t seed;
};

/* Whether a version that is not above the current one is there. */
enum kept { KEPT_NO, KEPT_PERHAPS, KEPT_YES };

struct version {
    uint64_t number; /* 0: it could not be said, but it is above all before */
    enum kept kept;
    bool saved;              /* in the backup */
    uint8_t contents[SLOTS]; /* from 1; 0: no such file */
    /* Once the library has read it whole: to look again without parsing. */
    const unsigned char *manifest;
    uint16_t manifest_size;
    char manifest_name[DISK_NAME_SIZE];
    char names[SLOTS][DISK_NAME_SIZE];
};

/* Versions are counted from 1; 0 is none. */
struct world {
    struct mf_options options;
    bool broken;     /* damaged, and not yet recovered by hand */
    uint8_t current; /* acknowledged last */
    uint8_t perhaps; /* may be current instead */
    uint8_t copy;    /* what was restored to the copy */
    uint8_t copy_perhaps;
    uint8_t version_count, content_count;
    uint64_t highest; /* number that was ever acknowledged */
    /* Between these, a recovery by hand may have made kept versions of what was never
     * committed: nobody could know. They can be read, and that is all. */
    uint64_t damaged, recovered;
    struct version versions[VERSIONS];
    struct content contents[CONTENTS];
};

extern struct world world;
extern struct disk disk;

/* To be called once, before all else. */
void make_contents(void);

/* From a byte; the index of a content that is like no other. */
unsigned new_content(unsigned size_byte);
const unsigned char *content_bytes(const struct content *content);

struct version *new_version(uint64_t number);
uint8_t index_of(const struct version *version);

/* What a commit came to. The program's last words are not heard. */
void conclude(struct version *version, enum mf_code code, uint64_t number);

/* A database was opened for writing, and that is its current version. */
void settle(uint64_t number);

/* All that is kept is there, to the byte, and current is what may be. */
void require_all_whole(struct mf_database *handle);

/* By a handle for reading, which must change nothing. */
void look(void);

/* What is said to be saved is there, whole; and so is what was restored to the copy. */
void look_at_backup(void);
void look_at_copy(void);

/* Forgets the manifests that were read since keep_texts(). */
void keep_texts(void);
void forget_texts(void);

#endif
