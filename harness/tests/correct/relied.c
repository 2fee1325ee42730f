/*
 * Programs that do without a sync because of what the file system promises: each
 * relies on what its name says, so that it fails where that is not promised.
 */
#include "correct.h"

#define OLD "colour = blue\n"
#define NEW "colour = green\n"

static char page[3 * PAGE_SIZE];

/* Some pages of one letter each. */
static const char *pages_of(char letter)
{
    memset(page, letter, sizeof(page));
    return page;
}

/* The first byte of each page of a file, and their number: a look at all bytes would tell
 * too many states apart where each sector persists by itself. */
static size_t page_starts(const char *path, char starts[3])
{
    size_t count = 0;
    int file = open(path, O_RDONLY);
    if (file < 0)
        reject("the data cannot be read");
    ssize_t size = 1;
    while (count < 3 && size == 1) {
        size = pread(file, &starts[count], 1, (off_t)count * PAGE_SIZE);
        count += size == 1;
    }
    file_close(file);
    if (size < 0)
        reject("the data cannot be read");
    return count;
}

static bool exists(const char *path)
{
    struct stat status;
    return lstat(path, &status) == 0;
}

static void directory_make(const char *path)
{
    if (mkdir(path, 0755) != 0)
        fail(path);
}

static void write_new(const char *path, bool synced)
{
    int file = file_create(path);
    file_write(file, NEW, strlen(NEW));
    if (synced)
        file_sync(file);
    file_close(file);
}

static void overwrite(const char *path, size_t offset, size_t count, bool synced)
{
    int file = file_open(path);
    const ssize_t size = (ssize_t)(count * PAGE_SIZE);
    if (pwrite(file, pages_of('n'), (size_t)size, (off_t)offset) != size)
        fail("pwrite");
    if (synced)
        file_sync(file);
    file_close(file);
}

static void nothing_setup(void)
{
}

static void config_setup(void)
{
    file_put("config", OLD, strlen(OLD));
}

/* A name that must be there, with its content, since the workload said so. */
static void acknowledged_check(const char *path)
{
    if (acknowledged() && !file_holds(path, NEW, strlen(NEW)))
        reject("what was acknowledged is lost");
    accept(exists(path) ? "new" : "old");
}

/* ---- call-is-durable: what a call did is not lost ---- */

static void call_is_durable_workload(void)
{
    write_new("config.new", false);
    acknowledge();
}

static void config_new_check(void)
{
    acknowledged_check("config.new");
}

const struct correct_program correct_call_is_durable = {nothing_setup, call_is_durable_workload,
                                                        NULL, config_new_check};

/* ---- page-atomic: a page persists as a whole ---- */

static void pages_setup(void)
{
    file_put("data", pages_of('o'), 3 * PAGE_SIZE);
}

static void page_in_place_workload(void)
{
    overwrite("data", 0, 1, true);
}

static void page_in_place_check(void)
{
    static char found[PAGE_SIZE];
    if (file_get("data", found, PAGE_SIZE) != PAGE_SIZE)
        reject("the data cannot be read");
    if (memcmp(found, pages_of('n'), PAGE_SIZE) == 0)
        accept("new");
    if (memcmp(found, pages_of('o'), PAGE_SIZE) == 0)
        accept("old");
    reject("the page is neither old nor new");
}

const struct correct_program correct_page_in_place = {pages_setup, page_in_place_workload, NULL,
                                                      page_in_place_check};

/* ---- overwrite-atomic: what one call overwrites persists as a whole ---- */

static void pages_in_place_workload(void)
{
    overwrite("data", 0, 3, true);
}

static void pages_in_place_check(void)
{
    char starts[3];
    if (page_starts("data", starts) != 3)
        reject("the data is cut short");
    if (starts[0] != starts[1] || starts[1] != starts[2])
        reject("the pages are neither old nor new");
    accept(starts[0] == 'n' ? "new" : "old");
}

const struct correct_program correct_pages_in_place = {pages_setup, pages_in_place_workload, NULL,
                                                       pages_in_place_check};

/* ---- size-after-data: a file does not grow over what was not written ---- */

static void empty_setup(void)
{
    file_put("data", "", 0);
}

static void append_unsummed_workload(void)
{
    int file = file_open("data");
    file_write(file, pages_of('n'), 2 * PAGE_SIZE);
    file_sync(file);
    file_close(file);
}

static void append_unsummed_check(void)
{
    char starts[3];
    size_t count = page_starts("data", starts);
    for (size_t i = 0; i < count; i++)
        if (starts[i] != 'n')
            reject("the file is longer than what was written");
    accept(count == 0 ? "empty" : "data");
}

const struct correct_program correct_append_unsummed = {empty_setup, append_unsummed_workload, NULL,
                                                        append_unsummed_check};

/* ---- unwritten-zeros: what was not written reads as zeros ---- */

