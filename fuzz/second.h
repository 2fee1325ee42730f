/*
 * A second reader and writer of manifests, by section 3 of impl/SPEC.md alone, to compare the
 * library's with. Simple where that one is fast: values are looked up again and again. Where
 * values stand it is told by the library's scanner, which the target json compares with another.
 */
#ifndef CRASHMATRIX_FUZZ_SECOND_H
#define CRASHMATRIX_FUZZ_SECOND_H

#include <manifest/document.h>

/* A text that is JSON. */
struct second {
    const char *text;
    size_t size;
    struct mf_json json;
};

/* False when the text is no JSON. */
bool second_open(struct second *second, const char *text, size_t size);
void second_close(struct second *second);

/* The member of an object, or 0. */
size_t second_member(const struct second *second, size_t object, const char *name);

/* Whether two strings, which begin with the quotation marks there, are the same without their
 * escapes. */
bool second_same(const char *left, const char *right);

/* The characters of a string without its escapes, allocated and terminated. */
char *second_string(const char *quoted);

/* Calls visit with the string that each member which names files holds. */
void second_names(const struct second *second, void (*visit)(void *argument, const char *quoted),
                  void *argument);

/* What the member "checksum" must be. */
uint64_t second_checksum(const struct second *second);

/* Why it is no manifest, with all numbers and seals compared, or NULL. */
const char *second_refuses(const struct second *second, bool accept_unsealed);

/* The canonical bytes of a text that is not refused. Allocated. */
char *second_print(const struct second *second, size_t *size);

/* How deep arrays and objects lie inside each other. */
unsigned second_depth(const struct second *second);

#endif
