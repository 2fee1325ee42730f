/*
 * A persistence model: what a file system promises, as data.
 *
 * The tables below are the vocabulary of model files (harness/MODEL.md); the
 * partial order (poset.h) is the only place that gives them meaning.
 */
#ifndef CRASHMATRIX_MODEL_H
#define CRASHMATRIX_MODEL_H

#include <stdbool.h>
#include <stdio.h>

#include "crashmatrix/crashmatrix.h"

/* Kinds of operation: X(identifier, name in model files and reports) */
#define CM_CLASSES(X)                                                                              \
    X(CREATE, "create")                 /* a new file, directory or link gets its name */          \
    X(LINK, "link")                     /* one more name for a file */                             \
    X(UNLINK, "unlink")                 /* a name is removed (unlink, rmdir) */                    \
    X(RENAME, "rename")                 /* one name goes, another one comes */                     \
    X(EXCHANGE, "exchange")             /* two names swap what they mean */                        \
    X(ATTRIBUTES, "attributes")         /* mode and owner, or an extended attribute */             \
    X(CUT, "cut")                       /* the size shrinks and what lay beyond is gone */         \
    X(GROW, "grow")                     /* the size grows by a step */                             \
    X(ALLOCATE, "allocate")             /* data where the file had none */                         \
    X(OVERWRITE, "overwrite")           /* data over data */                                       \
    X(RENAME_REPLACE, "rename-replace") /* a rename onto a name that meant something */            \
    X(LOG, "log")                       /* what a sync states anew (CM_RESTATES) */

enum cm_class {
#define X(identifier, name) CM_CLASS_##identifier,
    CM_CLASSES(X)
#undef X
        CM_CLASS_COUNT
};

/* Sets of classes that order rules may name: X(identifier, name, bits) */
#define CM_BIT(identifier) (1u << CM_CLASS_##identifier)
#define CM_SET_NAMES                                                                               \
    (CM_BIT(CREATE) | CM_BIT(LINK) | CM_BIT(UNLINK) | CM_BIT(RENAME) | CM_BIT(RENAME_REPLACE) |    \
     CM_BIT(EXCHANGE))
#define CM_SET_META (CM_SET_NAMES | CM_BIT(ATTRIBUTES) | CM_BIT(CUT))
#define CM_SET_DATA (CM_BIT(ALLOCATE) | CM_BIT(OVERWRITE))
#define CM_CLASS_SETS(X)                                                                           \
    X(NAMES, "names", CM_SET_NAMES)                                                                \
    X(META, "meta", CM_SET_META)                                                                   \
    X(DATA, "data", CM_SET_DATA)                                                                   \
    X(ALL, "all", ((1u << CM_CLASS_COUNT) - 1) & ~CM_BIT(LOG)) /* log must be named */

/* Which pairs of operations an order rule speaks of. */
#define CM_SCOPES(X)                                                                               \
    X(CALL, "same-call")           /* two operations of one call */                                \
    X(FILE, "same-file")           /* both change the same file's content, size or attributes */   \
    X(DIRECTORY, "same-directory") /* both change names in one directory */                        \
    X(ALL, "all")                  /* any two, in the order of issue */                            \
    X(NAMED, "named-file")         /* the first changes a file, the second gives it a name */

enum cm_scope {
#define X(identifier, name) CM_SCOPE_##identifier,
    CM_SCOPES(X)
#undef X
        CM_SCOPE_COUNT
};

/* What makes earlier operations durable. */
#define CM_SYNCS(X)                                                                                \
    X(FSYNC_FILE, "fsync-file")                                                                    \
    X(FDATASYNC_FILE, "fdatasync-file")                                                            \
    X(FSYNC_DIRECTORY, "fsync-directory") /* fdatasync of a directory, too */                      \
    X(SYNC, "sync")                       /* sync and syncfs */                                    \
    X(EVERY_CALL, "every-call")           /* any call, by returning */

enum cm_sync {
#define X(identifier, name) CM_SYNC_##identifier,
    CM_SYNCS(X)
#undef X
        CM_SYNC_COUNT
};

/* What such a sync covers, of the operations that had returned before it. */
#define CM_COVERS(X)                                                                               \
    X(OWN_DATA, "own-data")             /* data, growth and cuts of the synced file */             \
    X(OWN_ATTRIBUTES, "own-attributes") /* its mode, owner and extended attributes */              \
    X(OWN_CREATION, "own-creation")     /* the name under which a file was created */              \
    X(OWN_ENTRIES, "own-entries")       /* names in the synced directory */                        \
    X(EVERYTHING, "everything")                                                                    \
    X(ALL_META, "all-meta") /* names, attributes, cuts of all before its last change */

enum cm_cover {
#define X(identifier, name) CM_COVER_##identifier,
    CM_COVERS(X)
#undef X
        CM_COVER_COUNT
};

/*
 * What a sync states anew, in one operation of class log: the values as they stood when it
 * began. Of what else had been done before, that operation needs nothing.
 */
#define CM_RESTATES(X)                                                                             \
    X(OWN_DATA, "own-data")             /* size and content of the synced file */                  \
    X(OWN_ATTRIBUTES, "own-attributes") /* its mode, owner and extended attributes */              \
    X(OWN_NAMES, "own-names")           /* the names that it has, and that it has no others */     \
    X(OWN_ENTRIES, "own-entries")       /* changed names in the synced directory */                \
    X(DISPLACED, "displaced") /* own-names, too, of what lost a name to what is restated */        \
    X(PARENTS, "parents")     /* names of the new directories on the way */

