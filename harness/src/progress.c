#include "progress.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include "fail.h"

static const char magic[8] = {'c', 'm', 'p', 'r', 'o', 'g', 'r', '\n'};

enum { VERSION = 2 };

/* ---- Traits ---- */

void cm_traits_add(struct cm_traits *traits, const char *key, const char *value)
{
    traits->items =
        cm_reserve(traits->items, traits->count, &traits->capacity, sizeof(*traits->items));
    traits->items[traits->count++] =
        (struct cm_trait){cm_format("%s", key), cm_format("%s", value)};
}

void cm_traits_free(struct cm_traits *traits)
{
    for (size_t i = 0; i < traits->count; i++) {
        free((void *)(uintptr_t)traits->items[i].key);
        free((void *)(uintptr_t)traits->items[i].value);
    }
    free(traits->items);
    *traits = (struct cm_traits){0};
}

const char *cm_traits_get(const struct cm_traits *traits, const char *key)
{
    for (size_t i = 0; i < traits->count; i++)
        if (strcmp(traits->items[i].key, key) == 0)
            return traits->items[i].value;
    return NULL;
}

static bool may_differ(const char *key)
{
    return strcmp(key, "shard") == 0 || strcmp(key, CM_TRAIT_PROGRAM) == 0;
}

int cm_traits_compare(const struct cm_traits *expected, const struct cm_traits *found, bool shards,
                      const char *path, struct ff_error *error)
{
    for (size_t i = 0; i < expected->count || i < found->count; i++) {
        if (i >= expected->count || i >= found->count ||
            strcmp(expected->items[i].key, found->items[i].key) != 0)
            return cm_fail(error, "%.150s: made by another version of crashmatrix", path);
        const struct cm_trait *one = &expected->items[i], *other = &found->items[i];
        if (strcmp(one->value, other->value) == 0 || (shards && may_differ(one->key)))
            continue;
        if (strcmp(one->key, CM_TRAIT_PROGRAM) == 0)
            return cm_fail(error,
                           "%.150s: the check's program, or a script of it, has changed since; run "
                           "without --resume to begin anew",
                           path);
        return cm_fail(error, "%.150s: its %.40s is '%.120s', not '%.120s'", path, one->key,
                       other->value, one->value);
    }
    return 0;
}

/* ---- Writing ---- */

struct writer {
    FILE *stream;
    XXH3_state_t *state;
};

static void put_bytes(struct writer *writer, const void *bytes, size_t size)
{
    fwrite(bytes, 1, size, writer->stream);
    XXH3_64bits_update(writer->state, bytes, size);
}

static void put_number(struct writer *writer, uint64_t value, size_t size)
{
    unsigned char bytes[8];
    for (size_t i = 0; i < size; i++)
        bytes[i] = (unsigned char)(value >> 8 * i);
    put_bytes(writer, bytes, size);
}

static void put_string(struct writer *writer, const char *text)
{
    put_number(writer, strlen(text), 8);
    put_bytes(writer, text, strlen(text) + 1);
}

static void put_sets(struct writer *writer, const struct cm_poset *poset, const cm_word *sets)
{
    for (size_t i = 0; i < 2 * poset->words; i++)
        put_number(writer, sets[i], 8);
}

static void put_leaf(struct writer *writer, const struct cm_poset *poset,
                     const struct cm_leaf *leaf)
{
    put_number(writer, leaf->first_output, 4);
    put_number(writer, leaf->last_output, 4);
    put_number(writer, leaf->outcome, 4);
    put_number(writer, leaf->spread, 4);
    put_number(writer, leaf->counts, 4);
    put_sets(writer, poset, leaf->sets);
}

static void put_job(struct writer *writer, const struct cm_poset *poset, const struct cm_job *job)
{
    put_number(writer, job->output, 4);
    put_number(writer, job->owner, 4);
    put_number(writer, job->spread, 4);
    put_number(writer, job->counts, 4);
    put_sets(writer, poset, job->sets);
}

static void put_head(struct writer *writer, const struct cm_progress_file *progress)
{
    put_bytes(writer, magic, sizeof(magic));
    put_number(writer, VERSION, 4);
    put_number(writer, progress->ending, 4);
    put_number(writer, progress->traits.count, 8);
    for (size_t i = 0; i < progress->traits.count; i++) {
        put_string(writer, progress->traits.items[i].key);
        put_string(writer, progress->traits.items[i].value);
    }
}

