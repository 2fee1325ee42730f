/*
 * Small workloads as texts, and what they leave as texts.
 *
 * A workload is what there was before, and calls:
 *
 *     "before": {"f": "OO"},
 *     "calls": ["create t", "write t 0 NN", "fsync t", "rename t f", "fsync ."]
 *
 * Content is written as one letter for each cell (4096 bytes, or what the workload says),
 * which fills it. `write PATH AT LETTERS` is one call that begins at cell AT; `truncate PATH
 * CELLS` sets the size. The other calls: create, mkdir, link, rename, unlink, fsync,
 * fdatasync, sync.
 *
 * An outcome is `PATH=CONTENT` for each path that the workload names, in order. CONTENT is
 * what a file reads, one letter for each cell: those written, Z zeros, G garbage, ~ a cell
 * that is not the same throughout, and after them ' if the last cell is not whole; or E
 * empty, - missing, / a directory, ! a file that cannot be read.
 *
 * A pattern says this of some of the paths, with fnmatch(3): `f=OO t=*`.
 */
#ifndef WORKLOAD_H
#define WORKLOAD_H

#include <fnmatch.h>

#include "config.h"
#include "memory.h"
#include "sample.h"
#include "state.h"

enum { WORKLOAD_PATHS = 12 };

struct workload {
    const char *name;
    struct sample *sample;
    size_t cell;      /* bytes */
    uint32_t granule; /* to explore it with; 0: the model's, or the cell if that is larger */
    const char *paths[WORKLOAD_PATHS];
    size_t path_count;
    char **names; /* [k]: what the names mean after k calls; of the last, which prints, - */
    bool has_sync;
};

/* ---- From text to trace ---- */

static inline void workload_fail(const struct workload *workload, const char *text)
{
    fprintf(stderr, "workload '%s': '%s' is not understood\n", workload->name, text);
    abort();
}

/* The directory of a path and its last component; FF_NO_NODE if there is no such directory. */
static inline uint32_t workload_parent(const struct ff_tree *tree, const char *path,
                                       const char **last)
{
    uint32_t directory = FF_ROOT_NODE;
    for (const char *slash; (slash = strchr(path, '/')) != NULL; path = slash + 1) {
        char *name = cm_duplicate(path, (size_t)(slash - path));
        directory = directory == FF_NO_NODE ? FF_NO_NODE : ff_tree_lookup(tree, directory, name);
        free(name);
    }
    *last = path;
    return directory;
}

/* What a path means, or FF_NO_NODE. */
static inline uint32_t workload_find(const struct ff_tree *tree, const char *path)
{
    const char *last;
    uint32_t directory = workload_parent(tree, path, &last);
    if (strcmp(path, ".") == 0)
        return FF_ROOT_NODE;
    return directory == FF_NO_NODE ? FF_NO_NODE : ff_tree_lookup(tree, directory, last);
}

static inline void workload_watch(struct workload *workload, const char *path)
{
    size_t at = workload->path_count;
    for (size_t i = 0; i < workload->path_count; i++)
        if (strcmp(workload->paths[i], path) == 0)
            return;
    if (strcmp(path, ".") == 0)
        return;
    if (workload->path_count == WORKLOAD_PATHS)
        workload_fail(workload, path);
    for (; at > 0 && strcmp(workload->paths[at - 1], path) > 0; at--)
        workload->paths[at] = workload->paths[at - 1];
    workload->paths[at] = (const char *)sample_text(workload->sample, path).data;
    workload->path_count++;
}

/* The bytes that letters stand for. */
static inline char *workload_content(const struct workload *workload, const char *letters)
{
    char *content = cm_allocate(strlen(letters) * workload->cell + 1, 1);
    for (size_t i = 0; letters[i] != '\0'; i++) {
        if (letters[i] < 'A' || letters[i] > 'Z' || strchr("EGZ", letters[i]) != NULL)
            workload_fail(workload, letters);
        memset(content + i * workload->cell, letters[i], workload->cell);
    }
    return content;
}

static inline void workload_had(struct workload *workload, const char *name, const char *letters)
{
    char *content = workload_content(workload, letters);
    sample_had(workload->sample, name, S_IFREG | 0644, content);
    workload_watch(workload, name);
    free(content);
}

