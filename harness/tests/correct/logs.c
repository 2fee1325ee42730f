/*
 * Logs: records with checksums, appended one by one; each is acknowledged when it
 * is durable. What follows the last whole record is no part of the log. They differ
 * in how a record is made durable, and rely on nothing else.
 */
#include "correct.h"

#include <pthread.h>
#include <sys/uio.h>

enum { RECORDS = 2 };

static void log_setup(void)
{
    file_put("log", "", 0);
}

static uint32_t log_length(void)
{
    uint32_t length = 0;
    while (record_read("log", length * RECORD_SIZE) == length + 1)
        length++;
    return length;
}

static void log_check(void)
{
    static const char *const labels[] = {"empty", "one", "two"};
    uint32_t length = log_length();
    if (length < acknowledgements())
        reject("an acknowledged record is lost");
    accept(labels[length]);
}

static int log_open(int flags)
{
    int log = open("log", O_RDWR | flags);
    if (log < 0)
        fail("log");
    return log;
}

static void data_sync(int file)
{
    if (fdatasync(file) != 0)
        fail("fdatasync");
}

static void append(int log, uint32_t number)
{
    struct record record = record_make(number);
    file_write(log, (const char *)&record, sizeof(record));
}

/* ---- fdatasync, and a recovery that cuts off what is not whole ---- */

static void log_recovered_workload(void)
{
    int log = log_open(O_APPEND);
    for (uint32_t i = 1; i <= RECORDS; i++) {
        append(log, i);
        data_sync(log);
        acknowledge();
    }
    file_close(log);
}

static void log_recovered_recover(void)
{
    int log = log_open(0);
    if (ftruncate(log, (off_t)log_length() * RECORD_SIZE) != 0)
        fail("ftruncate");
    file_sync(log);
    file_close(log);
}

static void log_recovered_check(void)
{
    struct stat status;
    if (stat("log", &status) != 0 || status.st_size != (off_t)log_length() * RECORD_SIZE)
        reject("there is more in the log than records");
    log_check();
}

const struct correct_program correct_log_recovered = {log_setup, log_recovered_workload,
                                                      log_recovered_recover, log_recovered_check};

/* ---- O_DSYNC ---- */

static void log_dsync_workload(void)
{
    int log = log_open(O_APPEND | O_DSYNC);
    for (uint32_t i = 1; i <= RECORDS; i++) {
        append(log, i);
        acknowledge();
    }
    file_close(log);
}

const struct correct_program correct_log_dsync = {log_setup, log_dsync_workload, NULL, log_check};

/* ---- RWF_DSYNC ---- */

static void log_rwf_dsync_workload(void)
{
    int log = log_open(0);
    for (uint32_t i = 1; i <= RECORDS; i++) {
        struct record record = record_make(i);
        struct iovec parts = {&record, sizeof(record)};
        ssize_t written = pwritev2(log, &parts, 1, (off_t)(i - 1) * RECORD_SIZE, RWF_DSYNC);
        if (written != (ssize_t)sizeof(record))
            fail("pwritev2");
        acknowledge();
    }
    file_close(log);
}

const struct correct_program correct_log_rwf_dsync = {log_setup, log_rwf_dsync_workload, NULL,
                                                      log_check};

/* ---- sync_file_range as a hint, which makes nothing durable ---- */

static void log_range_hint_workload(void)
{
    int log = log_open(O_APPEND);
    for (uint32_t i = 1; i <= RECORDS; i++) {
        append(log, i);
        if (sync_file_range(log, 0, 0, SYNC_FILE_RANGE_WRITE) != 0)
            fail("sync_file_range");
    }
    data_sync(log);
    acknowledge();
    acknowledge();
    file_close(log);
}

const struct correct_program correct_log_range_hint = {log_setup, log_range_hint_workload, NULL,
                                                       log_check};

/* ---- Preallocated, so that a record changes no size ---- */

static void log_preallocated_workload(void)
{
    int log = log_open(0);
    if (posix_fallocate(log, 0, 2 * PAGE_SIZE) != 0)
        fail("posix_fallocate");
    file_sync(log);
    for (uint32_t i = 1; i <= RECORDS; i++) {
        record_write(log, (off_t)(i - 1) * RECORD_SIZE, i);
        data_sync(log);
        acknowledge();
    }
    file_close(log);
}

const struct correct_program correct_log_preallocated = {log_setup, log_preallocated_workload, NULL,
                                                         log_check};

/* ---- One thread writes, another one syncs ---- */

static void *sync_in_thread(void *log)
{
    data_sync(*(int *)log);
    return NULL;
}

static void log_threads_workload(void)
{
    int log = log_open(O_APPEND);
    for (uint32_t i = 1; i <= RECORDS; i++) {
        pthread_t thread;
        append(log, i);
        if (pthread_create(&thread, NULL, sync_in_thread, &log) != 0 ||
            pthread_join(thread, NULL) != 0)
            fail("thread");
        acknowledge();
    }
    file_close(log);
}

const struct correct_program correct_log_threads = {log_setup, log_threads_workload, NULL,
                                                    log_check};

/* ---- In other languages: log.sh, where each step is another process, and log.cc ---- */

static void log_shell_setup(void)
{
    log_setup();
    for (uint32_t i = 1; i <= RECORDS; i++) {
        const char *const names[] = {"record-1", "record-2"};
        int file = file_create(names[i - 1]);
        record_write(file, 0, i);
        file_close(file);
    }
}

const struct correct_program correct_log_shell = {log_shell_setup, NULL, NULL, log_check};
const struct correct_program correct_log_cxx = {log_shell_setup, NULL, NULL, log_check};
