/*
 * A few folders in memory as a platform for libmanifest, with failures on demand: small and
 * fast enough to be built anew for each input of a fuzzer.
 *
 *     struct shelf *shelf = shelf_new();
 *     shelf_put(shelf, SHELF_DB, "a", MF_TYPE_FILE, "abc", 3);
 *     struct mf_options options = {.platform = &shelf->platform};
 *     ...
 *     shelf_free(shelf);
 *
 * There are the folders of enum shelf_place, beside each other; "alias" is a link to db. The
 * platform is strict: it aborts when a call breaks the conventions of platform.h (a name that
 * is no component, a handle that is not open, ...) or goes to a path that the library was
 * not given.
 *
 * A view is what was in the folders at one moment. It costs little, since what is not changed
 * afterwards is shared.
 */
#ifndef CRASHMATRIX_FUZZ_SHELF_H
#define CRASHMATRIX_FUZZ_SHELF_H

#include <manifest/document.h>
#include <manifest/platform.h>

enum shelf_place { SHELF_DB, SHELF_BACKUP, SHELF_TARGET, SHELF_OUTSIDE, SHELF_PLACES, SHELF_ROOT };

enum {
    SHELF_NAMES = 64,        /* in a folder; more: ENOSPC */
    SHELF_HANDLES = 24,      /* more: EMFILE */
    SHELF_FILE_MAX = 1 << 15 /* bytes; more: EFBIG */
};

/* What is behind a name. Belongs to the shelf and its views. */
struct shelf_node {
    unsigned owners; /* entries and handles */
    unsigned stamp;  /* of the view since which it belongs to the shelf alone */
    enum mf_type type;
    unsigned char *data;
    size_t size;
    /* What truth.c has found out about these bytes. */
    enum { SHELF_UNREAD, SHELF_IS_MANIFEST, SHELF_NO_MANIFEST } read;
    struct mf_manifest manifest;
    bool measured;
    uint32_t crc32c;
};

struct shelf_entry {
    unsigned owners;
    struct shelf_node *node;
    char name[];
};

struct shelf_folder {
    bool present;
    size_t count;
    struct shelf_entry *entries[SHELF_NAMES]; /* in the order in which they were made */
};

struct shelf_view {
    struct shelf_folder folders[SHELF_PLACES];
};

struct shelf_handle {
    bool open, writable, locked;
    struct shelf_node *node; /* NULL: a folder */
    enum shelf_place place;
};

/* Which calls fail. Zero: none. */
struct shelf_faults {
    unsigned at;         /* the number of the call, counted from 1 by shelf_arm */
    int error;           /* a positive errno */
    bool lasting;        /* all calls from there on */
    bool after;          /* it is done and then reported as failed */
    bool interrupted;    /* every third call that may be gives EINTR first */
    size_t max_transfer; /* bytes for each read or write; 0: no limit */
};

struct shelf {
    struct mf_platform platform;
    struct shelf_view now;
    struct shelf_handle handles[SHELF_HANDLES];
    struct shelf_faults faults;
    unsigned calls;
    unsigned failed; /* calls that failed on demand or for want of room; EINTR does not count */
    unsigned stamp;
    int rename_is_atomic;
};

struct shelf *shelf_new(void);

/* Aborts when a handle is still open. */
void shelf_free(struct shelf *shelf);

/* Counts calls from 1 again. */
void shelf_arm(struct shelf *shelf, const struct shelf_faults *faults);

/* Puts a node of that type under a name, in place of what is there. */
void shelf_put(struct shelf *shelf, enum shelf_place place, const char *name, enum mf_type type,
               const void *data, size_t size);

/* Puts what an entry stands for under another name too. */
void shelf_copy(struct shelf *shelf, enum shelf_place place, const char *name,
                struct shelf_node *node);

void shelf_remove(struct shelf *shelf, enum shelf_place place, const char *name);

/* NULL when it is not there. */
struct shelf_node *shelf_find(const struct shelf_folder *folder, const char *name);

/* Whether the MANIFEST-LOCK of a folder is locked. */
bool shelf_is_locked(const struct shelf *shelf, enum shelf_place place);

void shelf_look(struct shelf *shelf, struct shelf_view *view);
void shelf_forget(struct shelf_view *view);

/* Whether two nodes, either of which may be NULL, are the same to whoever reads them. */
bool shelf_same(const struct shelf_node *left, const struct shelf_node *right);

#endif
