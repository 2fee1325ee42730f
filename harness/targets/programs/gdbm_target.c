/*
 * GDBM as a target, each store of which is synced (GDBM_SYNC).
 *
 *     gdbm-target create       a new database with one key, then "stored"
 *     gdbm-target init         the same, as a set-up
 *     gdbm-target store        one more key, then "stored"
 *     gdbm-target check [new]  what an application may rely on; new: of create
 */
#include <gdbm.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "judge.h"

static const char file_name[] = "data.gdbm";

static GDBM_FILE open_file(int flags)
{
    GDBM_FILE file = gdbm_open(file_name, 0, flags, 0644, NULL);
    if (file == NULL)
        judge_fail("gdbm_open: %s", gdbm_strerror(gdbm_errno));
    return file;
}

static datum text_datum(const char *text)
{
    return (datum){.dptr = (char *)(uintptr_t)text, .dsize = (int)strlen(text)};
}

static void store(const char *key)
{
    GDBM_FILE file = open_file(GDBM_WRCREAT | GDBM_SYNC);
    if (gdbm_store(file, text_datum(key), text_datum(key), GDBM_INSERT) != 0)
        judge_fail("gdbm_store: %s", gdbm_strerror(gdbm_errno));
    judge_promise("stored");
    gdbm_close(file);
}

/* Whether the key is there, with its value. */
static bool holds(GDBM_FILE file, const char *key)
{
    datum value = gdbm_fetch(file, text_datum(key));
    if (value.dptr == NULL && gdbm_errno != GDBM_ITEM_NOT_FOUND)
        judge_fail("gdbm_fetch: %s", gdbm_strerror(gdbm_errno));
    if (value.dptr != NULL &&
        (value.dsize != (int)strlen(key) || memcmp(value.dptr, key, strlen(key)) != 0))
        judge_fail("the value of %s is damaged", key);
    return value.dptr != NULL;
}

static void check(bool is_new)
{
    bool promised = judge_promised("stored");
    if (access(file_name, F_OK) != 0) {
        if (!is_new || promised)
            judge_fail("the database is missing");
        judge_accept("none");
        return;
    }
    GDBM_FILE file = open_file(GDBM_WRITER);
    if (!is_new && !holds(file, "first"))
        judge_fail("a key of before is lost");
    bool found = holds(file, is_new ? "first" : "second");
    if (!found && promised)
        judge_fail("an acknowledged key is lost");
    gdbm_close(file);
    judge_accept(found ? "new" : "old");
}

int main(int argc, char **argv)
{
    const char *verb = argc >= 2 ? argv[1] : "";
    bool is_new = argc == 3 && strcmp(argv[2], "new") == 0;
    if (argc == 2 && (strcmp(verb, "create") == 0 || strcmp(verb, "init") == 0))
        store("first");
    else if (argc == 2 && strcmp(verb, "store") == 0)
        store("second");
    else if (strcmp(verb, "check") == 0 && (argc == 2 || is_new))
        check(is_new);
    else
        return judge_usage("gdbm-target create | init | store | check [new]");
    return 0;
}