static void append_fresh_check(void)
{
    char starts[3];
    size_t count = page_starts("data", starts);
    for (size_t i = 0; i < count; i++)
        if (starts[i] != 'n' && starts[i] != '\0')
            reject("the file shows what nobody wrote");
    accept(count == 0 ? "empty" : "data");
}

const struct correct_program correct_append_fresh = {empty_setup, append_unsummed_workload, NULL,
                                                     append_fresh_check};

/* ---- data-in-order: writes persist in the order in which they were made ---- */

static void writes_in_order_workload(void)
{
    overwrite("data", 0, 1, false);
    overwrite("data", PAGE_SIZE, 1, false);
}

static void writes_in_order_check(void)
{
    char starts[3];
    if (page_starts("data", starts) != 3)
        reject("the data is cut short");
    if (starts[0] == 'o' && starts[1] == 'n')
        reject("the second page is new, the first one is not");
    accept(starts[0] == 'o' ? "old" : "new");
}

const struct correct_program correct_writes_in_order = {pages_setup, writes_in_order_workload, NULL,
                                                        writes_in_order_check};

/* ---- data-before-rename: of a file that takes another one's name ---- */

static void rename_unsynced_workload(void)
{
    write_new("config.tmp", false);
    name_move("config.tmp", "config");
}

static void config_check(void)
{
    if (file_holds("config", NEW, strlen(NEW)))
        accept("new");
    if (file_holds("config", OLD, strlen(OLD)))
        accept("old");
    reject("the configuration is neither old nor new");
}

const struct correct_program correct_rename_unsynced = {config_setup, rename_unsynced_workload,
                                                        NULL, config_check};

/* ---- rename-atomic: the old file or the new one has the name ---- */

static void rename_bare_setup(void)
{
    config_setup();
    file_put("config.tmp", NEW, strlen(NEW));
}

static void rename_bare_workload(void)
{
    name_move("config.tmp", "config");
}

static void rename_bare_check(void)
{
    bool old = file_holds("config", OLD, strlen(OLD));
    if (old && !file_holds("config.tmp", NEW, strlen(NEW)))
        reject("the new configuration is lost");
    config_check();
}

const struct correct_program correct_rename_bare = {rename_bare_setup, rename_bare_workload, NULL,
                                                    rename_bare_check};

/* ---- names-in-order: names persist in the order of the calls, one that is synced, too ---- */

static void names_in_order_workload(void)
{
    directory_make("first");
    write_new("second", true);
}

static void names_in_order_check(void)
{
    if (exists("second") && !exists("first"))
        reject("the second name is there, the first one is not");
    accept(exists("first") ? "new" : "old");
}

const struct correct_program correct_names_in_order = {nothing_setup, names_in_order_workload, NULL,
                                                       names_in_order_check};

/* ---- fsync-commits-names: fsync of any file persists all earlier names ---- */

static void fsync_commits_names_workload(void)
{
    if (link("config", "config.saved") != 0)
        fail("link");
    overwrite("data", 0, 1, true);
    acknowledge();
}

static void fsync_commits_names_setup(void)
{
    pages_setup();
    file_put("config", NEW, strlen(NEW));
}

static void config_saved_check(void)
{
    acknowledged_check("config.saved");
}

const struct correct_program correct_fsync_commits_names = {
    fsync_commits_names_setup, fsync_commits_names_workload, NULL, config_saved_check};

/* ---- fsync-names-file: fsync of a new file persists the name that it was given ---- */

static void fsync_names_file_workload(void)
{
    write_new("config.new", true);
    acknowledge();
}

const struct correct_program correct_fsync_names_file = {nothing_setup, fsync_names_file_workload,
                                                         NULL, config_new_check};

/* ---- fsync-names-parents: and that of the new directory in which it is ---- */

static void fsync_names_parents_workload(void)
{
    directory_make("new");
    write_new("new/config", true);
    acknowledge();
}

static void new_config_check(void)
{
    acknowledged_check("new/config");
}

const struct correct_program correct_fsync_names_parents = {
    nothing_setup, fsync_names_parents_workload, NULL, new_config_check};

/* ---- fsync-displaces: and the new name of the file that had that name before ---- */

static void fsync_displaces_workload(void)
{
    name_move("config", "config.saved");
    write_new("config", true);
    acknowledge();
}

static void fsync_displaces_check(void)
{
    if (!file_holds("config.saved", OLD, strlen(OLD)) && !file_holds("config", OLD, strlen(OLD)))
        reject("the old configuration is lost");
    if (acknowledged() && !file_holds("config", NEW, strlen(NEW)))
        reject("what was acknowledged is lost");
    accept(exists("config.saved") ? "new" : "old");
}

const struct correct_program correct_fsync_displaces = {config_setup, fsync_displaces_workload,
                                                        NULL, fsync_displaces_check};
