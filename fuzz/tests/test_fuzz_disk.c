/*
 * The small disk of the fuzz targets against the engine: of random schedules, the states
 * that disk_cut_to_survivors() can leave are exactly those that the engine says the model
 * allows, neither more nor fewer. (Syncs that fail are not in this: what they drop is less than
 * the engine allows, which keeps it undecided.)
 */
#include "unit.h"

#include "../../harness/tests/sample.h"
#include "../../harness/tests/states.h"

#include "disk.h"

#ifndef SCHEDULES
#define SCHEDULES 400
#endif

enum { CALLS = 10, NAMES = 3, PENDING_MAX = 9 };

static const char *const names[NAMES] = {"a", "b", "c"};
static struct disk disk, kept;

static uint64_t random_state;

static unsigned below(unsigned limit)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(random_state >> 33) % limit;
}

/* ---- The same calls for both ---- */

struct both {
    struct sample *sample;
    uint32_t nodes[NAMES]; /* the sample's, by name; 0: it means nothing */
    int root;
};

static void do_create(struct both *both, unsigned name)
{
    if (both->nodes[name] != 0)
        return;
    int file = disk.platform.open(&disk, both->root, names[name],
                                  MF_OPEN_WRITE | MF_OPEN_CREATE | MF_OPEN_EXCLUSIVE);
    disk.platform.close(&disk, file);
    both->nodes[name] = sample_create(both->sample, FF_ROOT_NODE, names[name], S_IFREG | 0644);
}

static void do_write(struct both *both, unsigned name, char fill)
{
    static const uint16_t offsets[] = {0, 5, 510, 600}, sizes[] = {3, 20, 700};
    char bytes[700];
    if (both->nodes[name] == 0)
        return;
    uint64_t offset = offsets[below(4)];
    size_t size = sizes[below(3)];
    memset(bytes, fill, size);
    int file = disk.platform.open(&disk, both->root, names[name], MF_OPEN_WRITE);
    struct mf_status status;
    disk.platform.status(&disk, file, &status);
    if (disk.model.garbage && offset > status.size) /* disk.h: no holes */
        offset = status.size;
    CU_ASSERT_EQUAL(disk.platform.write(&disk, file, bytes, size, offset), (int64_t)size);
    disk.platform.close(&disk, file);
    sample_write(both->sample, both->nodes[name], offset, size, fill);
}

static void do_sync(struct both *both, unsigned name)
{
    if (both->nodes[name] == 0)
        return;
    int file = disk.platform.open(&disk, both->root, names[name], MF_OPEN_READ);
    CU_ASSERT_EQUAL(disk.platform.sync(&disk, file), 0);
    disk.platform.close(&disk, file);
    sample_fsync(both->sample, both->nodes[name]);
}

static void do_rename(struct both *both, unsigned from, unsigned to)
{
    if (both->nodes[from] == 0 || from == to)
        return;
    CU_ASSERT_EQUAL(disk.platform.rename(&disk, both->root, names[from], names[to]), 0);
    sample_rename(both->sample, both->nodes[from], FF_ROOT_NODE, names[from], FF_ROOT_NODE,
                  names[to], both->nodes[to]);
    both->nodes[to] = both->nodes[from];
    both->nodes[from] = 0;
}

static void do_remove(struct both *both, unsigned name)
{
    if (both->nodes[name] == 0)
        return;
    CU_ASSERT_EQUAL(disk.platform.remove(&disk, both->root, names[name]), 0);
    sample_unlink(both->sample, FF_ROOT_NODE, names[name], both->nodes[name]);
    both->nodes[name] = 0;
}

static void do_call(struct both *both, unsigned call)
{
    unsigned what = below(10), name = below(NAMES);
    if (what < 3)
        do_create(both, name);
    else if (what < 5)
        do_write(both, name, (char)('A' + call));
    else if (what < 6)
        do_sync(both, name);
    else if (what < 8)
        do_rename(both, name, below(NAMES));
    else if (what < 9)
        do_remove(both, name);
    else {
        CU_ASSERT_EQUAL(disk.platform.sync(&disk, both->root), 0);
        sample_fsync(both->sample, FF_ROOT_NODE);
    }
}

/* ---- What the disk can leave ---- */

