/*
 * Data that is overwritten where it is: two copies, of which one is whole at any
 * time. These rely on nothing but syncs: no name changes that matters before it
 * is synced, and checksums tell what is whole.
 */
#include "correct.h"

#include <stdlib.h>
#include <sys/mman.h>

static void record_put(const char *path, uint32_t generation)
{
    int file = file_create(path);
    record_write(file, 0, generation);
    file_close(file);
}

/* The end of a check: the generation that was found, against what was promised. */
static void judge(uint32_t found)
{
    if (found == 0)
        reject("no whole record");
    if (found < 1 + acknowledgements())
        reject("an acknowledged record is lost");
    accept(found == 1 ? "old" : "new");
}

static uint32_t larger(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

/* ---- Two slots, in a file each ---- */

static void two_slots_setup(void)
{
    record_put("slot-0", 0);
    record_put("slot-1", 1);
}

static void two_slots_workload(void)
{
    for (uint32_t generation = 2; generation <= 3; generation++) {
        int file = file_open(generation % 2 == 0 ? "slot-0" : "slot-1");
        record_write(file, 0, generation);
        file_sync(file);
        file_close(file);
        acknowledge();
    }
}

static void two_slots_check(void)
{
    judge(larger(record_read("slot-0", 0), record_read("slot-1", 0)));
}

const struct correct_program correct_two_slots = {two_slots_setup, two_slots_workload, NULL,
                                                  two_slots_check};

/* ---- Two slots, in two pages of one file ---- */

static void slots_in_one_file_setup(void)
{
    int file = file_create("slots");
    record_write(file, 0, 0);
    record_write(file, PAGE_SIZE, 1);
    file_close(file);
}

static void slots_in_one_file_workload(void)
{
    int file = file_open("slots");
    for (uint32_t generation = 2; generation <= 3; generation++) {
        record_write(file, generation % 2 * PAGE_SIZE, generation);
        if (fdatasync(file) != 0)
            fail("fdatasync");
        acknowledge();
    }
    file_close(file);
}

static void slots_in_one_file_check(void)
{
    judge(larger(record_read("slots", 0), record_read("slots", PAGE_SIZE)));
}

const struct correct_program correct_slots_in_one_file = {
    slots_in_one_file_setup, slots_in_one_file_workload, NULL, slots_in_one_file_check};

/* ---- Double write: a copy elsewhere first, which repairs what tore ---- */

static void double_write_setup(void)
{
    record_put("data", 1);
    record_put("copy", 1);
}

static void write_durably(const char *path, uint32_t generation)
{
    int file = file_open(path);
    record_write(file, 0, generation);
    file_sync(file);
    file_close(file);
}

static void double_write_workload(void)
{
    write_durably("copy", 2);
    write_durably("data", 2);
    acknowledge();
}

static void double_write_recover(void)
{
    uint32_t copy = record_read("copy", 0);
    if (record_read("data", 0) == 0 && copy != 0)
        write_durably("data", copy);
}

static void data_check(void)
{
    judge(record_read("data", 0));
}

const struct correct_program correct_double_write = {double_write_setup, double_write_workload,
                                                     double_write_recover, data_check};

/* ---- Undo journal: what was there, in a file whose removal commits ---- */

static void undo_journal_setup(void)
{
    record_put("data", 1);
}

static void journal_remove(void)
{
    if (unlink("journal") != 0)
        fail("journal");
    directory_sync(".");
}

static void undo_journal_workload(void)
{
    int journal = file_create("journal");
    record_write(journal, 0, 1);
    file_sync(journal);
    file_close(journal);
    directory_sync(".");
    write_durably("data", 2);
    journal_remove();
    acknowledge();
}

static void undo_journal_recover(void)
{
    uint32_t before = record_read("journal", 0);
    if (before != 0)
        write_durably("data", before);
    if (access("journal", F_OK) == 0)
        journal_remove();
}

const struct correct_program correct_undo_journal = {undo_journal_setup, undo_journal_workload,
                                                     undo_journal_recover, data_check};

/* ---- Redo log: committed when it is in the log, then applied, then cut ---- */

static void redo_log_setup(void)
{
    record_put("data", 1);
    file_put("log", "", 0);
}

static void log_cut(void)
{
    int log = file_open("log");
    if (ftruncate(log, 0) != 0)
        fail("ftruncate");
    file_sync(log);
    file_close(log);
}

static void redo_log_workload(void)
{
    write_durably("log", 2);
    acknowledge();
    write_durably("data", 2);
    log_cut();
}

static void redo_log_recover(void)
{
    uint32_t committed = record_read("log", 0);
    if (committed == 0)
        return;
    write_durably("data", committed);
    log_cut();
}

const struct correct_program correct_redo_log = {redo_log_setup, redo_log_workload,
                                                 redo_log_recover, data_check};

/* ---- Mapped: a record, then the mark that it is there ---- */

#define MARK 0x11223344u

static void mapped_setup(void)
{
    static const char zeros[2 * PAGE_SIZE];
    file_put("mapped", zeros, sizeof(zeros));
}

static void page_sync(char *page)
{
    if (msync(page, PAGE_SIZE, MS_SYNC) != 0)
        fail("msync");
}

static void mapped_workload(void)
{
    int file = open("mapped", O_RDWR);
    if (file < 0)
        fail("mapped");
    char *pages = mmap(NULL, 2 * PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (pages == MAP_FAILED)
        fail("mmap");
    const struct record record = record_make(2);
    const uint32_t mark = MARK;
    memcpy(pages, &record, sizeof(record));
    page_sync(pages);
    memcpy(pages + PAGE_SIZE, &mark, sizeof(mark));
    page_sync(pages + PAGE_SIZE);
    if (munmap(pages, 2 * PAGE_SIZE) != 0)
        fail("munmap");
    file_close(file);
    acknowledge();
}

static void mapped_check(void)
{
    static char pages[2 * PAGE_SIZE];
    const uint32_t mark = MARK;
    if (file_get("mapped", pages, sizeof(pages)) != (ssize_t)sizeof(pages))
        reject("the file is cut short");
    bool marked = memcmp(pages + PAGE_SIZE, &mark, sizeof(mark)) == 0;
    if (marked && record_read("mapped", 0) != 2)
        reject("the record is marked and not there");
    if (!marked && acknowledged())
        reject("the acknowledged record is lost");
    accept(marked ? "new" : "old");
}

const struct correct_program correct_mapped = {mapped_setup, mapped_workload, NULL, mapped_check};
