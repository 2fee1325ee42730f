/*
 * Files that appear, or are replaced, as a whole: what is in them is synced before
 * they get the name under which they are looked for, and then the directory is.
 */
#include "correct.h"

#include <stdio.h>
#include <stdlib.h>

#define OLD "colour = blue\n"
#define NEW "colour = green\n"

static void write_new(const char *path, const char *text)
{
    int file = file_create(path);
    file_write(file, text, strlen(text));
    file_sync(file);
    file_close(file);
}

static void directory_make(const char *path)
{
    if (mkdir(path, 0755) != 0)
        fail(path);
}

static void judge(bool old, bool new)
{
    if (old == new)
        reject("neither old nor new");
    if (old && acknowledged())
        reject("what was acknowledged is lost");
    accept(old ? "old" : "new");
}

/* ---- A temporary file that is renamed; also in other languages: replace.sh, replace.py ---- */

static void replace_setup(void)
{
    file_put("config", OLD, strlen(OLD));
}

static void replace_workload(void)
{
    write_new("config.tmp", NEW);
    name_move("config.tmp", "config");
    directory_sync(".");
    acknowledge();
}

static void replace_check(void)
{
    judge(file_holds("config", OLD, strlen(OLD)), file_holds("config", NEW, strlen(NEW)));
}

const struct correct_program correct_replace = {replace_setup, replace_workload, NULL,
                                                replace_check};
const struct correct_program correct_replace_shell = {replace_setup, NULL, NULL, replace_check};
const struct correct_program correct_replace_python = {replace_setup, NULL, NULL, replace_check};

/* ---- From another directory, both of which are synced ---- */

static void replace_across_setup(void)
{
    replace_setup();
    directory_make("incoming");
}

static void replace_across_workload(void)
{
    write_new("incoming/config", NEW);
    name_move("incoming/config", "config");
    directory_sync(".");
    directory_sync("incoming");
    acknowledge();
}

const struct correct_program correct_replace_across = {
    replace_across_setup, replace_across_workload, NULL, replace_check};

/* ---- Two names swap what they mean: one of them is the other one's backup ---- */

static void exchange_workload(void)
{
    write_new("config.other", NEW);
    directory_sync(".");
    if (renameat2(AT_FDCWD, "config.other", AT_FDCWD, "config", RENAME_EXCHANGE) != 0)
        fail("renameat2");
    directory_sync(".");
    acknowledge();
}

static void exchange_check(void)
{
    bool new = file_holds("config", NEW, strlen(NEW));
    if (new && !file_holds("config.other", OLD, strlen(OLD)))
        reject("the old configuration is lost");
    judge(file_holds("config", OLD, strlen(OLD)), new);
}

const struct correct_program correct_exchange = {replace_setup, exchange_workload, NULL,
                                                 exchange_check};

/* ---- A link to the current version of a directory, that is replaced ---- */

static void symlink_make(const char *to, const char *path)
{
    if (symlink(to, path) != 0)
        fail(path);
}

static void symlink_swap_setup(void)
{
    directory_make("version-1");
    file_put("version-1/config", OLD, strlen(OLD));
    symlink_make("version-1", "current");
}

static void symlink_swap_workload(void)
{
    directory_make("version-2");
    write_new("version-2/config", NEW);
    directory_sync("version-2");
    symlink_make("version-2", "current.tmp");
    directory_sync(".");
    name_move("current.tmp", "current");
    directory_sync(".");
    acknowledge();
}

static void symlink_swap_check(void)
{
    judge(file_holds("current/config", OLD, strlen(OLD)),
          file_holds("current/config", NEW, strlen(NEW)));
}

const struct correct_program correct_symlink_swap = {symlink_swap_setup, symlink_swap_workload,
                                                     NULL, symlink_swap_check};

/* ---- Segments that a manifest names, which is replaced ---- */

static void segments_setup(void)
{
    file_put("segment-1", OLD, strlen(OLD));
    file_put("manifest", "1\n", 2);
}

