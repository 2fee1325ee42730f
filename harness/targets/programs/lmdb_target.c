/*
 * LMDB as a target: a transfer between two keys, in a transaction that is acknowledged,
 * after a first transaction that the set-up left.
 *
 *     lmdb-target init         an environment with two keys
 *     lmdb-target transfer     one transaction, then "transferred"
 *     lmdb-target check        what an application may rely on
 *
 * The lock file, a mapping that is worth nothing after a restart, is left out
 * (MDB_NOLOCK): there is one process at a time.
 */
#include <lmdb.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "judge.h"

enum { VALUE_SIZE = 1500 };

static void must(int result, const char *what)
{
    if (result != MDB_SUCCESS)
        judge_fail("%s: %s", what, mdb_strerror(result));
}

static MDB_env *open_environment(unsigned flags)
{
    MDB_env *environment = NULL;
    must(mdb_env_create(&environment), "mdb_env_create");
    must(mdb_env_set_mapsize(environment, 1 << 20), "mdb_env_set_mapsize");
    must(mdb_env_open(environment, ".", flags | MDB_NOLOCK, 0644), "mdb_env_open");
    return environment;
}

static void put(MDB_txn *transaction, MDB_dbi database, const char *name, int amount)
{
    char text[VALUE_SIZE] = "";
    snprintf(text, sizeof(text), "%d", amount);
    MDB_val key = {strlen(name), (void *)(uintptr_t)name}, value = {sizeof(text), text};
    must(mdb_put(transaction, database, &key, &value, 0), "mdb_put");
}

/* One transaction, which makes the two amounts what they shall be. */
static void store(int first, int second)
{
    MDB_txn *transaction = NULL;
    MDB_dbi database = 0;
    MDB_env *environment = open_environment(0);
    must(mdb_txn_begin(environment, NULL, 0, &transaction), "mdb_txn_begin");
    must(mdb_dbi_open(transaction, NULL, 0, &database), "mdb_dbi_open");
    put(transaction, database, "first", first);
    put(transaction, database, "second", second);
    must(mdb_txn_commit(transaction), "mdb_txn_commit");
    judge_promise("transferred");
    mdb_env_close(environment);
}

static int get(MDB_txn *transaction, MDB_dbi database, const char *name)
{
    int amount = 0;
    MDB_val key = {strlen(name), (void *)(uintptr_t)name}, value;
    must(mdb_get(transaction, database, &key, &value), "mdb_get");
    if (value.mv_size != VALUE_SIZE || sscanf(value.mv_data, "%d", &amount) != 1)
        judge_fail("%s is damaged", name);
    return amount;
}

static void check(void)
{
    MDB_txn *transaction = NULL;
    MDB_dbi database = 0;
    MDB_env *environment = open_environment(MDB_RDONLY);
    must(mdb_txn_begin(environment, NULL, MDB_RDONLY, &transaction), "mdb_txn_begin");
    must(mdb_dbi_open(transaction, NULL, 0, &database), "mdb_dbi_open");
    int first = get(transaction, database, "first"), second = get(transaction, database, "second");
    mdb_txn_abort(transaction);
    mdb_env_close(environment);
    judge_transfer(first, second);
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "init") == 0)
        store(100, 0);
    else if (argc == 2 && strcmp(argv[1], "transfer") == 0)
        store(60, 40);
    else if (argc == 2 && strcmp(argv[1], "check") == 0)
        check();
    else
        return judge_usage("lmdb-target init | transfer | check");
    return 0;
}
