/* Trees: apply, store, load, compare, hash. */
#include "unit.h"

#include "faultfs/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

static char scratch[] = "/tmp/test_tree.XXXXXX";

static struct ff_bytes bytes(const char *text)
{
    return (struct ff_bytes){(const unsigned char *)text, strlen(text)};
}

static const char *fresh_directory(void)
{
    struct ff_error error;
    static bool made;
    if (!made && mkdtemp(scratch) == NULL)
        abort();
    made = true;
    if (ff_directory_clear(scratch, &error) != 0)
        fprintf(stderr, "%s\n", error.text);
    return scratch;
}

static void scratch_remove(void)
{
    struct ff_error error;
    ff_directory_clear(scratch, &error);
    rmdir(scratch);
}

static uint32_t add(struct ff_tree *tree, uint32_t parent, const char *name, uint32_t mode,
                    const char *data)
{
    uint32_t id = ff_tree_fresh_id(tree);
    struct ff_node *node = ff_tree_create(tree, id, mode, getuid(), getgid());
    ff_node_write(node, data, strlen(data), 0);
    ff_tree_set_name(tree, parent, name, id);
    return id;
}

/* Empty, and of an owner as whom it can be stored. */
static struct ff_tree *own_tree(void)
{
    struct ff_tree *tree = ff_tree_new();
    tree->nodes[FF_ROOT_NODE].uid = getuid();
    tree->nodes[FF_ROOT_NODE].gid = getgid();
    return tree;
}

/* A tree with one of everything. */
static struct ff_tree *sample(void)
{
    struct ff_tree *tree = own_tree();
    uint32_t file = add(tree, FF_ROOT_NODE, "file", S_IFREG | 0640, "content");
    add(tree, FF_ROOT_NODE, "empty", S_IFREG | 04755, "");
    add(tree, FF_ROOT_NODE, "-odd \n\xff name", S_IFREG | 0600, "odd");
    add(tree, FF_ROOT_NODE, "link", S_IFLNK | 0777, "../no/where");
    add(tree, FF_ROOT_NODE, "pipe", S_IFIFO | 0622, "");
    add(tree, FF_ROOT_NODE, "unreadable", S_IFSOCK | 0644, "");
    uint32_t directory = add(tree, FF_ROOT_NODE, "directory", S_IFDIR | 02555, "");
    uint32_t inner = add(tree, directory, "inner", S_IFDIR | 0700, "");
    ff_tree_set_name(tree, directory, "again", file);
    ff_tree_set_name(tree, inner, "and again", file);
    add(tree, inner, "z", S_IFREG | (getuid() == 0 ? 0 : 0400), "only root can read mode 0");
    return tree;
}

static void assert_same(const struct ff_tree *a, const struct ff_tree *b)
{
    struct ff_error difference = {""};
    bool differs = ff_tree_differs(a, "left", b, "right", &difference);
    if (differs)
        fprintf(stderr, "unexpected difference: %s\n", difference.text);
    CU_ASSERT_FALSE(differs);
    struct ff_hash left = ff_tree_hash(a), right = ff_tree_hash(b);
    CU_ASSERT(left.low == right.low && left.high == right.high);
}

static void assert_differs(const struct ff_tree *a, const struct ff_tree *b, const char *expected)
{
    struct ff_error difference = {""};
    CU_ASSERT(ff_tree_differs(a, "left", b, "right", &difference));
    if (strcmp(difference.text, expected) != 0)
        fprintf(stderr, "got \"%s\", expected \"%s\"\n", difference.text, expected);
    CU_ASSERT_STRING_EQUAL(difference.text, expected);
    struct ff_hash left = ff_tree_hash(a), right = ff_tree_hash(b);
    CU_ASSERT(left.low != right.low || left.high != right.high);
}

static void store_and_load(void)
{
    struct ff_error error = {""};
    struct ff_tree *tree = sample();
    const char *path = fresh_directory();
    CU_ASSERT_EQUAL_FATAL(ff_tree_store(tree, path, &error), 0);
    struct ff_tree *loaded = ff_tree_load(path, NULL, NULL, &error);
    if (loaded == NULL)
        fprintf(stderr, "%s\n", error.text);
    CU_ASSERT_PTR_NOT_NULL_FATAL(loaded);
    assert_same(tree, loaded);
    struct ff_tree *copy = ff_tree_copy(loaded);
    assert_same(loaded, copy);
    ff_tree_free(tree);
    ff_tree_free(copy);
    ff_tree_free(loaded);
}

