#include "uuid.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "text.h"

enum { UUID_SIZE = 16, SERIAL_SIZE = 4 };

/* As blkid writes it; of FAT it is a number of 32 bits, the lowest byte first. */
static void print(const uint8_t *u, size_t bytes, char *text, size_t size)
{
    if (bytes == SERIAL_SIZE)
        snprintf(text, size, "%02X%02X-%02X%02X", u[3], u[2], u[1], u[0]);
    else
        snprintf(text, size, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
                 u[0], u[1], u[2], u[3], u[4], u[5], u[6], u[7], u[8], u[9], u[10], u[11], u[12],
                 u[13], u[14], u[15]);
}

static bool is_none(const uint8_t *uuid, size_t bytes)
{
    static const uint8_t none[UUID_SIZE];
    return memcmp(uuid, none, bytes) == 0;
}

/* ---- The kernel ---- */

/* FS_IOC_GETFSUUID, Linux 6.9 (linux/fs.h), which older headers do not have. */
struct fs_uuid {
    uint8_t length;
    uint8_t uuid[UUID_SIZE];
};
#define GET_FS_UUID _IOR(0x15, 0, struct fs_uuid)

static bool ask_kernel(int directory, char *text, size_t size)
{
    struct fs_uuid uuid = {0};
    /* The type of the request is another one in each libc, the system call's is not. */
    if (syscall(SYS_ioctl, directory, GET_FS_UUID, &uuid) != 0 || uuid.length != UUID_SIZE ||
        is_none(uuid.uuid, UUID_SIZE))
        return false;
    print(uuid.uuid, UUID_SIZE, text, size);
    return true;
}

/* ---- udev ---- */

static bool is_device(const struct stat *status, const char *number)
{
    char *its = pc_format("%u:%u", major(status->st_rdev), minor(status->st_rdev));
    bool same = S_ISBLK(status->st_mode) && strcmp(its, number) == 0;
    free(its);
    return same;
}

/* The link that leads to the same device. */
static bool ask_udev(const char *device, char *text, size_t size)
{
    DIR *stream = opendir("/dev/disk/by-uuid");
    bool found = false;
    if (stream == NULL)
        return false;
    for (const struct dirent *entry; !found && (entry = readdir(stream)) != NULL;) {
        struct stat status;
        found =
            fstatat(dirfd(stream), entry->d_name, &status, 0) == 0 && is_device(&status, device);
        if (found)
            snprintf(text, size, "%s", entry->d_name);
    }
    closedir(stream);
    return found;
}

/* ---- The superblock ---- */

/* Where it is on the device, in bytes. Sources: the kernel's fs/ext4/ext4.h,
 * fs/xfs/libxfs/xfs_format.h, uapi/linux/btrfs_tree.h, f2fs_fs.h, msdos_fs.h, fs/exfat. */
static const struct superblock {
    const char *type; /* a pattern */
    const char *magic;
    off_t magic_at, uuid_at;
    size_t bytes;
} superblocks[] = {
    {"ext*", "\x53\xef", 1080, 1128, UUID_SIZE},
    {"xfs", "XFSB", 0, 32, UUID_SIZE},
    {"btrfs", "_BHRfS_M", 65600, 65568, UUID_SIZE},
    {"f2fs", "\x10\x20\xf5\xf2", 1024, 1132, UUID_SIZE},
    {"vfat", "FAT32", 82, 67, SERIAL_SIZE},
    {"vfat", "FAT", 54, 39, SERIAL_SIZE},
    {"exfat", "EXFAT", 3, 100, SERIAL_SIZE},
};

static bool read_superblock(int file, const struct superblock *superblock, char *text, size_t size)
{
    char magic[8];
    uint8_t uuid[UUID_SIZE];
    size_t length = strlen(superblock->magic), bytes = superblock->bytes;
    if (pread(file, magic, length, superblock->magic_at) != (ssize_t)length ||
        memcmp(magic, superblock->magic, length) != 0 ||
        pread(file, uuid, bytes, superblock->uuid_at) != (ssize_t)bytes || is_none(uuid, bytes))
        return false;
    print(uuid, bytes, text, size);
    return true;
}

/* The device by its number, as devtmpfs names it; by the mount's source where the file system
 * has a number of its own (btrfs). */
static int open_device(const struct pc_mount *mount)
{
    bool anonymous = strncmp(mount->device, "0:", 2) == 0;
    char *link = anonymous ? NULL : pc_read_link("/sys/dev/block/%s", mount->device);
    char *path = link != NULL ? pc_format("/dev/%s", pc_base_name(link)) : pc_copy(mount->source);
    int file = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    struct stat status;
    if (file >= 0 && (fstat(file, &status) != 0 || !S_ISBLK(status.st_mode) ||
                      (!anonymous && !is_device(&status, mount->device)))) {
        close(file);
        file = -1;
    }
    free(path);
    free(link);
    return file;
}

bool pc_uuid_of_superblock(int file, const char *type, char *text, size_t size)
{
    for (size_t i = 0; i < sizeof(superblocks) / sizeof(superblocks[0]); i++)
        if (pc_matches(superblocks[i].type, type) &&
            read_superblock(file, &superblocks[i], text, size))
            return true;
    return false;
}

static void ask_superblock(const struct pc_mount *mount, char *text, size_t size)
{
    int file = open_device(mount);
    if (file < 0)
        return;
    pc_uuid_of_superblock(file, mount->type, text, size);
    close(file);
}

void pc_uuid_find(int directory, const struct pc_mount *mount, char *text, size_t size)
{
    if (!ask_kernel(directory, text, size) && !ask_udev(mount->device, text, size))
        ask_superblock(mount, text, size);
}
