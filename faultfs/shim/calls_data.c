#include "caller.h"
#include "calls.h"
#include "gate.h"
#include "scope.h"
#include "text.h"

#include <asm/unistd.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <time.h>

/* From linux/fs.h, which clashes with other headers. */
#define FLAG_DSYNC  0x02
#define FLAG_SYNC   0x04
#define FLAG_APPEND 0x10

/* UIO_MAXIOV of linux/uio.h */
#define PIECES_LIMIT 1024

/* Writing **********************************************************************************/

struct transfer {
    int fd;
    const struct iovec *pieces;
    uint64_t piece_count;
    off_t offset; /* -1: the descriptor's own */
    int flags;    /* of pwritev2 */
    struct raw_call raw;
};

/* The first size bytes of the pieces, into the record. */
static void pieces_record(struct call *call, const struct transfer *transfer, uint64_t size)
{
    for (uint64_t i = 0; i < transfer->piece_count && size != 0; i++) {
        const struct iovec *piece = &transfer->pieces[i];
        uint64_t part = piece->iov_len < size ? piece->iov_len : size;
        call_data(call, piece->iov_base, part);
        size -= part;
    }
}

/*
 * Standard output is a pipe, so a write may block until the launcher reads: only
 * the output lock is held over it.
 */
static long output_write(const struct site *site, const struct transfer *transfer)
{
    uint64_t signals;
    struct call call;
    /* What was stored before it was said is recorded before it. */
    mapping_scan(site);
    output_enter(site, transfer->fd, &signals);
    long result = gate_call(&transfer->raw);
    call_enter_completed(&call, site, channel->output_pending.begin);
    call.record->fd = transfer->fd;
    uint64_t size = result < 0 ? 0 : (uint64_t)result;
    call_record(&call, FF_EFFECT_OUTPUT, result, size);
    pieces_record(&call, transfer, size);
    call_leave(&call);
    output_leave(signals);
    return result;
}

/*
 * Where the bytes will go. On Linux O_APPEND wins over the offset of a pwrite
 * (pwrite(2), BUGS), and over the descriptor's.
 */
static uint64_t write_offset(const struct transfer *transfer, long descriptor_flags)
{
    struct stat status;
    if ((descriptor_flags & O_APPEND) != 0 || (transfer->flags & FLAG_APPEND) != 0) {
        descriptor_status(transfer->fd, &status);
        return (uint64_t)status.st_size;
    }
    if (transfer->offset >= 0)
        return (uint64_t)transfer->offset;
    return (uint64_t)GATE_3(__NR_lseek, transfer->fd, 0, SEEK_CUR);
}

/*
 * A write through O_SYNC or O_DSYNC makes its own bytes durable before it returns
 * (open(2)), and only these.
 */
static void implied_sync_record(struct call *call, long descriptor_flags, int write_flags)
{
    struct record *record = call->record;
    uint64_t offset = record->offset, size = record->data_size;
    long result = record->result;
    bool all = (descriptor_flags & O_SYNC) == O_SYNC || (write_flags & FLAG_SYNC) != 0;
    bool data = (descriptor_flags & O_DSYNC) != 0 || (write_flags & FLAG_DSYNC) != 0;
    if (size == 0 || (!all && !data))
        return;
    call_next(call);
    record->offset = offset;
    record->length = size;
    call_record(call, all ? FF_EFFECT_SYNC_RANGE : FF_EFFECT_SYNC_RANGE_DATA, result, 0);
}

/* A write by somebody without the right to keep them clears set-id bits (inode(7)). */
static void mode_record(struct call *call, int fd, const struct stat *before)
{
    struct stat after;
    const unsigned bits = S_ISUID | S_ISGID;
    long result = call->record->result;
    if ((before->st_mode & bits) == 0 || descriptor_status(fd, &after) != 0 ||
        after.st_mode == before->st_mode)
        return;
    call_next(call);
    call->record->mode = after.st_mode;
    call->record->uid = after.st_uid;
    call->record->gid = after.st_gid;
    call_record(call, FF_EFFECT_ATTRIBUTES, result, 0);
}

/* What a write hands to the kernel, in memory that nobody else changes. */
struct private_copy {
    struct transfer transfer;
    struct iovec whole;
    long mapped; /* memory of its own, or 0 */
};

