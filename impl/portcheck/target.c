#include "target.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "text.h"
#include "uuid.h"

/* ---- Looking ---- */

/* An overlay is known by the file system that its upper directory is on. A UUID of its own is
 * kept there, and no older than its first mount. */
static void look_at_upper(struct pc_target *target)
{
    struct pc_mount mount = {0};
    char *upper = pc_list_value(target->mount.options, "upperdir");
    int directory = upper != NULL ? open(upper, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    if (directory >= 0 && pc_mount_find("", upper, pc_mount_id(directory), &mount))
        pc_uuid_find(directory, &mount, target->uuid, sizeof(target->uuid));
    if (directory >= 0)
        close(directory);
    pc_mount_free(&mount);
    free(upper);
}

static char *look_at(int directory, struct pc_target *target)
{
    struct stat status;
    if (fstat(directory, &status) != 0)
        return pc_format("%s: %s", target->path, strerror(errno));
    target->device = status.st_dev;
    target->inode = status.st_ino;
    char *whole = pc_directory_path(directory);
    bool found = whole != NULL && pc_mount_find("", whole, pc_mount_id(directory), &target->mount);
    free(whole);
    if (!found)
        return pc_format("%s: its mount is not in /proc/self/mountinfo: %s", target->path,
                         strerror(errno));
    if (strcmp(target->mount.type, "overlay") == 0)
        look_at_upper(target);
    if (target->uuid[0] == '\0')
        pc_uuid_find(directory, &target->mount, target->uuid, sizeof(target->uuid));
    return NULL;
}

char *pc_target_look(const char *path, struct pc_target *target)
{
    *target = (struct pc_target){.path = path};
    int directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0)
        return pc_format("%s: %s", path, strerror(errno));
    char *problem = look_at(directory, target);
    close(directory);
    return problem;
}

void pc_target_free(struct pc_target *target)
{
    pc_mount_free(&target->mount);
}

/* ---- Comparing ---- */

static bool is_in_memory(const char *type)
{
    static const char *const types[] = {"tmpfs", "ramfs", "rootfs", "devtmpfs"};
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
        if (strcmp(type, types[i]) == 0)
            return true;
    return false;
}

static bool is_device(const struct pc_target *target, const char *device)
{
    return strcmp(device, target->mount.device) == 0 || strcmp(device, target->mount.source) == 0 ||
           (target->uuid[0] != '\0' && strcasecmp(device, target->uuid) == 0);
}

char *pc_target_refuse(const struct pc_target *target, const struct pc_expected *expected)
{
    const struct pc_mount *mount = &target->mount;
    if (expected->fs != NULL && strcmp(expected->fs, mount->type) != 0)
        return pc_format("%s is on %s (%s, %s), expected %s: is the disk mounted there?",
                         target->path, mount->type, mount->source, mount->device, expected->fs);
    if (expected->fs == NULL && is_in_memory(mount->type))
        return pc_format("%s is on %s, in memory; is the disk mounted? (--expect-fs %s if "
                         "this is meant)",
                         target->path, mount->type, mount->type);
    if (expected->device != NULL && !is_device(target, expected->device))
        return pc_format("%s is on device %s (%s, UUID %s), expected %s: is the disk mounted "
                         "there?",
                         target->path, mount->device, mount->source,
                         target->uuid[0] != '\0' ? target->uuid : "unknown", expected->device);
    return NULL;
}

char *pc_target_changed(const struct pc_target *target)
{
    struct stat status;
    if (stat(target->path, &status) != 0)
        return pc_format("%s has gone: %s", target->path, strerror(errno));
    if (status.st_dev != target->device || status.st_ino != target->inode)
        return pc_format("%s is another directory than at the start", target->path);
    return NULL;
}

static bool is_other(const char *now, const char *before)
{
    return now == NULL || before == NULL || strcmp(now, before) != 0;
}

char *pc_target_changed_mount(const struct pc_target *target)
{
    struct pc_target now;
    char *problem = pc_target_changed(target);
    if (problem != NULL)
        return problem;
    problem = pc_target_look(target->path, &now);
    if (problem == NULL && (is_other(now.mount.device, target->mount.device) ||
                            is_other(now.mount.type, target->mount.type)))
        problem =
            pc_format("%s is on %s of %s now, and was on %s of %s", target->path, now.mount.type,
                      now.mount.device, target->mount.type, target->mount.device);
    if (problem == NULL && is_other(now.mount.options, target->mount.options))
        problem = pc_format("%s has other mount options now: %s", target->path, now.mount.options);
    pc_target_free(&now);
    return problem;
}
