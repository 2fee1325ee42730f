#include "tracee.h"

#include "../trace/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

/* From linux/pidfd.h of Linux 6.9. */
#define PIDFD_OF_THREAD O_EXCL

enum { PAGE_SIZE = 4096 };

void tracee_open(struct tracee *tracee, pid_t thread)
{
    *tracee = (struct tracee){.thread = thread, .pidfd = -1};
}

void tracee_close(struct tracee *tracee)
{
    if (tracee->pidfd >= 0)
        close(tracee->pidfd);
    free(tracee->groups);
}

/* /proc/THREAD/status ***********************************************************************/

static void groups_parse(struct tracee *tracee, const char *list)
{
    size_t capacity = 0;
    char *end;
    for (tracee->group_count = 0;; list = end) {
        unsigned long group = strtoul(list, &end, 10);
        if (end == list)
            break;
        tracee->groups = ff_memory_grow(tracee->groups, &capacity, tracee->group_count + 1,
                                        sizeof(*tracee->groups));
        tracee->groups[tracee->group_count++] = (gid_t)group;
        while (*end == ' ')
            end++;
        if (*end == '\n')
            break;
    }
}

static void status_parse(struct tracee *tracee, const char *line)
{
    unsigned first, second, third, fourth;
    if (sscanf(line, "Tgid: %u", &first) == 1)
        tracee->process = (pid_t)first;
    else if (sscanf(line, "Umask: %o", &first) == 1)
        tracee->umask = (mode_t)first;
    else if (sscanf(line, "NoNewPrivs: %u", &first) == 1)
        tracee->no_new_privileges = first != 0;
    else if (strncmp(line, "Groups:", 7) == 0)
        groups_parse(tracee, line + 7);
    else if (sscanf(line, "Uid: %u %u %u %u", &first, &second, &third, &fourth) == 4) {
        tracee->uid = second;
        tracee->fsuid = fourth;
    } else if (sscanf(line, "Gid: %u %u %u %u", &first, &second, &third, &fourth) == 4) {
        tracee->gid = second;
        tracee->fsgid = fourth;
    }
}

bool tracee_read_status(struct tracee *tracee)
{
    char path[64], *line = NULL;
    size_t size = 0;
    if (tracee->has_status)
        return true;
    snprintf(path, sizeof(path), "/proc/%d/status", tracee->thread);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return false;
    while (getline(&line, &size, file) > 0)
        status_parse(tracee, line);
    free(line);
    fclose(file);
    tracee->has_status = tracee->process != 0;
    return tracee->has_status;
}

/* Memory ************************************************************************************/

size_t tracee_read(const struct tracee *tracee, uint64_t address, void *to, size_t size)
{
    struct iovec local = {to, size}, remote = {(void *)(uintptr_t)address, size};
    ssize_t count = process_vm_readv(tracee->thread, &local, 1, &remote, 1, 0);
    return count < 0 ? 0 : (size_t)count;
}

size_t tracee_write(const struct tracee *tracee, uint64_t address, const void *from, size_t size)
{
    struct iovec local = {(void *)(uintptr_t)from, size};
    struct iovec remote = {(void *)(uintptr_t)address, size};
    ssize_t count = process_vm_writev(tracee->thread, &local, 1, &remote, 1, 0);
    return count < 0 ? 0 : (size_t)count;
}

/* Page by page: what follows the text need not be readable. */
bool tracee_read_text(const struct tracee *tracee, uint64_t address, char *to, size_t size)
{
    size_t got = 0;
    while (got < size) {
        size_t part = PAGE_SIZE - (address + got) % PAGE_SIZE;
        part = part < size - got ? part : size - got;
        size_t count = tracee_read(tracee, address + got, to + got, part);
        if (memchr(to + got, '\0', count) != NULL)
            return true;
        if (count < part)
            return false;
        got += count;
    }
    return false;
}

/* Descriptors *******************************************************************************/

int tracee_descriptor(struct tracee *tracee, int fd)
{
    if (tracee->pidfd < 0)
        tracee->pidfd = (int)syscall(SYS_pidfd_open, tracee->thread, PIDFD_OF_THREAD);
    /* Before Linux 6.9 only the first thread will do, with which others share them. */
    if (tracee->pidfd < 0 && errno == EINVAL && tracee_read_status(tracee))
        tracee->pidfd = (int)syscall(SYS_pidfd_open, tracee->process, 0);
    if (tracee->pidfd < 0)
        return -errno;
    int copy = (int)syscall(SYS_pidfd_getfd, tracee->pidfd, fd, 0);
    return copy < 0 ? -errno : copy;
}

/* Paths *************************************************************************************/

/* Whether path is prefix, or something below it; *rest is what follows. */
static bool path_is_below(const char *path, const char *prefix, const char **rest)
{
    size_t length = strlen(prefix);
    if (strncmp(path, prefix, length) != 0 || (path[length] != '/' && path[length] != '\0'))
        return false;
    *rest = path + length;
    return true;
}

