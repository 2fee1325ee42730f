/*
 * SQLite as a target: a transfer between two accounts, in a transaction that is
 * acknowledged. Each account has a page of its own, so that half a transfer can be seen.
 *
 *     sqlite-target init rollback|wal              a database with two accounts
 *     sqlite-target transfer full|extra|exclusive  one transaction, then "transferred"
 *     sqlite-target check                          what an application may rely on
 *
 * full: synchronous=FULL; extra: synchronous=EXTRA; exclusive: synchronous=FULL, and the
 * database is locked for good, so that a write-ahead log needs no shared memory.
 */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "judge.h"

static sqlite3 *open_database(void)
{
    sqlite3 *database = NULL;
    int status = sqlite3_open("bank.db", &database);
    if (status != SQLITE_OK)
        judge_fail("cannot be opened: %s", sqlite3_errmsg(database));
    return database;
}

static void execute(sqlite3 *database, const char *statements)
{
    char *message = NULL;
    if (sqlite3_exec(database, statements, NULL, NULL, &message) != SQLITE_OK)
        judge_fail("%s", message);
}

/* The only value of the only row, as a text; of the caller. */
static char *ask(sqlite3 *database, const char *query)
{
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v2(database, query, -1, &statement, NULL) != SQLITE_OK ||
        sqlite3_step(statement) != SQLITE_ROW)
        judge_fail("%s", sqlite3_errmsg(database));
    const char *text = (const char *)sqlite3_column_text(statement, 0);
    char *answer = strdup(text != NULL ? text : "");
    sqlite3_finalize(statement);
    return answer;
}

/* The amount of an account, or -1 when there is no such account. */
static int ask_amount(sqlite3 *database, int id)
{
    char query[64];
    snprintf(query, sizeof(query), "SELECT coalesce(sum(amount), -1) FROM account WHERE id = %d",
             id);
    char *answer = ask(database, query);
    int amount = atoi(answer);
    free(answer);
    return amount;
}

static void init(const char *mode)
{
    sqlite3 *database = open_database();
    bool wal = strcmp(mode, "wal") == 0;
    execute(database, wal ? "PRAGMA journal_mode=WAL" : "PRAGMA journal_mode=DELETE");
    execute(database, "CREATE TABLE account(id INTEGER PRIMARY KEY, amount INTEGER, note TEXT);"
                      "INSERT INTO account VALUES(1, 100, hex(zeroblob(1500)));"
                      "INSERT INTO account VALUES(2, 0, hex(zeroblob(1500)));");
    sqlite3_close(database);
}

static void transfer(const char *how)
{
    sqlite3 *database = open_database();
    bool extra = strcmp(how, "extra") == 0;
    if (strcmp(how, "exclusive") == 0)
        execute(database, "PRAGMA locking_mode=EXCLUSIVE");
    execute(database, extra ? "PRAGMA synchronous=EXTRA" : "PRAGMA synchronous=FULL");
    execute(database, "BEGIN;"
                      "UPDATE account SET amount = amount - 40 WHERE id = 1;"
                      "UPDATE account SET amount = amount + 40 WHERE id = 2;"
                      "COMMIT;");
    judge_promise("transferred");
    sqlite3_close(database);
}

static void check(void)
{
    sqlite3 *database = open_database();
    char *integrity = ask(database, "PRAGMA integrity_check");
    if (strcmp(integrity, "ok") != 0)
        judge_fail("integrity_check: %s", integrity);
    free(integrity);
    int first = ask_amount(database, 1), second = ask_amount(database, 2);
    sqlite3_close(database);
    judge_transfer(first, second);
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "init") == 0)
        init(argv[2]);
    else if (argc == 3 && strcmp(argv[1], "transfer") == 0)
        transfer(argv[2]);
    else if (argc == 2 && strcmp(argv[1], "check") == 0)
        check();
    else
        return judge_usage(
            "sqlite-target init rollback|wal | transfer full|extra|exclusive | check");
    return 0;
}
