/*
 * The command of the programs that are right.
 *
 *     correct NAME setup|workload|recover|check
 */
#include "correct.h"

#include <stdlib.h>

static const struct {
    const char *name;
    const struct correct_program *program;
} programs[] = {
#define X(identifier) {#identifier, &correct_##identifier},
    CORRECT_PROGRAMS(X)
#undef X
};

/* ---- Records ---- */

/* FNV-1a, of which zeros are no sum of zeros. */
static uint32_t checksum(const void *bytes, size_t size)
{
    uint32_t sum = 2166136261u;
    for (size_t i = 0; i < size; i++)
        sum = (sum ^ ((const unsigned char *)bytes)[i]) * 16777619u;
    return sum;
}

static uint32_t record_sum(const struct record *record)
{
    return checksum(&record->generation, sizeof(*record) - sizeof(record->sum));
}

struct record record_make(uint32_t generation)
{
    struct record record = {.generation = generation};
    memset(record.text, 'a' + (int)generation, sizeof(record.text));
    record.sum = record_sum(&record);
    return record;
}

void record_write(int file, off_t offset, uint32_t generation)
{
    struct record record = record_make(generation);
    if (pwrite(file, &record, sizeof(record), offset) != (ssize_t)sizeof(record))
        fail("pwrite");
}

uint32_t record_read(const char *path, off_t offset)
{
    struct record record;
    int file = open(path, O_RDONLY);
    if (file < 0)
        return 0;
    ssize_t size = pread(file, &record, sizeof(record), offset);
    file_close(file);
    return size == (ssize_t)sizeof(record) && record.sum == record_sum(&record) ? record.generation
                                                                                : 0;
}

/* ---- The command ---- */

/* Whether a name of the command line is that of an identifier. */
static bool name_matches(const char *name, const char *identifier)
{
    for (; *name != '\0' && *identifier != '\0'; name++, identifier++)
        if (*name != (*identifier == '_' ? '-' : *identifier))
            return false;
    return *name == *identifier;
}

static int perform(const struct correct_program *program, const char *action)
{
    const struct {
        const char *name;
        void (*function)(void);
    } actions[] = {{"setup", program->setup},
                   {"workload", program->workload},
                   {"recover", program->recover},
                   {"check", program->check}};
    for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++) {
        if (strcmp(action, actions[i].name) != 0 || actions[i].function == NULL)
            continue;
        actions[i].function();
        return 0;
    }
    return 2;
}

int main(int argc, char **argv)
{
    for (size_t i = 0; argc == 3 && i < sizeof(programs) / sizeof(programs[0]); i++)
        if (name_matches(argv[1], programs[i].name))
            return perform(programs[i].program, argv[2]);
    fputs("usage: correct NAME setup|workload|recover|check\n", stderr);
    return 2;
}
