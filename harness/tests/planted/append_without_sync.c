/* A log entry and the mark that commits it are appended one after the other. */
#include "planted.h"

#define ENTRY_SIZE 4096
#define MARK       "committed\n"

static char entry[ENTRY_SIZE];

static const char *entry_bytes(void)
{
    memset(entry, 'e', sizeof(entry));
    return entry;
}

static void setup(void)
{
    file_put("log", "", 0);
}

static void workload(bool correct)
{
    int file = file_open("log");
    file_write(file, entry_bytes(), ENTRY_SIZE);
    if (correct)
        file_sync(file);
    file_write(file, MARK, strlen(MARK));
    file_sync(file);
    file_close(file);
}

static void check(void)
{
    char log[ENTRY_SIZE + sizeof(MARK)];
    ssize_t size = file_get("log", log, sizeof(log));
    if (size != (ssize_t)(ENTRY_SIZE + strlen(MARK)) ||
        memcmp(log + ENTRY_SIZE, MARK, strlen(MARK)) != 0)
        accept("uncommitted");
    if (memcmp(log, entry_bytes(), ENTRY_SIZE) != 0)
        reject("the committed entry is damaged");
    accept("committed");
}

const struct planted_bug planted_append_without_sync = {
    .crash = "The mark reaches the disk before the entry that it commits, which reads as zeros.",
    .setup = setup,
    .workload = workload,
    .check = check,
    .expected = {{"the committed entry is damaged", "data of log 0+4096"}},
};
