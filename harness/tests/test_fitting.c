/*
 * Which model fits a directory: of invented /proc/self/mountinfo files.
 */
#include "unit.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config.h"
#include "explain.h"
#include "filesystem.h"
#include "memory.h"
#include "model.h"

static char root[] = "/tmp/filesystem-XXXXXX";

/* ---- An invented system ---- */

static void write_file(const char *path, const char *text)
{
    char *whole = cm_format("%s%s", root, path);
    for (char *slash = strchr(whole + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(whole, 0755);
        *slash = '/';
    }
    FILE *stream = fopen(whole, "w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(stream);
    fputs(text, stream);
    fclose(stream);
    free(whole);
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *walk)
{
    (void)status, (void)kind, (void)walk;
    return remove(path);
}

static void system_remove(void)
{
    nftw(root, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* One of these lines of mountinfo, on /data of device 8:1; * is free. */
static void mount_on_data(const char *type, const char *options, const char *super)
{
    char *text =
        cm_format("22 1 8:2 / / rw,relatime shared:1 - xfs /dev/root rw\n"
                  "40 22 8:1 / /data rw%s%s shared:2 master:1 - %s /dev/sda1 rw%s%s\n",
                  *options != '\0' ? "," : "", options, type, *super != '\0' ? "," : "", super);
    write_file("/proc/self/mountinfo", text);
    free(text);
}

/* What the driver ext4 says of sda1; NULL: nothing. */
static void driver_says(const char *options)
{
    char *link = cm_format("%s/sys/dev/block/8:1", root);
    char *path = cm_format("%s/proc/fs/ext4/sda1/options", root);
    unlink(path);
    if (options != NULL) {
        write_file("/sys/dev/block/x", "");
        CU_ASSERT(symlink("../../devices/pci/block/sda/sda1", link) == 0 || errno == EEXIST);
        write_file("/proc/fs/ext4/sda1/options", options);
    }
    free(path);
    free(link);
}

static struct cm_fs_advice advise(const char *directory, unsigned long id)
{
    struct cm_fs_advice advice;
    struct ff_error error = {{0}};
    int status = cm_fs_advise(root, directory, id, &advice, &error);
    CU_ASSERT_EQUAL(status, 0);
    if (status != 0)
        printf("\n    %s", error.text);
    return advice;
}

static void expect_model(const struct cm_fs_advice *advice, const char *model)
{
    const char *found = advice->model != NULL ? advice->model : "none";
    CU_ASSERT_STRING_EQUAL(found, model);
    if (strcmp(found, model) != 0)
        printf("\n    %s %s, not %s", advice->layers[0].type, found, model);
}

/* ---- Tests ---- */

static void models_of_options(void)
{
    static const struct {
        const char *type, *super, *model;
    } cases[] = {
        {"ext4", "", "ext4"},
        {"ext4", "data=ordered,discard,stripe=4", "ext4"},
        {"ext4", "data=writeback", "ext4-writeback"},
        {"ext4", "nodelalloc,data=journal", "ext4-journal"},
        {"ext4", "noauto_da_alloc", "ext4-noauto_da_alloc"},
        {"ext4", "nodelalloc,noauto_da_alloc", "ext4-nodelalloc"},
        {"ext4", "noauto_da_alloc,data=writeback", "none"},
        {"ext3", "nodelalloc", "ext3-ordered"},
        {"ext3", "data=writeback", "ext3-writeback"},
        {"ext3", "data=journal", "ext3-journal"},
        {"ext2", "", "ext2"},
        {"xfs", "inode64,logbufs=8,noquota", "xfs"},
        {"btrfs", "space_cache=v2,subvolid=5,subvol=/", "btrfs"},
        {"btrfs", "nodatasum,nodatacow", "none"},
        {"f2fs", "fsync_mode=posix", "f2fs"},
        {"f2fs", "fsync_mode=strict", "f2fs-strict"},
        {"vfat", "fmask=0022", "vfat"},
        {"ubifs", "assert=read-only,ubi=0,vol=1", "ubifs"},
        {"fuse.lazyfs", "user_id=0", "lazyfs"},
        {"fuse.sshfs", "", "none"},
        {"nfs4", "vers=4.2", "none"},
        {"zfs", "", "none"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        mount_on_data(cases[i].type, "noatime", cases[i].super);
        struct cm_fs_advice advice = advise("/data/program", 0);
        expect_model(&advice, cases[i].model);
        CU_ASSERT_EQUAL(advice.warning_count, 0);
        CU_ASSERT(advice.model != NULL || advice.note != NULL);
        cm_fs_advice_free(&advice);
    }
}

/* What mountinfo leaves out because it is the default of this very file system. */
static void options_that_the_driver_tells(void)
{
    static const struct {
        const char *type, *says, *model;
        size_t warnings;
    } cases[] = {
        {"ext4", "rw\ndelalloc\nbarrier\nauto_da_alloc\ndata=ordered\n", "ext4", 0},
        {"ext4", "rw\nnodelalloc\nbarrier\nauto_da_alloc\ndata=journal\n", "ext4-journal", 0},
        {"ext4", "rw\ndelalloc\nbarrier\nauto_da_alloc\n", "ext2", 0},
        {"ext4", "rw\ndelalloc\nnobarrier\nauto_da_alloc\ndata=ordered\n", "ext4", 1},
        {"ext3", "rw\nnodelalloc\nbarrier\nauto_da_alloc\ndata=writeback\n", "ext3-writeback", 0},
        {"ext2", "rw\nnodelalloc\nbarrier\nauto_da_alloc\n", "ext2", 0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        mount_on_data(cases[i].type, "relatime", "");
        driver_says(cases[i].says);
        struct cm_fs_advice advice = advise("/data", 0);
        expect_model(&advice, cases[i].model);
        CU_ASSERT_EQUAL(advice.warning_count, cases[i].warnings);
        cm_fs_advice_free(&advice);
    }
    driver_says(NULL);
    mount_on_data("ext4", "relatime", "");
    struct cm_fs_advice advice = advise("/data", 0);
    CU_ASSERT_PTR_NOT_NULL_FATAL(advice.note);
    CU_ASSERT_PTR_NOT_NULL(strstr(advice.note, "may have no journal"));
    cm_fs_advice_free(&advice);
}

static void options_that_break_promises(void)
{
    static const struct {
        const char *type, *super, *option;
    } cases[] = {
        {"ext4", "barrier=0", "barrier=0"},
        {"ext4", "nobarrier,data=journal", "nobarrier"},
        {"xfs", "nobarrier", "nobarrier"},
        {"btrfs", "nobarrier", "nobarrier"},
        {"f2fs", "fsync_mode=nobarrier", "fsync_mode=nobarrier"},
        {"f2fs", "checkpoint=disable:10%", "checkpoint=disable:10%"},
        {"overlay", "lowerdir=/l,upperdir=/none,workdir=/w,volatile", "volatile"},
        {"overlay", "lowerdir=/l,upperdir=/none,workdir=/w,fsync=volatile", "fsync=volatile"},
        {"tmpfs", "size=4k", ""},
        {"ramfs", "", ""},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        mount_on_data(cases[i].type, "", cases[i].super);
        struct cm_fs_advice advice = advise("/data", 0);
        CU_ASSERT_EQUAL_FATAL(advice.warning_count, 1);
        CU_ASSERT_STRING_EQUAL(advice.warnings[0].option, cases[i].option);
        CU_ASSERT_STRING_EQUAL(advice.warnings[0].type, cases[i].type);
        cm_fs_advice_free(&advice);
    }
}

/* By the longest point, the last of equal ones, or the id; not by a part of a name. */
static void mounts_are_found(void)
{
    static const struct {
        const char *directory;
        unsigned long id;
        const char *type;
    } cases[] = {
        {"/", 0, "xfs"},
        {"/data", 0, "btrfs"},
        {"/database", 0, "xfs"},
        {"/data/x", 0, "btrfs"},
        {"/data/x", 31, "ext4"},
        {"/data/deep", 0, "vfat"},
        {"/with space/x", 0, "f2fs"},
    };
    write_file("/proc/self/mountinfo", "22 1 8:2 / / rw - xfs /dev/root rw\n"
                                       "31 22 8:1 / /data rw - ext4 /dev/sda1 rw\n"
                                       "33 31 8:5 / /data/deep rw - vfat  rw\n"
                                       "32 31 0:9 / /data rw shared:7 - btrfs none rw\n"
                                       "34 22 8:6 / /with\\040space rw - f2fs /dev/a\\134b rw\n"
                                       "a line that is none\n");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct cm_fs_advice advice = advise(cases[i].directory, cases[i].id);
        CU_ASSERT_STRING_EQUAL(advice.layers[0].type, cases[i].type);
        cm_fs_advice_free(&advice);
    }
    struct cm_fs_advice advice = advise("/with space", 0);
    CU_ASSERT_STRING_EQUAL(advice.layers[0].source, "/dev/a\\b");
    cm_fs_advice_free(&advice);
    struct ff_error error;
    CU_ASSERT_EQUAL(cm_fs_advise(root, "/data", 77, &advice, &error), -1);
    cm_fs_advice_free(&advice);
}

static void overlays_stand_on_others(void)
{
    write_file("/up/per,dir/x", "");
    write_file("/proc/self/mountinfo",
               "22 1 8:2 / / rw - xfs /dev/root rw\n"
               "23 22 8:1 / /up rw - ext4 /dev/sda1 rw,barrier=0,data=writeback\n"
               "24 22 0:9 / /data rw - overlay o rw,lowerdir=/l,upperdir=/up/per\\134,dir,"
               "workdir=/w\n"
               "25 22 0:9 / /far rw - overlay o rw,lowerdir=/l,upperdir=/gone,workdir=/w\n");
    struct cm_fs_advice advice = advise("/data/x", 0);
    CU_ASSERT_EQUAL_FATAL(advice.layer_count, 2);
    expect_model(&advice, "ext4-writeback");
    CU_ASSERT_EQUAL(advice.warning_count, 1);
    cm_fs_advice_free(&advice);
    advice = advise("/far", 0);
    CU_ASSERT_EQUAL(advice.layer_count, 1);
    expect_model(&advice, "none");
    cm_fs_advice_free(&advice);
}

static void nothing_to_read(void)
{
    struct cm_fs_advice advice;
    struct ff_error error;
    char *path = cm_format("%s/proc/self/mountinfo", root);
    unlink(path);
    CU_ASSERT_EQUAL(cm_fs_advise(root, "/data", 0, &advice, &error), -1);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, path));
    cm_fs_advice_free(&advice);
    free(path);
}

static void words_are_explained(void)
{
    static const struct {
        const char *key, *value;
    } words[] = {
#define X(identifier, name) {"kind", name},
        CM_CLASSES(X)
#undef X
#define X(identifier, name, bits) {"kind", name},
            CM_CLASS_SETS(X)
#undef X
#define X(identifier, name) {"scope", name},
                CM_SCOPES(X)
#undef X
#define X(identifier, name) {"sync", name},
                    CM_SYNCS(X)
#undef X
#define X(identifier, name) {"covers", name},
                        CM_COVERS(X)
#undef X
#define X(identifier, name) {"restates", name},
                            CM_RESTATES(X)
#undef X
#define X(identifier, name) {"tearing", name},
                                CM_TEARINGS(X)
#undef X
#define X(identifier, name) {"unwritten", name},
                                    CM_UNWRITTENS(X)
#undef X
#define X(identifier, name) {"rename-across-directories", name},
                                        CM_CROSSINGS(X)
#undef X
#define X(identifier, name) {"rename", name},
                                            CM_RENAMES(X)
#undef X
#define X(identifier, name) {"unlink", name},
                                                CM_UNLINKS(X)
#undef X
#define X(identifier, name) {"size", name},
                                                    CM_SIZES(X)
#undef X
#define X(identifier, name) {"append", name},
                                                        CM_APPENDS(X)
#undef X
#define X(identifier, name) {"freed-blocks", name},
                                                            CM_FREEDS(X)
#undef X
#define X(identifier, name) {"checkpoint", name},
                                                                CM_CHECKPOINTS(X)
#undef X
    };
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        CU_ASSERT_PTR_NOT_NULL(cm_model_meaning(words[i].key, words[i].value));
        if (cm_model_meaning(words[i].key, words[i].value) == NULL)
            printf("\n    %s: %s", words[i].key, words[i].value);
    }
}

/* What the macros above do not list. */
static void shipped_models_are_explained(void)
{
    static const char *const texts[] = {"schema", "name", "description"};
    for (size_t i = 0; cm_fs_model(i) != NULL; i++) {
        struct ff_error error;
        struct cm_config config;
        char *path = cm_format("%s/%s.json", MODELS_DIR, cm_fs_model(i));
        CU_ASSERT_EQUAL_FATAL(cm_config_open(&config, path, &error), 0);
        const cJSON *item;
        cJSON_ArrayForEach(item, config.root)
        {
            bool text = false;
            for (size_t j = 0; j < sizeof(texts) / sizeof(texts[0]); j++)
                text = text || strcmp(item->string, texts[j]) == 0;
            if (text || !cJSON_IsString(item))
                continue;
            CU_ASSERT_PTR_NOT_NULL(cm_model_meaning(item->string, item->valuestring));
        }
        cm_config_close(&config);
        free(path);
    }
}

static const struct unit_test tests[] = {
    {"mount options choose the model", models_of_options},
    {"the driver ext4 tells what mountinfo leaves out", options_that_the_driver_tells},
    {"options that break every promise", options_that_break_promises},
    {"the mount of a directory is found", mounts_are_found},
    {"overlays stand on other file systems", overlays_stand_on_others},
    {"without mountinfo nothing is said", nothing_to_read},
    {"every word of models is explained", words_are_explained},
    {"the models that fit are shipped and explained", shipped_models_are_explained},
};

int main(int argc, char **argv)
{
    if (mkdtemp(root) == NULL)
        return 1;
    int status = unit_main("fitting models", tests, sizeof(tests) / sizeof(tests[0]), argc, argv);
    system_remove();
    return status;
}
