#include "names.h"

#include "../trace/memory.h"
#include "../trace/tree_walk.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

/* A file that has lost its name is in no state that a power cut leaves. */
#define APPEARED    (IN_CREATE | IN_MOVED_TO)
#define DISAPPEARED (IN_DELETE | IN_MOVED_FROM)
#define WATCHED     (APPEARED | DISAPPEARED | IN_MODIFY | IN_ONLYDIR | IN_EXCL_UNLINK)

static void not_watched(const struct names *names, const char *what)
{
    recording_unobserved(names->recording, "names-unwatched", what);
}

static char *path_join(const char *directory, const char *name)
{
    size_t room = strlen(directory) + strlen(name) + 2;
    char *path = ff_memory_allocate(room, 1);
    snprintf(path, room, "%s%s%s", directory, directory[0] == '\0' ? "" : "/", name);
    return path;
}

/* Watches *****************************************************************************/

/* The watch with that number, or NULL. */
static struct watch *watch_find(const struct names *names, int number)
{
    if (number <= 0 || (size_t)number >= names->watch_limit || names->watches[number].path == NULL)
        return NULL;
    return &names->watches[number];
}

static int watch_add(const struct names *names, const char *path)
{
    int number = inotify_add_watch(names->inotify, path, WATCHED);
    if (number < 0 && errno == ENOSPC)
        not_watched(names, "inotify has no watches left (fs.inotify.max_user_watches)");
    return number;
}

/* Remembers a watch under its number, unless it is known. Takes over path. */
static void watch_enter(struct names *names, int number, char *path, const struct watch *watch)
{
    size_t needed = (size_t)number + 1;
    names->watches =
        ff_memory_grow(names->watches, &names->watch_capacity, needed, sizeof(*names->watches));
    for (; names->watch_limit < needed; names->watch_limit++)
        names->watches[names->watch_limit] = (struct watch){0};
    struct watch *known = &names->watches[number];
    if (known->path == NULL)
        *known = *watch;
    else
        free(watch->name);
    free(known->path);
    known->path = path;
}

/* A directory of the snapshot. Takes over path. */
static void watch_old(struct names *names, char *path, uint32_t node)
{
    char *absolute = path_join(names->recording->root, path);
    int number = watch_add(names, absolute);
    free(absolute);
    if (number < 0)
        free(path);
    else
        watch_enter(names, number, path, &(struct watch){.node = node});
}

static int descriptor_watch(const struct names *names, int fd)
{
    char path[64];
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    return watch_add(names, path);
}

/*
 * Whether the directory open as fd is at this moment the one called name in the
 * watched directory. By now its path may lead elsewhere, and inode numbers may
 * have been used again, but the kernel gives the same number for the same
 * directory as long as it is watched.
 */
