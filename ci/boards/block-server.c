/*
 * block-server: the disk of an emulated board whose power is cut.
 *
 * An NBD server for one client. A write goes into a volatile cache; a flush, or a write
 * with FUA, makes it durable, which is when it goes into the image. When the client is gone,
 * the power is: of what was not durable nothing, some or torn parts reach the image, and the
 * server ends. What a real disk could not leave is not left: a sector never gets an older
 * content than the last that was made durable, nor anything that was not written to it.
 *
 * The protocol: https://github.com/NetworkBlockDevice/nbd/blob/master/doc/proto.md
 */
#define _GNU_SOURCE
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { SECTOR = 512, LARGEST_REQUEST = 32 << 20, LARGEST_OPTION = 4096 };

enum keep { KEEP_NONE, KEEP_SOME, KEEP_TORN, KEEP_KINDS };
static const char *const keep_words[] = {"none", "some", "torn"};

struct write {
    uint64_t number, offset;
    uint32_t size;
    uint8_t *bytes;
};

struct disk {
    int image;
    uint64_t size;
    uint8_t *current;  /* as the client reads it */
    uint64_t *durable; /* of each sector: the number of the write that is in the image */
    struct write *cache;
    size_t cached, capacity;
    uint64_t numbers, writes, flushes, forced; /* forced: with FUA */
    bool ignores_flushes;
    uint64_t unit; /* sectors that a cut does not tear */
    uint64_t random;
};

_Noreturn static void die(const char *what)
{
    fprintf(stderr, "block-server: %s: %s\n", what, strerror(errno));
    exit(1);
}

/* ---- The disk ---- */

static void open_disk(struct disk *disk, const char *path)
{
    struct stat status;
    disk->image = open(path, O_RDWR | O_CLOEXEC);
    if (disk->image < 0 || fstat(disk->image, &status) != 0)
        die(path);
    disk->size = (uint64_t)status.st_size / SECTOR * SECTOR;
    disk->current =
        mmap(NULL, (size_t)status.st_size, PROT_READ | PROT_WRITE, MAP_PRIVATE, disk->image, 0);
    disk->durable = calloc(disk->size / SECTOR, sizeof(*disk->durable));
    if (disk->current == MAP_FAILED || disk->durable == NULL)
        die(path);
}

static void put(const struct disk *disk, const struct write *write, uint64_t first, uint64_t end)
{
    const uint8_t *from = write->bytes + first * SECTOR;
    size_t size = (size_t)(end - first) * SECTOR;
    if (size > 0 &&
        pwrite(disk->image, from, size, (off_t)(write->offset + first * SECTOR)) != (ssize_t)size)
        die("the image cannot be written");
}

/* Its first sectors, but those that have a later content already. */
static void make_durable(struct disk *disk, const struct write *write, uint64_t sectors)
{
    uint64_t *durable = disk->durable + write->offset / SECTOR, first = 0;
    for (uint64_t i = 0; i < sectors; i++) {
        if (durable[i] < write->number) {
            durable[i] = write->number;
            continue;
        }
        put(disk, write, first, i);
        first = i + 1;
    }
    put(disk, write, first, sectors);
}

static void flush(struct disk *disk)
{
    for (size_t i = 0; i < disk->cached; i++) {
        make_durable(disk, &disk->cache[i], disk->cache[i].size / SECTOR);
        free(disk->cache[i].bytes);
    }
    disk->cached = 0;
}

static void write_cached(struct disk *disk, uint64_t offset, uint8_t *bytes, uint32_t size,
                         bool force)
{
    struct write write = {++disk->numbers, offset, size, bytes};
    memcpy(disk->current + offset, bytes, size);
    disk->writes++;
    disk->forced += force;
    if (force && !disk->ignores_flushes) {
        make_durable(disk, &write, size / SECTOR);
        free(bytes);
        return;
    }
    if (disk->cached == disk->capacity) {
        disk->capacity = disk->capacity > 0 ? 2 * disk->capacity : 1024;
        disk->cache = realloc(disk->cache, disk->capacity * sizeof(*disk->cache));
        if (disk->cache == NULL)
            die("the cache");
    }
    disk->cache[disk->cached++] = write;
}

/* splitmix64, Steele and others, OOPSLA 2014. */
static uint64_t draw(struct disk *disk, uint64_t below)
{
    uint64_t x = disk->random += 0x9e3779b97f4a7c15;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
    x = (x ^ x >> 27) * 0x94d049bb133111eb;
    return (x ^ x >> 31) % below;
}

/* How many of its sectors a torn write leaves: it ends anywhere between two units. */
static uint64_t torn_length(struct disk *disk, const struct write *write)
{
    uint64_t first = write->offset / SECTOR, sectors = write->size / SECTOR;
    uint64_t end = first + draw(disk, sectors + 1);
    if (end < first + sectors)
        end -= end % disk->unit;
    return end > first ? end - first : 0;
}

