/*
 * A second strict JSON parser, simdjson, behind an interface that C can use.
 *
 *     struct oracle_document *document = oracle_parse(text, size);
 *     if (document->refusal == ORACLE_ACCEPTED)
 *         ... document->values[k] is the k-th value of the text ...
 *     oracle_free(document);
 *
 * Values come in the order of the text, as mf_json_scan() lists them (manifest/json.h).
 * Nothing is thrown; without memory the process ends.
 */
#ifndef CRASHMATRIX_FUZZ_SIMDJSON_ORACLE_H
#define CRASHMATRIX_FUZZ_SIMDJSON_ORACLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Arrays and objects inside each other that the oracle follows. */
enum { ORACLE_MAX_DEPTH = 1024 };

enum oracle_refusal {
    ORACLE_ACCEPTED,
    ORACLE_NUMBER, /* a number that is wrong, or that simdjson has no type for */
    ORACLE_STRING, /* an escape */
    ORACLE_OTHER,
};

enum oracle_kind {
    ORACLE_NULL,
    ORACLE_FALSE,
    ORACLE_TRUE,
    ORACLE_INTEGER,  /* from -2^63 to 2^63 - 1, no fraction and no exponent */
    ORACLE_UNSIGNED, /* from 2^63 to 2^64 - 1 */
    ORACLE_DOUBLE,
    ORACLE_TEXT,
    ORACLE_ARRAY,
    ORACLE_OBJECT,
};

/* Without escapes, not terminated. */
struct oracle_string {
    const char *bytes;
    size_t size;
};

struct oracle_value {
    enum oracle_kind kind;
    struct oracle_string name; /* of a member; bytes is NULL when it is none */
    struct oracle_string text; /* ORACLE_TEXT */
    uint64_t integer;          /* ORACLE_INTEGER (two's complement) and ORACLE_UNSIGNED */
    double number;             /* ORACLE_DOUBLE */
    size_t next;               /* index of the first value behind this one and what is in it */
};

/* All of it belongs to the document. */
struct oracle_document {
    enum oracle_refusal refusal;
    const struct oracle_value *values; /* none when refused */
    size_t count;
    unsigned depth;    /* arrays and objects inside each other */
    bool repeats_name; /* an object has two members of one name */
    bool holds_nul;    /* a string or a name has a byte 0 */
};

struct oracle_document *oracle_parse(const char *text, size_t size);
void oracle_free(struct oracle_document *document);

#ifdef __cplusplus
}
#endif

#endif