static bool is_there(const struct names *names, int parent, const char *name, int fd)
{
    struct stat one, other;
    int above = openat(fd, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (above < 0)
        return false;
    int number = descriptor_watch(names, above);
    if (number >= 0 && watch_find(names, number) == NULL)
        inotify_rm_watch(names->inotify, number);
    bool there = number == parent && fstat(fd, &one) == 0 &&
                 fstatat(above, name, &other, AT_SYMLINK_NOFOLLOW) == 0 &&
                 one.st_dev == other.st_dev && one.st_ino == other.st_ino;
    close(above);
    return there;
}

/*
 * A directory that appeared under a name. When it has already gone again, it is
 * not watched, or goes on being watched where it is.
 */
static void watch_new(struct names *names, int parent, const char *name)
{
    char *path = path_join(names->watches[parent].path, name);
    char *absolute = path_join(names->recording->root, path);
    int fd = open(absolute, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    free(absolute);
    int number = fd >= 0 && is_there(names, parent, name, fd) ? descriptor_watch(names, fd) : -1;
    if (fd >= 0)
        close(fd);
    if (number < 0) {
        free(path);
        return;
    }
    struct watch watch = {.parent = parent, .name = ff_memory_copy(name, strlen(name))};
    watch_enter(names, number, path, &watch);
}

/* Events ******************************************************************************/

static size_t *slot_find(const struct names *names, int watch, const char *name)
{
    uint64_t hash = XXH3_64bits_withSeed(name, strlen(name), (XXH64_hash_t)watch);
    for (size_t i = hash % names->slot_count;; i = (i + 1) % names->slot_count) {
        size_t *slot = &names->slots[i];
        if (*slot == 0)
            return slot;
        const struct name_event *event = &names->events[*slot - 1];
        if (event->watch == watch && strcmp(event->name, name) == 0)
            return slot;
    }
}

static void slots_grow(struct names *names)
{
    if (names->event_count * 2 < names->slot_count)
        return;
    free(names->slots);
    names->slot_count = names->slot_count * 2 + 64;
    names->slots = ff_memory_allocate(names->slot_count, sizeof(*names->slots));
    for (size_t i = 0; i < names->event_count; i++)
        *slot_find(names, names->events[i].watch, names->events[i].name) = i + 1;
}

static void event_enter(struct names *names, int watch, unsigned what, const char *name)
{
    slots_grow(names);
    size_t *slot = slot_find(names, watch, name);
    if (*slot == 0) {
        names->events = ff_memory_grow(names->events, &names->event_capacity,
                                       names->event_count + 1, sizeof(*names->events));
        names->events[names->event_count++] =
            (struct name_event){watch, 0, ff_memory_copy(name, strlen(name))};
        *slot = names->event_count;
    }
    names->events[*slot - 1].what |= what;
}

static void event_use(struct names *names, const struct inotify_event *event)
{
    unsigned what = 0;
    if ((event->mask & IN_Q_OVERFLOW) != 0)
        not_watched(names, "inotify dropped events (fs.inotify.max_queued_events)");
    if (watch_find(names, event->wd) == NULL || event->len == 0)
        return;
    if ((event->mask & APPEARED) != 0)
        what |= NAME_APPEARED;
    if ((event->mask & DISAPPEARED) != 0)
        what |= NAME_DISAPPEARED;
    if ((event->mask & IN_MODIFY) != 0)
        what |= NAME_CHANGED;
    event_enter(names, event->wd, what, event->name);
    if ((event->mask & IN_ISDIR) != 0 && what == NAME_APPEARED)
        watch_new(names, event->wd, event->name);
}

void names_read(struct names *names)
{
    _Alignas(struct inotify_event) char buffer[1 << 16];
    ssize_t size;
    while (names->inotify >= 0 && (size = read(names->inotify, buffer, sizeof(buffer))) > 0)
        for (char *next = buffer; next < buffer + size;) {
            const struct inotify_event *event = (const void *)next;
            event_use(names, event);
            next += sizeof(*event) + event->len;
        }
}

/* Life ********************************************************************************/

void names_watch(struct names *names, struct recording *recording)
{
    struct tree_walk walk;
    enum walk_event event;
    *names = (struct names){.recording = recording};
    names->inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (names->inotify < 0) {
        not_watched(names, "there is no inotify (fs.inotify.max_user_instances)");
        return;
    }
    watch_old(names, ff_memory_copy("", 0), FF_ROOT_NODE);
    ff_tree_walk_begin(&walk, recording->before);
    while ((event = ff_tree_walk_next(&walk)) != WALK_END)
        if (event == WALK_NAME && S_ISDIR(recording->before->nodes[walk.node].mode))
            watch_old(names, ff_tree_walk_path(&walk), walk.node);
    ff_tree_walk_end(&walk);
}

void names_close(struct names *names)
{
    if (names->inotify >= 0)
        close(names->inotify);
    for (size_t i = 0; i < names->watch_limit; i++) {
        free(names->watches[i].path);
        free(names->watches[i].name);
    }
    for (size_t i = 0; i < names->event_count; i++)
        free(names->events[i].name);
    free(names->watches);
    free(names->events);
    free(names->slots);
}