static void put_marks(struct writer *writer, const struct cm_marks *marks)
{
    struct cm_dependence list[CM_MARKS_LIMIT];
    size_t count = cm_marks_list(marks, list);
    put_number(writer, count, 8);
    for (size_t i = 0; i < count; i++) {
        put_number(writer, list[i].kind, 4);
        put_string(writer, list[i].what);
    }
}

static void put_all(struct writer *writer, const struct cm_progress_file *progress,
                    const struct cm_ledger *ledger, const struct cm_records *more)
{
    put_head(writer, progress);
    put_number(writer, ledger->foreign, 8);
    put_number(writer, ledger->agreement, 8);
    put_number(writer, progress->audit_runs, 8);
    put_number(writer, progress->audit_mismatches, 8);
    put_string(writer, progress->audit_text != NULL ? progress->audit_text : "");
    put_marks(writer, ledger->marks);
    put_number(writer, ledger->outcome_count, 8);
    for (size_t i = 0; i < ledger->outcome_count; i++) {
        put_number(writer, ledger->outcomes[i].status, 4);
        put_string(writer, ledger->outcomes[i].text);
    }
    put_number(writer, ledger->leaves.count, 8);
    for (size_t i = 0; i < ledger->leaves.count; i++)
        put_leaf(writer, ledger->poset, cm_record(&ledger->leaves, i));
    put_number(writer, ledger->jobs.count + (more != NULL ? more->count : 0), 8);
    for (size_t i = 0; i < ledger->jobs.count; i++)
        put_job(writer, ledger->poset, cm_record(&ledger->jobs, i));
    for (size_t i = 0; more != NULL && i < more->count; i++)
        put_job(writer, ledger->poset, cm_record(more, i));
    put_number(writer, XXH3_64bits_digest(writer->state), 8);
}

/* So that the rename survives a power cut. */
static void sync_parent(const char *path)
{
    char *copy = cm_format("%s", path);
    int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        fsync(fd);
        close(fd);
    }
    free(copy);
}

int cm_progress_write(const char *path, const struct cm_progress_file *progress,
                      const struct cm_ledger *ledger, const struct cm_records *more,
                      struct ff_error *error)
{
    char *beside = cm_format("%s.new", path);
    struct writer writer = {fopen(beside, "we"), XXH3_createState()};
    bool done = writer.stream != NULL && writer.state != NULL;
    if (done) {
        XXH3_64bits_reset(writer.state);
        put_all(&writer, progress, ledger, more);
        done = fflush(writer.stream) == 0 && ferror(writer.stream) == 0 &&
               fsync(fileno(writer.stream)) == 0;
    }
    done = writer.stream != NULL && fclose(writer.stream) == 0 && done;
    done = done && rename(beside, path) == 0;
    if (done) {
        sync_parent(path);
    } else {
        cm_fail(error, "%.200s: cannot be written: %s", path, strerror(errno));
        unlink(beside);
    }
    XXH3_freeState(writer.state);
    free(beside);
    return done ? 0 : -1;
}

unsigned char *cm_progress_encode(const struct cm_progress_file *progress,
                                  const struct cm_ledger *ledger, const struct cm_records *more,
                                  size_t *size)
{
    char *bytes = NULL;
    struct writer writer = {open_memstream(&bytes, size), XXH3_createState()};
    if (writer.stream == NULL || writer.state == NULL)
        abort();
    XXH3_64bits_reset(writer.state);
    put_all(&writer, progress, ledger, more);
    if (fclose(writer.stream) != 0)
        abort();
    XXH3_freeState(writer.state);
    return (unsigned char *)bytes;
}

/* ---- Reading ---- */

/* Fails once and for all; then everything that is read is zero. */
struct reader {
    const unsigned char *bytes;
    size_t size, at;
    bool failed;
};

static uint64_t get_number(struct reader *reader, size_t size)
{
    uint64_t value = 0;
    if (reader->failed || reader->size - reader->at < size) {
        reader->failed = true;
        return 0;
    }
    for (size_t i = 0; i < size; i++)
        value |= (uint64_t)reader->bytes[reader->at++] << 8 * i;
    return value;
}

/* A string within the file; "" when there is none. */
static const char *get_string(struct reader *reader)
{
    uint64_t size = get_number(reader, 8);
    if (reader->failed || reader->size - reader->at <= size ||
        strnlen((const char *)reader->bytes + reader->at, (size_t)size + 1) != size) {
        reader->failed = true;
        return "";
    }
    const char *text = (const char *)reader->bytes + reader->at;
    reader->at += (size_t)size + 1;
    return text;
}

