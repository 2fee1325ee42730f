#include "identity.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <xxhash.h>

#include "fail.h"
#include "memory.h"

enum { MODEL_NAME_SIZE = 128 };

/* Operations issued by a boundary are a prefix of all. */
static size_t issued_by(const struct cm_poset *poset, uint32_t boundary)
{
    size_t count = 0;
    while (count < poset->operation_count && poset->operations[count].shown.boundary <= boundary)
        count++;
    return count;
}

static void digest_prefix(const struct cm_poset *poset, char text[9])
{
    snprintf(text, 9, "%08x", (unsigned)(poset->trace->digest >> 32));
}

static void print_cut(FILE *stream, const struct cm_poset *poset, const cm_word *ideal,
                      uint32_t boundary)
{
    fprintf(stream, "%u:", boundary);
    size_t issued = issued_by(poset, boundary);
    const char *separator = "";
    for (size_t o = 0; o < issued; o++) {
        if (cm_has(ideal, o))
            continue;
        size_t last = o;
        while (last + 1 < issued && !cm_has(ideal, last + 1))
            last++;
        fprintf(stream, "%s%zu", separator, o);
        if (last > o)
            fprintf(stream, "+%zu", last - o);
        separator = ",";
        o = last;
    }
    if (*separator == '\0')
        fputc('-', stream);
}

char *cm_identity_format(const struct cm_poset *poset, const cm_word *ideal, uint32_t boundary)
{
    char model[MODEL_NAME_SIZE], digest[9];
    cm_poset_model_name(poset, model, sizeof(model));
    digest_prefix(poset, digest);
    char *id = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&id, &size);
    fprintf(stream, "%s.%s.", model, digest);
    print_cut(stream, poset, ideal, boundary);
    fclose(stream);
    return id;
}

/* Reads a decimal number below limit; false when there is none. */
static bool read_number(const char **text, size_t limit, size_t *number)
{
    if (**text < '0' || **text > '9')
        return false;
    char *end = NULL;
    errno = 0;
    unsigned long long value = strtoull(*text, &end, 10);
    *text = end;
    *number = (size_t)value;
    return errno == 0 && value < limit;
}

bool cm_identity_model(const char *id, char *name, size_t size, uint32_t *granule)
{
    size_t length = strcspn(id, ".@");
    *granule = 0;
    if (length == 0 || length >= size)
        return false;
    memcpy(name, id, length);
    name[length] = '\0';
    id += length;
    size_t number = 0;
    if (*id == '@') {
        id++;
        if (!read_number(&id, UINT32_MAX, &number) || number == 0)
            return false;
        *granule = (uint32_t)number;
    }
    return *id == '.';
}

/* Whether a part of an id ends here. */
static bool is_end(const char *text)
{
    return *text == '\0' || *text == '/';
}

/* Takes the lost operations, a comma-separated list, from the ideal. */
static bool read_lost(const char *text, size_t issued, cm_word *ideal)
{
    if (*text == '-' && is_end(text + 1))
        return true;
    for (;;) {
        size_t first = 0, more = 0;
        if (!read_number(&text, issued, &first))
            return false;
        if (*text == '+') {
            text++;
            if (!read_number(&text, issued - first, &more))
                return false;
        }
        for (size_t o = first; o <= first + more; o++)
            cm_remove(ideal, o);
        if (is_end(text))
            return true;
        if (*text++ != ',')
            return false;
    }
}

static bool is_legal(const struct cm_poset *poset, const cm_word *ideal, uint32_t boundary)
{
    for (size_t o = 0; o < poset->operation_count; o++) {
        if (!cm_has(ideal, o) && poset->operations[o].shown.durable <= boundary)
            return false;
        if (cm_has(ideal, o) && !cm_within(cm_down(poset, o), ideal, poset->words))
            return false;
    }
    return true;
}

static int refuse(struct ff_error *error, const char *id, const char *why, const char *detail)
{
    return cm_fail(error, "replay id %.150s: %s%.100s", id, why, detail);
}

/* The part of an id that says where a cut was, and what it lost. */
static int parse_cut(const struct cm_poset *poset, const char *id, const char *text, cm_word *ideal,
                     uint32_t *boundary, struct ff_error *error)
{
    size_t number = 0;
    if (!read_number(&text, poset->trace->call_count + 1, &number) || *text++ != ':')
        return refuse(error, id, "names no boundary of this trace", "");
    *boundary = (uint32_t)number;
    size_t issued = issued_by(poset, *boundary);
    memset(ideal, 0, poset->words * sizeof(cm_word));
    for (size_t o = 0; o < issued; o++)
        cm_add(ideal, o);
    if (!read_lost(text, issued, ideal))
        return refuse(error, id, "the list of lost operations is malformed", "");
    if (!is_legal(poset, ideal, *boundary))
        return refuse(error, id, "no power cut can leave this state", "");
    return 0;
}

