/* JSON output. Allocation failures show as a line that is not printed, which
 * main notices. */
#include "output.h"

#include "utf8.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