/* A file that cannot be read is there, can be moved and removed, and nobody can open it. */
static void store_unreadable(void)
{
    struct ff_error error = {""};
    struct ff_tree *tree = sample(), *readable = sample();
    uint32_t id = ff_tree_lookup(tree, FF_ROOT_NODE, "unreadable");
    ff_tree_edit(readable, id)->mode = S_IFREG | 0644;
    assert_differs(tree, readable,
                   "unreadable: type (left socket, or a file that cannot be read, right file)");
    const char *path = fresh_directory();
    CU_ASSERT_EQUAL_FATAL(ff_tree_store(tree, path, &error), 0);
    int directory = open(path, O_RDONLY | O_DIRECTORY);
    CU_ASSERT(openat(directory, "unreadable", O_RDONLY) < 0 && errno == ENXIO);
    CU_ASSERT(openat(directory, "unreadable", O_WRONLY | O_CREAT | O_TRUNC, 0644) < 0 &&
              errno == ENXIO);
    CU_ASSERT_EQUAL(renameat(directory, "unreadable", directory, "moved"), 0);
    CU_ASSERT_EQUAL(unlinkat(directory, "moved", 0), 0);
    close(directory);
    ff_tree_free(readable);
    ff_tree_free(tree);
}

static void store_again_after_clear(void)
{
    struct ff_error error = {""};
    struct ff_tree *tree = sample();
    for (int i = 0; i < 2; i++) {
        const char *path = fresh_directory();
        CU_ASSERT_EQUAL(ff_tree_store(tree, path, &error), 0);
        CU_ASSERT_EQUAL(ff_tree_store(tree, path, &error), -1);
        CU_ASSERT(strstr(error.text, "File exists") != NULL);
    }
    fresh_directory();
    CU_ASSERT_EQUAL(rmdir(scratch), 0);
    CU_ASSERT_EQUAL(mkdir(scratch, 0700), 0);
    ff_tree_free(tree);
}

/* Deeper than there are descriptors, and with paths longer than PATH_MAX. */
static void deep_directories(void)
{
    enum { DEPTH = 3000 };
    struct ff_error error = {""};
    struct ff_tree *tree = own_tree();
    uint32_t parent = FF_ROOT_NODE;
    for (int i = 0; i < DEPTH; i++)
        parent = add(tree, parent, "deep", S_IFDIR | 0700, "");
    add(tree, parent, "file", S_IFREG | 0600, "down here");
    CU_ASSERT_EQUAL_FATAL(ff_tree_store(tree, fresh_directory(), &error), 0);
    struct ff_tree *loaded = ff_tree_load(scratch, NULL, NULL, &error);
    CU_ASSERT_PTR_NOT_NULL_FATAL(loaded);
    assert_same(tree, loaded);
    CU_ASSERT_EQUAL(ff_directory_clear(scratch, &error), 0);
    CU_ASSERT_EQUAL(rmdir(scratch), 0);
    CU_ASSERT_EQUAL(mkdir(scratch, 0700), 0);
    ff_tree_free(tree);
    ff_tree_free(loaded);
}

