/* The new content is synced, but only after it has become visible. */
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
    name_move("config.tmp", "config");
    if (!correct)
        file_sync(file);
    file_close(file);
    directory_sync(".");
    acknowledge();
}

static void check(void)
{
    char found[64];
    ssize_t size = file_get("config", found, sizeof(found));
    bool old = file_holds("config", OLD, strlen(OLD));
    if (file_holds("config", NEW, strlen(NEW)))
        accept("new");
    if (old && acknowledged())
        reject("the acknowledged configuration is lost");
    if (old)
        accept("old");
    reject(size < (ssize_t)strlen(NEW) ? "the configuration is cut short"
                                       : "the configuration is not what was written");
}

const struct planted_bug planted_rename_before_sync = {
    .crash = "The power goes between the rename and the sync that was meant to precede it.",
    .setup = setup,
    .workload = workload,
    .check = check,
    .expected = {{"the configuration is cut short", "grow of config.tmp"},
                 {"the configuration is not what was written", "data of config.tmp"}},
};