/* rest may lie in path. */
static bool path_set(char path[PATH_MAX], const char *start, const char *rest)
{
    char changed[PATH_MAX];
    int length = snprintf(changed, sizeof(changed), "%s%s", start, rest);
    if (length >= PATH_MAX)
        return false;
    memcpy(path, changed, (size_t)length + 1);
    return true;
}

/* What names the process that looks. */
static bool path_of_itself(struct tracee *tracee, char path[PATH_MAX], bool *found)
{
    static const struct {
        const char *prefix;
        const char *target; /* in /proc/THREAD */
    } own[] = {
        {"/proc/self", ""},      {"/proc/thread-self", ""}, {"/dev/fd", "/fd"},
        {"/dev/stdin", "/fd/0"}, {"/dev/stdout", "/fd/1"},  {"/dev/stderr", "/fd/2"},
    };
    const char *rest;
    for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
        if (!path_is_below(path, own[i].prefix, &rest))
            continue;
        char start[64];
        snprintf(start, sizeof(start), "/proc/%d%s", tracee->thread, own[i].target);
        *found = true;
        return path_set(path, start, rest);
    }
    *found = false;
    return true;
}

/* Whether the process is in another namespace of this kind than this thread. */
static bool has_other_namespace(const struct tracee *tracee, const char *kind)
{
    char path[64];
    struct stat own, other;
    snprintf(path, sizeof(path), "/proc/thread-self/ns/%s", kind);
    if (stat(path, &own) != 0)
        return false;
    snprintf(path, sizeof(path), "/proc/%d/ns/%s", tracee->thread, kind);
    return stat(path, &other) == 0 && own.st_ino != other.st_ino;
}

/* Whether the process sees another file tree than this one does. */
static bool has_other_root(const struct tracee *tracee)
{
    char path[64];
    struct stat own, other;
    snprintf(path, sizeof(path), "/proc/%d/root", tracee->thread);
    if (stat("/", &own) != 0 || stat(path, &other) != 0)
        return false;
    return own.st_ino != other.st_ino || own.st_dev != other.st_dev ||
           has_other_namespace(tracee, "mnt");
}

bool tracee_translate_path(struct tracee *tracee, char path[PATH_MAX])
{
    bool found;
    if (path[0] != '/')
        return true;
    if (!path_of_itself(tracee, path, &found) || found)
        return found;
    if (!has_other_root(tracee))
        return true;
    char start[64];
    snprintf(start, sizeof(start), "/proc/%d/root", tracee->thread);
    return path_set(path, start, path);
}

bool tracee_enter_directory(const struct tracee *tracee)
{
    char path[64];
    snprintf(path, sizeof(path), "/proc/%d/cwd", tracee->thread);
    return chdir(path) == 0;
}

/* Identity **********************************************************************************/

/* A map's lines are "first inside, first here, how many" (user_namespaces(7)). */
static bool id_translate(const struct tracee *tracee, const char *map, uint32_t *id)
{
    char path[64];
    uint32_t inside, outside, count;
    bool found = false;
    if (*id == UINT32_MAX || !has_other_namespace(tracee, "user"))
        return true;
    snprintf(path, sizeof(path), "/proc/%d/%s", tracee->thread, map);
    FILE *file = fopen(path, "re");
    while (file != NULL && !found && fscanf(file, "%u %u %u", &inside, &outside, &count) == 3)
        if (*id >= inside && *id - inside < count) {
            *id = outside + (*id - inside);
            found = true;
        }
    if (file != NULL)
        fclose(file);
    return found;
}

bool tracee_translate_user(const struct tracee *tracee, uint32_t *id)
{
    return id_translate(tracee, "uid_map", id);
}

bool tracee_translate_group(const struct tracee *tracee, uint32_t *id)
{
    return id_translate(tracee, "gid_map", id);
}

/* libc's functions of these names change all threads. */
static void groups_set(const gid_t *groups, size_t count)
{
    syscall(SYS_setgroups, count, groups);
}

static bool groups_are(const struct identity *own, const struct tracee *tracee)
{
    size_t count = own->group_count < 0 ? 0 : (size_t)own->group_count;
    return count == tracee->group_count &&
           (count == 0 || memcmp(own->groups, tracee->groups, count * sizeof(gid_t)) == 0);
}

void tracee_impersonate(struct tracee *tracee, struct identity *own)
{
    own->changed = false;
    if (!tracee_read_status(tracee))
        return;
    umask(tracee->umask);
    own->fsuid = geteuid();
    own->fsgid = getegid();
    own->group_count = getgroups((int)(sizeof(own->groups) / sizeof(gid_t)), own->groups);
    own->changed = own->fsuid == 0 && (tracee->fsuid != own->fsuid || tracee->fsgid != own->fsgid ||
                                       !groups_are(own, tracee));
    if (!own->changed)
        return;
    groups_set(tracee->groups, tracee->group_count);
    syscall(SYS_setfsgid, tracee->fsgid);
    syscall(SYS_setfsuid, tracee->fsuid);
}

void identity_restore(const struct identity *own)
{
    if (!own->changed)
        return;
    syscall(SYS_setfsuid, own->fsuid);
    syscall(SYS_setfsgid, own->fsgid);
    groups_set(own->groups, own->group_count < 0 ? 0 : (size_t)own->group_count);
}
