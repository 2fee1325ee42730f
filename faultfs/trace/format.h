/*
 * The fields of a trace file, in the order in which they are stored: one table
 * for the writer, the reader and the digest. trace.h describes the format.
 * Private to faultfs.
 */
#ifndef FAULTFS_FORMAT_H
#define FAULTFS_FORMAT_H

#include "faultfs/trace.h"

#define FORMAT_MAGIC         "cmtrace\n"
#define FORMAT_MAGIC_SIZE    8u
#define FORMAT_VERSION       2u
#define FORMAT_HEADER_SIZE   64u
#define FORMAT_CHECKSUM_SIZE 8u

/* The fewest bytes that one of each takes: bounds what a count may claim. */
#define FORMAT_NODE_MINIMUM       30u
#define FORMAT_NAME_MINIMUM       17u
#define FORMAT_MODULE_MINIMUM     18u
#define FORMAT_CALL_MINIMUM       140u
#define FORMAT_UNOBSERVED_MINIMUM 26u

/* X(kind, field); kinds: u32, i32, u64, i64, bytes, string (bytes without NUL). */
#define FORMAT_NODE(X)                                                                             \
    X(u32, mode)                                                                                   \
    X(u32, uid)                                                                                    \
    X(u32, gid)                                                                                    \
    X(bytes, data)                                                                                 \
    X(bytes, xattrs)

#define FORMAT_NAME(X)                                                                             \
    X(u32, parent)                                                                                 \
    X(u32, node)                                                                                   \
    X(bytes, filename)

#define FORMAT_MODULE(X)                                                                           \
    X(string, path)                                                                                \
    X(bytes, build_id)

/* What belongs to the digest, ... */
#define FORMAT_CALL_DIGESTED(X)                                                                    \
    X(string, name)                                                                                \
    X(effect, effect)                                                                              \
    X(u64, begin)                                                                                  \
    X(u64, end)                                                                                    \
    X(i64, result)                                                                                 \
    X(u32, flags)                                                                                  \
    X(u32, node)                                                                                   \
    X(u32, parent)                                                                                 \
    X(u32, node2)                                                                                  \
    X(u32, parent2)                                                                                \
    X(bytes, filename)                                                                             \
    X(bytes, filename2)                                                                            \
    X(u64, offset)                                                                                 \
    X(u64, length)                                                                                 \
    X(u32, mode)                                                                                   \
    X(u32, uid)                                                                                    \
    X(u32, gid)                                                                                    \
    X(bytes, data)

/* ... and what may differ between two recordings of the same behaviour. */
#define FORMAT_CALL_INCIDENTAL(X)                                                                  \
    X(route, route)                                                                                \
    X(u32, process)                                                                                \
    X(u32, thread)                                                                                 \
    X(i32, fd)                                                                                     \
    X(u32, module)                                                                                 \
    X(u64, site)

#define FORMAT_UNOBSERVED(X)                                                                       \
    X(string, kind)                                                                                \
    X(string, what)                                                                                \
    X(u64, count)

#define FORMAT_CALL(X) FORMAT_CALL_DIGESTED(X) FORMAT_CALL_INCIDENTAL(X)

/* XXH3-64 over the snapshot and FORMAT_CALL_DIGESTED of every call. */
uint64_t ff_format_digest(const struct ff_trace *trace);

/* Whether the trace is consistent (see FORMAT in trace.h); sets *error if not. */
int ff_format_check(const struct ff_trace *trace, struct ff_error *error);

#endif