static void every_difference_is_seen(void)
{
    struct ff_tree *a = sample();
    uint32_t file = ff_tree_lookup(a, FF_ROOT_NODE, "file");
    uint32_t directory = ff_tree_lookup(a, FF_ROOT_NODE, "directory");

    struct ff_tree *b = ff_tree_copy(a);
    ff_node_write(&b->nodes[file], "C", 1, 0);
    assert_differs(a, b, "directory/again: content (left 0x63 at byte 0, right 0x43)");
    ff_node_write(&b->nodes[file], "c", 1, 0);
    assert_same(a, b);
    ff_node_resize(&b->nodes[file], 8);
    assert_differs(a, b, "directory/again: size (left 7, right 8)");
    ff_node_resize(&b->nodes[file], 7);

    b->nodes[directory].mode ^= 0222;
    assert_differs(a, b, "directory: mode (left 2555, right 2777)");
    b->nodes[directory].mode ^= 0222;
    b->nodes[directory].gid++;
    CU_ASSERT(ff_tree_differs(a, "left", b, "right", &(struct ff_error){""}));
    b->nodes[directory].gid--;

    ff_tree_set_name(b, FF_ROOT_NODE, "pipe", FF_NO_NODE);
    assert_differs(a, b, "pipe: name (left has it, right does not)");
    ff_tree_free(b);

    b = ff_tree_copy(a);
    ff_tree_set_name(b, directory, "new", file);
    assert_differs(a, b, "directory/new: name (left does not have it, right does)");
    ff_tree_free(b);

    b = ff_tree_copy(a);
    uint32_t twin = add(b, directory, "again", S_IFREG | 0640, "content");
    assert_differs(a, b,
                   "directory/inner/and again: hard link (left has another name of an earlier "
                   "file, right has a file of its own)");
    b->nodes[twin].mode = S_IFIFO | 0640;
    b->nodes[twin].size = 0;
    assert_differs(a, b, "directory/again: type (left file, right fifo)");
    ff_tree_free(b);
    ff_tree_free(a);
}

/* Which node numbers were used is not part of what is compared. */
static void numbers_do_not_matter(void)
{
    struct ff_tree *a = ff_tree_new(), *b = ff_tree_new();
    add(a, FF_ROOT_NODE, "x", S_IFREG | 0600, "1");
    add(a, FF_ROOT_NODE, "y", S_IFREG | 0600, "2");
    ff_tree_create(b, 9, S_IFREG | 0600, 0, 0); /* never named */
    add(b, FF_ROOT_NODE, "y", S_IFREG | 0600, "2");
    add(b, FF_ROOT_NODE, "x", S_IFREG | 0600, "1");
    assert_same(a, b);
    ff_tree_free(a);
    ff_tree_free(b);
}

static void reset_forgets_everything(void)
{
    struct ff_tree *a = sample(), *b = ff_tree_new();
    ff_tree_reset(a);
    assert_same(a, b);
    CU_ASSERT_EQUAL(ff_tree_fresh_id(a), 2);
    uint32_t id = add(a, FF_ROOT_NODE, "x", S_IFREG | 0600, "");
    ff_node_resize(&a->nodes[id], 100);
    for (size_t i = 0; i < 100; i++)
        CU_ASSERT_EQUAL(a->nodes[id].data[i], 0); /* not what the memory held before */
    ff_tree_free(a);
    ff_tree_free(b);
}

