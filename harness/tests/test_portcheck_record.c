/*
 * The record of portcheck-host, which gives the same verdict when it is read again, and the
 * moments of its cuts.
 */
#include "unit.h"

#include <stdlib.h>
#include <unistd.h>

#include "moment.h"
#include "record.h"

static char directory[64];

static char *log_path(void)
{
    static char path[96];
    snprintf(path, sizeof(path), "%s/record.log", directory);
    return path;
}

static void make_directory(void)
{
    snprintf(directory, sizeof(directory), "/tmp/test_portcheck_record.XXXXXX");
    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(directory));
}

static void remove_directory(void)
{
    unlink(log_path());
    rmdir(directory);
}

static int count_options(void *context, const char *name, const char *value, struct ff_error *error)
{
    (void)error;
    int *count = context;
    (*count)++;
    CU_ASSERT_TRUE(*count != 1 || (strcmp(name, "run") == 0 && strcmp(value, "1a2b3c4d") == 0));
    CU_ASSERT_TRUE(*count != 2 || (strcmp(name, "board") == 0 && strcmp(value, "") == 0));
    CU_ASSERT_TRUE(*count != 3 || (strcmp(name, "off") == 0 && strcmp(value, "a b  c") == 0));
    return 0;
}

static int open_again(struct ph_record *record, struct ff_error *error)
{
    int count = 0;
    return ph_record_open(record, directory, count_options, &count, error);
}

/* A start, a commit, a cut and a start that lost it. */
static const char *const events[] = {
    "5 session 2000-01-01T00:00:00Z",
    "6 on 1",
    "7 line @pc 1a2b3c4d 0 hello program=p protocol=1 cycle=1",
    "7 line @pc 1a2b3c4d 1 target fs=ext4 device=1:1 path=/d",
    "7 line @pc 1a2b3c4d 2 found version=0 created=1",
    "7 line @pc 1a2b3c4d 3 verified version=0 ok",
    "8 line @pc 1a2b3c4d 4 committing 1",
    "9 line @pc 1a2b3c4d 5 committed 1",
    "10 cut time",
    "11 on 2",
    "12 noise 3 1",
    "13 line @pc 1a2b3c4d 0 hello program=p protocol=1 cycle=2",
    "14 line @pc 1a2b3c4d 1 target fs=ext4 device=1:1 path=/d",
    "15 line @pc 1a2b3c4d 2 found version=0",
    "16 line @pc 1a2b3c4d 3 verified version=0 ok",
    "17 line @pc 1a2b3c4d 4 committing 1",
};

/* With its checksum, if it is a line of the board. */
static void append(struct ph_record *record, const char *text)
{
    struct ff_error error;
    char whole[512];
    const char *words = strstr(text, "@pc ");
    snprintf(whole, sizeof(whole), "%s", text);
    if (words != NULL) {
        struct pc_message message;
        char copy[256];
        snprintf(copy, sizeof(copy), "%s", words);
        strtok(copy, " ");
        uint32_t run = (uint32_t)strtoul(strtok(NULL, " "), NULL, 16);
        uint64_t sequence = strtoull(strtok(NULL, " "), NULL, 10);
        pc_message_begin(&message, run, sequence, strtok(NULL, " "));
        for (const char *word = strtok(NULL, " "); word != NULL; word = strtok(NULL, " "))
            pc_message_add(&message, NULL, word);
        CU_ASSERT_TRUE_FATAL(pc_message_end(&message));
        message.text[message.length - 1] = '\0';
        snprintf(whole, sizeof(whole), "%.*s%s", (int)(words - text), text, message.text);
    }
    CU_ASSERT_EQUAL_FATAL(ph_record_append(record, whole, &error), 0);
}

static void fill(size_t count)
{
    struct ph_record record;
    struct ff_error error;
    make_directory();
    CU_ASSERT_EQUAL_FATAL(
        ph_record_create(&record, directory, "run 1a2b3c4d\nboard \noff a b  c\n", &error), 0);
    for (size_t i = 0; i < count; i++)
        append(&record, events[i]);
    CU_ASSERT_EQUAL(ph_record_sync(&record, &error), 0);
    ph_record_close(&record);
}

static int judge_again(struct ph_judge *judge, struct ff_error *error)
{
    const struct ph_rules rules = {.run = 0x1a2b3c4d, .cycles = 1};
    struct ph_record record;
    ph_judge_begin(judge, &rules);
    int status = open_again(&record, error);
    if (status == 0)
        status = ph_record_replay(&record, judge, error);
    ph_record_close(&record);
    return status;
}

