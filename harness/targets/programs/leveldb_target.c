/*
 * LevelDB as a target: a batch of two keys, written with sync.
 *
 *     leveldb-target create       a new database, in which the batch is written, then "stored"
 *     leveldb-target init         a database with two keys, as a set-up
 *     leveldb-target store        opens it, writes a batch with new values, then "stored"
 *     leveldb-target check [new]  what an application may rely on; new: of create
 */
#include <leveldb/c.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "judge.h"

static void must(const char *error, const char *what)
{
    if (error != NULL)
        judge_fail("%s: %s", what, error);
}

static leveldb_t *open_database(bool create)
{
    char *error = NULL;
    leveldb_options_t *options = leveldb_options_create();
    leveldb_options_set_create_if_missing(options, create);
    leveldb_options_set_paranoid_checks(options, 1);
    leveldb_t *database = leveldb_open(options, "db", &error);
    must(error, "leveldb_open");
    leveldb_options_destroy(options);
    return database;
}

static void store(const char *amount_first, const char *amount_second)
{
    char *error = NULL;
    leveldb_t *database = open_database(true);
    leveldb_writebatch_t *batch = leveldb_writebatch_create();
    leveldb_writebatch_put(batch, "first", 5, amount_first, strlen(amount_first));
    leveldb_writebatch_put(batch, "second", 6, amount_second, strlen(amount_second));
    leveldb_writeoptions_t *options = leveldb_writeoptions_create();
    leveldb_writeoptions_set_sync(options, 1);
    leveldb_write(database, options, batch, &error);
    must(error, "leveldb_write");
    judge_promise("transferred");
    leveldb_writeoptions_destroy(options);
    leveldb_writebatch_destroy(batch);
    leveldb_close(database);
}

/* The amount, or -1 when the key is missing. */
static int get(leveldb_t *database, const char *name)
{
    char *error = NULL, text[16] = "";
    size_t length = 0;
    leveldb_readoptions_t *options = leveldb_readoptions_create();
    leveldb_readoptions_set_verify_checksums(options, 1);
    char *value = leveldb_get(database, options, name, strlen(name), &length, &error);
    must(error, "leveldb_get");
    leveldb_readoptions_destroy(options);
    if (value == NULL)
        return -1;
    memcpy(text, value, length < sizeof(text) ? length : 0);
    leveldb_free(value);
    return atoi(text);
}

static void check(bool is_new)
{
    leveldb_t *database = open_database(is_new);
    int first = get(database, "first"), second = get(database, "second");
    leveldb_close(database);
    if (!is_new || first != -1 || second != -1)
        judge_transfer(first, second);
    else if (judge_promised("transferred"))
        judge_fail("an acknowledged transaction is lost");
    else
        judge_accept("none");
}

int main(int argc, char **argv)
{
    const char *verb = argc >= 2 ? argv[1] : "";
    bool is_new = argc == 3 && strcmp(argv[2], "new") == 0;
    if (argc == 2 && strcmp(verb, "init") == 0)
        store("100", "0");
    else if (argc == 2 && (strcmp(verb, "store") == 0 || strcmp(verb, "create") == 0))
        store("60", "40");
    else if (strcmp(verb, "check") == 0 && (argc == 2 || is_new))
        check(is_new);
    else
        return judge_usage("leveldb-target create | init | store | check [new]");
    return 0;
}