/* How many records of at least so many bytes follow. */
static uint64_t get_count(struct reader *reader, size_t least)
{
    uint64_t count = get_number(reader, 8);
    if (reader->failed || count > (reader->size - reader->at) / least) {
        reader->failed = true;
        return 0;
    }
    return count;
}

static int malformed(const struct cm_progress_file *progress, struct ff_error *error)
{
    return cm_fail(error,
                   "%.200s: is not a whole progress file of this version of crashmatrix; remove it "
                   "to begin anew",
                   progress->path);
}

static int read_file(struct cm_progress_file *progress, struct ff_error *error)
{
    struct stat status;
    FILE *stream = fopen(progress->path, "re");
    if (stream == NULL || fstat(fileno(stream), &status) != 0 || !S_ISREG(status.st_mode)) {
        cm_fail(error, "%.200s: %s", progress->path,
                stream == NULL ? strerror(errno) : "is not a file");
        if (stream != NULL)
            fclose(stream);
        return -1;
    }
    progress->bytes = cm_allocate((size_t)status.st_size, 1);
    progress->size = fread(progress->bytes, 1, (size_t)status.st_size, stream);
    fclose(stream);
    return 0;
}

static bool read_head(struct cm_progress_file *progress)
{
    struct reader reader = {.bytes = progress->bytes, .size = progress->size};
    if (progress->size < sizeof(magic) + 8 || memcmp(progress->bytes, magic, sizeof(magic)) != 0)
        return false;
    reader.at = progress->size - 8;
    progress->size -= 8;
    if (get_number(&reader, 8) != XXH3_64bits(progress->bytes, progress->size))
        return false;
    reader = (struct reader){progress->bytes, progress->size, sizeof(magic), false};
    if (get_number(&reader, 4) != VERSION)
        return false;
    uint64_t ending = get_number(&reader, 4);
    progress->ending = (enum cm_ending)ending;
    for (uint64_t left = get_count(&reader, 18); left > 0 && !reader.failed; left--) {
        const char *key = get_string(&reader), *value = get_string(&reader);
        cm_traits_add(&progress->traits, key, value);
    }
    progress->body = reader.at;
    return !reader.failed && ending <= CM_COMPLETE;
}

int cm_progress_open(const char *path, struct cm_progress_file *progress, struct ff_error *error)
{
    *progress = (struct cm_progress_file){.path = cm_format("%s", path)};
    if (read_file(progress, error) != 0)
        return -1;
    return read_head(progress) ? 0 : malformed(progress, error);
}

int cm_progress_parse(const char *path, const void *bytes, size_t size,
                      struct cm_progress_file *progress, struct ff_error *error)
{
    *progress = (struct cm_progress_file){.path = cm_format("%s", path), .size = size};
    progress->bytes = (unsigned char *)cm_duplicate(bytes, size);
    return read_head(progress) ? 0 : malformed(progress, error);
}

void cm_progress_close(struct cm_progress_file *progress)
{
    cm_traits_free(&progress->traits);
    free(progress->path);
    free(progress->audit_text);
    free(progress->bytes);
    *progress = (struct cm_progress_file){0};
}

/* Down-closed, up-closed, disjoint, and of operations that exist. */
static bool get_sets(struct reader *reader, const struct cm_poset *poset, cm_word *sets)
{
    const cm_word *included = sets, *excluded = sets + poset->words;
    for (size_t i = 0; i < 2 * poset->words; i++)
        sets[i] = get_number(reader, 8);
    for (size_t o = poset->operation_count; o < 64 * poset->words; o++)
        if (cm_has(included, o) || cm_has(excluded, o))
            return false;
    CM_FOR_EACH(o, included, poset->operation_count)
    if (!cm_within(cm_down(poset, o), included, poset->words))
        return false;
    CM_FOR_EACH(o, excluded, poset->operation_count)
    if (!cm_within(cm_up(poset, o), excluded, poset->words))
        return false;
    return !reader->failed && !cm_meet(included, excluded, poset->words);
}

/* Whether the ideals may have been left with some output of a range. */
static bool has_output(const struct cm_poset *poset, const cm_word *sets, uint32_t first,
                       uint32_t last)
{
    struct cm_interval legal = cm_cylinder_boundaries(poset, cm_cylinder_of(poset, sets));
    return legal.first < legal.end && first <= last && first <= poset->outputs[legal.end - 1] &&
           last >= poset->outputs[legal.first];
}

