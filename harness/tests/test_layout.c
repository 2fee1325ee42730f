/*
 * Tests of laying states out: a state to which a layout stepped cannot be told, by
 * anything that a command can look at, from the same state in a new file system.
 */
#include "layout.h"

#include <dirent.h>
#include <errno.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/xattr.h>

#include "memory.h"
#include "surroundings.h"

enum { NODES = 16, STATES = 1000, TIME = 1234567890 };

static uint64_t seed;
static bool some_unreadable; /* one of the files cannot be read in some of the states */

static uint32_t below(uint32_t limit)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(seed >> 33) % limit;
}

/* ---- Random states ---- */

/* Directories are 2 to 5, links 6 and 7, a fifo is 8, the others are files. */
static uint32_t type_of(uint32_t id)
{
    return id <= 5 ? S_IFDIR : id <= 7 ? S_IFLNK : id == 8 ? S_IFIFO : S_IFREG;
}

static void content_make(struct ff_node *node, uint32_t id)
{
    static unsigned char page[3 * 4096];
    if (S_ISLNK(node->mode))
        ff_node_write(node, id == 6 ? "a" : "../elsewhere", id == 6 ? 1 : 12, 0);
    if (!S_ISREG(node->mode) || below(4) == 0)
        return;
    size_t size = below(3) == 0 ? below(sizeof(page)) : below(20);
    for (size_t at = 0; at < size; at += 4096)
        memset(page + at, (int)('a' + below(3)), size - at < 4096 ? size - at : 4096);
    ff_node_write(node, page, size, 0);
}

static uint32_t mode_make(uint32_t type)
{
    static const uint32_t modes[] = {0755, 0644, 0700, 0500, 0444, 0, 04755, 02755, 01777};
    return type | (type == S_IFLNK ? 0777 : modes[below(3) == 0 ? below(9) : 0]);
}

static void node_make(struct ff_tree *tree, uint32_t id)
{
    uint32_t type = some_unreadable && id == 9 && below(3) == 0 ? S_IFSOCK : type_of(id);
    struct ff_node *node = ff_tree_create(tree, id, mode_make(type), geteuid(), getegid());
    if (geteuid() == 0 && below(6) == 0)
        node->uid = node->gid = 1 + below(2);
    content_make(node, id);
    if (type == S_IFREG && geteuid() == 0 && below(6) == 0)
        ff_node_set_xattr(node, "security.capability",
                          (struct ff_bytes){(const unsigned char *)"\1\0\0\2\0\4\0\0\0\0\0\0"
                                                                   "\0\0\0\0\0\0\0\0",
                                            20});
    if ((type == S_IFREG || type == S_IFDIR) && geteuid() == 0 && below(6) == 0)
        ff_node_set_xattr(node, below(2) == 0 ? "trusted.one" : "trusted.two",
                          (struct ff_bytes){(const unsigned char *)"12345", 1 + below(5)});
}

/* Some of the nodes, under some names; files may have several. */
static struct ff_tree *tree_make(void)
{
    struct ff_tree *tree = ff_tree_new();
    uint32_t directories[NODES] = {FF_ROOT_NODE}, count = 1;
    ff_tree_reserve_ids(tree, NODES);
    struct ff_node *root = ff_tree_edit(tree, FF_ROOT_NODE);
    root->mode = mode_make(S_IFDIR);
    root->uid = geteuid();
    root->gid = getegid();
    for (uint32_t id = 2; id < NODES; id++) {
        uint32_t names = below(3) == 0 ? 0 : type_of(id) == S_IFREG ? 1 + below(3) / 2 : 1;
        for (uint32_t i = 0; i < names; i++) {
            const char name[] = {(char)('a' + below(9)), '\0'};
            uint32_t parent_id = directories[below(count)];
            if (ff_tree_lookup(tree, parent_id, name) != FF_NO_NODE)
                continue;
            if (ff_tree_node(tree, id) == NULL) {
                node_make(tree, id);
                if (type_of(id) == S_IFDIR)
                    directories[count++] = id;
            }
            ff_tree_set_name(tree, parent_id, name, id);
        }
    }
    return tree;
}

/* The tree before with a name less; what it meant may not be reached any more. */
static struct ff_tree *tree_change(const struct ff_tree *before)
{
    struct ff_tree *tree = ff_tree_copy(before);
    uint32_t id = below(6);
    const struct ff_node *directory = ff_tree_node(tree, id == 0 ? FF_ROOT_NODE : id);
    if (directory != NULL && directory->entry_count > 0) {
        char *name =
            cm_format("%s", directory->entries[below((uint32_t)directory->entry_count)].name);
        ff_tree_set_name(tree, id == 0 ? FF_ROOT_NODE : id, name, FF_NO_NODE);
        free(name);
    }
    return tree;
}

static struct ff_tree *inventory_make(void)
{
    struct ff_tree *tree = ff_tree_new();
    for (uint32_t id = 2; id < NODES; id++)
        content_make(ff_tree_create(tree, id, type_of(id), 0, 0), type_of(id) == S_IFLNK ? id : 0);
    return tree;
}

/* ---- What a command can look at ---- */

static uint64_t seen;

static void see(const void *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        seen = (seen ^ ((const unsigned char *)bytes)[i]) * 1099511628211u;
}

static void see_number(uint64_t number)
{
    see(&number, sizeof(number));
}