static inline void workload_name_call(struct workload *workload, const struct ff_tree *tree,
                                      const char *verb, const char *path, const char *other)
{
    struct sample *s = workload->sample;
    const char *last, *other_last;
    uint32_t parent = workload_parent(tree, path, &last), node = workload_find(tree, path);
    uint32_t other_parent = workload_parent(tree, other, &other_last);
    workload_watch(workload, path);
    if (other[0] != '\0')
        workload_watch(workload, other);
    if (strcmp(verb, "create") == 0)
        sample_create(s, parent, last, S_IFREG | 0644);
    else if (strcmp(verb, "mkdir") == 0)
        sample_create(s, parent, last, S_IFDIR | 0755);
    else if (strcmp(verb, "unlink") == 0)
        sample_unlink(s, parent, last, node);
    else if (strcmp(verb, "link") == 0)
        sample_link(s, node, other_parent, other_last);
    else if (strcmp(verb, "rename") == 0)
        sample_rename(s, node, parent, last, other_parent, other_last, workload_find(tree, other));
    else
        workload_fail(workload, verb);
}

/* Appends a call to the trace and applies it to the tree. */
static inline void workload_call(struct workload *workload, struct ff_tree *tree, const char *text)
{
    struct sample *s = workload->sample;
    char verb[16] = "", path[64] = "", third[64] = "", fourth[64] = "";
    struct ff_error error;
    size_t calls = s->trace.call_count;
    if (sscanf(text, "%15s %63s %63s %63s", verb, path, third, fourth) < 1)
        workload_fail(workload, text);
    uint32_t node = path[0] == '\0' ? FF_NO_NODE : workload_find(tree, path);
    if (strcmp(verb, "write") == 0) {
        char *content = workload_content(workload, fourth);
        struct ff_call *call = sample_call(s, "pwrite64", FF_EFFECT_WRITE);
        call->node = node;
        call->offset = strtoull(third, NULL, 10) * workload->cell;
        call->data = sample_bytes(s, content, strlen(fourth) * workload->cell);
        free(content);
    } else if (strcmp(verb, "truncate") == 0) {
        sample_resize(s, node, strtoull(third, NULL, 10) * workload->cell);
    } else if (strcmp(verb, "fsync") == 0) {
        sample_fsync(s, node);
    } else if (strcmp(verb, "fdatasync") == 0) {
        sample_sync(s, FF_EFFECT_SYNC_DATA, node);
    } else if (strcmp(verb, "sync") == 0) {
        sample_sync(s, FF_EFFECT_SYNC_ALL, FF_NO_NODE);
    } else {
        workload_name_call(workload, tree, verb, path, third);
    }
    workload->has_sync = workload->has_sync || strstr(verb, "sync") != NULL;
    if (s->trace.call_count != calls + 1 || ff_tree_apply(tree, &s->calls[calls], &error) != 0)
        workload_fail(workload, text);
}

/* ---- What a state looks like ---- */

static inline void workload_print_names(const struct ff_tree *tree, uint32_t directory,
                                        FILE *stream)
{
    const struct ff_node *node = ff_tree_node(tree, directory);
    for (size_t i = 0; i < node->entry_count; i++) {
        const struct ff_entry *entry = &node->entries[i];
        fprintf(stream, "%u/%s=%u ", (unsigned)directory, entry->name, (unsigned)entry->node);
        if (S_ISDIR(ff_tree_node(tree, entry->node)->mode))
            workload_print_names(tree, entry->node, stream);
    }
}

/* All names, and which file each means; malloc'ed. */
static inline char *workload_names(const struct ff_tree *tree)
{
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    workload_print_names(tree, FF_ROOT_NODE, stream);
    fclose(stream);
    return text;
}

static inline char workload_letter(const unsigned char *bytes, size_t size)
{
    if (memcmp(bytes, bytes + 1, size - 1) != 0)
        return '~';
    return bytes[0] == 0 ? 'Z' : bytes[0] == 0xdb ? 'G' : (char)bytes[0];
}

