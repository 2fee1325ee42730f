/* A file is replaced by a temporary one whose content is not durable. */
#include "planted.h"

#define OLD "colour = blue\n"
#define NEW "colour = green\n"

static void setup(void)
{
    file_put("config", OLD, strlen(OLD));
}

static void workload(bool correct)
{
    int file = file_create("config.tmp");
    file_write(file, NEW, strlen(NEW));
    if (correct)
        file_sync(file);
    file_close(file);
    name_move("config.tmp", "config");
    directory_sync(".");
}

static void check(void)
{
    char found[64];
    ssize_t size = file_get("config", found, sizeof(found));
    if (file_holds("config", NEW, strlen(NEW)))
        accept("new");
    if (file_holds("config", OLD, strlen(OLD)))
        accept("old");
    reject(size < (ssize_t)strlen(NEW) ? "the configuration is cut short"
                                       : "the configuration is not what was written");
}

const struct planted_bug planted_temp_not_synced = {
    .crash = "The rename reaches the disk before the new content: the file is empty or zeros.",
    .setup = setup,
    .workload = workload,
    .check = check,
    .expected = {{"the configuration is cut short", "grow of config.tmp"},
                 {"the configuration is not what was written", "data of config.tmp"}},
};
