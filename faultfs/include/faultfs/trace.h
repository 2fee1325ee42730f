/*
 * A trace: what a program asked the file system to do, below one directory.
 *
 * Calling sequence
 *
 *     struct ff_error error;
 *     struct ff_trace *trace = ff_trace_open("trace.cmt", &error);
 *     if (trace == NULL) { ... error.text says what and where ... }
 *     for (size_t i = 0; i < trace->call_count; i++)
 *         use(&trace->calls[i]);
 *     ff_trace_free(trace);
 *
 * A trace holds the directory as it was before the workload (the snapshot), the
 * calls with their data in one total order, the program's standard output as
 * calls among them, and checksums. It needs nothing beside it. The format is
 * described field by field in FORMAT below; the reader accepts only files that
 * are whole and consistent, and survives any bytes.
 *
 * Identity. A file, directory or symbolic link is a *node*, named by a number
 * that is given at its creation and never used again (st_ino is reused by file
 * systems and appears nowhere here). The root of the directory under test is
 * node 1; 0 means "none". Nodes of the snapshot have the smallest numbers.
 *
 * Time. A *tick* is a position in the total order, counted from 1. A mutating
 * call is made and recorded under one lock and has begin == end. Calls that
 * are not (the syncs, whose order by completion matters, and writes to
 * standard output, which may block) have begin < end, with other calls in
 * between. So has a store through a shared mapping (route mapping), which was
 * made at some moment between the two scans at begin and end. Calls are sorted
 * by end; no two ticks are equal except a call's own.
 *
 * FORMAT, version 2. Integers are little-endian, without padding between them.
 * `bytes` is a u64 size, that many bytes, and one zero byte; `string` is bytes
 * without a zero byte among them. Field names are those of the structures below.
 *
 *     u8[8]   "cmtrace\n"
 *     u32     version, 2
 *     u32     node_count
 *     u64     size of the whole file in bytes
 *     u64     digest
 *     u64     name_count
 *     u64     module_count
 *     u64     call_count
 *     u64     unobserved_count
 *     string  root
 *     node_count times, for node 1, 2, ...:
 *         u32 mode, u32 uid, u32 gid, bytes data, bytes xattrs
 *     name_count times, sorted by parent and then by the bytes of the name:
 *         u32 parent, u32 node, bytes filename
 *     module_count times:
 *         string path, bytes build_id
 *     call_count times, sorted by end:
 *         string name, u32 effect, u64 begin, u64 end, i64 result, u32 flags,
 *         u32 node, u32 parent, u32 node2, u32 parent2, bytes filename,
 *         bytes filename2, u64 offset, u64 length, u32 mode, u32 uid, u32 gid,
 *         bytes data, u32 route, u32 process, u32 thread, i32 fd, u32 module, u64 site
 *     unobserved_count times:
 *         string kind, string what, u64 count
 *     u64     checksum: XXH3-64 of all bytes before it
 *
 * Numbers of effects and routes are their positions in the enumerations, which
 * are only ever added to. A reader may rely on:
 *
 *  - modes have the type of a file, directory, symbolic link or fifo; names are
 *    1 to 255 bytes without NUL and '/', and neither "." nor "..";
 *  - in the snapshot every node but the root has a name, and a directory exactly
 *    one, in a directory with a smaller number;
 *  - a call uses nodes that exist by then, of the type that its effect needs,
 *    and nodes are created in the order of their numbers, without a gap;
 *  - an effect other than none belongs to a result >= 0 (sync-failed: < 0); a
 *    call of effect none may still name nodes and names, for people who read it;
 *  - xattrs are as FF_XATTRS describes;
 *  - no file is larger than FF_SIZE_LIMIT.
 *
 * It may not rely on a call to fit the tree at that moment: ff_tree_apply()
 * (tree.h) tells.
 *
 * Ownership. Everything reachable from a struct ff_trace lives until
 * ff_trace_free() and must not be changed.
 */
#ifndef FAULTFS_TRACE_H
#define FAULTFS_TRACE_H