static inline void workload_print_content(const struct workload *workload,
                                          const struct ff_node *node, FILE *stream)
{
    if (node == NULL) {
        fputs("-", stream);
    } else if (S_ISSOCK(node->mode)) {
        fputs("!", stream); /* see faultfs/tree.h */
    } else if (!S_ISREG(node->mode)) {
        fputs("/", stream);
    } else if (node->size == 0) {
        fputs("E", stream);
    } else {
        for (size_t at = 0; at < node->size; at += workload->cell) {
            size_t size = node->size - at < workload->cell ? node->size - at : workload->cell;
            fputc(workload_letter(node->data + at, size), stream);
            if (size < workload->cell)
                fputc('\'', stream);
        }
    }
}

/* malloc'ed */
static inline char *workload_outcome(const struct workload *workload, const struct ff_tree *tree)
{
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    for (size_t i = 0; i < workload->path_count; i++) {
        uint32_t node = workload_find(tree, workload->paths[i]);
        fprintf(stream, "%s%s=", i > 0 ? " " : "", workload->paths[i]);
        workload_print_content(workload, ff_tree_node(tree, node), stream);
    }
    fclose(stream);
    return text;
}

/* ---- Reading workloads ---- */

static inline struct workload *workload_read(const cJSON *json, const char *name)
{
    struct workload *workload = cm_allocate(1, sizeof(*workload));
    const cJSON *cell = cm_config_get(json, "cell"), *granule = cm_config_get(json, "granule");
    const cJSON *calls = cm_config_get(json, "calls"), *item;
    workload->name = name;
    workload->sample = sample_new();
    workload->cell = cell != NULL ? (size_t)cell->valueint : 4096;
    workload->granule = granule != NULL ? (uint32_t)granule->valueint : 0;
    cJSON_ArrayForEach(item, cm_config_get(json, "before"))
        workload_had(workload, item->string, item->valuestring);
    struct ff_tree *tree = ff_tree_from_snapshot(&workload->sample->trace);
    workload->names = cm_allocate((size_t)cJSON_GetArraySize(calls) + 2, sizeof(char *));
    workload->names[0] = workload_names(tree);
    cJSON_ArrayForEach(item, calls)
    {
        workload_call(workload, tree, item->valuestring);
        workload->names[workload->sample->trace.call_count] = workload_names(tree);
    }
    ff_tree_free(tree);
    sample_output(workload->sample, "done\n"); /* all calls have returned */
    workload->names[workload->sample->trace.call_count] = cm_format("-");
    return workload;
}

static inline void workload_free(struct workload *workload)
{
    for (size_t i = 0; i <= workload->sample->trace.call_count; i++)
        free(workload->names[i]);
    free(workload->names);
    sample_free(workload->sample);
    free(workload);
}

/* ---- Patterns ---- */

/* Whether the outcome is one of those that the pattern describes. */
static inline bool workload_matches(const char *pattern, const char *outcome)
{
    char *copy = cm_format("%s", pattern), *rest = NULL;
    bool matches = true;
    for (char *word = strtok_r(copy, " ", &rest); matches && word != NULL;
         word = strtok_r(NULL, " ", &rest)) {
        size_t name = (size_t)(strchr(word, '=') - word) + 1;
        const char *at = outcome;
        while (at != NULL && strncmp(at, word, name) != 0) {
            at = strchr(at, ' ');
            at = at != NULL ? at + 1 : NULL;
        }
        char *content =
            cm_duplicate(at != NULL ? at + name : "", at != NULL ? strcspn(at + name, " ") : 0);
        matches = at != NULL && fnmatch(word + name, content, 0) == 0;
        free(content);
    }
    free(copy);
    return matches;
}

/* Whether it is made of PATH=CONTENT, for paths that the workload names. */
static inline bool workload_knows(const struct workload *workload, const char *pattern)
{
    char *copy = cm_format("%s", pattern), *rest = NULL;
    bool knows = pattern[0] != '\0';
    for (char *word = strtok_r(copy, " ", &rest); word != NULL; word = strtok_r(NULL, " ", &rest)) {
        char *equals = strchr(word, '=');
        bool found = false;
        if (equals != NULL)
            *equals = '\0';
        for (size_t i = 0; equals != NULL && i < workload->path_count; i++)
            found = found || strcmp(workload->paths[i], word) == 0;
        knows = knows && found && equals[1] != '\0';
    }
    free(copy);
    return knows;
}

#endif
