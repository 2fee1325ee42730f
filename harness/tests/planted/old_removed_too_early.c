/* A pointer file is switched, and what it pointed to removed at once. */
#include "planted.h"

#define FIRST  "first version\n"
#define SECOND "second version\n"

static void setup(void)
{
    file_put("data-1", FIRST, strlen(FIRST));
    file_put("current", "data-1", 6);
}

static void file_put_durably(const char *path, const char *bytes)
{
    int file = file_create(path);
    file_write(file, bytes, strlen(bytes));
    file_sync(file);
    file_close(file);
}

static void workload(bool correct)
{
    file_put_durably("data-2", SECOND);
    directory_sync(".");
    file_put_durably("current.tmp", "data-2");
    name_move("current.tmp", "current");
    if (correct)
        directory_sync(".");
    if (unlink("data-1") != 0)
        fail("data-1");
    directory_sync(".");
}

static void check(void)
{
    bool first = file_holds("current", "data-1", 6);
    if (!first && !file_holds("current", "data-2", 6))
        reject("the pointer is neither old nor new");
    char byte;
    if (file_get(first ? "data-1" : "data-2", &byte, 1) < 0)
        reject("the pointer names a file that is gone");
    if (first ? !file_holds("data-1", FIRST, strlen(FIRST))
              : !file_holds("data-2", SECOND, strlen(SECOND)))
        reject("the version is damaged");
    accept(first ? "old" : "new");
}

const struct planted_bug planted_old_removed_too_early = {
    .crash = "The removal of the old version reaches the disk, the switch to the new does not.",
    .setup = setup,
    .workload = workload,
    .check = check,
    .expected = {{"the pointer names a file that is gone", "rename of current.tmp -> current"}},
};