/* Name by name what each effect does, and what each refuses. */
static void effects(void)
{
    struct ff_tree *tree = ff_tree_new();
    struct ff_error error;
    struct {
        struct ff_call call;
        int result;
    } steps[] = {
#define CALL(...) {.name = "call", .module = UINT32_MAX, __VA_ARGS__}
        {CALL(.effect = FF_EFFECT_CREATE, .node = 2, .parent = 1, .filename = bytes("a"),
              .mode = S_IFREG | 0600),
         0},
        {CALL(.effect = FF_EFFECT_CREATE, .node = 3, .parent = 1, .filename = bytes("a"),
              .mode = S_IFREG | 0600),
         -1},
        {CALL(.effect = FF_EFFECT_CREATE, .node = 2, .parent = 1, .filename = bytes("b"),
              .mode = S_IFREG | 0600),
         -1},
        {CALL(.effect = FF_EFFECT_WRITE, .node = 2, .offset = 2, .data = bytes("xy")), 0},
        {CALL(.effect = FF_EFFECT_WRITE, .node = 1, .data = bytes("xy")), -1},
        {CALL(.effect = FF_EFFECT_WRITE, .node = 2, .offset = UINT64_MAX, .data = bytes("xy")), -1},
        {CALL(.effect = FF_EFFECT_RESIZE, .node = 2, .offset = 3), 0},
        {CALL(.effect = FF_EFFECT_RESIZE, .node = 7, .offset = 3), -1},
        {CALL(.effect = FF_EFFECT_CREATE, .node = 3, .parent = 1, .filename = bytes("d"),
              .mode = S_IFDIR | 0700),
         0},
        {CALL(.effect = FF_EFFECT_LINK, .node = 2, .parent = 3, .filename = bytes("b")), 0},
        {CALL(.effect = FF_EFFECT_LINK, .node = 2, .parent = 3, .filename = bytes("b")), -1},
        {CALL(.effect = FF_EFFECT_LINK, .node = 3, .parent = 3, .filename = bytes("self")), -1},
        {CALL(.effect = FF_EFFECT_UNLINK, .node = 3, .parent = 1, .filename = bytes("d")), -1},
        {CALL(.effect = FF_EFFECT_UNLINK, .node = 3, .parent = 1, .filename = bytes("a")), -1},
        {CALL(.effect = FF_EFFECT_ATTRIBUTES, .node = 2, .mode = 0444, .uid = 5, .gid = 6), 0},
        {CALL(.effect = FF_EFFECT_RENAME, .node = 2, .parent = 1, .filename = bytes("a"),
              .parent2 = 3, .filename2 = bytes("b"), .node2 = 2),
         -1},
        {CALL(.effect = FF_EFFECT_RENAME, .node = 2, .parent = 1, .filename = bytes("a"),
              .parent2 = 1, .filename2 = bytes("d")),
         -1},
        {CALL(.effect = FF_EFFECT_EXCHANGE, .node = 2, .parent = 1, .filename = bytes("a"),
              .node2 = 3, .parent2 = 1, .filename2 = bytes("d")),
         0},
        {CALL(.effect = FF_EFFECT_RENAME, .node = 2, .parent = 1, .filename = bytes("d"),
              .parent2 = 1, .filename2 = bytes("c")),
         0},
        {CALL(.effect = FF_EFFECT_SYNC_ALL), 0},
        {CALL(.effect = FF_EFFECT_SET_XATTR, .node = 2, .filename = bytes("user.a"),
              .data = bytes("value")),
         0},
        {CALL(.effect = FF_EFFECT_SET_XATTR, .node = 9, .filename = bytes("user.a")), -1},
        {CALL(.effect = FF_EFFECT_REMOVE_XATTR, .node = 2, .filename = bytes("user.b")), -1},
        {CALL(.effect = FF_EFFECT_REMOVE_XATTR, .node = 2, .filename = bytes("user.a")), 0},
        {CALL(.effect = FF_EFFECT_CREATE, .node = 4, .mode = S_IFREG | 0600), 0},
        {CALL(.effect = FF_EFFECT_LINK, .node = 4, .parent = 1, .filename = bytes("named")), 0},
        {CALL(.effect = FF_EFFECT_NONE, .result = -ENOENT), 0},
#undef CALL
    };
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        int result = ff_tree_apply(tree, &steps[i].call, &error);
        if (result != steps[i].result)
            fprintf(stderr, "step %zu gave %d\n", i, result);
        CU_ASSERT_EQUAL(result, steps[i].result);
    }
    CU_ASSERT_EQUAL(ff_tree_lookup(tree, 1, "c"), 2);
    CU_ASSERT_EQUAL(ff_tree_lookup(tree, 1, "a"), 3);
    CU_ASSERT_EQUAL(ff_tree_lookup(tree, 3, "b"), 2);
    CU_ASSERT_EQUAL(ff_tree_lookup(tree, 1, "d"), FF_NO_NODE);
    CU_ASSERT_EQUAL(ff_tree_lookup(tree, 1, "named"), 4);
    CU_ASSERT_EQUAL(tree->nodes[2].xattrs_size, 0);
    const struct ff_node *file = ff_tree_node(tree, 2);
    CU_ASSERT_EQUAL_FATAL(file->size, 3);
    CU_ASSERT_EQUAL(memcmp(file->data, "\0\0x", 3), 0);
    CU_ASSERT_EQUAL(file->mode, S_IFREG | 0444);
    CU_ASSERT(file->uid == 5 && file->gid == 6);
    ff_tree_free(tree);
}

