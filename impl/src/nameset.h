/* A set of names, for "is this file named by any of these manifests". */
#ifndef MANIFEST_SRC_NAMESET_H
#define MANIFEST_SRC_NAMESET_H

#include <stdbool.h>
#include <stddef.h>

/* Zero is the empty set. */
struct mf_nameset {
    char **names; /* a hash table with open addressing; NULL: no name */
    size_t count;
    size_t capacity; /* 0 or a power of two */
};

/* False when there is no memory; then the set is as it was. */
bool mf_nameset_add(struct mf_nameset *set, const char *name);
bool mf_nameset_has(const struct mf_nameset *set, const char *name);
void mf_nameset_clear(struct mf_nameset *set);

#endif
