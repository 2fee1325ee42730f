/*
 * What a fuzzer puts into the folders of a shelf before the library is called, and between
 * calls: versions that are whole, files, links, leftovers, and damage.
 */
#ifndef CRASHMATRIX_FUZZ_SCENE_H
#define CRASHMATRIX_FUZZ_SCENE_H

#include "choices.h"
#include "shelf.h"

/* A version number: mostly small, some at the borders. */
uint64_t scene_number(struct choices *choices);

/* A name: manifests, data files of the library and of others, hostile ones. Static. */
const char *scene_name(struct choices *choices);

/* The key of a file. Static. */
const char *scene_key(struct choices *choices);

/* Fills buffer with up to 255 bytes that depend on the seed only; their count. */
size_t scene_content(uint8_t seed, unsigned char buffer[256]);

/* One change, of whatever kind. */
void scene_change(struct shelf *shelf, struct choices *choices);

/* Files beside the database that nobody may touch, and links that lead to them. */
void scene_decoys(struct shelf *shelf);

#endif
