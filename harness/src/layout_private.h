/*
 * What layout.c and layout_step.c share.
 */
#ifndef CRASHMATRIX_LAYOUT_PRIVATE_H
#define CRASHMATRIX_LAYOUT_PRIVATE_H

#include "layout.h"

struct cm_object {
    ino_t inode;
    uint32_t type;  /* as in st_mode; 0: there is none of that number */
    uint32_t names; /* that it has in the directory under test */
};

struct cm_layout {
    struct cm_scratch *scratch;
    struct timespec times[2];
    bool known;           /* laid and output are what is there */
    struct ff_tree *laid; /* what is in the stock is in it, without a name */
    char *output;
    size_t output_size;
    struct cm_object *objects; /* by node */
    size_t count, capacity;
    int seen, directory, stock; /* descriptors, or -1 */
    dev_t device;               /* of the directory under test */
    bool newest_first;          /* how the kernel lists names */
    struct cm_place *places;
    size_t place_count, place_capacity;
};

/* The name of an object in the stock. */
void cm_layout_stock_name(uint32_t id, char name[16]);

/* Opens a directory that is not a symbolic link. */
int cm_layout_directory_open(int at, const char *name);

int cm_layout_times_set(const struct cm_layout *layout, int at, const char *name);

/* Writes all of it. Returns 0, or -1 with errno set. */
int cm_layout_write(int fd, const void *bytes, size_t size, size_t offset);

/* From what is there to the files and the output of the state; all its objects are
 * there. Returns 0, or -1 with *error set. */
int cm_layout_step(struct cm_layout *layout, const struct cm_state *state, struct ff_error *error);

#endif
