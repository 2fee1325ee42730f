/* An update is acknowledged while its page is only in the cache. */
#include "planted.h"

#define OLD "balance: 100\n"
#define NEW "balance: 250\n"

static void setup(void)
{
    file_put("account", OLD, strlen(OLD));
}

static void workload(bool correct)
{
    int file = file_open("account");
    file_write(file, NEW, strlen(NEW));
    if (correct)
        file_sync(file);
    file_close(file);
    acknowledge();
}

static void check(void)
{
    if (file_holds("account", NEW, strlen(NEW)))
        accept("new");
    if (!file_holds("account", OLD, strlen(OLD)))
        reject("the account is neither old nor new");
    if (acknowledged())
        reject("the acknowledged update is lost");
    accept("old");
}

const struct planted_bug planted_data_not_synced = {
    .crash = "The user is told that an update was saved, and it was never written to the disk.",
    .setup = setup,
    .workload = workload,
    .check = check,
    .expected = {{"the acknowledged update is lost", "data of account"}},
};