#include <stddef.h>
#include <stdint.h>

/* What went wrong, for a person: what, where, and what to do. */
struct ff_error {
    char text[512];
};

/* The name of a node that does not exist. */
#define FF_NO_NODE 0u
/* The directory under test. */
#define FF_ROOT_NODE 1u
/* The largest file that a trace or a tree may hold, in bytes. */
#define FF_SIZE_LIMIT ((uint64_t)1 << 30)

/*
 * What a call did to the directory (or to the outside world).
 *
 * X(identifier, name, fields)
 *
 * Unless a row says otherwise, node is the object that the call concerns, and a
 * name is (parent node, bytes).
 */
#define FF_EFFECTS(X)                                                                              \
    X(NONE, "none", "nothing: a failed call, close, dup, open of an existing file, fork")          \
    X(CREATE, "create",                                                                            \
      "parent/name now means the new node (parent 0: it has no name yet, O_TMPFILE); mode "        \
      "(type and bits), uid, gid; data = target if it is a symbolic link")                         \
    X(WRITE, "write", "bytes offset .. offset+length of node are data; grows the file if needed")  \
    X(RESIZE, "resize", "size of node is now offset (ftruncate, truncate, open with O_TRUNC)")     \
    X(ATTRIBUTES, "attributes", "node has the given mode bits, uid and gid")                       \
    X(LINK, "link", "parent/name means node too")                                                  \
    X(UNLINK, "unlink", "parent/name, which meant node, means nothing (unlink, rmdir)")            \
    X(RENAME, "rename",                                                                            \
      "parent/name, which meant node, means nothing; parent2/name2, which "                        \
      "meant node2 (or nothing), means node")                                                      \
    X(EXCHANGE, "exchange", "parent/name meant node and parent2/name2 node2: swapped")             \
    X(SYNC_FILE, "fsync", "fsync of node, a file or a directory; covers by the model")             \
    X(SYNC_DATA, "fdatasync", "fdatasync of node")                                                 \
    X(SYNC_ALL, "sync", "sync, or syncfs on a descriptor below the directory")                     \
    X(OUTPUT, "output", "data was written to standard output")                                     \
    X(SET_XATTR, "set-xattr", "the extended attribute filename of node is data")                   \
    X(REMOVE_XATTR, "remove-xattr", "node has no extended attribute filename any more")            \
    X(SYNC_RANGE, "sync-range",                                                                    \
      "as fsync, but only of the bytes offset .. offset+length of node (an O_SYNC write)")         \
    X(SYNC_RANGE_DATA, "sync-range-data",                                                          \
      "as fdatasync, but only of those bytes (an O_DSYNC write, msync)")                           \
    X(SYNC_FAILED, "sync-failed",                                                                  \
      "a sync of node (0: of everything) failed: what was dirty when it began may never reach "    \
      "the disk, and later syncs do not cover it")

enum ff_effect {
#define X(identifier, name, fields) FF_EFFECT_##identifier,
    FF_EFFECTS(X)
#undef X
        FF_EFFECT_COUNT
};

/* The name of an effect, from the table above; "?" if out of range. */
const char *ff_effect_name(enum ff_effect effect);

/* How a call came to be recorded. */
enum ff_route {
    FF_ROUTE_SYMBOL = 0, /* through an interposed symbol */
    FF_ROUTE_NET,        /* it passed the symbols by and was caught by seccomp */
    FF_ROUTE_MAPPING,    /* not a call: a store through a shared mapping, found by a scan */
    FF_ROUTE_COUNT
};

/* "symbol", "net", "mapping"; "?" if out of range. */
const char *ff_route_name(enum ff_route route);

struct ff_bytes {
    const unsigned char *data; /* followed by a NUL that is not counted in size */
    size_t size;
};

