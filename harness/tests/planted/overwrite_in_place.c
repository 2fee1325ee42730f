/* A record of more than a page is overwritten where it stands. */
#include "planted.h"

#define SIZE 8192 /* two pages */

static char record[SIZE];

static const char *record_of(char letter)
{
    memset(record, letter, sizeof(record));
    return record;
}

static void setup(void)
{
    file_put("record", record_of('o'), SIZE);
}

static void workload(bool correct)
{
    int file = correct ? file_create("record.tmp") : file_open("record");
    file_write(file, record_of('n'), SIZE);
    file_sync(file);
    file_close(file);
    if (correct) {
        name_move("record.tmp", "record");
        directory_sync(".");
    }
    acknowledge();
}

static void check(void)
{
    if (file_holds("record", record_of('n'), SIZE))
        accept("new");
    if (!file_holds("record", record_of('o'), SIZE))
        reject("the record is partly old and partly new");
    if (acknowledged())
        reject("the acknowledged record is lost");
    accept("old");
}

const struct planted_bug planted_overwrite_in_place = {
    .crash = "The power goes when one page of a record is written and the next is not.",
    .setup = setup,
    .workload = workload,
    .check = check,
    .expected = {{"the record is partly old and partly new", "data of record"}},
};
