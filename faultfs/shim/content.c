#include "content.h"

#include "caller.h"
#include "gate.h"
#include "scope.h"
#include "text.h"

#include <asm/unistd.h>
#include <fcntl.h>
#include <sys/stat.h>

/* Files that are hashed from beginning to end, and of larger ones the pages besides
 * the two ends. */
enum { CONTENT_WHOLE = 1 << 16, PAGES = 8, PAGE = 4096 };

/* How many syncs are looked at before only one of so many is. */
enum { READ_ALWAYS = 256, READ_ONE_OF = 16 };

/* splitmix64 (Steele, Lea, Flood, 2014): numbers that have nothing to do with tick. */
static uint64_t scattered(uint64_t tick)
{
    uint64_t bits = tick * 0x9e3779b97f4a7c15u;
    bits = (bits ^ bits >> 30) * 0xbf58476d1ce4e5b9u;
    bits = (bits ^ bits >> 27) * 0x94d049bb133111ebu;
    return bits ^ bits >> 31;
}

static bool sampled_piece(uint64_t size, uint64_t tick, uint64_t index, struct content_piece *piece)
{
    if (index < 2) {
        *piece = (struct content_piece){index == 0 ? 0 : size - CONTENT_PIECE, CONTENT_PIECE};
        return true;
    }
    uint64_t page = scattered(tick * PAGES + index) % (size / PAGE);
    *piece = (struct content_piece){page * PAGE, PAGE};
    return index < 2 + PAGES;
}

bool content_piece(const struct content *content, uint64_t tick, uint64_t index,
                   struct content_piece *piece)
{
    uint64_t size = content->size, offset = index * CONTENT_PIECE;
    if (content->kind == CONTENT_SAMPLED && size > CONTENT_WHOLE)
        return sampled_piece(size, tick, index, piece);
    if (offset >= size)
        return false;
    *piece = (struct content_piece){offset, size - offset};
    if (piece->size > CONTENT_PIECE)
        piece->size = CONTENT_PIECE;
    return true;
}

_Static_assert(CONTENT_PIECE <= CHANNEL_VALUE_SIZE, "a piece is read into channel->value");

static bool pieces_read(int fd, uint64_t tick, struct content *content)
{
    struct content_piece piece;
    for (uint64_t i = 0; content_piece(content, tick, i, &piece); i++) {
        if (GATE_4(__NR_pread64, fd, channel->value, piece.size, piece.offset) != (long)piece.size)
            return false;
        content->hash = content_hash(content->hash, channel->value, piece.size);
    }
    return true;
}

/* To read takes longer than many a sync: after the first ones only for a few. */
static bool is_worth_reading(uint64_t tick)
{
    if (channel->content_whole || channel->content_read < READ_ALWAYS)
        return true;
    return scattered(tick) % READ_ONE_OF == 0;
}

/* A descriptor of the same file that can be read from, perhaps a new one, or -1. */
static int readable(int fd)
{
    char path[DESCRIPTOR_PATH_SIZE];
    long flags = GATE_3(__NR_fcntl, fd, F_GETFL, 0);
    if (flags < 0)
        return -1;
    if ((flags & O_ACCMODE) != O_WRONLY && (flags & O_DIRECT) == 0)
        return fd;
    if (!caller_may_reopen(fd))
        return -1;
    descriptor_path(fd, path);
    return (int)GATE_4(__NR_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0);
}

void content_read(int fd, uint64_t tick, struct content *content)
{
    struct stat status;
    *content = (struct content){CONTENT_NONE, 0, 0};
    int from = is_worth_reading(tick) ? readable(fd) : -1;
    if (from < 0)
        return;
    channel->content_read++;
    if (descriptor_status(from, &status) == 0 && S_ISREG(status.st_mode)) {
        content->size = (uint64_t)status.st_size;
        content->kind = channel->content_whole ? CONTENT_ALL : CONTENT_SAMPLED;
        if (!pieces_read(from, tick, content))
            content->kind = CONTENT_NONE;
    }
    if (from != fd)
        GATE_1(__NR_close, from);
}