static void segments_workload(void)
{
    write_new("segment-2", NEW);
    write_new("segment-3", NEW);
    write_new("manifest.tmp", "3\n");
    directory_sync(".");
    name_move("manifest.tmp", "manifest");
    directory_sync(".");
    acknowledge();
    if (unlink("segment-1") != 0)
        fail("segment-1");
}

static void segments_check(void)
{
    bool old = file_holds("manifest", "1\n", 2);
    bool new = file_holds("manifest", "3\n", 2);
    if (old && !file_holds("segment-1", OLD, strlen(OLD)))
        reject("the segment is lost");
    if (new &&
        (!file_holds("segment-2", NEW, strlen(NEW)) || !file_holds("segment-3", NEW, strlen(NEW))))
        reject("a segment is not whole");
    judge(old, new);
}

const struct correct_program correct_segments = {segments_setup, segments_workload, NULL,
                                                 segments_check};

/* ---- A file without a name, that gets one when it is whole ---- */

static void nothing_setup(void)
{
}

static void unnamed_then_linked_workload(void)
{
    int file = open(".", O_TMPFILE | O_WRONLY, 0644);
    if (file < 0)
        fail("O_TMPFILE");
    file_write(file, NEW, strlen(NEW));
    file_sync(file);
    char path[64];
    snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
    if (linkat(AT_FDCWD, path, AT_FDCWD, "report", AT_SYMLINK_FOLLOW) != 0)
        fail("linkat");
    file_close(file);
    directory_sync(".");
    acknowledge();
}

static void appears_check(const char *path)
{
    struct stat status;
    judge(lstat(path, &status) != 0, file_holds(path, NEW, strlen(NEW)));
}

static void report_check(void)
{
    appears_check("report");
}

const struct correct_program correct_unnamed_then_linked = {
    nothing_setup, unnamed_then_linked_workload, NULL, report_check};

/* ---- A lock that says whose it is, taken by link(2) ---- */

static void lock_workload(void)
{
    write_new("lock.17", NEW);
    if (link("lock.17", "lock") != 0 || unlink("lock.17") != 0)
        fail("lock");
    directory_sync(".");
    acknowledge();
}

static void lock_check(void)
{
    appears_check("lock");
}

const struct correct_program correct_lock = {nothing_setup, lock_workload, NULL, lock_check};

/* ---- A file in a new directory, all names of which are synced ---- */

static void new_directory_workload(void)
{
    directory_make("letters");
    directory_make("letters/received");
    write_new("letters/received/one", NEW);
    directory_sync("letters/received");
    directory_sync("letters");
    directory_sync(".");
    acknowledge();
}

static void new_directory_check(void)
{
    if (!acknowledged())
        accept("unsaved");
    if (!file_holds("letters/received/one", NEW, strlen(NEW)))
        reject("the acknowledged letter is lost");
    accept("saved");
}

const struct correct_program correct_new_directory = {nothing_setup, new_directory_workload, NULL,
                                                      new_directory_check};

/* ---- Files of which none is synced, but the file system, and then a mark ---- */

static void filesystem_sync(void)
{
    int directory = open(".", O_RDONLY | O_DIRECTORY);
    if (directory < 0 || syncfs(directory) != 0)
        fail("syncfs");
    file_close(directory);
}

static void synced_as_a_whole_workload(void)
{
    directory_make("copy");
    file_put("copy/one", OLD, strlen(OLD));
    file_put("copy/two", NEW, strlen(NEW));
    filesystem_sync();
    directory_make("complete");
    filesystem_sync();
    acknowledge();
}

static void synced_as_a_whole_check(void)
{
    struct stat status;
    bool complete = stat("complete", &status) == 0;
    if (complete &&
        (!file_holds("copy/one", OLD, strlen(OLD)) || !file_holds("copy/two", NEW, strlen(NEW))))
        reject("the copy is marked as complete and is not");
    judge(!complete, complete);
}

const struct correct_program correct_synced_as_a_whole = {nothing_setup, synced_as_a_whole_workload,
                                                          NULL, synced_as_a_whole_check};