enum cm_restate {
#define X(identifier, name) CM_RESTATE_##identifier,
    CM_RESTATES(X)
#undef X
        CM_RESTATE_COUNT
};

/* How the granules of one call persist. */
#define CM_TEARINGS(X)                                                                             \
    X(INDEPENDENT, "independent")                                                                  \
    X(PREFIX, "prefix") /* none without those before it */                                         \
    X(ATOMIC, "atomic") /* all or none */

enum cm_tearing {
#define X(identifier, name) CM_TEARING_##identifier,
    CM_TEARINGS(X)
#undef X
};

/* What a file shows where it grew but its data did not persist. */
#define CM_UNWRITTENS(X)                                                                           \
    X(ZEROS, "zeros")                                                                              \
    X(GARBAGE, "garbage") /* bytes of CM_GARBAGE */

enum cm_unwritten {
#define X(identifier, name) CM_UNWRITTEN_##identifier,
    CM_UNWRITTENS(X)
#undef X
};

#define CM_GARBAGE 0xdb

/* Which fsyncs of directories a rename between two of them needs. */
#define CM_CROSSINGS(X)                                                                            \
    X(BOTH, "both")                                                                                \
    X(EITHER, "either")

enum cm_crossing {
#define X(identifier, name) CM_CROSSING_##identifier,
    CM_CROSSINGS(X)
#undef X
};

/*
 * What a file system does in several steps, or apart. Absent in a model file means the
 * first value. X(identifier, key)
 */
#define CM_CHOICES(X)                                                                              \
    X(RENAME, "rename") /* also what an exchange is made of */                                     \
    X(UNLINK, "unlink")                                                                            \
    X(APPEND, "append")                                                                            \
    X(SIZE, "size") /* where size and blocks of a file are */                                      \
    X(FREED, "freed-blocks")                                                                       \
    X(CHECKPOINT, "checkpoint")

enum cm_choice {
#define X(identifier, key) CM_CHOICE_##identifier,
    CM_CHOICES(X)
#undef X
        CM_CHOICE_COUNT
};

#define CM_RENAMES(X)                                                                              \
    X(ATOMIC, "atomic")                                                                            \
    X(INDEPENDENT, "independent") /* the new name, and the old one's removal */                    \
    X(STEPWISE, "stepwise")       /* target cut, removed; source removed; target set */

enum cm_rename {
#define X(identifier, name) CM_RENAME_##identifier,
    CM_RENAMES(X)
#undef X
};

#define CM_UNLINKS(X)                                                                              \
    X(ATOMIC, "atomic")                                                                            \
    X(TRUNCATE_FIRST, "truncate-first") /* of a file's last name: it is cut, then removed */

enum cm_unlink {
#define X(identifier, name) CM_UNLINK_##identifier,
    CM_UNLINKS(X)
#undef X
};

#define CM_APPENDS(X)                                                                              \
    X(PLAIN, "plain")                                                                              \
    X(ZEROS_GARBAGE_DATA, "zeros-garbage-data") /* of each unit: the size, CM_GARBAGE, the data */

enum cm_append {
#define X(identifier, name) CM_APPEND_##identifier,
    CM_APPENDS(X)
#undef X
};

#define CM_SIZES(X)                                                                                \
    X(INODE, "inode")                                                                              \
    X(ENTRY, "entry") /* size in the directory entry, blocks in a chain of their own (FAT) */

enum cm_size {
#define X(identifier, name) CM_SIZE_##identifier,
    CM_SIZES(X)
#undef X
};

#define CM_FREEDS(X)                                                                               \
    X(PRIVATE, "private")                                                                          \
    X(REUSED, "reused") /* another file may get them before it is durable that they are free */

enum cm_freed {
#define X(identifier, name) CM_FREED_##identifier,
    CM_FREEDS(X)
#undef X
};

#define CM_CHECKPOINTS(X)                                                                          \
    X(SYNC, "sync")                                                                                \
    X(MOVED, "moved") /* by the fsync of a directory, or of a file with another name, too */

enum cm_checkpoint {
#define X(identifier, name) CM_CHECKPOINT_##identifier,
    CM_CHECKPOINTS(X)
#undef X
};

struct cm_order_rule {
    unsigned before; /* bits of classes */
    unsigned after;
    enum cm_scope scope;
};

struct cm_model {
    char *name;
    char *description;
    uint32_t unit;           /* bytes: a file grows by units */
    uint32_t granule;        /* bytes: data tears at granules; divides the unit */
    enum cm_tearing tearing; /* of a call's granules, or, if apart, of those it allocates */
    bool apart;              /* those that a call overwrites tear by themselves, ... */
    enum cm_tearing overwrite_tearing; /* ... in this way */
    enum cm_unwritten unwritten;
    enum cm_crossing crossing;
    unsigned choices[CM_CHOICE_COUNT]; /* enum cm_rename, cm_unlink, ... */
    struct cm_order_rule *rules;
    size_t rule_count;
    unsigned covers[CM_SYNC_COUNT];   /* bits of enum cm_cover */
    unsigned restates[CM_SYNC_COUNT]; /* bits of enum cm_restate */
    uint32_t parent_levels;           /* how many directories "parents" means; 0: all */
};

struct cm_config;

/* The model that an open file (config.h) holds; NULL with its error set. */
struct cm_model *cm_model_read(const struct cm_config *config);

/* In reports: every rename is a rename. */
const char *cm_class_name(enum cm_class class);

/* XXH3-64 of what the model means: not of its name, description and sources. */
uint64_t cm_model_digest(const struct cm_model *model);

/* What the model promises, in a few lines. */
void cm_model_print(const struct cm_model *model, FILE *stream);

#endif
