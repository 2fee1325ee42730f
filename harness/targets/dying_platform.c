/*
 * What changes files is looked at here, the rest goes straight to the base: see
 * dying_platform.h.
 */
#include "dying_platform.h"

#include <errno.h>

static int dying_open(void *context, int directory, const char *name, unsigned flags)
{
    const struct dying_platform *dying = context;
    if (dying->dead && (flags & MF_OPEN_CREATE) != 0)
        return -EIO;
    return dying->base->open(dying->base->context, directory, name, flags);
}

static int64_t dying_write(void *context, int file, const void *buffer, size_t size,
                           uint64_t offset)
{
    const struct dying_platform *dying = context;
    if (dying->dead)
        return -EIO;
    return dying->base->write(dying->base->context, file, buffer, size, offset);
}

/* Files synced together count as one sync after the other, so that a death between
 * two of them is one of the moments. */
static int dying_sync(void *context, int handle)
{
    struct dying_platform *dying = context;
    if (dying->dead || --dying->syncs_left == 0) {
        dying->dead = true;
        return -EIO;
    }
    return dying->base->sync(dying->base->context, handle);
}

static int dying_rename(void *context, int directory, const char *from, const char *to)
{
    const struct dying_platform *dying = context;
    if (dying->dead)
        return -EIO;
    return dying->base->rename(dying->base->context, directory, from, to);
}

static int dying_remove(void *context, int directory, const char *name)
{
    const struct dying_platform *dying = context;
    if (dying->dead)
        return -EIO;
    return dying->base->remove(dying->base->context, directory, name);
}

/* The calls that change nothing get the base's context from here. */
static int dying_open_directory(void *context, const char *path)
{
    const struct dying_platform *dying = context;
    return dying->base->open_directory(dying->base->context, path);
}

static int dying_make_directory(void *context, const char *path)
{
    const struct dying_platform *dying = context;
    return dying->dead ? -EIO : dying->base->make_directory(dying->base->context, path);
}

static int dying_close(void *context, int handle)
{
    const struct dying_platform *dying = context;
    return dying->base->close(dying->base->context, handle);
}

static int64_t dying_read(void *context, int file, void *buffer, size_t size, uint64_t offset)
{
    const struct dying_platform *dying = context;
    return dying->base->read(dying->base->context, file, buffer, size, offset);
}

static int dying_status(void *context, int handle, struct mf_status *status)
{
    const struct dying_platform *dying = context;
    return dying->base->status(dying->base->context, handle, status);
}

static int dying_status_at(void *context, int directory, const char *name, struct mf_status *status)
{
    const struct dying_platform *dying = context;
    return dying->base->status_at(dying->base->context, directory, name, status);
}

static int dying_list(void *context, int directory, int (*visit)(void *argument, const char *name),
                      void *argument)
{
    const struct dying_platform *dying = context;
    return dying->base->list(dying->base->context, directory, visit, argument);
}

static int dying_lock(void *context, int file, uint32_t timeout_ms)
{
    const struct dying_platform *dying = context;
    return dying->base->lock(dying->base->context, file, timeout_ms);
}

static int dying_now(void *context, uint64_t *seconds)
{
    const struct dying_platform *dying = context;
    return dying->base->now(dying->base->context, seconds);
}

void dying_platform_init(struct dying_platform *dying, const struct mf_platform *base,
                         unsigned syncs)
{
    *dying = (struct dying_platform){
        .table =
            {
                .context = dying,
                .open_directory = dying_open_directory,
                .make_directory = dying_make_directory,
                .open = dying_open,
                .close = dying_close,
                .read = dying_read,
                .write = dying_write,
                .sync = dying_sync,
                .rename = dying_rename,
                .remove = dying_remove,
                .status = dying_status,
                .status_at = dying_status_at,
                .list = dying_list,
                .lock = dying_lock,
                .now = dying_now,
            },
        .base = base,
        .syncs_left = syncs,
    };
}
