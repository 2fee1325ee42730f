/*
 * Calling the adapter of a port: one operation, one line of JSON
 * (impl/conformance/README.md).
 *
 *     struct cm_port_adapter adapter = {.argv = words, .argc = count, .timeout_ms = 60000};
 *     struct cm_port_answer answer;
 *     if (cm_port_ask(&adapter, &answer, &error, "commit", "db", NULL) == 0 &&
 *         cm_port_answered(&answer, "OK"))
 *         ... cm_port_number(&answer, "committed", &number) ...
 *     cm_port_answer_free(&answer);
 */
#ifndef CRASHMATRIX_PORT_ADAPTER_H
#define CRASHMATRIX_PORT_ADAPTER_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>

#include "faultfs/trace.h"

struct cm_port_adapter {
    char *const *argv; /* the command; operations are appended */
    size_t argc;
    unsigned timeout_ms; /* for one operation */
};

struct cm_port_answer {
    cJSON *json; /* an object with a text "code" */
};

/*
 * Runs the operation and reads its last line; the words, of which operation is the first, end
 * with NULL. Returns 0 with an answer that is the caller's to free, whatever its code; -1 with
 * *error set and no answer when the adapter has failed: cannot be started, did not end in time
 * (it is killed), exit status other than 0, no line of JSON with a code.
 */
int cm_port_ask(const struct cm_port_adapter *adapter, struct cm_port_answer *answer,
                struct ff_error *error, const char *operation, ...) __attribute__((sentinel));
int cm_port_ask_words(const struct cm_port_adapter *adapter, struct cm_port_answer *answer,
                      struct ff_error *error, const char *const *words, size_t count);

/* Reads one line. Returns 0, or -1 with *error set: no object with a text "code". */
int cm_port_answer_read(const char *line, size_t length, struct cm_port_answer *answer,
                        struct ff_error *error);

const char *cm_port_code(const struct cm_port_answer *answer);
bool cm_port_answered(const struct cm_port_answer *answer, const char *code);

/* A whole number below 2^53. False when there is none of that name. */
bool cm_port_number(const struct cm_port_answer *answer, const char *name, uint64_t *number);

/* Whether an array of that name has the word. */
bool cm_port_lists(const struct cm_port_answer *answer, const char *name, const char *word);

void cm_port_answer_free(struct cm_port_answer *answer);

#endif
