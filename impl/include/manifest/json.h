/*
 * A strict JSON scanner: accepts exactly what RFC 8259 allows, encoded in
 * UTF-8, and says line, column and reason of the first fault in anything else.
 *
 *     struct mf_json json;
 *     if (mf_json_scan(text, size, NULL, &json, &fault)) {
 *         ... json.values[k] is the k-th value of the text ...
 *         mf_json_clear(&json);
 *     }
 *
 * It builds no tree. It lists where each value stands, in the order of the text
 * (a tree's nodes depth first), so that nothing of what was written is lost.
 */
#ifndef MANIFEST_JSON_H
#define MANIFEST_JSON_H

#include <stdbool.h>
#include <stddef.h>

#define MF_JSON_DEFAULT_SIZE  ((size_t)16 << 20)
#define MF_JSON_DEFAULT_DEPTH 32
#define MF_JSON_MAX_DEPTH     512

/* Zero is the default. NULL where a pointer is taken: both default. */
struct mf_json_limits {
    size_t size;    /* bytes of text */
    unsigned depth; /* arrays and objects inside each other; at most MF_JSON_MAX_DEPTH */
};

/* One value. Offsets are in bytes from the start of the text. */
struct mf_json_value {
    size_t name;   /* of a member: its name's opening quotation mark; else the same as start */
    size_t start;  /* the first byte */
    size_t length; /* bytes; of an array or object up to its closing bracket */
    size_t next;   /* index of the first value after this one and all that it contains */
};

struct mf_json {
    struct mf_json_value *values; /* every value, the outermost first; freed by mf_json_clear */
    size_t count;
    size_t bad_escape; /* where the first \u0000 or unpaired surrogate stands; SIZE_MAX: none */
};

struct mf_json_fault {
    size_t line;        /* from 1 */
    size_t column;      /* in bytes, from 1 */
    const char *reason; /* static */
    bool out_of_memory; /* the text is not to blame */
};

/*
 * Scans size bytes of text, which need not be terminated. json may be NULL when
 * only the verdict counts. On false, *fault is filled and *json is empty.
 */
bool mf_json_scan(const char *text, size_t size, const struct mf_json_limits *limits,
                  struct mf_json *json, struct mf_json_fault *fault);

/* Frees what mf_json_scan allocated and leaves it empty. */
void mf_json_clear(struct mf_json *json);

/* Line and column of an offset that is not beyond the end. */
void mf_json_locate(const char *text, size_t offset, size_t *line, size_t *column);

#endif