enum { ALL = sizeof(events) / sizeof(events[0]) };

static void same_verdict(void)
{
    struct ph_judge judge;
    struct ff_error error;
    fill(ALL);
    CU_ASSERT_EQUAL(judge_again(&judge, &error), 0);
    CU_ASSERT_EQUAL(ph_judge_verdict(&judge), PH_FAIL);
    CU_ASSERT_EQUAL(judge.cycle, 2);
    CU_ASSERT_TRUE(judge.foreign == 3 && judge.garbled == 1);
    ph_judge_end(&judge);
    remove_directory();
    /* Without the last line nothing is lost yet. */
    fill(ALL - 1);
    CU_ASSERT_EQUAL(judge_again(&judge, &error), 0);
    CU_ASSERT_EQUAL(ph_judge_verdict(&judge), PH_INCONCLUSIVE);
    ph_judge_end(&judge);
    remove_directory();
}

static long size_of_log(void)
{
    FILE *file = fopen(log_path(), "r");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    fseek(file, 0, SEEK_END);
    long size = ftell(file);
    fclose(file);
    return size;
}

/* However much of the last line there is, it was never counted. */
static void last_line_cut_off(void)
{
    fill(ALL - 1);
    long before = size_of_log();
    remove_directory();
    fill(ALL);
    long size = size_of_log();
    for (long left = size - 1; left > before; left--) {
        struct ph_judge judge;
        struct ff_error error;
        CU_ASSERT_EQUAL(truncate(log_path(), left), 0);
        CU_ASSERT_EQUAL(judge_again(&judge, &error), 0);
        CU_ASSERT_EQUAL(ph_judge_verdict(&judge), PH_INCONCLUSIVE);
        CU_ASSERT_EQUAL(size_of_log(), before);
        ph_judge_end(&judge);
        remove_directory();
        fill(ALL);
    }
    remove_directory();
}

static void damage_is_found(void)
{
    fill(ALL);
    long size = size_of_log();
    remove_directory();
    for (long place = 0; place < size; place += 7) {
        struct ph_judge judge;
        struct ff_error error = {""};
        fill(ALL);
        FILE *file = fopen(log_path(), "r+");
        fseek(file, place, SEEK_SET);
        int byte = getc(file);
        fseek(file, place, SEEK_SET);
        putc(byte ^ 4, file);
        fclose(file);
        CU_ASSERT_EQUAL(judge_again(&judge, &error), -1);
        CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "record.log"));
        ph_judge_end(&judge);
        remove_directory();
    }
}

static void one_writer(void)
{
    struct ph_record first, second;
    struct ff_error error;
    fill(1);
    CU_ASSERT_EQUAL(ph_record_create(&second, directory, "", &error), -1);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "--resume"));
    ph_record_close(&second);
    CU_ASSERT_EQUAL(open_again(&first, &error), 0);
    CU_ASSERT_EQUAL(open_again(&second, &error), -1);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "another portcheck-host"));
    ph_record_close(&second);
    ph_record_close(&first);
    remove_directory();
}

static void moments(void)
{
    unsigned kinds[3] = {0}, early = 0;
    for (uint64_t cycle = 1; cycle <= 4000; cycle++) {
        struct ph_moment moment = ph_moment_draw(7, cycle, 100, 299);
        struct ph_moment again = ph_moment_draw(7, cycle, 100, 299);
        CU_ASSERT_TRUE(moment.milliseconds >= 100 && moment.milliseconds <= 299);
        CU_ASSERT_TRUE(again.kind == moment.kind && again.milliseconds == moment.milliseconds);
        kinds[moment.kind]++;
        early += moment.milliseconds < 200;
    }
    CU_ASSERT_TRUE(kinds[PH_AT_TIME] > 1800 && kinds[PH_AT_TIME] < 2200);
    CU_ASSERT_TRUE(kinds[PH_AT_ACKNOWLEDGED] > 850 && kinds[PH_AT_ANNOUNCED] > 850);
    CU_ASSERT_TRUE(early > 1800 && early < 2200);
    CU_ASSERT_EQUAL(ph_moment_draw(1, 1, 5, 5).milliseconds, 5);
}

static const struct unit_test tests[] = {
    {"a record that is read again gives the same verdict", same_verdict},
    {"a last line that is cut off", last_line_cut_off},
    {"damage is found", damage_is_found},
    {"one writer", one_writer},
    {"moments of cuts", moments},
};

UNIT_MAIN("portcheck record", tests)