static void copy_disk(struct disk *to, const struct disk *from)
{
    memcpy(to, from, offsetof(struct disk, arena) + from->used);
}

/* As states_text() says it. */
static char *disk_text(void)
{
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    for (unsigned n = 0; n < NAMES; n++) {
        for (unsigned i = 0; i < disk.name_count; i++) {
            if (disk.names[i].seen == 0 || strcmp(disk.names[i].text, names[n]) != 0)
                continue;
            const struct disk_content *content = &disk.nodes[disk.names[i].seen - 1].seen;
            fprintf(stream, "%s%s=", ftell(stream) > 0 ? " " : "", names[n]);
            for (size_t b = 0; b < content->size; b++)
                fputc(content->bytes[b] == 0      ? '.'
                      : content->bytes[b] == 0xdb ? '~'
                                                  : content->bytes[b],
                      stream);
        }
    }
    fclose(stream);
    return text;
}

static struct states disk_states(void)
{
    struct states states = {NULL, 0, 0};
    unsigned pending[PENDING_MAX], count = 0;
    for (unsigned i = 0; i < disk.operation_count; i++)
        if (disk.operations[i].pending && count < PENDING_MAX)
            pending[count++] = i;
    copy_disk(&kept, &disk);
    for (unsigned subset = 0; subset < 1u << count; subset++) {
        copy_disk(&disk, &kept);
        for (unsigned i = 0; i < count; i++)
            disk.survives[pending[i]] = (subset >> i & 1) != 0;
        disk_cut_to_survivors(&disk);
        char *text = disk_text();
        if (states_have(&states, text)) {
            free(text);
            continue;
        }
        states.lines = cm_reserve(states.lines, states.count, &states.capacity, sizeof(char *));
        states.lines[states.count++] = text;
    }
    return states;
}

static unsigned count_pending(void)
{
    unsigned count = 0;
    for (unsigned i = 0; i < disk.operation_count; i++)
        count += disk.operations[i].pending ? 1 : 0;
    return count;
}

/* ---- The comparison ---- */

static void compare(const struct cm_model *model, struct disk_model promises, unsigned seed)
{
    struct both both = {.sample = sample_new()};
    random_state = seed;
    disk_reset(&disk, NULL, promises);
    both.root = disk.platform.open_directory(&disk, ".");
    for (unsigned i = 0; i < CALLS && count_pending() < PENDING_MAX - 3; i++)
        do_call(&both, i);
    struct states small = disk_states();
    struct states engine = states_from(both.sample, model, (uint32_t)both.sample->trace.call_count);
    size_t missing = 0, illegal = 0;
    for (size_t i = 0; i < engine.count; i++)
        missing += states_have(&small, engine.lines[i]) ? 0 : 1;
    for (size_t i = 0; i < small.count; i++)
        illegal += states_have(&engine, small.lines[i]) ? 0 : 1;
    CU_ASSERT_EQUAL(missing, 0);
    CU_ASSERT_EQUAL(illegal, 0);
    if (missing + illegal > 0)
        printf("\n    seed %u: %zu states are missing, %zu are not legal, of %zu\n", seed, missing,
               illegal, engine.count);
    states_free(&small);
    states_free(&engine);
    sample_free(both.sample);
}

static void compare_all(const char *name, struct disk_model promises)
{
    struct cm_model *model = sample_model(name);
    model->granule = DISK_GRANULE;
    model->choices[CM_CHOICE_FREED] = CM_FREED_PRIVATE;
    for (unsigned seed = 1; seed <= SCHEDULES; seed++)
        compare(model, promises, seed);
    cm_model_free(model);
}

static void as_posix(void)
{
    compare_all("posix", (struct disk_model){0});
}

static void with_names_of_files(void)
{
    compare_all("posix-create", (struct disk_model){.names_files = true});
}

static void without_a_journal(void)
{
    compare_all("ext2", (struct disk_model){.rename_is_two = true, .garbage = true});
}

static const struct unit_test tests[] = {
    {"posix, torn at sectors", as_posix},
    {"posix-create", with_names_of_files},
    {"ext2, whose freed blocks are private", without_a_journal},
};

UNIT_MAIN("the small disk of the fuzz targets", tests)
