#include "caller.h"
#include "calls.h"
#include "gate.h"
#include "scope.h"
#include "text.h"

#include <asm/unistd.h>
#include <errno.h>
#include <fcntl.h>

/* From linux/fs.h, which clashes with other headers. */
#define FLAG_DSYNC  0x02
#define FLAG_SYNC   0x04
#define FLAG_APPEND 0x10

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
        GATE_2(__NR_fstat, transfer->fd, &status);
        return (uint64_t)status.st_size;
    }
    if (transfer->offset >= 0)
        return (uint64_t)transfer->offset;
    return (uint64_t)GATE_3(__NR_lseek, transfer->fd, 0, SEEK_CUR);
}

/*
 * A write through O_SYNC or O_DSYNC makes its own bytes durable, an fsync all of
 * the file's. The two are the same as long as every other write to the file was
 * synced; if not, neither would be right.
 */
static void implied_sync_record(struct call *call, struct known *known, bool with_attributes)
{
    uint64_t written_by_this = call->record->end;
    if (known->written > known->synced)
        unsound_descriptor("a synchronous write to ", call->record->fd,
                           " after writes that were not synced is not supported yet");
    struct record *record = call->record;
    long result = record->result;
    call_commit(call); /* the write is done, whatever becomes of this process now */
    record->begin = 0;
    record->implied = true;
    record->offset = 0;
    call_record(call, with_attributes ? FF_EFFECT_SYNC_FILE : FF_EFFECT_SYNC_DATA, result, 0);
    known->synced = written_by_this;
}

static long file_write(const struct site *site, const struct transfer *transfer,
                       struct known *known)
{
    struct call call;
    call_enter(&call, site);
    long flags = GATE_2(__NR_fcntl, transfer->fd, F_GETFL);
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
    if (size != 0) {
        bool all = (flags & O_SYNC) == O_SYNC || (transfer->flags & FLAG_SYNC) != 0;
        bool data = (flags & O_DSYNC) != 0 || (transfer->flags & FLAG_DSYNC) != 0;
        if (all || data)
            implied_sync_record(&call, known, all);
        else
            known->written = record->end;
    }
    call_leave(&call);
    return result;
}

static long transfer_make(const struct site *site, const struct transfer *transfer)
{
    struct stat status;
    if (GATE_2(__NR_fstat, transfer->fd, &status) != 0)
        return call_pass(&transfer->raw);
    if (scope_is_output(&status))
        return output_write(site, transfer);
    struct known *known = NULL;
    if (S_ISREG(status.st_mode))
        known = scope_status(&status, transfer->fd);
    return known == NULL ? call_pass(&transfer->raw) : file_write(site, transfer, known);
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

long call_copy(const struct site *site, int fd, const off_t *offset, const struct raw_call *raw)
{
    struct stat status;
    struct call call;
    struct known *known = scope_descriptor(fd, &status);
    struct transfer target = {.fd = fd, .offset = -1};
    if (known == NULL || !S_ISREG(status.st_mode))
        return call_pass(raw);
    call_enter(&call, site);
    long flags = GATE_2(__NR_fcntl, fd, F_GETFL);
    long result = call_make(site, raw);
    call.record->fd = fd;
    call.record->node = known->node;
    uint64_t size = result < 0 ? 0 : (uint64_t)result;
    /* The offset that was used is known afterwards, wherever it was held. */
    uint64_t end = offset != NULL && result >= 0 ? (uint64_t)*offset : write_offset(&target, flags);
    call.record->offset = end - size;
    call_record(&call, size == 0 ? FF_EFFECT_NONE : FF_EFFECT_WRITE, result, size);
    written_record(&call, fd, call.record->offset, size);
    if (size != 0 && (flags & O_DSYNC) != 0)
        implied_sync_record(&call, known, (flags & O_SYNC) == O_SYNC);
    else if (size != 0)
        known->written = call.record->end;
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
    if (known != NULL && S_ISREG(status.st_mode))
        return resize(&call, known, &raw, size);
    call_forget(&call);
    return call_pass(&raw);
}
