#include "config.h"

#include <errno.h>
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
        bytes[*size] = '\0';
        return bytes;
    }
    if (stream != NULL)
        fclose(stream);
    free(bytes);
    return NULL;
}

int cm_config_open(struct cm_config *config, const char *path, struct ff_error *error)
{
    *config = (struct cm_config){.path = path, .error = error};
    size_t size = 0;
    char *bytes = read_file(path, &size, error);
    if (bytes == NULL)
        return -1;
    const char *end = NULL;
    /* The length counts the NUL, so that nothing may follow the value. */
    config->root = cJSON_ParseWithLengthOpts(bytes, size + 1, &end, true);
    if (config->root == NULL) {
        size_t line = 1, column = 1;
        for (const char *c = bytes; c < end && c < bytes + size; c++) {
            column = *c == '\n' ? 1 : column + 1;
            line += *c == '\n';
        }
        cm_config_error(config, "line %zu, column %zu: not valid JSON", line, column);
    }
    free(bytes);
    return config->root != NULL ? 0 : -1;
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
