/*
 * A directory tree in memory.
 *
 * The launcher replays a recording on it (the self-check), the harness builds
 * crash states in it, and in-process checks run on it through a platform table.
 *
 * Calling sequence
 *
 *     struct ff_tree *tree = ff_tree_from_snapshot(trace);
 *     ff_tree_apply(tree, &trace->calls[i], &error);
 *     ff_tree_store(tree, "/some/empty/directory", &error);
 *     ff_tree_free(tree);
 *
 * Nodes are numbered as in a trace (trace.h). A node may exist without a name
 * (a file that was unlinked while open, or a state in which the name was lost);
 * such nodes are not part of what compare, hash and store see.
 *
 * S_IFSOCK is a socket that nobody listens to, or, in a crash state, a file of which reading
 * fails (EIO): a directory holds a socket in its place, which has a status, can be renamed and
 * removed, and which nobody can open (ENXIO), not even a privileged process.
 *
 * Memory: functions that allocate abort the process with a message when there
 * is none left; nothing else here ends the process.
 */
#ifndef FAULTFS_TREE_H
#define FAULTFS_TREE_H

#include <stdbool.h>
#include <sys/types.h>

#include "faultfs/trace.h"

struct ff_entry {
    char *name; /* NUL-terminated; names hold no NUL and no '/' */
    uint32_t node;
};

struct ff_node {
    bool exists;
    bool kept;     /* for ff_tree_rollback() */
    uint32_t mode; /* type and bits as in st_mode; S_IFREG, S_IFDIR, S_IFLNK, S_IFIFO or S_IFSOCK */
    uint32_t uid;
    uint32_t gid;
    unsigned char *data; /* content of a file or target of a link; may be NULL when size is 0 */
    size_t size;         /* bytes */
    size_t capacity;     /* bytes allocated at data */
    struct ff_entry *entries; /* of a directory, sorted by name (strcmp) */
    size_t entry_count;
    size_t entry_capacity;
    unsigned char *xattrs; /* FF_XATTRS (trace.h); may be NULL when xattrs_size is 0 */
    size_t xattrs_size;    /* bytes */
    size_t xattrs_capacity;
};

struct ff_tree {
    struct ff_node *nodes; /* nodes[id]; nodes[0] is never used */
    size_t node_limit;     /* one past the largest id */
    size_t node_capacity;
    struct ff_savepoint *savepoint; /* NULL: there was none yet */
};

/* A tree with nothing but an empty root directory (mode 0755, uid and gid 0). */
struct ff_tree *ff_tree_new(void);

/* The starting snapshot of a trace. */
struct ff_tree *ff_tree_from_snapshot(const struct ff_trace *trace);

struct ff_tree *ff_tree_copy(const struct ff_tree *tree);

void ff_tree_free(struct ff_tree *tree);

/* Back to what ff_tree_new() gives, keeping allocations where that is cheap. */
void ff_tree_reset(struct ff_tree *tree);

/*
 * Creates node id (or replaces a node that does not exist) with the given
 * st_mode and owner. It has no name yet. Returns it.
 */
struct ff_node *ff_tree_create(struct ff_tree *tree, uint32_t id, uint32_t mode, uint32_t uid,
                               uint32_t gid);

/* The next unused id, for programs that run on the tree. */
uint32_t ff_tree_fresh_id(const struct ff_tree *tree);

/* From now on ids below the limit are none of those. */
void ff_tree_reserve_ids(struct ff_tree *tree, size_t limit);

/* The node, or NULL when there is none of that id. */
const struct ff_node *ff_tree_node(const struct ff_tree *tree, uint32_t id);

/* The same, to be changed. Its names are changed by ff_tree_set_name() only. */
struct ff_node *ff_tree_edit(struct ff_tree *tree, uint32_t id);

/* What name means in directory parent: a node id, or FF_NO_NODE. */
uint32_t ff_tree_lookup(const struct ff_tree *tree, uint32_t parent, const char *name);

/*
 * Lets parent/name mean node, whatever it meant before; FF_NO_NODE removes the
 * name. parent must be a directory.
 */
