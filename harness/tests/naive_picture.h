/*
 * What the files look like of which exactly some operations persisted.
 */
#ifndef NAIVE_PICTURE_H
#define NAIVE_PICTURE_H

#include "naive_order.h"

/*
 * A later write to the granule reached the disk, and with it the whole granule as
 * the program saw it.
 */
static bool is_carried(const struct naive *naive, unsigned subset, size_t index,
                       const struct touch *touch)
{
    for (size_t i = index + 1; i < naive->step_count; i++)
        for (size_t t = 0;
             is_seen(&naive->steps[i]) && (subset >> i & 1) != 0 && t < naive->steps[i].touch_count;
             t++)
            if (touch->place == PLACE_BYTES && same_place(touch, &naive->steps[i].touches[t]))
                return true;
    return false;
}

/* Whether the step has its place among the others where it says, not where it stands. */
static bool stands_behind(const struct step *step)
{
    return step->class == CM_CLASS_LOG ||
           (step->foreign == REUSE && step->touches[0].behind != NOWHERE);
}

/* What stands behind so many steps: what the syncs of the subset stated, and what shows until a
 * cut is there. */
static void draw_behind(const struct naive *naive, unsigned subset, size_t behind,
                        struct picture *picture)
{
    for (size_t i = 0; i < naive->step_count; i++)
        for (size_t t = 0; (subset >> i & 1) != 0 && t < naive->steps[i].touch_count; t++)
            if (stands_behind(&naive->steps[i]) && naive->steps[i].touches[t].behind == behind &&
                (naive->steps[i].class == CM_CLASS_LOG ||
                 !is_carried(naive, subset, i, &naive->steps[i].touches[t])))
                draw_touch(picture, &naive->steps[i].touches[t]);
}

static inline void draw(const struct naive *naive, unsigned subset, struct picture *picture)
{
    draw_snapshot(naive->trace, picture);
    draw_behind(naive, subset, 0, picture);
    for (size_t i = 0; i < naive->step_count; i++) {
        const struct step *step = &naive->steps[i];
        for (size_t t = 0; !stands_behind(step) && t < step->touch_count; t++) {
            const struct touch *touch = &step->touches[t];
            bool there = (subset >> i & 1) != 0, carried = is_carried(naive, subset, i, touch);
            /* What the program did not see is not in the page that it wrote later. */
            if (step->unseen ? there && !carried : there || carried)
                draw_touch(picture, touch);
        }
        draw_behind(naive, subset, i + 1, picture);
    }
}

/* Granules that some step writes: only those may show garbage. */
static bool is_touched(const struct naive *naive, uint32_t node, uint32_t at)
{
    for (size_t i = 0; i < naive->step_count; i++)
        for (size_t t = 0; t < naive->steps[i].touch_count; t++) {
            const struct touch *touch = &naive->steps[i].touches[t];
            if (touch->place == PLACE_BYTES && touch->node == node &&
                touch->from / GRANULE == at / GRANULE)
                return true;
        }
    return false;
}

static unsigned char byte_at(const struct naive *naive, const struct picture *picture,
                             uint32_t node, uint32_t at)
{
    bool garbage = naive->model->unwritten == CM_UNWRITTEN_GARBAGE &&
                   !picture->written[node][at / GRANULE] && is_touched(naive, node, at);
    return garbage ? CM_GARBAGE : picture->bytes[node][at];
}

/* Whether the size says more than there are blocks to be found. */
static bool is_unreadable(const struct naive *naive, const struct picture *picture, uint32_t node)
{
    return naive->model->choices[CM_CHOICE_SIZE] == CM_SIZE_ENTRY && S_ISREG(picture->mode[node]) &&
           units_of(picture->size[node]) > picture->chain[node];
}

static uint32_t mode_in(const struct naive *naive, const struct picture *picture, uint32_t node)
{
    uint32_t mode = picture->mode[node];
    return is_unreadable(naive, picture, node) ? S_IFSOCK | (mode & 07777) : mode;
}

