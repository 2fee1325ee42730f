/* A replacement is acknowledged while the new name is only in the cache. */
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
    file_sync(file);
    file_close(file);
    name_move("config.tmp", "config");
    if (correct)
        directory_sync(".");
    acknowledge();
}

static void check(void)
{
    if (file_holds("config", NEW, strlen(NEW)))
        accept("new");
    if (!file_holds("config", OLD, strlen(OLD)))
        reject("the configuration is neither old nor new");
    if (acknowledged())
        reject("the acknowledged configuration is lost");
    accept("old");
}

const struct planted_bug planted_directory_not_synced = {
    .crash = "The user is told that a version is in place, and after the cut the old one is back.",
    .setup = setup,
    .workload = workload,
    .check = check,
    .expected = {{"the acknowledged configuration is lost", "rename of config.tmp -> config"}},
};
