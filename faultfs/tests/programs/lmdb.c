/* lmdb PATH [writemap]: three transactions, the last two of which are read back. */
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void must(int result)
{
    if (result == 0)
        return;
    fprintf(stderr, "lmdb: %s\n", mdb_strerror(result));
    exit(1);
}

static void put(MDB_env *environment, int number)
{
    char text[32];
    MDB_txn *transaction;
    MDB_dbi database;
    snprintf(text, sizeof(text), "key %d", number);
    MDB_val key = {strlen(text), text}, value = {sizeof(number), &number};
    must(mdb_txn_begin(environment, NULL, 0, &transaction));
    must(mdb_dbi_open(transaction, NULL, 0, &database));
    must(mdb_put(transaction, database, &key, &value, 0));
    must(mdb_txn_commit(transaction));
    printf("committed %d\n", number);
    fflush(stdout);
}

int main(int argc, char **argv)
{
    MDB_env *environment;
    must(mdb_env_create(&environment));
    must(mdb_env_set_mapsize(environment, 1 << 20));
    must(mdb_env_open(environment, argv[1], argc > 2 ? MDB_WRITEMAP : 0, 0644));
    for (int i = 0; i < 3; i++)
        put(environment, i);
    mdb_env_close(environment);
    return 0;
}
