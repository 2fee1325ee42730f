/*
 * UUIDs that are read from superblocks: those of images that mkfs makes are what blkid finds
 * there. Where a mkfs or blkid is not installed, what needs it is left out, and that is said.
 */
#include "unit.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "uuid.h"

static const struct {
    const char *type, *mkfs;
    off_t size;
} images[] = {
    {"ext4", "mkfs.ext4 -q", 16 << 20},    {"ext2", "mkfs.ext2 -q", 16 << 20},
    {"xfs", "mkfs.xfs -q", 400 << 20},     {"btrfs", "mkfs.btrfs -q", 200 << 20},
    {"f2fs", "mkfs.f2fs -q", 100 << 20},   {"vfat", "mkfs.vfat -F 32", 64 << 20},
    {"vfat", "mkfs.vfat -F 16", 32 << 20}, {"vfat", "mkfs.vfat -F 12", 4 << 20},
    {"exfat", "mkfs.exfat -q", 32 << 20},
};

enum { IMAGES = sizeof(images) / sizeof(images[0]) };

static char path[] = "/tmp/portcheck-uuid-XXXXXX";

/* The first line that a shell's command prints; false: it failed. */
static bool ask(const char *command, char *line, int size)
{
    char whole[256];
    snprintf(whole, sizeof(whole), "PATH=$PATH:/usr/sbin:/sbin; %s %s 2>&1", command, path);
    FILE *stream = popen(whole, "r");
    CU_ASSERT_PTR_NOT_NULL_FATAL(stream);
    bool printed = fgets(line, size, stream) != NULL;
    if (!printed)
        line[0] = '\0';
    line[strcspn(line, "\n")] = '\0';
    while (fgetc(stream) != EOF)
        ;
    return pclose(stream) == 0;
}

/* An image of that kind and its UUID; -1: it cannot be made here. */
static int make_image(size_t i, char *uuid, int size)
{
    char said[256];
    int file = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    CU_ASSERT_FATAL(file >= 0 && ftruncate(file, images[i].size) == 0);
    if (ask(images[i].mkfs, said, sizeof(said)) && ask("blkid -p -o value -s UUID", uuid, size))
        return file;
    printf("\n    left out: %s: %s\n", images[i].mkfs, said);
    close(file);
    return -1;
}

static void same_as_blkid(void)
{
    for (size_t i = 0; i < IMAGES; i++) {
        char uuid[64] = "", expected[64] = "";
        int file = make_image(i, expected, sizeof(expected));
        if (file < 0)
            continue;
        CU_ASSERT_TRUE(pc_uuid_of_superblock(file, images[i].type, uuid, sizeof(uuid)));
        CU_ASSERT_STRING_EQUAL(uuid, expected);
        /* Another type is not looked for, and no text is made of nothing. */
        for (size_t j = 0; j < IMAGES; j++)
            if (strcmp(images[i].type, images[j].type) != 0 &&
                (strncmp(images[i].type, "ext", 3) != 0 || strncmp(images[j].type, "ext", 3) != 0))
                CU_ASSERT_FALSE(pc_uuid_of_superblock(file, images[j].type, uuid, sizeof(uuid)));
        CU_ASSERT_STRING_EQUAL(uuid, expected);
        close(file);
    }
}

static void nothing_there(void)
{
    char uuid[64] = "";
    int file = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    for (size_t i = 0; i < IMAGES; i++)
        CU_ASSERT_FALSE(pc_uuid_of_superblock(file, images[i].type, uuid, sizeof(uuid)));
    CU_ASSERT_EQUAL(ftruncate(file, 1 << 20), 0);
    for (size_t i = 0; i < IMAGES; i++)
        CU_ASSERT_FALSE(pc_uuid_of_superblock(file, images[i].type, uuid, sizeof(uuid)));
    CU_ASSERT_STRING_EQUAL(uuid, "");
    close(file);
}

static void prepare(void)
{
    int file = mkstemp(path);
    CU_ASSERT_FATAL(file >= 0);
    close(file);
}

static void remove_image(void)
{
    CU_ASSERT_EQUAL(unlink(path), 0);
}

static const struct unit_test tests[] = {
    {"a file for the images", prepare},
    {"UUIDs are those that blkid finds", same_as_blkid},
    {"no file system, no UUID", nothing_there},
    {"the file is removed", remove_image},
};

UNIT_MAIN("portcheck uuid", tests)