static struct ff_bytes xattrs_of(const struct ff_tree *tree, uint32_t node)
{
    return (struct ff_bytes){tree->nodes[node].xattrs, tree->nodes[node].xattrs_size};
}

/* Sorted by name, whatever the order in which they are set, and replaced in place. */
static void xattrs_are_kept_sorted(void)
{
    struct ff_tree *a = own_tree(), *b = own_tree();
    struct ff_node *left = &a->nodes[FF_ROOT_NODE], *right = &b->nodes[FF_ROOT_NODE];
    struct ff_error difference = {""};
    ff_node_set_xattr(left, "user.b", bytes("2"));
    ff_node_set_xattr(left, "user.a", bytes("something longer"));
    ff_node_set_xattr(left, "user.a", bytes("1"));
    ff_node_set_xattr(left, "user.c", bytes(""));
    ff_node_set_xattr(right, "user.a", bytes("1"));
    ff_node_set_xattr(right, "user.c", bytes(""));
    CU_ASSERT(ff_tree_differs(a, "left", b, "right", &difference));
    CU_ASSERT_PTR_NOT_NULL(strstr(
        difference.text, "extended attribute user.b (left 1 bytes: 2, right does not have it)"));
    ff_node_set_xattr(right, "user.b", bytes("3"));
    CU_ASSERT(ff_tree_differs(a, "left", b, "right", &difference));
    CU_ASSERT(ff_tree_hash(a).low != ff_tree_hash(b).low);
    ff_node_set_xattr(right, "user.b", bytes("2"));
    assert_same(a, b);
    CU_ASSERT(ff_xattrs_are_valid(xattrs_of(a, FF_ROOT_NODE)));
    CU_ASSERT(ff_node_remove_xattr(left, "user.c") && !ff_node_remove_xattr(left, "user.c"));
    CU_ASSERT(ff_tree_differs(b, "left", a, "right", &difference));
    ff_tree_reset(a);
    CU_ASSERT_EQUAL(a->nodes[FF_ROOT_NODE].xattrs_size, 0);
    ff_tree_free(a);
    ff_tree_free(b);
}

