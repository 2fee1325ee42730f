/*
 * The operations of a trace while they are collected: what the files that derive them from
 * calls share (derive.c, derive_content.c, derive_names.c).
 */
#ifndef CRASHMATRIX_BUILDER_H
#define CRASHMATRIX_BUILDER_H

#include "poset.h"

/* Blocks that a file lost. */
struct cm_freed_blocks {
    uint32_t node;        /* FF_NO_NODE: there were none */
    uint32_t operation;   /* by which it lost them */
    bool *had;            /* by granule: it was one of them */
    unsigned char *bytes; /* of the whole file, before */
    size_t size;
};

struct cm_builder {
    struct cm_poset *poset;
    struct ff_tree *tree; /* as the running program sees it: every call applied */
    char **paths;         /* by node: its last name, relative to the root */
    uint32_t *links;      /* by node: how many names the running program sees */
    size_t operation_capacity;
    size_t value_capacity;
    size_t location_capacity;
    uint32_t *table; /* open hash table of locations; CM_NO_LOCATION is empty */
    size_t table_size;
    uint32_t call;
    uint32_t boundary;
    struct cm_freed_blocks freed; /* the latest */
    uint32_t next_blank;          /* node: see make_blank() */
};

/* ---- Operations ---- */

/* Begins an operation of the call at hand; its values follow. Takes path. */
void cm_builder_begin(struct cm_builder *builder, enum cm_class class, char *path, uint64_t offset,
                      uint64_t length);

/* The number of the last operation. */
uint32_t cm_builder_last(const struct cm_builder *builder);

/* The last operation is a step that comes after an earlier one, if that is any. */
void cm_builder_follow(struct cm_builder *builder, uint32_t before);

/* ---- Values of the last operation ---- */

/* The location, made if it is new. name must outlive the poset. */
uint32_t cm_builder_location(struct cm_builder *builder, enum cm_location_kind kind, uint32_t node,
                             uint64_t granule, const char *name);

/* Adds a value, at a place in the location's value order or as the latest; the caller fills
 * in what it is. */
struct cm_value *cm_builder_insert(struct cm_builder *builder, uint32_t location, size_t place);
struct cm_value *cm_builder_value(struct cm_builder *builder, uint32_t location);

void cm_builder_name(struct cm_builder *builder, uint32_t parent, const struct ff_bytes *name,
                     uint32_t node);
void cm_builder_size(struct cm_builder *builder, uint32_t node, uint64_t size);

/* A granule's content as the file has it now, up to end or its size. */
struct cm_value *cm_builder_part(struct cm_builder *builder, uint32_t node, uint64_t granule,
                                 uint64_t end);
void cm_builder_granule(struct cm_builder *builder, uint32_t node, uint64_t granule);

/* ---- Paths ---- */

/* Those returned are the caller's. */
void cm_builder_set_path(struct cm_builder *builder, uint32_t node, uint32_t parent,
                         const struct ff_bytes *name);
char *cm_builder_name_path(const struct cm_builder *builder, uint32_t parent,
                           const struct ff_bytes *name);
char *cm_builder_node_path(const struct cm_builder *builder, uint32_t node);

/* ---- The model ---- */

/* Whether the size of a file is in its directory entry. */
bool cm_builder_has_entries(const struct cm_builder *builder);

/* ---- Freed blocks ---- */

/*
 * A file is about to lose all its blocks behind a size, by the operation that is begun next.
 * Does nothing if it has none there, or unless the model lets them be reused.
 */
void cm_freed_note(struct cm_builder *builder, uint32_t node, uint64_t size);
void cm_freed_forget(struct cm_builder *builder);

/* The granules that the write at hand allocates show what was freed before; to be called
 * before its data is derived. Returns how many operations that is. */
uint32_t cm_derive_stale(struct cm_builder *builder, const struct ff_call *call, uint64_t old_size);

/* And the file that lost them shows what is written there; to be called after that, with the
 * first of those operations. */
void cm_derive_reuse(struct cm_builder *builder, uint32_t first, uint32_t count);

/* ---- Calls ---- */

/* The operations of the call at hand. Its effect has been applied to the tree already. */
/* Whether the file had data of its own in the granule. */
bool cm_builder_had_data(const struct cm_poset *poset, uint32_t node, uint64_t granule);

void cm_derive_write(struct cm_builder *builder, const struct ff_call *call, uint64_t old_size);
void cm_derive_resize(struct cm_builder *builder, const struct ff_call *call, uint64_t old_size);
void cm_derive_create(struct cm_builder *builder, const struct ff_call *call);
void cm_derive_names(struct cm_builder *builder, const struct ff_call *call);

/* The file has lost its last name, and gives its blocks back: an entry that is still there has
 * lost its chain. */
void cm_derive_freeing(struct cm_builder *builder, uint32_t node);

#endif