int cm_identity_parse(const struct cm_poset *poset, const char *id, cm_word *ideal,
                      uint32_t *boundary, struct ff_error *error)
{
    char model[MODEL_NAME_SIZE], digest[9];
    if (cm_identity_recovery(id) != NULL)
        return refuse(error, id, "names a cut during recovery, which is not possible here", "");
    cm_poset_model_name(poset, model, sizeof(model));
    digest_prefix(poset, digest);
    size_t length = strlen(model);
    if (strncmp(id, model, length) != 0 || id[length] != '.')
        return refuse(error, id, "belongs to another model than ", model);
    const char *text = id + length + 1;
    if (strncmp(text, digest, 8) != 0 || text[8] != '.')
        return refuse(error, id, "belongs to another trace; this one's digest begins with ",
                      digest);
    return parse_cut(poset, id, text + 9, ideal, boundary, error);
}

/* ---- Recoveries ---- */

static void digest_text(XXH3_state_t *state, const char *text)
{
    XXH3_64bits_update(state, text, strlen(text) + 1);
}

static void digest_value(XXH3_state_t *state, const struct cm_location *location,
                         const struct cm_value *value)
{
    uint64_t numbers[5] = {location->kind, location->granule};
    switch (location->kind) {
    case CM_LOCATION_DATA:
        numbers[2] = value->to.data.length;
        if (value->to.data.length > 0)
            XXH3_64bits_update(state, value->to.data.bytes, value->to.data.length);
        break;
    case CM_LOCATION_SIZE:
    case CM_LOCATION_CHAIN:
        numbers[2] = value->to.size;
        break;
    case CM_LOCATION_ATTRIBUTES:
        numbers[2] = value->to.attributes.mode;
        numbers[3] = value->to.attributes.uid;
        numbers[4] = value->to.attributes.gid;
        break;
    case CM_LOCATION_XATTR:
        numbers[2] = value->to.xattr.removed;
        if (value->to.xattr.value.size > 0)
            XXH3_64bits_update(state, value->to.xattr.value.data, value->to.xattr.value.size);
        break;
    case CM_LOCATION_NAME:
        numbers[2] = value->to.node != FF_NO_NODE;
        break;
    case CM_LOCATION_PAST:
        break;
    }
    XXH3_64bits_update(state, numbers, sizeof(numbers));
    digest_text(state, location->name != NULL ? location->name : "");
}

/*
 * What the recovery's operations are and when they are durable: equal for all states on
 * which the recovery did the same.
 */
static uint64_t recovery_digest(const struct cm_poset *own)
{
    XXH3_state_t *state = XXH3_createState();
    if (state == NULL)
        abort();
    XXH3_64bits_reset(state);
    for (size_t o = 0; o < own->operation_count; o++) {
        const struct cm_poset_operation *operation = &own->operations[o];
        const uint64_t numbers[] = {operation->class,         operation->shown.boundary,
                                    operation->shown.durable, operation->shown.offset,
                                    operation->shown.length,  operation->lost};
        XXH3_64bits_update(state, numbers, sizeof(numbers));
        digest_text(state, operation->shown.path);
        for (uint32_t i = 0; i < operation->value_count; i++) {
            const struct cm_value *value = &own->values[operation->first_value + i];
            digest_value(state, &own->locations[value->location], value);
        }
    }
    uint64_t digest = XXH3_64bits_digest(state);
    XXH3_freeState(state);
    return digest;
}

static void recovery_prefix(const struct cm_poset *own, char text[9])
{
    snprintf(text, 9, "%08x", (unsigned)(recovery_digest(own) >> 32));
}

void cm_identity_print_recovery(FILE *stream, const struct cm_poset *own, const cm_word *ideal,
                                uint32_t boundary)
{
    char digest[9];
    recovery_prefix(own, digest);
    fprintf(stream, "/%s.", digest);
    print_cut(stream, own, ideal, boundary);
}

const char *cm_identity_recovery(const char *id)
{
    const char *slash = strchr(id, '/');
    return slash == NULL ? NULL : slash + 1;
}

int cm_identity_parse_recovery(const struct cm_poset *own, const char *id, cm_word *ideal,
                               uint32_t *boundary, struct ff_error *error)
{
    char digest[9];
    recovery_prefix(own, digest);
    if (strncmp(id, digest, 8) != 0 || id[8] != '.')
        return refuse(error, id, "the recovery does not do what it did then; its digest here is ",
                      digest);
    return parse_cut(own, id, id + 9, ideal, boundary, error);
}