static void xattrs_that_are_not_valid(void)
{
    static const struct ff_bytes wrong[] = {
        {(const void *)"a", 1},                                      /* no NUL */
        {(const void *)"a\0\1\0\0", 5},                              /* no whole length */
        {(const void *)"a\0\2\0\0\0x", 7},                           /* a value cut short */
        {(const void *)"\0\0\0\0\0", 5},                             /* no name */
        {(const void *)"b\0\0\0\0\0a\0\0\0\0\0", 12},                /* not sorted */
        {(const void *)"a\0\0\0\0\0a\0\0\0\0\0", 12},                /* twice */
        {(const void *)"a\0\xff\xff\xff\xff too large for any", 12}, /* larger than can be */
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        CU_ASSERT_FALSE(ff_xattrs_are_valid(wrong[i]));
    CU_ASSERT(ff_xattrs_are_valid((struct ff_bytes){(const void *)"a\0\1\0\0\0x", 7}));
    CU_ASSERT(ff_xattrs_are_valid((struct ff_bytes){NULL, 0}));
}

/* On disk and back; the root loses what it had before. */
static void xattrs_are_stored(void)
{
    struct ff_error error = {""};
    struct ff_tree *tree = sample();
    uint32_t file = ff_tree_lookup(tree, FF_ROOT_NODE, "file");
    uint32_t directory = ff_tree_lookup(tree, FF_ROOT_NODE, "directory");
    const char *path = fresh_directory();
    if (setxattr(path, "user.before", "x", 1, 0) != 0) {
        fprintf(stderr, "skipped: no extended attributes in %s: %s\n", path, strerror(errno));
        ff_tree_free(tree);
        return;
    }
    ff_node_set_xattr(&tree->nodes[file], "user.name", bytes("value"));
    ff_node_set_xattr(&tree->nodes[file], "user.empty", bytes(""));
    ff_node_set_xattr(&tree->nodes[directory], "user.name", bytes("of a directory"));
    ff_node_set_xattr(&tree->nodes[FF_ROOT_NODE], "user.name", bytes("of the root"));
    CU_ASSERT_EQUAL(ff_tree_store(tree, path, &error), 0);
    struct ff_tree *loaded = ff_tree_load(path, NULL, NULL, &error);
    CU_ASSERT_PTR_NOT_NULL_FATAL(loaded);
    assert_same(tree, loaded);
    removexattr(path, "user.name");
    ff_tree_free(loaded);
    ff_tree_free(tree);
}

static void xattrs_that_are_modelled(void)
{
    CU_ASSERT(ff_xattr_is_modelled("user.x") && ff_xattr_is_modelled("trusted.x"));
    CU_ASSERT(ff_xattr_is_modelled("security.capability"));
    CU_ASSERT(ff_xattr_is_modelled("system.posix_acl_default"));
    CU_ASSERT(!ff_xattr_is_modelled("security.selinux") && !ff_xattr_is_modelled("user"));
    CU_ASSERT(!ff_xattr_is_modelled("trusted.overlay.opaque"));
}

struct visited {
    uint32_t ids[8];
    char paths[8][32];
    size_t count;
};

static void visit(void *context, uint32_t id, const char *path, dev_t device, ino_t inode)
{
    struct visited *visited = context;
    (void)device;
    (void)inode;
    visited->ids[visited->count] = id;
    snprintf(visited->paths[visited->count++], 32, "%s", path);
}

static void load_visits_each_node_once(void)
{
    struct ff_error error;
    struct ff_tree *tree = own_tree();
    uint32_t directory = add(tree, FF_ROOT_NODE, "b", S_IFDIR | 0700, "");
    uint32_t file = add(tree, directory, "f", S_IFREG | 0600, "");
    ff_tree_set_name(tree, FF_ROOT_NODE, "c", file);
    add(tree, FF_ROOT_NODE, "a", S_IFREG | 0600, "");
    CU_ASSERT_EQUAL(ff_tree_store(tree, fresh_directory(), &error), 0);
    struct visited visited = {.count = 0};
    struct ff_tree *loaded = ff_tree_load(scratch, visit, &visited, &error);
    CU_ASSERT_PTR_NOT_NULL_FATAL(loaded);
    static const char *const expected[] = {".", "a", "b", "b/f"};
    CU_ASSERT_EQUAL_FATAL(visited.count, 4);
    for (uint32_t i = 0; i < 4; i++) {
        CU_ASSERT_EQUAL(visited.ids[i], i + 1);
        CU_ASSERT_STRING_EQUAL(visited.paths[i], expected[i]);
    }
    ff_tree_free(tree);
    ff_tree_free(loaded);
}

static void load_refuses_a_link_from_outside(void)
{
    struct ff_error error = {""};
    char inside[64], outside[64];
    snprintf(inside, sizeof(inside), "%s/in", fresh_directory());
    snprintf(outside, sizeof(outside), "%s.out", scratch);
    close(open(inside, O_CREAT | O_WRONLY, 0600));
    CU_ASSERT_EQUAL(link(inside, outside), 0);
    CU_ASSERT_PTR_NULL(ff_tree_load(scratch, NULL, NULL, &error));
    CU_ASSERT(strstr(error.text, "name outside of the directory") != NULL);
    unlink(outside);
}

static void load_of_nothing(void)
{
    struct ff_error error = {""};
    CU_ASSERT_PTR_NULL(ff_tree_load("/nonexistent", NULL, NULL, &error));
    CU_ASSERT_STRING_EQUAL(error.text, "cannot read /nonexistent: No such file or directory");
}

/* Changes of every kind, in what was there and in what was not. */
static void sample_change(struct ff_tree *tree)
{
    uint32_t file = ff_tree_lookup(tree, FF_ROOT_NODE, "file");
    uint32_t directory = ff_tree_lookup(tree, FF_ROOT_NODE, "directory");
    ff_node_write(ff_tree_edit(tree, file), "changed and longer than before", 30, 3);
    ff_node_resize(ff_tree_edit(tree, ff_tree_lookup(tree, FF_ROOT_NODE, "link")), 2);
    ff_node_set_xattr(ff_tree_edit(tree, directory), "user.a", bytes("value"));
    ff_tree_edit(tree, FF_ROOT_NODE)->mode = S_IFDIR | 0700;
    ff_tree_set_name(tree, FF_ROOT_NODE, "file", FF_NO_NODE);
    ff_tree_set_name(tree, FF_ROOT_NODE, "file", directory);
    ff_tree_set_name(tree, directory, "again", FF_NO_NODE);
    ff_tree_set_name(tree, directory, "new", file);
    ff_tree_set_name(tree, directory, "new", FF_NO_NODE);
    uint32_t made = add(tree, directory, "made", S_IFDIR | 0755, "");
    add(tree, made, "inner", S_IFREG | 0644, "inner");
}

static void rollback_takes_everything_back(void)
{
    struct ff_tree *tree = sample();
    size_t gap = tree->node_limit; /* a number that no node has yet */
    ff_tree_reserve_ids(tree, gap + 1);
    struct ff_tree *before = ff_tree_copy(tree);
    for (int i = 0; i < 3; i++) {
        ff_tree_savepoint(tree);
        sample_change(tree);
        ff_node_write(ff_tree_create(tree, (uint32_t)gap, S_IFREG | 0600, 0, 0), "gap", 3, 0);
        ff_tree_set_name(tree, FF_ROOT_NODE, "gap", (uint32_t)gap);
        CU_ASSERT_TRUE(ff_tree_differs(tree, "changed", before, "before", &(struct ff_error){""}));
        ff_tree_rollback(tree);
        assert_same(tree, before);
        CU_ASSERT_PTR_NULL(ff_tree_node(tree, (uint32_t)gap));
        CU_ASSERT_EQUAL(tree->node_limit, before->node_limit);
    }
    ff_tree_free(before);
    ff_tree_free(tree);
}

static void rollback_goes_to_the_last_savepoint(void)
{
    struct ff_tree *tree = sample();
    ff_tree_savepoint(tree);
    sample_change(tree);
    struct ff_tree *changed = ff_tree_copy(tree);
    ff_tree_savepoint(tree);
    ff_tree_set_name(tree, FF_ROOT_NODE, "empty", FF_NO_NODE);
    ff_tree_rollback(tree);
    assert_same(tree, changed);
    /* There is none any more, and a copy has none. */
    ff_tree_set_name(tree, FF_ROOT_NODE, "empty", FF_NO_NODE);
    ff_tree_set_name(changed, FF_ROOT_NODE, "empty", FF_NO_NODE);
    ff_tree_rollback(tree);
    ff_tree_rollback(changed);
    assert_same(tree, changed);
    ff_tree_free(changed);
    ff_tree_savepoint(tree);
    sample_change(tree);
    ff_tree_reset(tree);
    ff_tree_rollback(tree);
    CU_ASSERT_EQUAL(ff_tree_node(tree, FF_ROOT_NODE)->entry_count, 0);
    ff_tree_free(tree);
}

static const struct unit_test tests[] = {
    {"a file that cannot be read is stored as one that cannot be opened", store_unreadable},
    {"store and load", store_and_load},
    {"store again after clear", store_again_after_clear},
    {"deep directories", deep_directories},
    {"every difference is seen", every_difference_is_seen},
    {"numbers do not matter", numbers_do_not_matter},
    {"reset forgets everything", reset_forgets_everything},
    {"rollback takes everything back", rollback_takes_everything_back},
    {"rollback goes to the last savepoint", rollback_goes_to_the_last_savepoint},
    {"effects", effects},
    {"xattrs are kept sorted", xattrs_are_kept_sorted},
    {"xattrs that are not valid", xattrs_that_are_not_valid},
    {"xattrs are stored", xattrs_are_stored},
    {"xattrs that are modelled", xattrs_that_are_modelled},
    {"load visits each node once", load_visits_each_node_once},
    {"load refuses a link from outside", load_refuses_a_link_from_outside},
    {"load of nothing", load_of_nothing},
};

int main(int argc, char **argv)
{
    int status = unit_main("tree", tests, sizeof(tests) / sizeof(tests[0]), argc, argv);
    scratch_remove();
    return status;
}
