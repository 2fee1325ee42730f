#include "port_words.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "fail.h"
#include "port_adapter.h"

static const char committed[] = "committed ";

/* The code that the directory is left in one of two states by; all others leave it as it was. */
static const char unknown[] = "UNKNOWN";

struct reader {
    enum cm_port_case_id id;
    struct cm_port_words *words;
};

static void acknowledge(struct cm_port_words *words, uint64_t version)
{
    words->acknowledged = version;
    words->next = version + 1;
}

static int expect_number(const struct cm_port_answer *answer, const char *name, uint64_t least,
                         uint64_t *number, struct ff_error *error)
{
    if (!cm_port_number(answer, name, number) || *number < least)
        return cm_fail(error, "the adapter printed OK, but '%s' is no version from %" PRIu64, name,
                       least);
    return 0;
}

/* "committed N", as soon as a version is durable. */
static int read_committed(const struct reader *reader, const char *line, struct ff_error *error)
{
    struct cm_port_words *words = reader->words;
    char *end;
    unsigned long long version = strtoull(line, &end, 10);
    if (end == line || *end != '\n' || version <= words->acknowledged)
        return cm_fail(error, "the adapter printed 'committed' without a version from %" PRIu64,
                       words->acknowledged + 1);
    acknowledge(words, version);
    return 0;
}

static int read_done(const struct reader *reader, const struct cm_port_answer *answer,
                     struct ff_error *error)
{
    struct cm_port_words *words = reader->words;
    uint64_t version = 0;
    switch (reader->id) {
    case CM_PORT_INIT:
        acknowledge(words, 1);
        break;
    case CM_PORT_COMMIT:
    case CM_PORT_SECOND:
        if (expect_number(answer, "committed", 1, &version, error) != 0)
            return -1;
        if (version != words->acknowledged)
            return cm_fail(error,
                           "the adapter printed a line of JSON for version %" PRIu64
                           ", but the line 'committed %" PRIu64 "' was not printed before",
                           version, version);
        break;
    case CM_PORT_OPEN:
        if (expect_number(answer, "version", words->acknowledged, &version, error) != 0)
            return -1;
        acknowledge(words, version);
        break;
    case CM_PORT_RECOVER:
    case CM_PORT_RESTORE:
        if (expect_number(answer, reader->id == CM_PORT_RECOVER ? "recovered" : "restored",
                          words->acknowledged + 1, &version, error) != 0)
            return -1;
        acknowledge(words, version);
        break;
    case CM_PORT_BACKUP:
        words->saved = words->saved == 0 ? CM_PORT_SAVED : words->saved + 1;
        words->finished = words->saved == words->acknowledged;
        return 0;
    case CM_PORT_CLEANUP:
    case CM_PORT_SWEEP:
    case CM_PORT_CASE_COUNT:
        break;
    }
    words->finished = true;
    words->next = 0;
    return 0;
}

/* Whether an operation makes another version current. */
static bool makes_version(enum cm_port_case_id id)
{
    return id != CM_PORT_CLEANUP && id != CM_PORT_SWEEP && id != CM_PORT_BACKUP;
}

static int read_answer(const struct reader *reader, const char *line, size_t length,
                       struct ff_error *error)
{
    struct cm_port_answer answer;
    struct ff_error why;
    if (cm_port_answer_read(line, length, &answer, &why) != 0)
        return cm_fail(error, "what the adapter printed %.400s", why.text);
    int status = 0;
    if (cm_port_answered(&answer, "OK")) {
        status = read_done(reader, &answer, error);
    } else if (cm_port_answered(&answer, unknown)) {
        reader->words->failed = unknown;
    } else {
        reader->words->failed = "not done";
        reader->words->next = 0;
    }
    cm_port_answer_free(&answer);
    return status;
}

int cm_port_words_read(enum cm_port_case_id id, const char *output, size_t size,
                       struct cm_port_words *words, struct ff_error *error)
{
    const struct reader reader = {id, words};
    uint64_t base = cm_port_cases[id].base;
    const char *end;
    int status = 0;
    *words = (struct cm_port_words){.acknowledged = base, .next = makes_version(id) ? base + 1 : 0};
    for (; status == 0 && (end = memchr(output, '\n', size)) != NULL; output = end + 1) {
        size_t length = (size_t)(end - output);
        size -= length + 1;
        if (length > strlen(committed) && strncmp(output, committed, strlen(committed)) == 0)
            status = read_committed(&reader, output + strlen(committed), error);
        else
            status = read_answer(&reader, output, length, error);
    }
    return status;
}
