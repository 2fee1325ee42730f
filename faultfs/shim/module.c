/*
 * The process's executable mappings are remembered in a small table, which is
 * read from /proc/self/maps again when an address is met that is in none of
 * them. The table is the process's own, and is only used with the channel's lock
 * held; a fork copies it together with the mappings that it describes.
 */
#include "module.h"

#include "gate.h"
#include "recorder.h"
#include "text.h"

#include <asm/unistd.h>
#include <fcntl.h>

enum { RANGES = 256, CHUNK = 4096 };

struct range {
    uintptr_t start, end;
    uint64_t offset;
    uint32_t module;
};

static struct range ranges[RANGES];
static unsigned range_count;
static char chunk[CHUNK];

/* /proc/self/maps, a byte at a time. */
struct source {
    long fd;
    long size, position;
};

static int source_next(struct source *source)
{
    if (source->position == source->size) {
        source->size = GATE_3(__NR_read, source->fd, chunk, CHUNK);
        source->position = 0;
    }
    return source->size <= 0 ? -1 : (unsigned char)chunk[source->position++];
}

static int hexadecimal(int character)
{
    if (character >= '0' && character <= '9')
        return character - '0';
    return character >= 'a' && character <= 'f' ? character - 'a' + 10 : -1;
}

/* A number in the base; returns the character after it. */
static int source_number(struct source *source, unsigned base, uint64_t *number)
{
    int character;
    *number = 0;
    while ((character = source_next(source)) >= 0) {
        int digit = hexadecimal(character);
        if (digit < 0)
            break;
        *number = *number * base + (unsigned)digit;
    }
    return character;
}

/* The rest of the line after its blanks, cut to fit. */
static void source_path(struct source *source, char path[CHANNEL_PATH_SIZE])
{
    size_t length = 0;
    int character = source_next(source);
    while (character == ' ')
        character = source_next(source);
    for (; character >= 0 && character != '\n'; character = source_next(source))
        if (length + 1 < CHANNEL_PATH_SIZE)
            path[length++] = (char)character;
    path[length] = '\0';
}

/* "start-end perms offset major:minor inode   path"; false at the end. */
static bool line_read(struct source *source)
{
    struct range range;
    uint64_t start, end, major, minor, inode;
    if (source_number(source, 16, &start) != '-')
        return false;
    source_number(source, 16, &end);
    source_next(source);
    source_next(source);
    bool executable = source_next(source) == 'x';
    source_next(source);
    source_next(source); /* "r-xp " */
    source_number(source, 16, &range.offset);
    source_number(source, 16, &major);
    source_number(source, 16, &minor);
    int last = source_number(source, 10, &inode);
    channel->path[0] = '\0';
    if (last != '\n')
        source_path(source, channel->path);
    if (!executable || range_count == RANGES)
        return true;
    range.start = start;
    range.end = end;
    range.module =
        inode == 0 ? UINT32_MAX : module_number(major << 32 | minor, inode, channel->path);
    ranges[range_count] = range;
    range_count++;
    return true;
}

static void ranges_read(void)
{
    struct source source = {
        .fd = GATE_4(__NR_openat, AT_FDCWD, "/proc/self/maps", O_RDONLY | O_CLOEXEC, 0)};
    range_count = 0;
    while (source.fd >= 0 && line_read(&source))
        continue;
    if (source.fd >= 0)
        GATE_1(__NR_close, source.fd);
}

static const struct range *range_find(uintptr_t address)
{
    for (unsigned i = 0; i < range_count; i++)
        if (address >= ranges[i].start && address < ranges[i].end)
            return &ranges[i];
    return NULL;
}

uint32_t module_find(uintptr_t address, uint64_t *offset)
{
    const struct range *range = range_find(address);
    if (range == NULL) {
        ranges_read();
        range = range_find(address);
    }
    *offset = 0;
    if (range == NULL || range->module == UINT32_MAX)
        return UINT32_MAX;
    *offset = address - range->start + range->offset;
    return range->module;
}
