/*
 * bench_manifest ROW DIRECTORY: prints how many times as long libmanifest takes
 * as the same work without it, and on standard error the two medians.
 *
 *     commit   a commit of 5 files of 4 KiB, against the same system calls made
 *              plainly
 *     flush    a commit of 64 files of 64 KiB, against the same with 64 fsyncs in
 *              a row
 *     parse    reading a manifest of 1 MB, against cJSON_Parse alone
 *     open     opening a database with 10,000 files of 100 bytes for reading, which
 *              verifies them, against opening and reading the same files
 *
 * It works in a new directory below DIRECTORY, which decides the file system, and
 * removes it. The two sides take turns, so that whatever else the machine does
 * meets both.
 */
#include "support.h"

#include <cjson/cJSON.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define FILE_SIZE_MAX   ((size_t)64 << 10)
#define FILE_COUNT_MAX  64
#define MANIFEST_SIZE   1000000 /* bytes, at least */
#define PARSED_FILES    7200
#define OPENED_FILES    10000
#define FILES_PER_BATCH 500 /* a transaction keeps its files open */
#define OPENED_SIZE     100 /* bytes */
#define ROUNDS_MAX      101

static char content[FILE_SIZE_MAX];

static void require(bool condition, const char *what)
{
    if (condition)
        return;
    perror(what);
    exit(1);
}

static void require_ok(enum mf_code code, const struct mf_error *error)
{
    if (code == MF_OK)
        return;
    fprintf(stderr, "bench_manifest: %s\n", error->message);
    exit(1);
}

/*
 * Measuring
 */