static void see_object(const char *path)
{
    char names[256], value[256];
    struct stat status = {0};
    CHECK(lstat(path, &status) == 0);
    see_number(status.st_ino);
    see_number(status.st_mode);
    see_number(status.st_nlink);
    see_number((uint64_t)status.st_uid * 1000 + status.st_gid);
    see_number((uint64_t)status.st_size);
    see_number((uint64_t)status.st_blocks);
    CHECK(status.st_mtim.tv_sec == TIME && status.st_mtim.tv_nsec == 0);
    CHECK(status.st_atim.tv_sec == TIME && status.st_atim.tv_nsec == 0);
    ssize_t size = llistxattr(path, names, sizeof(names));
    for (const char *name = names; size > 0 && name < names + size; name += strlen(name) + 1) {
        ssize_t length = lgetxattr(path, name, value, sizeof(value));
        see(name, strlen(name));
        see(value, length > 0 ? (size_t)length : 0);
    }
}

static void see_directory(const char *path)
{
    char last[NAME_MAX + 1] = "";
    DIR *directory = opendir(path);
    see_object(path);
    for (struct dirent *entry; directory != NULL && (entry = readdir(directory)) != NULL;) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        /* Names are listed in their order. */
        CHECK(strcmp(last, entry->d_name) < 0);
        strcpy(last, entry->d_name);
        char *below_it = cm_format("%s/%s", path, entry->d_name);
        see(below_it, strlen(below_it));
        see_number(entry->d_ino);
        if (entry->d_type == DT_DIR)
            see_directory(below_it);
        else
            see_object(below_it);
        free(below_it);
    }
    if (directory != NULL)
        closedir(directory);
}

/* Of everything that is there. The files are compared with what they should be. */
static uint64_t look(const struct cm_state *state)
{
    char path[2 * PATH_MAX];
    struct ff_error error = {""};
    struct statfs status = {0};
    struct stat output;
    snprintf(path, sizeof(path), "%s/dir", base);
    seen = 14695981039346656037u;
    struct ff_tree *tree = ff_tree_load(path, NULL, NULL, &error);
    /* Unprivileged, some of it cannot be read. */
    CHECK(tree != NULL || geteuid() != 0);
    if (tree != NULL && ff_tree_differs(tree, "laid out", state->tree, "state", &error)) {
        printf("%s\n", error.text);
        failures++;
    }
    ff_tree_free(tree);
    see_directory(path);
    snprintf(path, sizeof(path), "%s/stdout", base);
    see_object(path);
    CHECK(stat(path, &output) == 0 && (size_t)output.st_size == state->output_size);
    CHECK(statfs(base, &status) == 0);
    see_number(status.f_bfree);
    see_number(status.f_ffree);
    return seen;
}

static void put(struct cm_layout *layout, const struct cm_state *state)
{
    struct ff_error error = {""};
    int result = cm_layout_put(layout, state, &error);
    if (result != 0)
        printf("%s\n", error.text);
    CHECK(result == 0);
}

/* ---- The bodies ---- */

static void stepping(struct cm_scratch *scratch)
{
    static struct cm_state states[STATES];
    static uint64_t stepped[STATES];
    static const char printed[] = "one\ntwo\nthree\n";
    struct ff_tree *inventory = inventory_make();
    seed = 1;
    for (size_t i = 0; i < STATES; i++)
        states[i] =
            (struct cm_state){.tree = i % 4 == 0 ? tree_make() : tree_change(states[i - 1].tree),
                              .output = printed,
                              .output_size = below(3) * 4,
                              .inventory = inventory};
    struct cm_layout *layout = cm_layout_new(scratch, TIME);
    put(layout, &states[0]);
    struct stat first, now;
    int held = open(base, O_RDONLY); /* so that no other file system has its number */
    CHECK(fstat(held, &first) == 0);
    for (size_t i = 0; i < STATES; i++) {
        put(layout, &states[i]);
        stepped[i] = look(&states[i]);
        CHECK(stat(base, &now) == 0 && (some_unreadable || now.st_dev == first.st_dev));
    }
    close(held);
    for (size_t i = 0; i < STATES; i++) {
        cm_layout_doubt(layout);
        put(layout, &states[i]);
        CHECK(look(&states[i]) == stepped[i]);
    }
    /* Without an inventory, too. */
    for (size_t i = 0; i < STATES; i++) {
        states[i].inventory = NULL;
        put(layout, &states[i]);
        look(&states[i]);
        ff_tree_free(states[i].tree);
    }
    cm_layout_free(layout);
    ff_tree_free(inventory);
}

/* What hinders a step leads to a new file system. */
static void hindering(struct cm_scratch *scratch)
{
    static const char *const deeds[] = {"rm -rf dir/*", "mkdir dir/zz dir/zz/y", "rm -rf dir",
                                        "touch dir/a dir/b dir/c; chmod 0 dir"};
    struct cm_layout *layout = cm_layout_new(scratch, TIME);
    seed = 7;
    for (size_t i = 0; i < 40; i++) {
        char text[2 * PATH_MAX];
        struct cm_state state = {.tree = tree_make(), .output = "", .output_size = 0};
        put(layout, &state);
        snprintf(text, sizeof(text), "cd %s && { %s; } 2>/dev/null", base, deeds[i % 4]);
        CHECK(system(text) != -1);
        cm_layout_doubt(layout);
        ff_tree_free(state.tree);
        state.tree = tree_make();
        put(layout, &state);
        look(&state);
        ff_tree_free(state.tree);
    }
    cm_layout_free(layout);
}

/* Without a file system of their own states are not stepped. */
static void body(void)
{
    struct cm_scratch *scratch = scratch_entered();
    if (cm_scratch_is_private(scratch)) {
        stepping(scratch);
        some_unreadable = true; /* its type changes, for which a new file system is made */
        stepping(scratch);
        hindering(scratch);
    }
    cm_scratch_close(scratch);
}

static void stepping_test(void)
{
    surroundings_run(AS_CALLER, body);
    surroundings_run(UNPRIVILEGED, body);
}

static const struct unit_test tests[] = {
    {"steps lead to what a new file system has", stepping_test},
};

UNIT_MAIN("layout", tests)