struct ff_call {
    const char *name;      /* the call as made: "openat", "pwrite64", "rename", ... */
    enum ff_effect effect; /* FF_EFFECT_NONE when it failed or changed nothing */
    enum ff_route route;
    uint32_t process; /* dense numbers by first appearance, from 0 */
    uint32_t thread;  /* dense over the whole trace, from 0 */
    uint64_t begin;   /* tick before the call */
    uint64_t end;     /* tick after it */
    int64_t result;   /* what it returned, or -errno */
    int32_t fd;       /* the descriptor that it was given or that it returned, or -1 */
    uint32_t flags;   /* open, renameat2, linkat or unlinkat flags, else 0 */
    uint32_t node;
    uint32_t parent;
    uint32_t node2;
    uint32_t parent2;
    struct ff_bytes filename;
    struct ff_bytes filename2;
    uint64_t offset; /* bytes */
    uint64_t length; /* bytes, of a range that is synced; else 0 */
    uint32_t mode;   /* as in st_mode */
    uint32_t uid;
    uint32_t gid;
    struct ff_bytes data;
    uint32_t module; /* index into modules, or UINT32_MAX when the site is unknown */
    uint64_t site;   /* return address of the call as an offset in the module's file */
};

/*
 * FF_XATTRS: extended attributes are bytes of the form
 *     (name, NUL, u32 size, size bytes of value)*
 * sorted by name, without repetition; empty when there are none. Functions for
 * them are in tree.h.
 */

/* A program or library that made calls. */
struct ff_module {
    const char *path;
    struct ff_bytes build_id; /* the GNU build-id note, or empty */
};

/* A node as it was before the workload. */
struct ff_snapshot_node {
    uint32_t mode; /* as in st_mode */
    uint32_t uid;
    uint32_t gid;
    struct ff_bytes data;   /* content of a file, target of a symbolic link */
    struct ff_bytes xattrs; /* FF_XATTRS */
};

/* A name as it was before the workload. */
struct ff_snapshot_name {
    uint32_t parent;
    uint32_t node;
    struct ff_bytes filename;
};

/*
 * Something that happened and that the recording cannot show exactly, so that
 * no verdict drawn from it is more than "incomplete" unless the user accepts it.
 */
struct ff_unobserved {
    const char
        *kind; /* a word for --accept: "no-seccomp", "io-uring", "mapped-intermediate", ... */
    const char *what; /* for people: what, where */
    uint64_t count;   /* how often */
};

struct ff_trace {
    const char *root; /* absolute path of the directory under test while recorded */
    /* Snapshot: nodes[0] is node 1, the root; names sorted by (parent, bytes). */
    const struct ff_snapshot_node *nodes;
    size_t node_count;
    const struct ff_snapshot_name *names;
    size_t name_count;
    const struct ff_call *calls;
    size_t call_count;
    const struct ff_module *modules;
    size_t module_count;
    const struct ff_unobserved *unobserved;
    size_t unobserved_count;
    /*
     * XXH3-64 over the snapshot and, of each call, everything but process,
     * thread, route, module, site and fd. Two recordings of a deterministic
     * program have the same digest, wherever and under whatever name its
     * binaries live.
     */
    uint64_t digest;
};

/*
 * Reads a trace file. Returns NULL and sets *error when the file cannot be
 * read, is not a trace, was cut short, or contradicts itself (a node used
 * before its creation, an unknown effect, ticks out of order, ...).
 */
struct ff_trace *ff_trace_open(const char *path, struct ff_error *error);

/* The same from memory; the bytes are copied. */
struct ff_trace *ff_trace_parse(const void *bytes, size_t size, struct ff_error *error);

void ff_trace_free(struct ff_trace *trace);

/*
 * Writes a trace (the fields as above; digest is computed and stored in
 * trace->digest as well) to a new file at path: written beside it, synced, then
 * renamed. Returns 0, or -1 with *error set and nothing at path changed.
 */
int ff_trace_write(struct ff_trace *trace, const char *path, struct ff_error *error);

/* The same into memory: malloc'ed bytes, or NULL with *error set. */
unsigned char *ff_trace_encode(struct ff_trace *trace, size_t *size, struct ff_error *error);

#endif