static double now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static int compare_doubles(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

static double median(double *values, unsigned count)
{
    qsort(values, count, sizeof(*values), compare_doubles);
    return values[count / 2];
}

/* One side of a comparison: does the work once, the round-th time. */
typedef void side(void *state, unsigned round);

static void compare(const char *row, side *library, side *plain, void *state, unsigned rounds)
{
    double library_us[ROUNDS_MAX], plain_us[ROUNDS_MAX];
    for (unsigned round = 0; round < rounds; round++) {
        double start = now_us();
        library(state, round);
        double between = now_us();
        plain(state, round);
        library_us[round] = between - start;
        plain_us[round] = now_us() - between;
    }
    double ours = median(library_us, rounds), theirs = median(plain_us, rounds);
    fprintf(stderr, "%s: %.1f us, without libmanifest %.1f us\n", row, ours, theirs);
    printf("%.3f\n", ours / theirs);
}

/*
 * Commits
 */

struct commit {
    struct mf_database *database;
    int plain; /* the directory of the plain calls */
    unsigned files;
    size_t size; /* of each file, bytes */
    char *manifest;
    size_t manifest_size;
};

static void add_files(struct mf_transaction *transaction, unsigned first, unsigned count,
                      size_t size)
{
    struct mf_error error;
    for (unsigned i = first; i < first + count; i++) {
        char key[32];
        snprintf(key, sizeof(key), "index-%05u", i);
        require_ok(mf_transaction_add(transaction, MF_KIND_COLUMN, key, content, size, &error),
                   &error);
    }
}

static void commit_files(struct mf_database *database, unsigned first, unsigned count, size_t size)
{
    struct mf_transaction *transaction;
    struct mf_error error;
    require_ok(mf_transaction_begin(database, &transaction, &error), &error);
    add_files(transaction, first, count, size);
    require_ok(mf_transaction_commit(transaction, NULL, &error), &error);
}

static void commit_library(void *state, unsigned round)
{
    const struct commit *commit = state;
    (void)round;
    commit_files(commit->database, 0, commit->files, commit->size);
}

static int write_plainly(int directory, const char *name, const void *data, size_t size)
{
    int file = openat(directory, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0666);
    require(file >= 0 && pwrite(file, data, size, 0) == (ssize_t)size, name);
    return file;
}

/* The eight steps of a commit, and nothing else. */
static void commit_plain(void *state, unsigned round)
{
    const struct commit *commit = state;
    int files[FILE_COUNT_MAX];
    char name[32];
    for (unsigned i = 0; i < commit->files; i++) {
        snprintf(name, sizeof(name), "column-%02u-%06u", i, round);
        files[i] = write_plainly(commit->plain, name, content, commit->size);
    }
    for (unsigned i = 0; i < commit->files; i++)
        require(fsync(files[i]) == 0 && close(files[i]) == 0, "fsync");
    snprintf(name, sizeof(name), "version-%06u", round);
    int copy = write_plainly(commit->plain, name, commit->manifest, commit->manifest_size);
    require(fsync(copy) == 0 && close(copy) == 0, name);
    int current =
        write_plainly(commit->plain, "temporary", commit->manifest, commit->manifest_size);
    require(fsync(current) == 0 && fsync(commit->plain) == 0, "fsync");
    require(renameat(commit->plain, "temporary", commit->plain, "current") == 0, "rename");
    require(fsync(current) == 0 && fsync(commit->plain) == 0 && close(current) == 0, "fsync");
}

static struct mf_database *database_new(const char *path)
{
    struct mf_options options = {.writable = true};
    struct mf_database *database = NULL;
    struct mf_error error;
    require_ok(mf_database_init(path, &options, &error), &error);
    require_ok(mf_database_open(path, &options, &database, &error), &error);
    return database;
}

static void bench_commit(const char *row, const char *directory, unsigned files, size_t size,
                         unsigned rounds)
{
    struct commit commit = {.files = files, .size = size};
    struct mf_error error;
    commit.database = database_new(path_of(directory, "db"));
    commit_files(commit.database, 0, files, size);
    require_ok(mf_manifest_print(mf_database_current(commit.database), &commit.manifest,
                                 &commit.manifest_size, &error),
               &error);
    require(mkdir(path_of(directory, "plain"), 0777) == 0, "plain");
    commit.plain = open(path_of(directory, "plain"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    require(commit.plain >= 0, "plain");
    compare(row, commit_library, commit_plain, &commit, rounds);
    close(commit.plain);
    free(commit.manifest);
    mf_database_close(commit.database);
}

static void row_commit(const char *directory)
{
    bench_commit("commit of 5 files", directory, 5, 4096, 41);
}

static void row_flush(const char *directory)
{
    bench_commit("flush of 64 files", directory, FILE_COUNT_MAX, FILE_SIZE_MAX, 9);
}

/*
 * Reading
 */

struct text {
    char *bytes;
    size_t size;
};

static void parse_library(void *state, unsigned round)
{
    const struct text *text = state;
    struct mf_manifest manifest;
    struct mf_error error;
    (void)round;
    require_ok(mf_manifest_parse(text->bytes, text->size, NULL, &manifest, &error), &error);
    mf_manifest_clear(&manifest);
}

static void parse_plain(void *state, unsigned round)
{
    const struct text *text = state;
    (void)round;
    cJSON *tree = cJSON_ParseWithLength(text->bytes, text->size);
    require(tree != NULL, "cJSON_Parse");
    cJSON_Delete(tree);
}

static void row_parse(const char *directory)
{
    static struct mf_file files[PARSED_FILES];
    static char names[PARSED_FILES][2][40];
    struct mf_manifest manifest = {
        .version = 7, .sealed = true, .files = files, .file_count = PARSED_FILES};
    struct text text;
    struct mf_error error;
    (void)directory;
    for (unsigned i = 0; i < PARSED_FILES; i++) {
        snprintf(names[i][0], sizeof(names[i][0]), "index-%06u", i);
        snprintf(names[i][1], sizeof(names[i][1]), "column-index-%06u-000007", i);
        files[i] = (struct mf_file){.kind = MF_KIND_COLUMN,
                                    .key = names[i][0],
                                    .name = names[i][1],
                                    .recorded = true,
                                    .size = 65536 + i,
                                    .crc32c = 2654435761u * (i + 1)};
    }
    require_ok(mf_manifest_print(&manifest, &text.bytes, &text.size, &error), &error);
    require(text.size >= MANIFEST_SIZE, "the manifest is too small");
    compare("parse of a 1 MB manifest", parse_library, parse_plain, &text, ROUNDS_MAX);
    free(text.bytes);
}

struct reading {
    const char *path;
    int directory;
    struct mf_database *database; /* for the names */
};

static void open_library(void *state, unsigned round)
{
    const struct reading *reading = state;
    struct mf_database *database;
    struct mf_error error;
    (void)round;
    require_ok(mf_database_open(reading->path, NULL, &database, &error), &error);
    mf_database_close(database);
}

static void open_plain(void *state, unsigned round)
{
    const struct reading *reading = state;
    const struct mf_manifest *manifest = mf_database_current(reading->database);
    char buffer[OPENED_SIZE + 1];
    (void)round;
    for (size_t i = 0; i < manifest->file_count; i++) {
        int file = openat(reading->directory, manifest->files[i].name, O_RDONLY | O_CLOEXEC);
        require(file >= 0 && pread(file, buffer, sizeof(buffer), 0) == OPENED_SIZE, "read");
        close(file);
    }
}

static void row_open(const char *directory)
{
    struct reading reading = {.path = path_of(directory, "db")};
    reading.database = database_new(reading.path);
    for (unsigned first = 0; first < OPENED_FILES; first += FILES_PER_BATCH)
        commit_files(reading.database, first, FILES_PER_BATCH, OPENED_SIZE);
    reading.directory = open(reading.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    require(reading.directory >= 0, reading.path);
    compare("open of 10,000 files", open_library, open_plain, &reading, 9);
    close(reading.directory);
    mf_database_close(reading.database);
}

static const struct {
    const char *name;
    void (*run)(const char *directory);
} rows[] = {
    {"commit", row_commit},
    {"flush", row_flush},
    {"parse", row_parse},
    {"open", row_open},
};

int main(int argc, char **argv)
{
    for (size_t i = 0; argc == 3 && i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (strcmp(argv[1], rows[i].name) != 0)
            continue;
        require(setenv("TMPDIR", argv[2], 1) == 0, "TMPDIR");
        memset(content, 'x', sizeof(content));
        char *directory = scratch_new();
        rows[i].run(directory);
        scratch_remove(directory);
        return 0;
    }
    fputs("usage: bench_manifest commit|flush|parse|open DIRECTORY\n", stderr);
    return 2;
}