static void lose(struct disk *disk, enum keep keep)
{
    size_t kept = 0;
    for (size_t i = 0; i < disk->cached && keep != KEEP_NONE; i++) {
        uint64_t sectors = disk->cache[i].size / SECTOR;
        if (draw(disk, 2) == 0)
            continue;
        kept++;
        if (keep == KEEP_TORN)
            sectors = torn_length(disk, &disk->cache[i]);
        make_durable(disk, &disk->cache[i], sectors);
    }
    fprintf(stderr,
            "cut: %zu of %zu writes that were not flushed are kept (%s); "
            "%" PRIu64 " writes, %" PRIu64 " with FUA, %" PRIu64 " flushes\n",
            kept, disk->cached, keep_words[keep], disk->writes, disk->forced, disk->flushes);
}

/* ---- The protocol ---- */

enum {
    OPTION_EXPORT_NAME = 1,
    OPTION_ABORT = 2,
    OPTION_INFO = 6,
    OPTION_GO = 7,
    REPLY_ACK = 1,
    REPLY_INFO = 3,
    NO_ZEROES = 2,     /* client flag */
    COMMAND_FUA = 1,   /* flag of a command */
    EXPORT_FLAGS = 13, /* has flags, flush and FUA */
};
#define REPLY_UNSUPPORTED  UINT32_C(0x80000001)
#define OPTION_REPLY_MAGIC UINT64_C(0x3e889045565a9)
#define REQUEST_MAGIC      UINT32_C(0x25609513)
#define REPLY_MAGIC        UINT32_C(0x67446698)

enum command { COMMAND_READ, COMMAND_WRITE, COMMAND_DISCONNECT, COMMAND_FLUSH };

static bool receive(int socket, void *bytes, size_t size)
{
    return size == 0 || recv(socket, bytes, size, MSG_WAITALL) == (ssize_t)size;
}

static bool transmit(int socket, const void *bytes, size_t size)
{
    const uint8_t *at = bytes;
    while (size > 0) {
        ssize_t sent = send(socket, at, size, MSG_NOSIGNAL);
        if (sent <= 0)
            return false;
        at += sent;
        size -= (size_t)sent;
    }
    return true;
}

static bool reply_option(int socket, uint32_t option, uint32_t type, const void *data,
                         uint32_t size)
{
    struct {
        uint64_t magic;
        uint32_t option, type, size;
    } __attribute__((packed))
    head = {htobe64(OPTION_REPLY_MAGIC), htobe32(option), htobe32(type), htobe32(size)};
    return transmit(socket, &head, sizeof(head)) && transmit(socket, data, size);
}

struct export_info {
    uint16_t type;
    uint64_t size;
    uint16_t flags;
} __attribute__((packed));

/* Sets *done when the data begin. */
static bool serve_option(int socket, const struct disk *disk, bool zeroes, bool *done)
{
    struct {
        uint64_t magic;
        uint32_t option, size;
    } __attribute__((packed)) head;
    static uint8_t data[LARGEST_OPTION], nothing[124];
    struct export_info info = {0, htobe64(disk->size), htobe16(EXPORT_FLAGS)};
    if (!receive(socket, &head, sizeof(head)))
        return false;
    uint32_t option = be32toh(head.option), size = be32toh(head.size);
    if (size > sizeof(data) || !receive(socket, data, size))
        return false;
    switch (option) {
    case OPTION_EXPORT_NAME:
        *done = true;
        return transmit(socket, &info.size, sizeof(info) - sizeof(info.type)) &&
               (!zeroes || transmit(socket, nothing, sizeof(nothing)));
    case OPTION_INFO:
    case OPTION_GO:
        *done = option == OPTION_GO;
        return reply_option(socket, option, REPLY_INFO, &info, sizeof(info)) &&
               reply_option(socket, option, REPLY_ACK, NULL, 0);
    case OPTION_ABORT:
        return false;
    default:
        return reply_option(socket, option, REPLY_UNSUPPORTED, NULL, 0);
    }
}

static bool shake_hands(int socket, const struct disk *disk)
{
    const uint16_t flags = htobe16(1 | NO_ZEROES); /* 1: the newstyle handshake is fixed */
    uint32_t client = 0;
    bool done = false;
    if (!transmit(socket, "NBDMAGICIHAVEOPT", 16) || !transmit(socket, &flags, sizeof(flags)) ||
        !receive(socket, &client, sizeof(client)))
        return false;
    while (!done)
        if (!serve_option(socket, disk, (be32toh(client) & NO_ZEROES) == 0, &done))
            return false;
    return true;
}

static bool fits(const struct disk *disk, uint64_t offset, uint32_t size)
{
    return offset % SECTOR == 0 && size % SECTOR == 0 && size <= LARGEST_REQUEST &&
           offset <= disk->size && size <= disk->size - offset;
}

