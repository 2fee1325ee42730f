/* Any bytes through cJSON_Parse and nothing else: what the target json is measured beside. */
#include "target.h"

#include <cjson/cJSON.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    cJSON_Delete(cJSON_ParseWithLength((const char *)data, size));
    return 0;
}
