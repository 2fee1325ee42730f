/*
 * bench_naive TRACE JOBS CHECK [ARGUMENT...]: what the engine does for a check that is a
 * command, done naively. Each state that is legal under posix is made in a new directory
 * with ordinary calls, the check is executed there and awaited, and the directory is
 * removed. Prints the states per second, how many there were, and the seconds.
 *
 * Only which states there are comes from the engine, before the time begins: those that
 * differ in files or output. Whatever is in doubt is in favour of the loop: it keeps no mode
 * or owner, does not read what the check prints, and does not survive a check that hangs.
 */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "memory.h"
#include "sample.h"
#include "state.h"

__attribute__((noreturn)) static void fail(const char *what)
{
    fprintf(stderr, "bench_naive: %s: %s\n", what, strerror(errno));
    exit(1);
}

/* ---- The states ---- */

struct one {
    struct ff_tree *tree;
    struct ff_hash hash;
    uint32_t output; /* how many writes to standard output */
};

struct states {
    struct one *all;
    size_t count, capacity;
};

static void states_add(struct states *states, const struct cm_poset *poset, const cm_word *ideal,
                       uint32_t output)
{
    struct ff_tree *tree = cm_state_build(poset, ideal);
    struct ff_hash hash = ff_tree_hash(tree);
    for (size_t i = 0; i < states->count; i++) {
        const struct one *known = &states->all[i];
        if (known->output == output && memcmp(&known->hash, &hash, sizeof(hash)) == 0) {
            ff_tree_free(tree);
            return;
        }
    }
    states->all = cm_reserve(states->all, states->count, &states->capacity, sizeof(*states->all));
    states->all[states->count++] = (struct one){tree, hash, output};
}

static struct states states_list(const struct cm_poset *poset)
{
    struct states states = {NULL, 0, 0};
    struct cm_explorer *explorer = cm_explorer_new(poset);
    do {
        cm_explorer_restart(explorer);
        cm_read_everything(poset, explorer);
        struct cm_cylinder files = cm_explorer_cylinder(explorer);
        struct cm_interval legal = cm_cylinder_boundaries(poset, files);
        for (uint32_t o = poset->outputs[legal.first]; o <= poset->outputs[legal.end - 1]; o++)
            states_add(&states, poset, files.included, o);
    } while (cm_explorer_advance(explorer));
    cm_explorer_free(explorer);
    return states;
}

/* ---- One of them ---- */

static void file_make(const char *path, const void *data, size_t size)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0 || write(fd, data, size) != (ssize_t)size || close(fd) != 0)
        fail(path);
}

static void node_make(const struct ff_tree *tree, const struct ff_node *node, const char *path)
{
    if (S_ISREG(node->mode)) {
        file_make(path, node->data, node->size);
    } else if (S_ISLNK(node->mode)) {
        if (symlink((const char *)node->data, path) != 0)
            fail(path);
    } else if (mkdir(path, 0755) != 0) {
        fail(path);
    }
    for (size_t i = 0; i < node->entry_count; i++) {
        char *name = cm_format("%s/%s", path, node->entries[i].name);
        node_make(tree, ff_tree_node(tree, node->entries[i].node), name);
        free(name);
    }
}

static void directory_remove(const char *path)
{
    struct ff_error error;
    if (ff_directory_clear(path, &error) != 0 || rmdir(path) != 0)
        fail(path);
}

/* What it says of a state is not asked for, only that it says it. */
static void check_run(char *const *check, const posix_spawn_file_actions_t *actions)
{
    pid_t pid;
    int status;
    errno = posix_spawnp(&pid, check[0], actions, NULL, check, environ);
    if (errno != 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
        fail(check[0]);
}

/* ---- All of them ---- */

static void work(const struct cm_poset *poset, const struct states *states, atomic_size_t *next,
                 char *const *check)
{
    posix_spawn_file_actions_t actions;
    char *path = cm_format("/dev/shm/crashmatrix-naive.%d", (int)getpid());
    char *output_path = cm_format("%s.stdout", path);
    setenv("CRASHMATRIX_DIR", path, 1);
    setenv("CRASHMATRIX_STDOUT", output_path, 1);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addchdir_np(&actions, path);
    for (size_t i; (i = (*next)++) < states->count;) {
        const struct one *state = &states->all[i];
        size_t size;
        char *output = cm_poset_output(poset, state->output, &size);
        node_make(state->tree, ff_tree_node(state->tree, FF_ROOT_NODE), path);
        file_make(output_path, output, size);
        check_run(check, &actions);
        directory_remove(path);
        free(output);
    }
    remove(output_path);
    posix_spawn_file_actions_destroy(&actions);
    free(output_path);
    free(path);
}

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* Seconds. */
static double loop(const struct cm_poset *poset, const struct states *states, long jobs,
                   char *const *check)
{
    atomic_size_t *next =
        mmap(NULL, sizeof(*next), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (next == MAP_FAILED)
        fail("mmap");
    double start = now();
    for (long i = 0; i < jobs; i++) {
        pid_t pid = fork();
        if (pid < 0)
            fail("fork");
        if (pid == 0) {
            work(poset, states, next, check);
            _exit(0);
        }
    }
    for (int status; wait(&status) > 0;)
        if (status != 0)
            fail("a job");
    return now() - start;
}

int main(int count, char **arguments)
{
    struct ff_error error;
    long jobs = count > 3 ? strtol(arguments[2], NULL, 10) : 0;
    if (jobs < 1)
        fail("usage: bench_naive TRACE JOBS CHECK [ARGUMENT...]");
    struct cm_model *model = sample_model("posix");
    struct ff_trace *trace = ff_trace_open(arguments[1], &error);
    struct cm_poset *poset = trace != NULL ? cm_poset_build(trace, model, 0, &error) : NULL;
    if (poset == NULL)
        fail(error.text);
    struct states states = states_list(poset);
    double seconds = loop(poset, &states, jobs, arguments + 3);
    printf("%.0f %zu %.3f\n", (double)states.count / seconds, states.count, seconds);
    for (size_t i = 0; i < states.count; i++)
        ff_tree_free(states.all[i].tree);
    free(states.all);
    cm_poset_free(poset);
    ff_trace_free(trace);
    cm_model_free(model);
    return 0;
}
