/* Output. Allocation failures show as a line that is not printed, which
 * main notices. */
#include "output.h"

#include "utf8.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

void output_integer(cJSON *object, const char *name, uint64_t value)
{
    char digits[24];
    snprintf(digits, sizeof(digits), "%" PRIu64, value);
    cJSON_AddRawToObject(object, name, digits);
}

void output_string(cJSON *object, const char *name, const char *value)
{
    static const char replacement[] = "\xef\xbf\xbd";
    size_t left = strlen(value);
    char *text = malloc(left * strlen(replacement) + 1), *end = text;
    if (text == NULL)
        return;
    while (left > 0) {
        size_t length = mf_utf8_length(value, left), taken = length > 0 ? length : 1;
        end = length > 0 ? mempcpy(end, value, length)
                         : mempcpy(end, replacement, strlen(replacement));
        value += taken;
        left -= taken;
    }
    *end = '\0';
    cJSON_AddStringToObject(object, name, text);
    free(text);
}

void output_print(cJSON *object)
{
    char *text = cJSON_PrintUnformatted(object);
    if (text != NULL)
        puts(text);
    else
        fputs("manifest: no memory for the output\n", stderr);
    cJSON_free(text);
    cJSON_Delete(object);
}

cJSON *output_result(enum mf_code code)
{
    cJSON *object = cJSON_CreateObject();
    output_string(object, "code", mf_code_name(code));
    return object;
}

cJSON *output_file(const struct mf_file *file)
{
    cJSON *object = cJSON_CreateObject();
    output_string(object, "kind", mf_kind_word(file->kind));
    output_string(object, "key", file->key);
    output_string(object, "name", file->name);
    if (file->recorded) {
        output_integer(object, "size", file->size);
        output_integer(object, "crc32c", file->crc32c);
    }
    return object;
}

void output_word(const char *word, int width)
{
    int printed = 0;
    for (; *word != '\0'; word++, printed++)
        putchar((unsigned char)*word < 0x20 || *word == 0x7f ? '?' : *word);
    printf("%*s", printed < width ? width - printed : 0, "");
}

void output_time(uint64_t timestamp)
{
    char text[64];
    struct tm parts;
    time_t seconds = (time_t)timestamp;
    if (timestamp > INT64_MAX || gmtime_r(&seconds, &parts) == NULL ||
        strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S UTC", &parts) == 0)
        snprintf(text, sizeof(text), "%" PRIu64 " seconds after 1970", timestamp);
    fputs(text, stdout);
}