static void copy_make_private(struct private_copy *copy, const struct transfer *transfer,
                              uint32_t thread)
{
    bool vector = transfer->raw.number != __NR_write && transfer->raw.number != __NR_pwrite64;
    uint64_t size = 0;
    void *to = channel->value;
    *copy = (struct private_copy){.transfer = *transfer};
    if (vector && !scope_is_readable((const char *)transfer->pieces))
        return;
    /* The kernel takes the number of pieces for an int, and refuses too many. */
    for (uint64_t i = 0; i < transfer->piece_count && transfer->piece_count <= PIECES_LIMIT; i++)
        size += transfer->pieces[i].iov_len;
    if (size == 0 || size > INT32_MAX)
        return;
    if (size > sizeof(channel->value)) {
        copy->mapped =
            GATE_6(__NR_mmap, 0, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (copy->mapped < 0 && copy->mapped > -4096)
            return;
        to = (void *)copy->mapped; /* NOLINT(performance-no-int-to-ptr) */
    }
    long copied = caller_copy(thread, to, size, transfer->pieces, transfer->piece_count);
    if (copied <= 0)
        return;
    copy->whole = (struct iovec){to, (size_t)copied};
    copy->transfer.pieces = &copy->whole;
    copy->transfer.piece_count = 1;
    copy->transfer.raw.arguments[1] = vector ? (long)&copy->whole : (long)to;
    copy->transfer.raw.arguments[2] = vector ? 1 : copied;
}

static void copy_release(const struct private_copy *copy, const struct transfer *transfer)
{
    uint64_t size = 0;
    if (copy->mapped == 0 || (copy->mapped < 0 && copy->mapped > -4096))
        return;
    for (uint64_t i = 0; i < transfer->piece_count; i++)
        size += transfer->pieces[i].iov_len;
    GATE_2(__NR_munmap, copy->mapped, size);
}

static long file_write(const struct site *site, const struct transfer *asked,
                       const struct known *known, const struct stat *before)
{
    struct call call;
    struct private_copy copy;
    const struct transfer *transfer = &copy.transfer;
    call_enter(&call, site);
    copy_make_private(&copy, asked, call.record->thread);
    long flags = GATE_2(__NR_fcntl, transfer->fd, F_GETFL);
    if (known->mapped || (flags & O_DSYNC) != 0 || transfer->flags != 0)
        call_scan(&call);
    struct record *record = call.record;
    record->fd = transfer->fd;
    record->node = known->node;
    record->offset = write_offset(transfer, flags);
    record->effect = FF_EFFECT_WRITE;
    call_arm(&call);
    long result = call_make(site, &transfer->raw);
    uint64_t size = result < 0 ? 0 : (uint64_t)result;
    /* Writing nothing does nothing. */
    call_record(&call, size == 0 ? FF_EFFECT_NONE : FF_EFFECT_WRITE, result, size);
    pieces_record(&call, transfer, size);
    implied_sync_record(&call, flags, transfer->flags);
    mode_record(&call, transfer->fd, before);
    call_leave(&call);
    copy_release(&copy, asked);
    return result;
}

static long transfer_make(const struct site *site, const struct transfer *transfer)
{
    struct stat status;
    if (descriptor_status(transfer->fd, &status) != 0)
        return call_pass(&transfer->raw);
    if (scope_is_output(&status))
        return output_write(site, transfer);
    struct known *known = NULL;
    if (S_ISREG(status.st_mode))
        known = scope_status(&status, transfer->fd);
    return known == NULL ? call_pass(&transfer->raw) : file_write(site, transfer, known, &status);
}

long call_write(const struct site *site, int fd, const void *data, size_t size)
{
    struct iovec piece = {(void *)(uintptr_t)data, size};
    struct transfer transfer = {fd, &piece, 1, -1, 0, {__NR_write, {fd, (long)data, (long)size}}};
    return transfer_make(site, &transfer);
}

long call_pwrite(const struct site *site, int fd, const void *data, size_t size, off_t offset)
{
    struct iovec piece = {(void *)(uintptr_t)data, size};
    struct transfer transfer = {
        fd, &piece, 1, offset, 0, {__NR_pwrite64, {fd, (long)data, (long)size, offset}}};
    return transfer_make(site, &transfer);
}

long call_writev(const struct site *site, int fd, const struct iovec *pieces, int count)
{
    struct transfer transfer = {fd, pieces, (uint64_t)count,
                                -1, 0,      {__NR_writev, {fd, (long)pieces, count}}};
    return transfer_make(site, &transfer);
}

/* A 64-bit kernel takes the offset in one register and ignores the other. */
long call_pwritev(const struct site *site, int fd, const struct iovec *pieces, int count,
                  off_t offset, int flags, bool second_form)
{
    struct transfer transfer = {
        fd,
        pieces,
        (uint64_t)count,
        offset,
        flags,
        {second_form ? __NR_pwritev2 : __NR_pwritev, {fd, (long)pieces, count, offset, 0, flags}}};
    return transfer_make(site, &transfer);
}

/* Copying **********************************************************************************/

/* What now is in the file, for bytes that the recorder never held. */
static void written_record(struct call *call, int fd, uint64_t offset, uint64_t size)
{
    char path[DESCRIPTOR_PATH_SIZE];
    descriptor_path(fd, path);
    /* The descriptor itself may be for writing only. */
    long copy = GATE_4(__NR_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
    char piece[2048];
    while (size != 0) {
        uint64_t part = size < sizeof(piece) ? size : sizeof(piece);
        long count = copy < 0 ? copy : GATE_4(__NR_pread64, copy, piece, part, offset);
        if (count <= 0) {
            unsound_descriptor("reading back what was copied to ", fd, " failed");
            memset(piece, 0, sizeof(piece));
            count = (long)part;
        }
        call_data(call, piece, (uint64_t)count);
        offset += (uint64_t)count;
        size -= (uint64_t)count;
    }
    if (copy >= 0)
        GATE_1(__NR_close, copy);
}

/* Enters with the lock held, and leaves. */
static long copy_make(struct call *call, int fd, const struct known *known, const off_t *offset,
                      const struct raw_call *raw, const struct stat *before)
{
    struct transfer target = {.fd = fd, .offset = -1};
    long flags = GATE_2(__NR_fcntl, fd, F_GETFL);
    call_scan(call);
    long result = call_make(call->site, raw);
    call->record->fd = fd;
    call->record->node = known->node;
    uint64_t size = result < 0 ? 0 : (uint64_t)result;
    /* The offset that was used is known afterwards, wherever it was held. */
    uint64_t end = offset != NULL && result >= 0 ? (uint64_t)*offset : write_offset(&target, flags);
    call->record->offset = end - size;
    call_record(call, size == 0 ? FF_EFFECT_NONE : FF_EFFECT_WRITE, result, size);
    written_record(call, fd, call->record->offset, size);
    implied_sync_record(call, flags, 0);
    mode_record(call, fd, before);
    call_leave(call);
    return result;
}

long call_copy(const struct site *site, int fd, const off_t *offset, const struct raw_call *raw)
{
    struct stat status;
    struct call call;
    const struct known *known = scope_descriptor(fd, &status);
    if (known == NULL || !S_ISREG(status.st_mode))
        return call_pass(raw);
    call_enter(&call, site);
    return copy_make(&call, fd, known, offset, raw, &status);
}

/* From fcntl.h, of GNU only. */
#define SPLICE_NONBLOCK 2

/*
 * A splice may wait until there is something in the pipe, which must not be with
 * the lock held: it is made without waiting, and the waiting done outside.
 */
long call_splice(const struct site *site, const struct raw_call *raw)
{
    struct stat status;
    struct call call;
    struct raw_call attempt = *raw;
    int from = (int)raw->arguments[0], fd = (int)raw->arguments[2];
    const off_t *offset = (const off_t *)raw->arguments[3]; /* NOLINT(performance-no-int-to-ptr) */
    const struct known *known = scope_descriptor(fd, &status);
    bool waits = (raw->arguments[5] & SPLICE_NONBLOCK) == 0 &&
                 (GATE_2(__NR_fcntl, from, F_GETFL) & O_NONBLOCK) == 0;
    if (known == NULL || !S_ISREG(status.st_mode))
        return call_pass(raw);
    struct timespec now = {0, 0};
    attempt.arguments[5] |= SPLICE_NONBLOCK;
    for (;;) {
        struct {
            int fd;
            short events, revents;
        } input = {from, POLLIN, 0};
        call_enter(&call, site);
        long ready = GATE_6(__NR_ppoll, &input, 1, &now, 0, 0, 0);
        if (ready != 0 || !waits)
            return copy_make(&call, fd, known, offset, &attempt, &status);
        call_forget(&call);
        if (!caller_may_wait())
            return CALL_AGAIN;
        long result = GATE_6(__NR_ppoll, &input, 1, 0, 0, 0, 0);
        if (result == -EINTR)
            return result;
    }
}

/* Allocating *******************************************************************************/

/* From linux/falloc.h. */
#define FALLOCATE_KEEP_SIZE   0x01
#define FALLOCATE_PUNCH_HOLE  0x02
#define FALLOCATE_COLLAPSE    0x08
#define FALLOCATE_ZERO        0x10
#define FALLOCATE_INSERT      0x20
#define FALLOCATE_WRITE_ZEROS 0x80

/* Bytes offset .. end of the file are what is there now. False: there are none. */
static bool content_record(struct call *call, int fd, uint64_t offset, uint64_t end, long result)
{
    if (offset >= end)
        return false;
    call->record->offset = offset;
    call_record(call, FF_EFFECT_WRITE, result, end - offset);
    written_record(call, fd, offset, end - offset);
    call_next(call);
    return true;
}

/*
 * What an allocation of any kind did, told by the size before and after: bytes that
 * were zeroed or moved are one write, and a change of the size is another record.
 */
static void allocation_record(struct call *call, int fd, int mode, const struct raw_call *raw,
                              const struct stat *before, long result)
{
    struct stat after;
    uint64_t offset = (uint64_t)raw->arguments[2], end = offset + (uint64_t)raw->arguments[3];
    const int zeroing = FALLOCATE_PUNCH_HOLE | FALLOCATE_ZERO | FALLOCATE_WRITE_ZEROS;
    if (descriptor_status(fd, &after) != 0)
        after = *before;
    uint64_t size = (uint64_t)before->st_size, new_size = (uint64_t)after.st_size;
    uint64_t common = new_size < size ? new_size : size;
    bool wrote = false, resized = result == 0 && new_size != size;
    if (result == 0 && (mode & (FALLOCATE_COLLAPSE | FALLOCATE_INSERT)) != 0)
        wrote = content_record(call, fd, offset, common, result);
    else if (result == 0 && (mode & zeroing) != 0)
        wrote = content_record(call, fd, offset, end < size ? end : size, result);
    if (resized && (mode & FALLOCATE_INSERT) != 0) {
        content_record(call, fd, size, new_size, result);
        return;
    }
    if (resized)
        call->record->offset = new_size;
    if (resized || !wrote)
        call_record(call, resized ? FF_EFFECT_RESIZE : FF_EFFECT_NONE, result, 0);
}

long call_fallocate(const struct site *site, const struct raw_call *raw)
{
    struct stat status;
    struct call call;
    int fd = (int)raw->arguments[0], mode = (int)raw->arguments[1];
    const struct known *known = scope_descriptor(fd, &status);
    if (known == NULL || !S_ISREG(status.st_mode))
        return call_pass(raw);
    call_enter(&call, site);
    call_scan(&call);
    /* Another thread may have changed it while the lock was not held. */
    descriptor_status(fd, &status);
    call.record->fd = fd;
    call.record->node = known->node;
    long result = call_make(site, raw);
    allocation_record(&call, fd, mode, raw, &status, result);
    mode_record(&call, fd, &status);
    call_leave(&call);
    return result;
}

/* Cloning **********************************************************************************/

long call_clone_range(const struct site *site, int fd, int from, const struct clone_range *range,
                      const struct raw_call *raw)
{
    struct stat status, source;
    struct call call;
    const struct known *known = scope_descriptor(fd, &status);
    if (known == NULL || !S_ISREG(status.st_mode))
        return call_pass(raw);
    call_enter(&call, site);
    call_scan(&call);
    call.record->fd = fd;
    call.record->node = known->node;
    call.record->offset = range->to;
    long result = call_make(site, raw);
    /* A length of 0 is all to the end of the source (ioctl_ficlonerange(2)). */
    uint64_t size = range->size;
    if (result == 0 && size == 0 && descriptor_status(from, &source) == 0)
        size = (uint64_t)source.st_size - range->from;
    size = result == 0 ? size : 0;
    call_record(&call, size == 0 ? FF_EFFECT_NONE : FF_EFFECT_WRITE, result, size);
    written_record(&call, fd, range->to, size);
    call_leave(&call);
    return result;
}

/* Truncating *******************************************************************************/

/* Enters with the lock held, and leaves. */
static long resize(struct call *call, struct known *known, const struct raw_call *raw, off_t size)
{
    call->record->node = known->node;
    call->record->offset = (uint64_t)size;
    call->record->effect = FF_EFFECT_RESIZE;
    call_arm(call);
    long result = call_make(call->site, raw);
    call_record(call, FF_EFFECT_RESIZE, result, 0);
    call_leave(call);
    return result;
}

long call_ftruncate(const struct site *site, int fd, off_t size)
{
    struct raw_call raw = {__NR_ftruncate, {fd, size}};
    struct stat status;
    struct call call;
    struct known *known = scope_descriptor(fd, &status);
    if (known == NULL || !S_ISREG(status.st_mode))
        return call_pass(&raw);
    call_enter(&call, site);
    call_scan(&call);
    call.record->fd = fd;
    return resize(&call, known, &raw, size);
}

long call_truncate(const struct site *site, const char *path, off_t size)
{
    struct raw_call raw = {__NR_truncate, {(long)path, size}};
    struct stat status;
    struct call call;
    call_enter(&call, site);
    struct known *known = NULL;
    if (status_get(AT_FDCWD, path, 0, &status) == 0)
        known = scope_status(&status, -1);
    if (known != NULL && S_ISREG(status.st_mode)) {
        call_scan(&call);
        return resize(&call, known, &raw, size);
    }
    call_forget(&call);
    return call_pass(&raw);
}
