/*
 * All states that a trace may leave under a model, each as a line of text:
 *
 *     file1=hello dir/ tmp=wor.~
 *
 * Names in order; of a file its bytes, zeros as '.' and garbage as '~'; '!' for one that
 * cannot be read.
 */
#ifndef STATES_H
#define STATES_H

#include "memory.h"
#include "model.h"
#include "sample.h"
#include "state.h"

static inline void states_print_names(FILE *stream, const struct ff_tree *tree, uint32_t directory,
                                      const char *path)
{
    const struct ff_node *node = ff_tree_node(tree, directory);
    for (size_t i = 0; i < node->entry_count; i++) {
        const struct ff_node *file = ff_tree_node(tree, node->entries[i].node);
        char *name = cm_format("%s%s", path, node->entries[i].name);
        fprintf(stream, "%s%s%s", ftell(stream) > 0 ? " " : "", name,
                S_ISDIR(file->mode) ? "/" : "=");
        if (S_ISDIR(file->mode)) {
            char *below = cm_format("%s/", name);
            states_print_names(stream, tree, node->entries[i].node, below);
            free(below);
        }
        if (S_ISSOCK(file->mode))
            fputc('!', stream);
        for (size_t b = 0; S_ISREG(file->mode) && b < file->size; b++)
            fputc(file->data[b] == 0            ? '.'
                  : file->data[b] == CM_GARBAGE ? '~'
                                                : file->data[b],
                  stream);
        free(name);
    }
}

static inline char *states_text(const struct ff_tree *tree)
{
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    states_print_names(stream, tree, FF_ROOT_NODE, "");
    fclose(stream);
    return text;
}

static int states_compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

struct states {
    char **lines; /* sorted, each once */
    size_t count;
    size_t capacity;
};

/* Those that may be left at a boundary from first on. */
static inline struct states states_from(const struct sample *s, const struct cm_model *model,
                                        uint32_t first)
{
    struct ff_error error = {""};
    struct states states = {NULL, 0, 0};
    struct cm_poset *poset = cm_poset_build(&s->trace, model, 0, &error);
    if (poset == NULL) {
        fprintf(stderr, "%s\n", error.text);
        abort();
    }
    struct cm_explorer *explorer = cm_explorer_new(poset);
    do {
        cm_explorer_restart(explorer);
        cm_read_everything(poset, explorer);
        struct cm_cylinder cylinder = cm_explorer_cylinder(explorer);
        if (cm_cylinder_boundaries(poset, cylinder).end <= first)
            continue;
        struct ff_tree *tree = cm_state_build(poset, cylinder.included);
        states.lines = cm_reserve(states.lines, states.count, &states.capacity, sizeof(char *));
        states.lines[states.count++] = states_text(tree);
        ff_tree_free(tree);
    } while (cm_explorer_advance(explorer));
    cm_explorer_free(explorer);
    cm_poset_free(poset);
    qsort(states.lines, states.count, sizeof(char *), states_compare);
    size_t kept = 0;
    for (size_t i = 0; i < states.count; i++) {
        if (kept > 0 && strcmp(states.lines[kept - 1], states.lines[i]) == 0)
            free(states.lines[i]);
        else
            states.lines[kept++] = states.lines[i];
    }
    states.count = kept;
    return states;
}

static inline void states_free(struct states *states)
{
    for (size_t i = 0; i < states->count; i++)
        free(states->lines[i]);
    free(states->lines);
}

static inline bool states_have(const struct states *states, const char *line)
{
    for (size_t i = 0; i < states->count; i++)
        if (strcmp(states->lines[i], line) == 0)
            return true;
    return false;
}

/* The states must be exactly these, in the order of strcmp(), one a line. */
static inline void states_expect(const struct sample *s, const struct cm_model *model,
                                 uint32_t first, const char *expected)
{
    struct states states = states_from(s, model, first);
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    for (size_t i = 0; i < states.count; i++)
        fprintf(stream, "%s\n", states.lines[i]);
    fclose(stream);
    CU_ASSERT_STRING_EQUAL(text, expected);
    if (strcmp(text, expected) != 0)
        printf("\n    states are\n%s    but should be\n%s", text, expected);
    free(text);
    states_free(&states);
}

#endif
