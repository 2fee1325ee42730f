/*
 * Configuration files (models and targets): JSON, read strictly. Unknown,
 * missing and repeated keys are errors that name the file and the place.
 */
#ifndef CRASHMATRIX_CONFIG_H
#define CRASHMATRIX_CONFIG_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

#include "faultfs/trace.h"

struct cm_config {
    const char *path;
    cJSON *root;
    struct ff_error *error;
};

/* Reads and parses the file. The path and error must live as long as config. Returns 0, or -1
 * with *error set; config is to be closed in any case. */
int cm_config_open(struct cm_config *config, const char *path, struct ff_error *error);

/* The same of text, which need not be terminated; path is for messages. */
int cm_config_parse(struct cm_config *config, const char *path, const char *text, size_t size,
                    struct ff_error *error);
void cm_config_close(struct cm_config *config);

/* Sets the error to "path: ...". */
void cm_config_error(const struct cm_config *config, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The member of that name, spelled exactly so, or NULL. */
const cJSON *cm_config_get(const cJSON *object, const char *name);

/*
 * True if value is an object whose keys are among keys (NULL-terminated), none
 * twice, and which has the first required of them; else the error is set.
 */
bool cm_config_keys(const struct cm_config *config, const cJSON *value, const char *where,
                    const char *const *keys, size_t required);

/* True if "schema" is the given one; else the error is set. */
bool cm_config_schema(const struct cm_config *config, const cJSON *root, const char *schema);

/* A non-empty text as a malloc'ed string; false with the error set. */
bool cm_config_text(const struct cm_config *config, const cJSON *object, const char *name,
                    char **text);

/* True or false; returns false with the error set when it is neither. */
bool cm_config_bool(const struct cm_config *config, const cJSON *object, const char *name,
                    bool *value);

#endif