void ff_tree_set_name(struct ff_tree *tree, uint32_t parent, const char *name, uint32_t node);

/*
 * What is changed after a savepoint, by functions of this header and in nodes that were
 * got from ff_tree_edit() or ff_tree_create() after it, is taken back by a rollback: in
 * time that grows with what was changed, and not with the tree. Then there is no
 * savepoint any more. A new one takes the place of an old one.
 */
void ff_tree_savepoint(struct ff_tree *tree);
void ff_tree_rollback(struct ff_tree *tree); /* nothing if there is none */

/* Writes into a file, growing it with zeros where needed. */
void ff_node_write(struct ff_node *file, const void *data, size_t size, size_t offset);

/* Cuts or grows (with zeros) to size bytes. */
void ff_node_resize(struct ff_node *file, size_t size);

/*
 * Whether an extended attribute is part of a tree and a trace: those that programs
 * set, "user.", "trusted." (which only a privileged process sees), access control
 * lists and file capabilities. What the kernel or a security module sets by itself
 * (security.selinux, security.ima, trusted.overlay., ...) is not (xattr(7)).
 */
bool ff_xattr_is_modelled(const char *name);

struct ff_xattr {
    const char *name;
    struct ff_bytes value; /* not followed by a NUL */
};

/* Whether the bytes are as FF_XATTRS says. */
bool ff_xattrs_are_valid(struct ff_bytes xattrs);

/*
 * The attribute at *position, which begins at 0 and is moved on; what it points to
 * lies in the bytes, which must be valid. False at the end.
 */
bool ff_xattrs_next(struct ff_bytes xattrs, size_t *position, struct ff_xattr *xattr);

/* Sets one attribute, all of them, or removes one; false: there is none of that name. */
void ff_node_set_xattr(struct ff_node *node, const char *name, struct ff_bytes value);
void ff_node_set_xattrs(struct ff_node *node, struct ff_bytes xattrs);
bool ff_node_remove_xattr(struct ff_node *node, const char *name);

/*
 * Applies a call as the kernel would. Returns 0, or -1 with *error set when the
 * tree contradicts the call (the name means another node, the target exists,
 * the node is not there): then the recording is not what happened.
 */
int ff_tree_apply(struct ff_tree *tree, const struct ff_call *call, struct ff_error *error);

/*
 * Reads what lies below the directory at path. Nodes are numbered in the order
 * of a walk that visits names sorted by bytes, directories before what is in
 * them; hard links share a node. visit, if not NULL, is called for each new
 * node with its id and status. Returns NULL with *error set when something
 * cannot be read, is a device, or has more links than were found
 * below the directory (a link from outside could change it unseen).
 */
struct ff_tree *ff_tree_load(const char *path,
                             void (*visit)(void *context, uint32_t id, const char *path,
                                           dev_t device, ino_t inode),
                             void *context, struct ff_error *error);

/*
 * Creates everything below the empty directory at path, in the order of a
 * sorted walk, with modes, extended attributes and, when it differs from the
 * caller's, owners; the
 * directory itself gets the root's mode, owner and extended attributes. Times are
 * left alone.
 * Returns 0, or -1 with *error set.
 */
int ff_tree_store(const struct ff_tree *tree, const char *path, struct ff_error *error);

/* Removes everything below the directory at path, but not the directory. */
int ff_directory_clear(const char *path, struct ff_error *error);

/*
 * The first difference in type, mode bits, owner, size, content, link target,
 * extended attributes, names or hard links (two names of one node on one side and of two on the
 * other), as "path: what differs (what left has, what right has)". Returns true
 * when there is one; the words for the two sides come from left and right.
 */
bool ff_tree_differs(const struct ff_tree *a, const char *left, const struct ff_tree *b,
                     const char *right, struct ff_error *difference);

/*
 * A 128-bit hash (XXH3) of what ff_tree_differs() compares: equal trees hash
 * alike whatever their node numbers. Not for adversarial input.
 */
struct ff_hash {
    uint64_t low, high;
};
struct ff_hash ff_tree_hash(const struct ff_tree *tree);

#endif
