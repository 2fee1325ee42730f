#include "module.h"
#include "recorder.h"
#include "text.h"

uint32_t module_number(uint64_t device, uint64_t inode, const char *path)
{
    for (uint32_t i = 0; i < channel->module_count; i++)
        if (channel->modules[i].inode == inode && channel->modules[i].device == device &&
            text_equal(channel->modules[i].path, path))
            return i;
    if (channel->module_count == CHANNEL_MODULES)
        return UINT32_MAX;
    struct module *module = &channel->modules[channel->module_count];
    module->device = device;
    module->inode = inode;
    memcpy(module->path, path, text_length(path, CHANNEL_PATH_SIZE - 1) + 1);
    return channel->module_count++;
}