static char *content_text(const struct naive *naive, const struct picture *picture, uint32_t node)
{
    char hex[2 * MAX_SIZE + 1] = "", xattrs[5] = "";
    if (is_unreadable(naive, picture, node))
        snprintf(hex, sizeof(hex), "unreadable");
    for (uint32_t b = 0; S_ISREG(mode_in(naive, picture, node)) && b < picture->size[node]; b++)
        snprintf(hex + 2 * b, 3, "%02x", byte_at(naive, picture, node, b));
    /* A socket has none. */
    for (int a = 0; a < 2; a++)
        if (picture->xattrs[node][a] != 0 && !is_unreadable(naive, picture, node)) {
            xattrs[strlen(xattrs)] = (char)('a' + a);
            xattrs[strlen(xattrs)] = picture->xattrs[node][a];
        }
    return cm_format("%u %s %s", picture->size[node], hex, xattrs);
}

static inline void print_picture(const struct naive *naive, const struct picture *picture,
                                 uint32_t directory, const char *path, char **lines, size_t *count)
{
    if (directory == FF_ROOT_NODE)
        lines[(*count)++] = cm_format("/ %o #%u\n", (unsigned)picture->mode[directory], directory);
    for (size_t i = 0; i < picture->name_count; i++) {
        uint32_t node = picture->names[i].node;
        if (picture->names[i].directory != directory || node == FF_NO_NODE)
            continue;
        char *full = cm_format("%s/%s", path, picture->names[i].name);
        bool blank = node == BLANK;
        char *content = blank ? cm_format("0  ") : content_text(naive, picture, node);
        uint32_t mode = blank ? picture->names[i].mode : mode_in(naive, picture, node);
        /* No two names are the same blank. */
        lines[(*count)++] = cm_format("%s %o #%zu %s\n", full, (unsigned)mode,
                                      blank ? MAX_NODES + i : node, content);
        free(content);
        if (!blank && S_ISDIR(mode))
            print_picture(naive, picture, node, full, lines, count);
        free(full);
    }
}

static void plant_content(const struct naive *naive, const struct picture *picture, uint32_t node,
                          struct ff_node *planted)
{
    for (uint32_t b = 0; S_ISREG(planted->mode) && b < picture->size[node]; b++) {
        unsigned char byte = byte_at(naive, picture, node, b);
        ff_node_write(planted, &byte, 1, b);
    }
    if (is_unreadable(naive, picture, node)) {
        planted->mode = mode_in(naive, picture, node);
        memset(planted->data, 0, planted->size);
    }
    for (int a = 0; a < 2; a++) {
        unsigned char value = (unsigned char)picture->xattrs[node][a];
        if (value != 0 && !S_ISSOCK(planted->mode))
            ff_node_set_xattr(planted, a == 0 ? "user.a" : "user.b", (struct ff_bytes){&value, 1});
    }
}

/* The same as a tree. */
static inline void plant_picture(const struct naive *naive, const struct picture *picture,
                                 uint32_t directory, struct ff_tree *tree)
{
    ff_tree_edit(tree, directory)->mode = picture->mode[directory];
    for (size_t i = 0; i < picture->name_count; i++) {
        uint32_t node = picture->names[i].node;
        if (picture->names[i].directory != directory || node == FF_NO_NODE)
            continue;
        bool blank = node == BLANK;
        node = blank ? MAX_NODES + (uint32_t)i : node;
        if (ff_tree_node(tree, node) == NULL) {
            ff_tree_create(tree, node, blank ? picture->names[i].mode : picture->mode[node], 0, 0);
            if (!blank)
                plant_content(naive, picture, node, ff_tree_edit(tree, node));
        }
        ff_tree_set_name(tree, directory, picture->names[i].name, node);
        if (!blank && S_ISDIR(picture->mode[node]))
            plant_picture(naive, picture, node, tree);
    }
}

#endif
