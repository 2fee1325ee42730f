/*
 * Equality of trees, two ways: the first difference, for people, and a hash. Both
 * see what can be reached from the root: names, types, mode bits, owners,
 * contents, extended attributes, and which names mean one node.
 */
#include "error.h"
#include "faultfs/tree.h"
#include "tree_walk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

/* Two sides being compared, and where the answer goes. */
struct comparison {
    struct tree_walk walks[2];
    const char *labels[2];
    struct ff_error *difference;
};

/* The last event of side `at` is where the difference lies. */
static bool differ(struct comparison *comparison, int at, const char *what, const char *a,
                   const char *b)
{
    char *path = ff_tree_walk_path(&comparison->walks[at]);
    ff_error_set(comparison->difference, "%s: %s (%s %s, %s %s)", path, what, comparison->labels[0],
                 a, comparison->labels[1], b);
    free(path);
    return true;
}

static bool numbers_differ(struct comparison *comparison, const char *what, const char *format,
                           unsigned long a, unsigned long b)
{
    char left[32], right[32];
    if (a == b)
        return false;
/* The format is one of the two literals below, never data. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    snprintf(left, sizeof(left), format, a);
    snprintf(right, sizeof(right), format, b);
#pragma GCC diagnostic pop
    return differ(comparison, 0, what, left, right);
}

static const char *type_name(uint32_t mode)
{
    switch (mode & S_IFMT) {
    case S_IFREG:
        return "file";
    case S_IFDIR:
        return "directory";
    case S_IFLNK:
        return "symbolic link";
    case S_IFIFO:
        return "fifo";
    case S_IFSOCK:
        return "socket, or a file that cannot be read";
    default:
        return "unknown";
    }
}

static bool data_differs(struct comparison *comparison, const struct ff_node *a,
                         const struct ff_node *b)
{
    const char *what = S_ISLNK(a->mode) ? "link target" : "content";
    if (a->size == 0 || memcmp(a->data, b->data, a->size) == 0)
        return false;
    size_t at = 0;
    while (a->data[at] == b->data[at])
        at++;
    char left[64], right[64];
    snprintf(left, sizeof(left), "0x%02x at byte %zu", a->data[at], at);
    snprintf(right, sizeof(right), "0x%02x", b->data[at]);
    return differ(comparison, 0, what, left, right);
}

static const char *xattr_text(const struct ff_xattr *xattr, bool has_it, char text[64])
{
    if (!has_it)
        return "does not have it";
    snprintf(text, 64, "%zu bytes: %.*s", xattr->value.size,
             (int)(xattr->value.size < 32 ? xattr->value.size : 32),
             (const char *)xattr->value.data);
    return text;
}

/* The first of the sorted attributes that is not the same on both sides. */
static bool xattrs_differ(struct comparison *comparison, const struct ff_node *a,
                          const struct ff_node *b)
{
    const struct ff_bytes all[2] = {{a->xattrs, a->xattrs_size}, {b->xattrs, b->xattrs_size}};
    struct ff_xattr xattrs[2];
    size_t at[2] = {0, 0};
    char texts[2][64];
    if (a->xattrs_size == b->xattrs_size &&
        (a->xattrs_size == 0 || memcmp(a->xattrs, b->xattrs, a->xattrs_size) == 0))
        return false;
    for (;;) {
        bool left = ff_xattrs_next(all[0], &at[0], &xattrs[0]);
        bool right = ff_xattrs_next(all[1], &at[1], &xattrs[1]);
        int order = !right ? -1 : !left ? 1 : strcmp(xattrs[0].name, xattrs[1].name);
        if (order == 0 && xattrs[0].value.size == xattrs[1].value.size &&
            memcmp(xattrs[0].value.data, xattrs[1].value.data, xattrs[0].value.size) == 0)
            continue;
        char what[300];
        snprintf(what, sizeof(what), "extended attribute %s", xattrs[order > 0].name);
        return differ(comparison, 0, what, xattr_text(&xattrs[0], order <= 0, texts[0]),
                      xattr_text(&xattrs[1], order >= 0, texts[1]));
    }
}

static bool nodes_differ(struct comparison *comparison, const struct ff_node *a,
                         const struct ff_node *b)
{
    if ((a->mode & S_IFMT) != (b->mode & S_IFMT))
        return differ(comparison, 0, "type", type_name(a->mode), type_name(b->mode));
    /* Mode bits of a symbolic link mean nothing and cannot be set. */
    if (!S_ISLNK(a->mode) &&
        numbers_differ(comparison, "mode", "%04lo", a->mode & 07777, b->mode & 07777))
        return true;
    return numbers_differ(comparison, "owner", "%lu", a->uid, b->uid) ||
           numbers_differ(comparison, "group", "%lu", a->gid, b->gid) ||
           numbers_differ(comparison, "size", "%lu", a->size, b->size) ||
           data_differs(comparison, a, b) || xattrs_differ(comparison, a, b);
}

static bool names_differ(struct comparison *comparison, const enum walk_event events[2])
{
    const struct tree_walk *walks = comparison->walks;
    int order;
    if (events[0] != WALK_NAME && events[1] != WALK_NAME)
        return false;
    if (events[0] != WALK_NAME || events[1] != WALK_NAME)
        order = events[0] == WALK_NAME ? -1 : 1;
    else
        order = strcmp(walks[0].name, walks[1].name);
    if (order < 0)
        return differ(comparison, 0, "name", "has it", "does not");
    if (order > 0)
        return differ(comparison, 1, "name", "does not have it", "does");
    return false;
}

static bool links_differ(struct comparison *comparison)
{
    const struct tree_walk *walks = comparison->walks;
    if (walks[0].ordinal == walks[1].ordinal)
        return false;
    return differ(comparison, 0, "hard link",
                  walks[0].first ? "has a file of its own" : "has another name of an earlier file",
                  walks[1].first ? "has a file of its own" : "has another name of an earlier file");
}

bool ff_tree_differs(const struct ff_tree *a, const char *left, const struct ff_tree *b,
                     const char *right, struct ff_error *difference)
{
    struct comparison comparison = {.labels = {left, right}, .difference = difference};
    struct tree_walk *walks = comparison.walks;
    ff_tree_walk_begin(&walks[0], a);
    ff_tree_walk_begin(&walks[1], b);
    bool differs = nodes_differ(&comparison, &a->nodes[FF_ROOT_NODE], &b->nodes[FF_ROOT_NODE]);
    while (!differs) {
        enum walk_event events[2] = {ff_tree_walk_next(&walks[0]), ff_tree_walk_next(&walks[1])};
        differs = names_differ(&comparison, events);
        if (differs || events[0] == WALK_END)
            break;
        if (events[0] == WALK_LEAVE)
            continue;
        differs = links_differ(&comparison);
        if (!differs && walks[0].first)
            differs = nodes_differ(&comparison, &a->nodes[walks[0].node], &b->nodes[walks[1].node]);
    }
    ff_tree_walk_end(&walks[0]);
    ff_tree_walk_end(&walks[1]);
    return differs;
}

static void hash_node(XXH3_state_t *state, const struct ff_node *node)
{
    uint64_t fields[5] = {S_ISLNK(node->mode) ? S_IFLNK : node->mode, node->uid, node->gid,
                          node->size, node->xattrs_size};
    XXH3_128bits_update(state, fields, sizeof(fields));
    if (node->size != 0)
        XXH3_128bits_update(state, node->data, node->size);
    if (node->xattrs_size != 0)
        XXH3_128bits_update(state, node->xattrs, node->xattrs_size);
}

struct ff_hash ff_tree_hash(const struct ff_tree *tree)
{
    XXH3_state_t state;
    XXH3_128bits_reset(&state);
    struct tree_walk walk;
    ff_tree_walk_begin(&walk, tree);
    hash_node(&state, &tree->nodes[FF_ROOT_NODE]);
    for (enum walk_event event = ff_tree_walk_next(&walk); event != WALK_END;
         event = ff_tree_walk_next(&walk)) {
        /* "/" is no name and so cannot be taken for one: the end of a directory. */
        const char *name = event == WALK_LEAVE ? "/" : walk.name;
        XXH3_128bits_update(&state, name, strlen(name) + 1);
        if (event == WALK_LEAVE)
            continue;
        XXH3_128bits_update(&state, &walk.ordinal, sizeof(walk.ordinal));
        if (walk.first)
            hash_node(&state, &tree->nodes[walk.node]);
    }
    ff_tree_walk_end(&walk);
    XXH128_hash_t hash = XXH3_128bits_digest(&state);
    return (struct ff_hash){hash.low64, hash.high64};
}
