/* A file in a new directory, both synced, but not the directory's own name. */
#include "planted.h"

#define LETTER "dear reader\n"

static void setup(void)
{
}

static void workload(bool correct)
{
    if (mkdir("letters", 0755) != 0)
        fail("letters");
    int file = file_create("letters/one");
    file_write(file, LETTER, strlen(LETTER));
    file_sync(file);
    file_close(file);
    directory_sync("letters");
    if (correct)
        directory_sync(".");
    acknowledge();
}

static void check(void)
{
    struct stat status;
    if (!acknowledged())
        accept("unsaved");
    if (stat("letters", &status) != 0)
        reject("the directory of the acknowledged letter is lost");
    if (!file_holds("letters/one", LETTER, strlen(LETTER)))
        reject("the acknowledged letter is damaged");
    accept("saved");
}

const struct planted_bug planted_subdirectory_not_synced = {
    .crash = "A file is durable in a directory that nothing leads to any more.",
    .setup = setup,
    .workload = workload,
    .check = check,
    .expected = {{"the directory of the acknowledged letter is lost", "create of letters"}},
};
