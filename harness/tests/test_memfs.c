/*
 * Tests of the in-memory platform: random calls must have the same results as on
 * the real file system, and leave the same tree. And of the judge that runs on
 * either: it accepts what it should, and nothing else.
 */
#include "memfs.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "builtin.h"
#include "manifest_case.h"
#include "unit.h"

/* ---- A real directory and the same in memory ---- */

#define SLOTS 12

struct pair {
    char path[PATH_MAX];
    struct cm_state state;
    struct cm_memfs memfs;
    const struct mf_platform *real;
    const struct mf_platform *memory;
    /* Handles that mean the same; -1 when there is none. */
    int real_handles[SLOTS];
    int memory_handles[SLOTS];
    uint64_t random;
    unsigned compared;
};

/* A tree that its owner can store, whoever runs the tests. */
static struct ff_tree *own_tree(void)
{
    struct ff_tree *tree = ff_tree_new();
    ff_tree_edit(tree, FF_ROOT_NODE)->uid = geteuid();
    ff_tree_edit(tree, FF_ROOT_NODE)->gid = getegid();
    return tree;
}

static void must(bool condition, const char *what)
{
    if (!condition) {
        perror(what);
        abort();
    }
}

/* Creates something of every kind, in the working directory. */
static void real_fill(void)
{
    must(mkdir("d", 0755) == 0 && mkdir("d/e", 0755) == 0 && mkdir("empty", 0755) == 0, "mkdir");
    must(symlink("d", "link") == 0 && symlink("nowhere", "dangling") == 0, "symlink");
    must(symlink("loop", "loop") == 0 && symlink("../d/./e/..", "d/up") == 0, "symlink");
    must(mkfifo("fifo", 0644) == 0, "mkfifo");
    int fd = open("a", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    must(fd >= 0 && write(fd, "content", 7) == 7 && close(fd) == 0, "a");
    must(link("a", "d/hard") == 0 && link("a", "hard") == 0, "link");
}

static void pair_open(struct pair *pair, uint64_t seed)
{
    struct ff_error error = {""};
    memset(pair, 0, sizeof(*pair));
    strcpy(pair->path, "/tmp/crashmatrix-test.XXXXXX");
    must(mkdtemp(pair->path) != NULL && chdir(pair->path) == 0, pair->path);
    umask(022);
    real_fill();
    pair->state.tree = ff_tree_load(pair->path, NULL, NULL, &error);
    must(pair->state.tree != NULL, error.text);
    cm_memfs_init(&pair->memfs, &pair->state);
    pair->real = mf_platform_posix();
    pair->memory = &pair->memfs.platform;
    pair->random = seed * 2654435761u + 88172645463325252u;
    memset(pair->real_handles, -1, sizeof(pair->real_handles));
    memset(pair->memory_handles, -1, sizeof(pair->memory_handles));
}

static void pair_close(struct pair *pair)
{
    struct ff_error error = {""};
    for (size_t i = 0; i < SLOTS; i++) {
        if (pair->real_handles[i] >= 0)
            pair->real->close(pair->real->context, pair->real_handles[i]);
    }
    ff_tree_free(pair->state.tree);
    must(chdir("/") == 0 && ff_directory_clear(pair->path, &error) == 0, error.text);
    must(rmdir(pair->path) == 0, pair->path);
}

static unsigned pick(struct pair *pair, unsigned limit)
{
    pair->random ^= pair->random << 13;
    pair->random ^= pair->random >> 7;
    pair->random ^= pair->random << 17;
    return (unsigned)((pair->random >> 20) % limit);
}

static void compare(struct pair *pair, const char *call, const char *name, int64_t real,
                    int64_t memory)
{
    if (real != memory)
        printf("%s(%.40s): real %lld, memory %lld\n", call, name, (long long)real,
               (long long)memory);
    CU_ASSERT_EQUAL(real, memory);
    pair->compared++;
}

/* ---- Random calls ---- */

static char long_name[NAME_MAX + 2];

static const char *pick_name(struct pair *pair)
{
    static const char *const names[] = {"a",     "b",    "c",        "d",      "e",
                                        "empty", "link", "dangling", "loop",   "fifo",
                                        "hard",  "up",   "",         long_name};
    memset(long_name, 'x', sizeof(long_name) - 1);
    return names[pick(pair, sizeof(names) / sizeof(names[0]))];
}

static const char *pick_path(struct pair *pair)
{
    static const char *const paths[] = {
        ".",    "d",        "./d//e/", "d/e/..", "link",   "link/e", "dangling", "loop",
        "a",    "a/b",      "no/b",    "",       "d/up/e", "d/up",   "fifo",     "new",
        "new/", "new/deep", "d/new",   "new/.",  "link/",  "d/..",   "e",        "empty",
    };
    return paths[pick(pair, sizeof(paths) / sizeof(paths[0]))];
}

/* Handles are numbers of each platform's own choice. */
static void handle_keep(struct pair *pair, unsigned slot, const char *call, const char *name,
                        int real, int memory)
{
    compare(pair, call, name, real < 0 ? real : 0, memory < 0 ? memory : 0);
    pair->real_handles[slot] = real < 0 ? -1 : real;
    pair->memory_handles[slot] = memory < 0 ? -1 : memory;
}

static unsigned pick_free_slot(struct pair *pair)
{
    unsigned slot = pick(pair, SLOTS);
    if (pair->real_handles[slot] >= 0) {
        compare(pair, "close", "", pair->real->close(pair->real->context, pair->real_handles[slot]),
                pair->memory->close(pair->memory->context, pair->memory_handles[slot]));
    }
    pair->real_handles[slot] = pair->memory_handles[slot] = -1;
    return slot;
}

static void status_compare(struct pair *pair, const char *call, const char *name, int real,
                           const struct mf_status *real_status, int memory,
                           const struct mf_status *memory_status)
{
    compare(pair, call, name, real, memory);
    if (real == 0 && memory == 0) {
        compare(pair, call, name, real_status->type, memory_status->type);
        compare(pair, call, name, (int64_t)real_status->size, (int64_t)memory_status->size);
    }
}

struct names {
    uint64_t sum; /* does not depend on the order */
    int64_t count;
};

static int name_count(void *argument, const char *name)
{
    struct names *names = argument;
    uint64_t hash = 14695981039346656037u;
    for (; *name != '\0'; name++)
        hash = (hash ^ (unsigned char)*name) * 1099511628211u;
    names->sum += hash;
    names->count++;
    return 0;
}

static void list_compare(struct pair *pair, int real, int memory)
{
    struct names in_real = {0, 0};
    struct names in_memory = {0, 0};
    compare(pair, "list", "", pair->real->list(pair->real->context, real, name_count, &in_real),
            pair->memory->list(pair->memory->context, memory, name_count, &in_memory));
    compare(pair, "list count", "", in_real.count, in_memory.count);
    CU_ASSERT_EQUAL(in_real.sum, in_memory.sum);
}

static void data_compare(struct pair *pair, int real, int memory)
{
    static const uint64_t offsets[] = {0, 1, 7, 100, 5000, UINT64_MAX};
    uint64_t offset = offsets[pick(pair, sizeof(offsets) / sizeof(offsets[0]))];
    size_t size = pick(pair, 3) * 2500;
    char real_data[5000];
    char memory_data[5000];
    if (pick(pair, 2) == 0) {
        memset(real_data, 'a' + (int)pick(pair, 26), sizeof(real_data));
        compare(pair, "write", "",
                pair->real->write(pair->real->context, real, real_data, size, offset),
                pair->memory->write(pair->memory->context, memory, real_data, size, offset));
        return;
    }
    int64_t count = pair->real->read(pair->real->context, real, real_data, size, offset);
    compare(pair, "read", "", count,
            pair->memory->read(pair->memory->context, memory, memory_data, size, offset));
    if (count > 0)
        CU_ASSERT_EQUAL(memcmp(real_data, memory_data, (size_t)count), 0);
}

/* Calls that take a handle, which may be none. */
static void handle_call(struct pair *pair)
{
    struct mf_status statuses[2];
    unsigned slot = pick(pair, SLOTS);
    int real = pair->real_handles[slot];
    int memory = pair->memory_handles[slot];
    const struct mf_platform *r = pair->real;
    const struct mf_platform *m = pair->memory;
    const char *name = pick_name(pair);
    const char *other = pick_name(pair);
    /* Which of two wrong names is complained about first depends on the kernel. */
    if (name == long_name || other == long_name)
        other = "b";

    switch (pick(pair, 8)) {
    case 0:
        compare(pair, "sync", "", r->sync(r->context, real), m->sync(m->context, memory));
        break;
    case 1:
        compare(pair, "rename", name, r->rename(r->context, real, name, other),
                m->rename(m->context, memory, name, other));
        break;
    case 2:
        compare(pair, "remove", name, r->remove(r->context, real, name),
                m->remove(m->context, memory, name));
        break;
    case 3:
        status_compare(pair, "status", "", r->status(r->context, real, &statuses[0]), &statuses[0],
                       m->status(m->context, memory, &statuses[1]), &statuses[1]);
        break;
    case 4:
        status_compare(pair, "status_at", name, r->status_at(r->context, real, name, &statuses[0]),
                       &statuses[0], m->status_at(m->context, memory, name, &statuses[1]),
                       &statuses[1]);
        break;
    case 5:
        list_compare(pair, real, memory);
        break;
    case 6:
        compare(pair, "close", "", r->close(r->context, real), m->close(m->context, memory));
        pair->real_handles[slot] = pair->memory_handles[slot] = -1;
        break;
    default:
        data_compare(pair, real, memory);
        break;
    }
}

static void opening_call(struct pair *pair)
{
    const struct mf_platform *r = pair->real;
    const struct mf_platform *m = pair->memory;
    const char *path = pick_path(pair);
    const char *name = pick_name(pair);
    unsigned slot = pick_free_slot(pair);
    unsigned directory = pick(pair, SLOTS);
    unsigned flags = pick(pair, 2) == 0 ? MF_OPEN_READ : MF_OPEN_WRITE;
    flags |= pick(pair, 2) == 0 ? MF_OPEN_CREATE : 0;
    flags |= (flags & MF_OPEN_CREATE) != 0 && pick(pair, 2) == 0 ? MF_OPEN_EXCLUSIVE : 0;

    switch (pick(pair, 4)) {
    case 0:
        compare(pair, "make_directory", path, r->make_directory(r->context, path),
                m->make_directory(m->context, path));
        break;
    case 1:
        handle_keep(pair, slot, "open_directory", path, r->open_directory(r->context, path),
                    m->open_directory(m->context, path));
        break;
    default:
        handle_keep(pair, slot, "open", name,
                    r->open(r->context, pair->real_handles[directory], name, flags),
                    m->open(m->context, pair->memory_handles[directory], name, flags));
        break;
    }
}

static void trees_compare(struct pair *pair)
{
    struct ff_error text = {""};
    struct ff_tree *real = ff_tree_load(pair->path, NULL, NULL, &text);
    CU_ASSERT_PTR_NOT_NULL_FATAL(real);
    bool differs = ff_tree_differs(real, "real", pair->state.tree, "memory", &text);
    if (differs)
        printf("%s\n", text.text);
    CU_ASSERT(!differs);
    ff_tree_free(real);
}

static void behaves_like_the_real_one(void)
{
    unsigned compared = 0;
    for (uint64_t seed = 1; seed <= 40; seed++) {
        struct pair pair;
        unsigned failures = CU_get_number_of_failures();
        pair_open(&pair, seed);
        for (unsigned i = 0; i < 500 && CU_get_number_of_failures() == failures; i++) {
            if (pick(&pair, 3) == 0)
                opening_call(&pair);
            else
                handle_call(&pair);
        }
        trees_compare(&pair);
        compared += pair.compared;
        pair_close(&pair);
    }
    CU_ASSERT(compared > 20000);
}

static void removed_file_stays_open(void)
{
    struct ff_tree *tree = own_tree();
    struct cm_state state = {.tree = tree};
    struct cm_memfs memfs;
    const struct mf_platform *m = &memfs.platform;
    char data[8];
    cm_memfs_init(&memfs, &state);
    int directory = m->open_directory(m->context, ".");
    int file = m->open(m->context, directory, "f", MF_OPEN_WRITE | MF_OPEN_CREATE);
    CU_ASSERT(directory >= 0 && file >= 0 && directory != file);
    CU_ASSERT_EQUAL(m->write(m->context, file, "abc", 3, 0), 3);
    CU_ASSERT_EQUAL(m->remove(m->context, directory, "f"), 0);
    CU_ASSERT_EQUAL(m->write(m->context, file, "def", 3, 3), 3);
    CU_ASSERT_EQUAL(m->read(m->context, file, data, sizeof(data), 0), 6);
    CU_ASSERT_EQUAL(memcmp(data, "abcdef", 6), 0);
    CU_ASSERT_EQUAL(m->open(m->context, directory, "f", MF_OPEN_READ), -ENOENT);
    ff_tree_free(tree);
}

static void limits_are_errors(void)
{
    struct ff_tree *tree = own_tree();
    struct cm_state state = {.tree = tree};
    struct cm_memfs memfs;
    const struct mf_platform *m = &memfs.platform;
    uint64_t seconds = 0;
    int last = -1;
    cm_memfs_init(&memfs, &state);
    int directory = m->open_directory(m->context, ".");
    int file = m->open(m->context, directory, "f", MF_OPEN_WRITE | MF_OPEN_CREATE);
    CU_ASSERT_EQUAL(m->write(m->context, file, "x", 1, CM_MEMFS_LIMIT), -EFBIG);
    CU_ASSERT_EQUAL(m->lock(m->context, file, 0), 0);
    CU_ASSERT_EQUAL(m->lock(m->context, directory, 0), -EBADF);
    CU_ASSERT_EQUAL(m->now(m->context, &seconds), 0);
    CU_ASSERT_EQUAL(seconds, CM_MEMFS_NOW);
    CU_ASSERT_EQUAL(m->open_directory(m->context, "/"), -ENOENT);
    for (int i = 0; i < CM_MEMFS_HANDLES - 2; i++)
        last = m->open(m->context, directory, "f", MF_OPEN_READ);
    CU_ASSERT(last >= 0);
    CU_ASSERT_EQUAL(m->open(m->context, directory, "g", MF_OPEN_WRITE | MF_OPEN_CREATE), -EMFILE);
    CU_ASSERT_EQUAL(ff_tree_lookup(tree, FF_ROOT_NODE, "g"), FF_NO_NODE);
    CU_ASSERT_EQUAL(m->close(m->context, last), 0);
    CU_ASSERT_EQUAL(m->open(m->context, directory, "f", MF_OPEN_READ), last);
    ff_tree_free(tree);
}

/* ---- The judge ---- */

/* A database with the given number of versions, made through libmanifest. */
static struct ff_tree *database_new(uint64_t versions)
{
    struct ff_tree *tree = own_tree();
    struct cm_state state = {.tree = tree};
    struct cm_memfs memfs;
    struct mf_options options = {.platform = &memfs.platform, .writable = true};
    struct mf_database *database;
    struct mf_transaction *transaction;
    cm_memfs_init(&memfs, &state);
    if (versions == 0)
        return tree;
    CU_ASSERT_EQUAL_FATAL(mf_database_init(CM_MANIFEST_PATH, &options, NULL), MF_OK);
    CU_ASSERT_EQUAL_FATAL(mf_database_open(CM_MANIFEST_PATH, &options, &database, NULL), MF_OK);
    for (uint64_t version = 2; version <= versions; version++) {
        CU_ASSERT_EQUAL_FATAL(mf_transaction_begin(database, &transaction, NULL), MF_OK);
        CU_ASSERT_EQUAL_FATAL(
            cm_manifest_add(database, transaction, &cm_manifest_cases[CM_CASE_COMMIT], NULL),
            MF_OK);
        CU_ASSERT_EQUAL_FATAL(mf_transaction_commit(transaction, NULL, NULL), MF_OK);
    }
    mf_database_close(database);
    return tree;
}

static void judge_check(const char *builtin, struct ff_tree *tree, const char *output,
                        enum cm_status status, const char *text)
{
    struct cm_state state = {.tree = tree, .output = output, .output_size = strlen(output)};
    struct cm_outcome outcome = {.status = CM_BROKEN};
    const struct cm_builtin *row = cm_builtin_find(builtin);
    CU_ASSERT_PTR_NOT_NULL_FATAL(row);
    row->run(NULL, &state, &outcome);
    if (outcome.status != status || strncmp(outcome.text, text, strlen(text)) != 0)
        printf("after \"%s\": status %d, %s\n", output, (int)outcome.status, outcome.text);
    CU_ASSERT_EQUAL(outcome.status, status);
    CU_ASSERT_EQUAL(strncmp(outcome.text, text, strlen(text)), 0);
    ff_tree_free(tree);
}

static void judge_compares_versions(void)
{
    judge_check("manifest", database_new(1), "", CM_ACCEPTED, "old");
    judge_check("manifest", database_new(2), "", CM_ACCEPTED, "new");
    judge_check("manifest", database_new(2), "committed 2\n", CM_ACCEPTED, "old");
    judge_check("manifest", database_new(3), "committed 2\n", CM_ACCEPTED, "new");
    judge_check("manifest", database_new(3), "committed 2\ncommitted 3\n", CM_ACCEPTED, "old");
    judge_check("manifest", database_new(3), "committed 2\ncommitted 3", CM_ACCEPTED, "new");
    judge_check("manifest", database_new(1), "committed 2\n", CM_VIOLATED,
                "version 2 was acknowledged, but version 1 is current");
    judge_check("manifest", database_new(3), "", CM_VIOLATED,
                "version 3 is current, but only version 1 was acknowledged");
    judge_check("manifest", database_new(0), "", CM_VIOLATED,
                "version 1 was acknowledged, but there is no database");
    judge_check("manifest-init", database_new(0), "", CM_ACCEPTED, "empty");
    judge_check("manifest-init", database_new(1), "", CM_ACCEPTED, "new");
    judge_check("manifest-init", database_new(1), "committed 1\n", CM_ACCEPTED, "old");
    judge_check("manifest-init", database_new(0), "committed 1\n", CM_VIOLATED,
                "version 1 was acknowledged, but there is no database");
    CU_ASSERT_PTR_NULL(cm_builtin_find("nonexistent"));
    CU_ASSERT_PTR_NULL(cm_builtin_find(""));
}

enum damage { LOST, HALVED, FLIPPED, DAMAGE_COUNT };

/* Returns whether there was anything to damage. */
static bool damage_do(struct ff_tree *tree, uint32_t directory, const char *name,
                      enum damage damage)
{
    struct ff_node *node = ff_tree_edit(tree, ff_tree_lookup(tree, directory, name));
    if (damage == LOST)
        ff_tree_set_name(tree, directory, name, FF_NO_NODE);
    else if (damage == HALVED)
        ff_node_resize(node, node->size / 2);
    else if (node->size > 0)
        node->data[node->size / 2] ^= 1;
    return damage == LOST || node->size > 0;
}

/* The verdict on the same state on the real file system. */
static struct cm_outcome judge_really(const struct ff_tree *tree)
{
    struct ff_error error = {""};
    struct cm_outcome outcome = {.status = CM_BROKEN};
    char path[] = "/tmp/crashmatrix-test.XXXXXX";
    must(mkdtemp(path) != NULL && chdir(path) == 0, path);
    must(ff_tree_store(tree, path, &error) == 0, error.text);
    cm_manifest_judge(&cm_manifest_cases[CM_CASE_COMMIT], mf_platform_posix(), "", 0, &outcome);
    must(chdir("/") == 0 && ff_directory_clear(path, &error) == 0, error.text);
    must(rmdir(path) == 0, path);
    return outcome;
}

/* Every file of the database in turn is lost, cut, or changed by one bit: that is
 * accepted where it may be, and the real file system gives the same verdict. */
static void judge_sees_damage(void)
{
    struct ff_tree *whole = database_new(2);
    uint32_t db = ff_tree_lookup(whole, FF_ROOT_NODE, CM_MANIFEST_PATH);
    const struct ff_node *directory = ff_tree_node(whole, db);
    unsigned violations = 0;
    for (size_t i = 0; i < directory->entry_count * DAMAGE_COUNT; i++) {
        const char *name = directory->entries[i / DAMAGE_COUNT].name;
        bool data = strncmp(name, "MANIFEST-", 9) != 0;
        bool current = strcmp(name, "MANIFEST-CURRENT") == 0;
        struct ff_tree *tree = ff_tree_copy(whole);
        struct cm_outcome outcome = {.status = CM_BROKEN};
        if (damage_do(tree, db, name, (enum damage)(i % DAMAGE_COUNT))) {
            struct cm_outcome really = judge_really(tree);
            struct cm_state state = {.tree = tree, .output = "", .output_size = 0};
            cm_builtins[0].run(NULL, &state, &outcome);
            CU_ASSERT_EQUAL(outcome.status, really.status);
            CU_ASSERT_STRING_EQUAL(outcome.text, really.text);
        }
        if (data || current) {
            CU_ASSERT_EQUAL(outcome.status, CM_VIOLATED);
            CU_ASSERT(current || strstr(outcome.text, name) != NULL);
            violations++;
        }
        ff_tree_free(tree);
    }
    CU_ASSERT_EQUAL(violations, DAMAGE_COUNT * (cm_manifest_cases[CM_CASE_COMMIT].file_count + 1));
    ff_tree_free(whole);
}

static void content_is_distinct(void)
{
    const struct cm_manifest_case *wanted = &cm_manifest_cases[CM_CASE_COMMIT];
    unsigned char data[2][CM_MANIFEST_SIZE_MAX];
    unsigned can_be_torn = 0;
    for (uint64_t version = 2; version <= 4; version++) {
        for (unsigned i = 0; i < wanted->file_count; i++) {
            size_t size = cm_manifest_content(wanted, version, i, data[0]);
            size_t other = cm_manifest_content(wanted, version + 1, i, data[1]);
            CU_ASSERT(size > 0 && size <= CM_MANIFEST_SIZE_MAX);
            CU_ASSERT(memcmp(data[0], data[1], size < other ? size : other) != 0);
            can_be_torn += size > 512;
        }
    }
    CU_ASSERT(can_be_torn >= 3);
}

static const struct unit_test tests[] = {
    {"behaves like the real file system", behaves_like_the_real_one},
    {"a removed file stays open", removed_file_stays_open},
    {"limits are errors", limits_are_errors},
    {"the judge compares versions", judge_compares_versions},
    {"the judge sees damage", judge_sees_damage},
    {"contents are distinct, and some can be torn", content_is_distinct},
};

UNIT_MAIN("memfs", tests)
