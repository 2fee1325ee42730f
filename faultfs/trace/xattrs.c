/* Extended attributes as FF_XATTRS: trees compare and copy them as bytes. */
#include "faultfs/tree.h"

#include "../shim/xattr_names.h"
#include "memory.h"

#include <stdlib.h>
#include <string.h>

enum { NAME_LIMIT = 255, VALUE_LIMIT = 65536, LENGTH_SIZE = 4 }; /* xattr(7) */

bool ff_xattr_is_modelled(const char *name)
{
    static const char *const names[] = {XATTR_MODELLED_NAMES};
    static const char *const prefixes[] = {XATTR_MODELLED_PREFIXES};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
        if (strncmp(name, prefixes[i], strlen(prefixes[i])) == 0)
            return strncmp(name, XATTR_HIDDEN_PREFIX, strlen(XATTR_HIDDEN_PREFIX)) != 0;
    return false;
}

static size_t length_get(const unsigned char *bytes)
{
    return bytes[0] | (size_t)bytes[1] << 8 | (size_t)bytes[2] << 16 | (size_t)bytes[3] << 24;
}

static void length_put(unsigned char *bytes, size_t length)
{
    for (int i = 0; i < LENGTH_SIZE; i++)
        bytes[i] = (unsigned char)(length >> 8 * i);
}

bool ff_xattrs_next(struct ff_bytes xattrs, size_t *position, struct ff_xattr *xattr)
{
    if (*position == xattrs.size)
        return false;
    const unsigned char *at = xattrs.data + *position;
    size_t name = strlen((const char *)at) + 1, size = length_get(at + name);
    xattr->name = (const char *)at;
    xattr->value = (struct ff_bytes){at + name + LENGTH_SIZE, size};
    *position += name + LENGTH_SIZE + size;
    return true;
}

bool ff_xattrs_are_valid(struct ff_bytes xattrs)
{
    const char *before = NULL;
    size_t left = xattrs.size;
    for (const unsigned char *at = xattrs.data; left != 0;) {
        const unsigned char *end = memchr(at, '\0', left);
        size_t name = end == NULL ? 0 : (size_t)(end - at) + 1;
        if (name < 2 || name > NAME_LIMIT + 1 || left - name < LENGTH_SIZE)
            return false;
        size_t size = length_get(end + 1);
        if (size > VALUE_LIMIT || size > left - name - LENGTH_SIZE ||
            (before != NULL && strcmp(before, (const char *)at) >= 0))
            return false;
        before = (const char *)at;
        at += name + LENGTH_SIZE + size;
        left -= name + LENGTH_SIZE + size;
    }
    return true;
}

/* Where the attribute is, or would have to be; *end is where it ends. */
static size_t xattr_find(const struct ff_node *node, const char *name, size_t *end)
{
    struct ff_bytes all = {node->xattrs, node->xattrs_size};
    struct ff_xattr xattr;
    size_t start = 0;
    for (*end = 0; ff_xattrs_next(all, end, &xattr); start = *end) {
        int order = strcmp(xattr.name, name);
        if (order == 0)
            return start;
        if (order > 0)
            break;
    }
    *end = start;
    return start;
}

/* Makes room of that size between start and end. */
static void xattr_replace(struct ff_node *node, size_t start, size_t end, size_t size)
{
    size_t rest = node->xattrs_size - end;
    size_t total = start + size + rest;
    node->xattrs = ff_memory_grow(node->xattrs, &node->xattrs_capacity, total, 1);
    if (rest != 0)
        memmove(node->xattrs + start + size, node->xattrs + end, rest);
    node->xattrs_size = total;
}

void ff_node_set_xattr(struct ff_node *node, const char *name, struct ff_bytes value)
{
    size_t end, start = xattr_find(node, name, &end), length = strlen(name) + 1;
    xattr_replace(node, start, end, length + LENGTH_SIZE + value.size);
    memcpy(node->xattrs + start, name, length);
    length_put(node->xattrs + start + length, value.size);
    if (value.size != 0)
        memcpy(node->xattrs + start + length + LENGTH_SIZE, value.data, value.size);
}

bool ff_node_remove_xattr(struct ff_node *node, const char *name)
{
    size_t end, start = xattr_find(node, name, &end);
    if (start == end)
        return false;
    xattr_replace(node, start, end, 0);
    return true;
}

void ff_node_set_xattrs(struct ff_node *node, struct ff_bytes xattrs)
{
    xattr_replace(node, 0, node->xattrs_size, xattrs.size);
    if (xattrs.size != 0)
        memcpy(node->xattrs, xattrs.data, xattrs.size);
}
