/*
 * Several processes of several threads that write at the same time: a workload, and
 * the check of what it promised.
 *
 *     concurrent setup
 *     concurrent workload TURN      TURN: together, after, before
 *     concurrent check
 *
 * Each thread writes a block of its own, syncs it, appends a record to the log that all
 * share, syncs that, and says so. In the end two processes take turns over one more
 * record, which one of them appends and the other one syncs: *after* the append has
 * returned, which is correct whoever calls fsync, or *before* it. *together* leaves
 * this out.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PROCESSES = 2, THREADS = 2, WRITERS = PROCESSES * THREADS, BLOCK = 512 };

/* Writer numbers of the turn-takers' record. */
enum { TURN = WRITERS };

_Noreturn static void give_up(const char *what)
{
    perror(what);
    _exit(2);
}

static int open_or_end(const char *path, int flags)
{
    int file = open(path, flags | O_CLOEXEC, 0644);
    if (file < 0)
        give_up(path);
    return file;
}

static void write_all(int file, const char *bytes, size_t size)
{
    if (write(file, bytes, size) != (ssize_t)size)
        give_up("write");
}

static void sync_or_end(int file)
{
    if (fsync(file) != 0)
        give_up("fsync");
}

static void block_name(int writer, char name[16])
{
    snprintf(name, 16, "block-%d", writer);
}

static void fill_block(int writer, char block[BLOCK])
{
    memset(block, 'a' + writer, BLOCK);
}

/* ---- Set-up ---- */

static int setup(void)
{
    char name[16];
    for (int i = 0; i <= WRITERS; i++) {
        block_name(i, name);
        close(open_or_end(name, O_WRONLY | O_CREAT));
    }
    return close(open_or_end("log", O_WRONLY | O_CREAT));
}

/* ---- Workload ---- */

/* One word to the world, in one call. */
static void promise(int writer)
{
    char line[16];
    int size = snprintf(line, sizeof(line), "done %d\n", writer);
    write_all(STDOUT_FILENO, line, (size_t)size);
}

static void write_block(int writer)
{
    char name[16], block[BLOCK];
    block_name(writer, name);
    fill_block(writer, block);
    int file = open_or_end(name, O_WRONLY);
    write_all(file, block, BLOCK);
    sync_or_end(file);
    close(file);
}

static void append_record(int log, int writer)
{
    char line[16];
    int size = snprintf(line, sizeof(line), "record %d\n", writer);
    write_all(log, line, (size_t)size);
}

/* Shared by all processes: everybody is about to append. */
static pthread_barrier_t *everybody;

static void *writer_main(void *number)
{
    int writer = *(const int *)number;
    int log = open_or_end("log", O_WRONLY | O_APPEND);
    write_block(writer);
    pthread_barrier_wait(everybody);
    append_record(log, writer);
    sync_or_end(log);
    promise(writer);
    close(log);
    return NULL;
}

static void barrier_make(void)
{
    pthread_barrierattr_t shared;
    everybody =
        mmap(NULL, sizeof(*everybody), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (everybody == MAP_FAILED || pthread_barrierattr_init(&shared) != 0 ||
        pthread_barrierattr_setpshared(&shared, PTHREAD_PROCESS_SHARED) != 0 ||
        pthread_barrier_init(everybody, &shared, WRITERS) != 0)
        give_up("a barrier");
}

static void process_main(int process)
{
    pthread_t threads[THREADS];
    int writers[THREADS];
    for (int i = 0; i < THREADS; i++) {
        writers[i] = process * THREADS + i;
        if (pthread_create(&threads[i], NULL, writer_main, &writers[i]) != 0)
            give_up("pthread_create");
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    _exit(0);
}

static void await_child(pid_t child)
{
    int status = 0;
    if (child < 0 || waitpid(child, &status, 0) != child || status != 0)
        give_up("a child");
}

static void sync_log(void)
{
    pid_t child = fork();
    if (child == 0) {
        sync_or_end(open_or_end("log", O_RDONLY));
        _exit(0);
    }
    await_child(child);
}

static void take_turns(bool sync_first)
{
    int log = open_or_end("log", O_WRONLY | O_APPEND);
    write_block(TURN);
    if (sync_first)
        sync_log();
    append_record(log, TURN);
    if (!sync_first)
        sync_log();
    promise(TURN);
    close(log);
}

static int workload(const char *turn)
{
    pid_t children[PROCESSES];
    barrier_make();
    for (int i = 0; i < PROCESSES; i++) {
        children[i] = fork();
        if (children[i] == 0)
            process_main(i);
    }
    for (int i = 0; i < PROCESSES; i++)
        await_child(children[i]);
    if (strcmp(turn, "together") != 0)
        take_turns(strcmp(turn, "before") == 0);
    return 0;
}

/* ---- Check ---- */

static size_t read_file(const char *path, char *bytes, size_t size)
{
    int file = open_or_end(path, O_RDONLY);
    ssize_t count = read(file, bytes, size - 1);
    if (count < 0)
        give_up(path);
    close(file);
    bytes[count] = '\0';
    return (size_t)count;
}

static bool has_line(const char *text, const char *format, int writer)
{
    char line[16];
    snprintf(line, sizeof(line), format, writer);
    return strstr(text, line) != NULL;
}

static bool block_is_whole(int writer)
{
    char name[16], expected[BLOCK], found[BLOCK + 2];
    block_name(writer, name);
    fill_block(writer, expected);
    return read_file(name, found, sizeof(found)) == BLOCK && memcmp(found, expected, BLOCK) == 0;
}

static int check(void)
{
    char log[256], promised[256];
    read_file("log", log, sizeof(log));
    read_file(getenv("CRASHMATRIX_STDOUT"), promised, sizeof(promised));
    for (int i = 0; i <= WRITERS; i++) {
        bool recorded = has_line(log, "record %d\n", i);
        if (recorded && !block_is_whole(i)) {
            puts("a record without its block");
            return 1;
        }
        if (has_line(promised, "done %d\n", i) && !recorded) {
            puts(i == TURN ? "the record of the turn is lost" : "a promised record is lost");
            return 1;
        }
    }
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "setup") == 0)
        return setup();
    if (argc == 3 && strcmp(argv[1], "workload") == 0)
        return workload(argv[2]);
    if (argc == 2 && strcmp(argv[1], "check") == 0)
        return check();
    fputs("usage: concurrent setup | workload together|after|before | check\n", stderr);
    return 2;
}
