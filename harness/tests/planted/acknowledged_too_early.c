/* The sync is there, and the user is told before it returns. */
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
    if (!correct)
        acknowledge();
    file_sync(file);
    if (correct)
        acknowledge();
    file_close(file);
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

const struct planted_bug planted_acknowledged_too_early = {
    .crash = "The power goes between the word to the user and the sync that makes it true.",
    .setup = setup,
    .workload = workload,
    .check = check,
    .expected = {{"the acknowledged update is lost", "data of account"}},
};
