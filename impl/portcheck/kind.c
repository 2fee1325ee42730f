#include "kind.h"

#include <stddef.h>

#include "text.h"

#define SERVER "what survives is decided by the server and its file system; validate there"
#define MEMORY "it is held in memory: nothing survives a power cut"
#define READ   "it is read-only"

/* The first row that matches counts. */
static const struct pc_kind kinds[] = {
    {"ext4", "rename", PC_SUPPORT_MEASURED, "its journal makes a rename one step"},
    {"ext3", "rename", PC_SUPPORT_MODELED, "its journal makes a rename one step"},
    {"ext2", "slots", PC_SUPPORT_MODELED, "it has no journal: a rename is several writes"},
    {"xfs", "rename", PC_SUPPORT_MEASURED, "its log makes a rename one step"},
    {"btrfs", "rename", PC_SUPPORT_MEASURED, "a rename belongs to one transaction of its trees"},
    {"f2fs", "rename", PC_SUPPORT_MEASURED, "a sync of the directory makes a checkpoint"},
    {"ubifs", "rename", PC_SUPPORT_MEASURED, "its journal makes a rename one step"},
    {"jffs2", "rename", PC_SUPPORT_UNMEASURED,
     "a log of nodes: the new name is one node, which a cut leaves written or not"},
    {"yaffs*", "rename", PC_SUPPORT_UNMEASURED, "a log; its driver is not part of Linux"},
    {"bcachefs", "rename", PC_SUPPORT_UNMEASURED, "its journal should make a rename one step"},
    {"nilfs2", "rename", PC_SUPPORT_UNMEASURED, "a log: a rename belongs to one checkpoint"},
    {"zfs", "rename", PC_SUPPORT_UNMEASURED, "a rename belongs to one transaction group"},
    {"vfat", "slots", PC_SUPPORT_MEASURED,
     "the name, the size and the first cluster are one directory entry, which a rename writes "
     "anew: a cut leaves the new name on an empty file"},
    {"msdos", "slots", PC_SUPPORT_MODELED, "as vfat"},
    {"exfat", "slots", PC_SUPPORT_UNMEASURED,
     "directory entries as of vfat; no model describes it and no board was cut with it"},
    {"ntfs*", "slots", PC_SUPPORT_UNMEASURED, "no model describes it and no board was cut with it"},
    {"tmpfs", "none", PC_SUPPORT_NONE, MEMORY},
    {"ramfs", "none", PC_SUPPORT_NONE, MEMORY},
    {"rootfs", "none", PC_SUPPORT_NONE, MEMORY},
    {"devtmpfs", "none", PC_SUPPORT_NONE, MEMORY},
    {"hugetlbfs", "none", PC_SUPPORT_NONE, MEMORY},
    {"squashfs", "none", PC_SUPPORT_NONE, READ},
    {"erofs", "none", PC_SUPPORT_NONE, READ},
    {"cramfs", "none", PC_SUPPORT_NONE, READ},
    {"romfs", "none", PC_SUPPORT_NONE, READ},
    {"iso9660", "none", PC_SUPPORT_NONE, READ},
    {"nfs*", "none", PC_SUPPORT_NONE, SERVER},
    {"cifs", "none", PC_SUPPORT_NONE, SERVER},
    {"smb*", "none", PC_SUPPORT_NONE, SERVER},
    {"9p", "none", PC_SUPPORT_NONE, SERVER},
    {"virtiofs", "none", PC_SUPPORT_NONE, SERVER},
    {"ceph", "none", PC_SUPPORT_NONE, SERVER},
    {"fuse*", "none", PC_SUPPORT_NONE, "what survives is decided by the program behind FUSE"},
    {"overlay", "none", PC_SUPPORT_NONE,
     "what survives is decided by the file system of its upper directory, which cannot be seen "
     "from here"},
    {"*", "none", PC_SUPPORT_NONE, "nothing is known of this kind of file system"},
};

const struct pc_kind *pc_kind_of(const char *type)
{
    size_t i = 0;
    while (!pc_matches(kinds[i].type, type))
        i++;
    return &kinds[i];
}

const char *pc_support_word(enum pc_support support)
{
    static const char *const words[] = {
#define X(name, word) word,
        PC_SUPPORTS(X)
#undef X
    };
    return words[support];
}