static bool take_write(int socket, struct disk *disk, uint64_t offset, uint32_t size, bool force,
                       bool valid)
{
    uint8_t *bytes = size <= LARGEST_REQUEST ? malloc(size > 0 ? size : 1) : NULL;
    if (bytes == NULL || !receive(socket, bytes, size)) {
        free(bytes); /* half a request: the disk never got it */
        return false;
    }
    if (valid)
        write_cached(disk, offset, bytes, size, force);
    else
        free(bytes);
    return true;
}

static bool serve_request(int socket, struct disk *disk)
{
    struct {
        uint32_t magic;
        uint16_t flags, command;
        uint64_t cookie, offset;
        uint32_t size;
    } __attribute__((packed)) request;
    struct {
        uint32_t magic, error;
        uint64_t cookie;
    } __attribute__((packed)) reply = {.magic = htobe32(REPLY_MAGIC)};
    if (!receive(socket, &request, sizeof(request)) || be32toh(request.magic) != REQUEST_MAGIC)
        return false;
    uint64_t offset = be64toh(request.offset);
    uint32_t size = be32toh(request.size);
    uint16_t command = be16toh(request.command);
    bool force = (be16toh(request.flags) & COMMAND_FUA) != 0;
    bool valid = command == COMMAND_FLUSH || (command <= COMMAND_WRITE && fits(disk, offset, size));
    if (command == COMMAND_DISCONNECT ||
        (command == COMMAND_WRITE && !take_write(socket, disk, offset, size, force, valid)))
        return false;
    disk->flushes += command == COMMAND_FLUSH;
    if (command == COMMAND_FLUSH && !disk->ignores_flushes)
        flush(disk);
    reply.cookie = request.cookie;
    reply.error = valid ? 0 : htobe32(EINVAL);
    return transmit(socket, &reply, sizeof(reply)) &&
           (command != COMMAND_READ || !valid || transmit(socket, disk->current + offset, size));
}

static int wait_for_client(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof(address.sun_path)) {
        errno = ENAMETOOLONG;
        die(path);
    }
    memcpy(address.sun_path, path, strlen(path));
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (listener < 0 || bind(listener, (struct sockaddr *)&address, sizeof(address)) != 0 ||
        listen(listener, 1) != 0)
        die(path);
    int client = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    if (client < 0)
        die(path);
    close(listener);
    return client;
}

/* ---- The command line ---- */

static void usage(FILE *stream)
{
    fputs(
        "Usage: block-server [OPTION...] SOCKET IMAGE\n"
        "Serve IMAGE at a Unix socket by NBD, as a disk with a volatile cache, and cut its\n"
        "power when the client leaves.\n\n"
        "  --keep none|some|torn  what is left of writes that were not flushed: nothing (the\n"
        "                         default); each with probability 1/2; of each of these only\n"
        "                         the first sectors\n"
        "  --seed N               of that (default 0)\n"
        "  --unit BYTES           what is written as a whole, at a multiple of it: a multiple of\n"
        "                         512 (the default)\n"
        "  --ignore-flushes       say that flushes and FUA are done, and do nothing\n"
        "  --help\n\n"
        "What was lost is said on standard error. Exit status: 0, 1 trouble, 2 wrong usage.\n",
        stream);
}

static enum keep keep_of(const char *word)
{
    enum keep keep = KEEP_NONE;
    while (keep < KEEP_KINDS && strcmp(keep_words[keep], word) != 0)
        keep++;
    return keep;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"keep", required_argument, NULL, 'k'}, {"seed", required_argument, NULL, 's'},
        {"unit", required_argument, NULL, 'u'}, {"ignore-flushes", no_argument, NULL, 'i'},
        {"help", no_argument, NULL, 'h'},       {0}};
    struct disk disk = {.unit = 1};
    enum keep keep = KEEP_NONE;
    int option = 0;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        char *end = NULL;
        switch (option) {
        case 'h':
            usage(stdout);
            return 0;
        case 'i':
            disk.ignores_flushes = true;
            break;
        case 'k':
            keep = keep_of(optarg);
            break;
        case 's':
            disk.random = strtoull(optarg, &end, 10);
            break;
        case 'u':
            disk.unit = strtoull(optarg, &end, 10) / SECTOR;
            if (disk.unit == 0 || strtoull(optarg, NULL, 10) % SECTOR != 0)
                keep = KEEP_KINDS;
            break;
        default:
            keep = KEEP_KINDS;
        }
        if (keep == KEEP_KINDS || (end != NULL && *end != '\0'))
            break;
    }
    if (option != -1 || argc - optind != 2) {
        usage(stderr);
        return 2;
    }
    open_disk(&disk, argv[optind + 1]);
    int client = wait_for_client(argv[optind]);
    if (shake_hands(client, &disk))
        while (serve_request(client, &disk))
            ;
    lose(&disk, keep);
    return 0;
}