static bool read_marks(struct reader *reader, struct cm_marks *marks)
{
    for (uint64_t left = get_count(reader, 13); left > 0; left--) {
        uint64_t kind = get_number(reader, 4);
        const char *what = get_string(reader);
        if (reader->failed || kind >= CM_DEPENDENCE_KINDS || strlen(what) >= CM_TEXT_SIZE)
            return false;
        cm_marks_add(marks, (enum cm_dependence_kind)kind, what);
    }
    return !reader->failed;
}

static bool read_outcomes(struct reader *reader, struct cm_ledger *ledger, uint32_t *numbers,
                          uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        struct cm_outcome outcome = {0};
        uint64_t status = get_number(reader, 4);
        const char *text = get_string(reader);
        if (reader->failed || status >= CM_BROKEN || strlen(text) >= sizeof(outcome.text))
            return false;
        outcome.status = (enum cm_status)status;
        strcpy(outcome.text, text);
        numbers[i] = cm_ledger_outcome(ledger, &outcome);
    }
    return !reader->failed;
}

static bool read_leaf(struct reader *reader, const struct cm_poset *poset, struct cm_leaf *leaf)
{
    leaf->first_output = (uint32_t)get_number(reader, 4);
    leaf->last_output = (uint32_t)get_number(reader, 4);
    leaf->outcome = (uint32_t)get_number(reader, 4);
    leaf->spread = (uint32_t)get_number(reader, 4);
    leaf->counts = (uint32_t)get_number(reader, 4);
    return get_sets(reader, poset, leaf->sets) && leaf->spread > 0 && leaf->counts <= 1 &&
           has_output(poset, leaf->sets, leaf->first_output, leaf->last_output);
}

static bool read_leaves(struct reader *reader, struct cm_ledger *ledger, const uint32_t *numbers,
                        uint64_t outcomes)
{
    const struct cm_poset *poset = ledger->poset;
    struct cm_leaf *leaf = cm_allocate(1, cm_leaf_size(poset));
    uint64_t left = get_count(reader, 20 + 16 * poset->words);
    for (; left > 0 && read_leaf(reader, poset, leaf) && leaf->outcome < outcomes; left--) {
        leaf->outcome = numbers[leaf->outcome];
        cm_ledger_add_leaf(ledger, leaf);
        cm_ledger_count(ledger, leaf);
    }
    free(leaf);
    return left == 0 && !reader->failed;
}

static bool read_job(struct reader *reader, const struct cm_poset *poset, struct cm_job *job)
{
    job->output = (uint32_t)get_number(reader, 4);
    job->owner = (uint32_t)get_number(reader, 4);
    job->spread = (uint32_t)get_number(reader, 4);
    job->counts = (uint32_t)get_number(reader, 4);
    return get_sets(reader, poset, job->sets) && job->spread > 0 && job->counts <= 1 &&
           (job->output == CM_ANY_OUTPUT || has_output(poset, job->sets, job->output, job->output));
}

static bool read_jobs(struct reader *reader, struct cm_ledger *ledger)
{
    struct cm_job *job = cm_allocate(1, cm_job_size(ledger->poset));
    uint64_t left = get_count(reader, 16 + 16 * ledger->poset->words);
    for (; left > 0 && read_job(reader, ledger->poset, job); left--)
        cm_ledger_add_job(ledger, job);
    free(job);
    return left == 0 && !reader->failed;
}

int cm_progress_load(struct cm_progress_file *progress, struct cm_ledger *ledger,
                     struct ff_error *error)
{
    struct reader reader = {progress->bytes, progress->size, progress->body, false};
    ledger->foreign += get_number(&reader, 8);
    ledger->agreement += get_number(&reader, 8);
    progress->audit_runs = get_number(&reader, 8);
    progress->audit_mismatches = get_number(&reader, 8);
    free(progress->audit_text);
    progress->audit_text = cm_format("%s", get_string(&reader));
    bool valid = read_marks(&reader, ledger->marks);
    uint64_t outcomes = get_count(&reader, 13);
    uint32_t *numbers = cm_allocate((size_t)outcomes, sizeof(*numbers));
    valid = valid && read_outcomes(&reader, ledger, numbers, outcomes) &&
            read_leaves(&reader, ledger, numbers, outcomes) && read_jobs(&reader, ledger) &&
            reader.at == reader.size;
    free(numbers);
    return valid ? 0 : malformed(progress, error);
}
