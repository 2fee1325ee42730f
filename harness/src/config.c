#include "config.h"

#include <errno.h>
#include <manifest/json.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fail.h"
#include "memory.h"

/* No sensible configuration comes near this. */
enum { MAX_FILE_SIZE = 1 << 20 };

static char *read_file(const char *path, size_t *size, struct ff_error *error)
{
    FILE *stream = fopen(path, "rbe");
    char *bytes = cm_allocate(MAX_FILE_SIZE + 1, 1);
    if (stream != NULL)
        *size = fread(bytes, 1, MAX_FILE_SIZE + 1, stream);
    if (stream == NULL || ferror(stream)) {
        cm_fail(error, "%s: %s", path, strerror(errno));
        *size = 0;
    } else if (*size > MAX_FILE_SIZE) {
        cm_fail(error, "%s: larger than %d bytes", path, MAX_FILE_SIZE);
        *size = 0;
    } else {
        fclose(stream);
        return bytes;
    }
    if (stream != NULL)
        fclose(stream);
    free(bytes);
    return NULL;
}

static int refuse_text(const struct cm_config *config, size_t line, size_t column,
                       const char *reason)
{
    cm_config_error(config, "line %zu, column %zu: not valid JSON: %s", line, column, reason);
    return -1;
}

/*
 * cJSON is no strict reader: it takes control characters, what is not UTF-8, and what follows
 * a zero byte, and ends a text at \u0000. So the text is scanned first.
 */
static int scan_text(const struct cm_config *config, const char *text, size_t size)
{
    struct mf_json json;
    struct mf_json_fault fault = {.reason = ""};
    if (!mf_json_scan(text, size, NULL, &json, &fault))
        return refuse_text(config, fault.line, fault.column, fault.reason);
    int status = 0;
    if (json.bad_escape != SIZE_MAX) {
        mf_json_locate(text, json.bad_escape, &fault.line, &fault.column);
        status = refuse_text(config, fault.line, fault.column, "\\u0000 or half a surrogate pair");
    }
    mf_json_clear(&json);
    return status;
}

int cm_config_parse(struct cm_config *config, const char *path, const char *text, size_t size,
                    struct ff_error *error)
{
    *config = (struct cm_config){.path = path, .error = error};
    if (scan_text(config, text, size) != 0)
        return -1;
    config->root = cJSON_ParseWithLength(text, size);
    if (config->root == NULL)
        cm_config_error(config, "cannot be read: a number is too long");
    return config->root != NULL ? 0 : -1;
}

int cm_config_open(struct cm_config *config, const char *path, struct ff_error *error)
{
    *config = (struct cm_config){.path = path, .error = error};
    size_t size = 0;
    char *bytes = read_file(path, &size, error);
    int status = bytes != NULL ? cm_config_parse(config, path, bytes, size, error) : -1;
    free(bytes);
    return status;
}

void cm_config_close(struct cm_config *config)
{
    cJSON_Delete(config->root);
    config->root = NULL;
}

void cm_config_error(const struct cm_config *config, const char *format, ...)
{
    char text[sizeof(config->error->text)];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    cm_fail(config->error, "%.200s: %.300s", config->path, text);
}

const cJSON *cm_config_get(const cJSON *object, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(object, name);
}

static bool is_known(const char *key, const char *const *keys)
{
    while (*keys != NULL && strcmp(*keys, key) != 0)
        keys++;
    return *keys != NULL;
}

bool cm_config_keys(const struct cm_config *config, const cJSON *value, const char *where,
                    const char *const *keys, size_t required)
{
    if (!cJSON_IsObject(value)) {
        cm_config_error(config, "%s: must be an object", where);
        return false;
    }
    const cJSON *item;
    cJSON_ArrayForEach(item, value)
    {
        if (!is_known(item->string, keys)) {
            cm_config_error(config, "%s: unknown key '%s'", where, item->string);
            return false;
        }
        if (cm_config_get(value, item->string) != item) {
            cm_config_error(config, "%s: key '%s' stands twice", where, item->string);
            return false;
        }
    }
    for (size_t i = 0; i < required; i++) {
        if (cm_config_get(value, keys[i]) == NULL) {
            cm_config_error(config, "%s: key '%s' is missing", where, keys[i]);
            return false;
        }
    }
    return true;
}

bool cm_config_schema(const struct cm_config *config, const cJSON *root, const char *schema)
{
    const cJSON *item = cm_config_get(root, "schema");
    if (cJSON_IsString(item) && strcmp(item->valuestring, schema) == 0)
        return true;
    cm_config_error(config, "schema must be \"%s\"", schema);
    return false;
}

bool cm_config_text(const struct cm_config *config, const cJSON *object, const char *name,
                    char **text)
{
    const cJSON *item = cm_config_get(object, name);
    if (!cJSON_IsString(item) || item->valuestring[0] == '\0') {
        cm_config_error(config, "%s: must be a text that is not empty", name);
        return false;
    }
    *text = cm_duplicate(item->valuestring, strlen(item->valuestring));
    return true;
}

bool cm_config_bool(const struct cm_config *config, const cJSON *object, const char *name,
                    bool *value)
{
    const cJSON *item = cm_config_get(object, name);
    *value = cJSON_IsTrue(item) != 0;
    if (*value || cJSON_IsFalse(item))
        return true;
    cm_config_error(config, "%s: must be true or false", name);
    return false;
}
