/*
 * What each rule of a model means: small workloads, and all that a power cut may leave
 * after the last call, by hand. Of each rule a workload where it holds, and one where
 * something that looks alike is not ordered.
 */
#include "unit.h"

#include <unistd.h>

#include "memory.h"
#include "poset.h"
#include "sample.h"
#include "state.h"

enum { BLOCK = 8 };

/* ---- Models ---- */

/* Names, attributes and cuts in order; what is in braces stands in place of the %s. */
static const char model_form[] =
    "{\"schema\": \"crashmatrix/model/1\", \"name\": \"m\", \"description\": \"d\","
    " \"unit\": 8, \"granule\": 8, \"unwritten\": \"zeros\","
    " \"rename-across-directories\": \"either\", %s,"
    " \"sources\": {\"unit\": \"s\", \"granule\": \"s\", \"tearing\": \"s\", \"unwritten\": \"s\","
    " \"rename-across-directories\": \"s\"%s}}";

/* A model with order rules (without their sources), syncs and restates. */
static struct cm_model *model_of(const char *rest, const char *sources)
{
    char path[] = "/tmp/model-XXXXXX";
    struct ff_error error;
    int fd = mkstemp(path);
    FILE *stream = fdopen(fd, "w");
    char *text = cm_format(model_form, rest, sources);
    fputs(text, stream);
    free(text);
    fclose(stream);
    struct cm_model *model = cm_model_load(path, &error);
    if (model == NULL)
        printf("\n    %s\n", error.text);
    unlink(path);
    CU_ASSERT_PTR_NOT_NULL_FATAL(model);
    return model;
}

#define PLAIN "\"tearing\": \"independent\", "
#define RULE(before, after, scope)                                                                 \
    "{\"before\": [" before "], \"after\": [" after "], \"scope\": \"" scope "\","                 \
    " \"source\": \"s\"}"
#define META_IN_ORDER                                                                              \
    "\"order\": [" RULE("\"meta\"", "\"meta\", \"grow\"",                                          \
                        "all") ", " RULE("\"allocate\"", "\"grow\"", "same-file") "]"

/* ---- States ---- */

struct states {
    char *texts[256];
    size_t count;
};

/* A letter for each block of a file, "0" where it begins with zero. */
static void print_file(FILE *stream, const struct ff_node *node)
{
    if (node->size == 0)
        fputc('E', stream);
    for (size_t at = 0; at < node->size; at += BLOCK)
        fputc(node->data[at] != 0 ? node->data[at] : '0', stream);
}

static void print_directory(FILE *stream, const struct ff_tree *tree, uint32_t id, const char *path)
{
    const struct ff_node *node = ff_tree_node(tree, id);
    for (size_t i = 0; i < node->entry_count; i++) {
        const struct ff_node *child = ff_tree_node(tree, node->entries[i].node);
        char *full = cm_format("%s%s", path, node->entries[i].name);
        fprintf(stream, "%s%s", ftell(stream) > 0 ? " " : "", full);
        if (S_ISDIR(child->mode)) {
            char *inside = cm_format("%s/", full);
            print_directory(stream, tree, node->entries[i].node, inside);
            free(inside);
        } else {
            fputc('=', stream);
            print_file(stream, child);
        }
        free(full);
    }
}

static char *print_state(const struct ff_tree *tree)
{
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    print_directory(stream, tree, FF_ROOT_NODE, "");
    fclose(stream);
    return text;
}

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void add_state(struct states *states, char *text)
{
    for (size_t i = 0; i < states->count; i++) {
        if (strcmp(states->texts[i], text) == 0) {
            free(text);
            return;
        }
    }
    states->texts[states->count++] = text;
}

/* All that may be left after the last call. */
static void find_states(const struct cm_poset *poset, struct states *states)
{
    struct cm_explorer *explorer = cm_explorer_new(poset);
    uint32_t end = (uint32_t)poset->trace->call_count;
    states->count = 0;
    do {
        cm_explorer_restart(explorer);
        cm_read_everything(poset, explorer);
        struct cm_cylinder cylinder = cm_explorer_cylinder(explorer);
        if (cm_cylinder_boundaries(poset, cylinder).end <= end)
            continue;
        struct ff_tree *tree = cm_state_build(poset, cylinder.included);
        add_state(states, print_state(tree));
        ff_tree_free(tree);
    } while (cm_explorer_advance(explorer));
    cm_explorer_free(explorer);
    qsort(states->texts, states->count, sizeof(*states->texts), compare_texts);
}

/* Frees sample and model. The states are separated by ", ". */
static void expect_states(struct sample *s, struct cm_model *model, const char *expected)
{
    struct ff_error error = {""};
    struct states states;
    struct cm_poset *poset = cm_poset_build(&s->trace, model, 0, &error);
    CU_ASSERT_STRING_EQUAL(error.text, "");
    CU_ASSERT_PTR_NOT_NULL_FATAL(poset);
    find_states(poset, &states);
    char *found = cm_format("%s", "");
    for (size_t i = 0; i < states.count; i++) {
        char *longer = cm_format("%s%s%s", found, i > 0 ? ", " : "", states.texts[i]);
        free(found);
        free(states.texts[i]);
        found = longer;
    }
    CU_ASSERT_STRING_EQUAL(found, expected);
    if (strcmp(found, expected) != 0)
        printf("\n    found    %s\n    expected %s\n", found, expected);
    free(found);
    cm_poset_free(poset);
    cm_model_free(model);
    sample_free(s);
}

/* ---- Workloads ---- */

static uint32_t new_file(struct sample *s, const char *name, char fill)
{
    uint32_t node = sample_create(s, FF_ROOT_NODE, name, S_IFREG | 0644);
    sample_write(s, node, 0, BLOCK, fill);
    return node;
}

static void rename_here(struct sample *s, uint32_t node, const char *from, const char *to,
                        uint32_t replaced)
{
    sample_rename(s, node, FF_ROOT_NODE, from, FF_ROOT_NODE, to, replaced);
}

/* f is "OOO", t is written and renamed to it, or to a new name. */
static struct sample *replacing(const char *to)
{
    struct sample *s = sample_new();
    uint32_t old = sample_had(s, "f", S_IFREG | 0644, "OOOOOOOO");
    uint32_t node = new_file(s, "t", 'N');
    rename_here(s, node, "t", to, strcmp(to, "f") == 0 ? old : FF_NO_NODE);
    return s;
}

#define SAFE_RENAME                                                                                \
    PLAIN "\"order\": [" RULE("\"meta\"", "\"meta\", \"grow\"", "all") ", " RULE(                  \
        "\"grow\"", "\"rename-replace\"", "named-file") "], \"sync\": {}"

static void rename_waits_for_growth(void)
{
    expect_states(replacing("f"), model_of(SAFE_RENAME, ""),
                  "f=0, f=N, f=O, f=O t=0, f=O t=E, f=O t=N");
    /* Onto a name that meant nothing it does not wait. */
    expect_states(replacing("g"), model_of(SAFE_RENAME, ""),
                  "f=O, f=O g=0, f=O g=E, f=O g=N, f=O t=0, f=O t=E, f=O t=N");
}

static void rename_waits_for_no_other_file(void)
{
    struct sample *s = sample_new();
    uint32_t old = sample_had(s, "f", S_IFREG | 0644, "OOOOOOOO");
    uint32_t other = sample_had(s, "g", S_IFREG | 0644, "");
    uint32_t node = sample_had(s, "t", S_IFREG | 0644, "TTTTTTTT");
    sample_write(s, other, 0, BLOCK, 'G');
    rename_here(s, node, "t", "f", old);
    expect_states(s, model_of(SAFE_RENAME, ""),
                  "f=O g=0 t=T, f=O g=E t=T, f=O g=G t=T, f=T g=0, f=T g=E, f=T g=G");
}

/* "rename" alone is a rename onto nothing. */
static void rename_and_replace_are_apart(void)
{
    static const char model[] =
        PLAIN "\"order\": [" RULE("\"grow\"", "\"rename\"", "named-file") "], \"sync\": {}";
    expect_states(replacing("g"), model_of(model, ""),
                  "f=O, f=O g=0, f=O g=N, f=O t=0, f=O t=E, f=O t=N");
    expect_states(replacing("f"), model_of(model, ""),
                  "f=0, f=E, f=N, f=O, f=O t=0, f=O t=E, f=O t=N");
}

/* ---- Covers ---- */

#define FSYNC_SOURCE ", \"fsync-file\": \"s\""

static struct sample *two_files(void)
{
    struct sample *s = sample_new();
    new_file(s, "x", 'X');
    sample_fsync(s, new_file(s, "y", 'Y'));
    return s;
}

static void all_metadata(void)
{
    expect_states(two_files(),
                  model_of(PLAIN META_IN_ORDER
                           ", \"sync\": {\"fsync-file\": [\"own-data\", \"all-meta\"]}",
                           FSYNC_SOURCE),
                  "x=E y=Y, x=X y=Y");
    /* Where nothing is ordered, nor is the other file's growth. */
    expect_states(two_files(),
                  model_of(PLAIN "\"order\": [], \"sync\": {\"fsync-file\": "
                                 "[\"own-data\", \"all-meta\"]}",
                           FSYNC_SOURCE),
                  "x=0 y=Y, x=E y=Y, x=X y=Y");
}

/* A journal is committed up to the last change of what is synced. */
static void all_metadata_by_then(void)
{
    static const char model[] =
        PLAIN META_IN_ORDER ", \"sync\": {\"fsync-file\": [\"own-data\", \"all-meta\"]}";
    struct sample *s = sample_new();
    uint32_t node = sample_had(s, "f", S_IFREG | 0644, "OOOOOOOO");
    sample_create(s, FF_ROOT_NODE, "x", S_IFREG | 0644);
    sample_write(s, node, 0, BLOCK, 'N');
    sample_create(s, FF_ROOT_NODE, "y", S_IFREG | 0644);
    sample_fsync(s, node);
    expect_states(s, model_of(model, FSYNC_SOURCE), "f=N x=E, f=N x=E y=E");
    s = sample_new();
    node = sample_had(s, "f", S_IFREG | 0644, "OOOOOOOO");
    sample_create(s, FF_ROOT_NODE, "x", S_IFREG | 0644);
    sample_fsync(s, node);
    expect_states(s, model_of(model, FSYNC_SOURCE), "f=O, f=O x=E");
}

/* d is new, in it e, in it a file that is synced. */
static struct sample *new_directories(void)
{
    struct sample *s = sample_new();
    uint32_t outer = sample_create(s, FF_ROOT_NODE, "d", S_IFDIR | 0755);
    sample_create(s, FF_ROOT_NODE, "other", S_IFDIR | 0755);
    uint32_t inner = sample_create(s, outer, "e", S_IFDIR | 0755);
    sample_fsync(s, sample_create(s, inner, "f", S_IFREG | 0644));
    return s;
}

#define OTHER_OR_NOT(state) state ", " state " other"

/* ---- Tearing ---- */

/* f is "OOO"; one call writes the last two blocks, and two more. */
static struct sample *overwriting_and_appending(void)
{
    struct sample *s = sample_new();
    uint32_t node = sample_had(s, "f", S_IFREG | 0644, "OOOOOOOOOOOOOOOOOOOOOOOO");
    sample_write(s, node, BLOCK, 4 * BLOCK, 'N');
    return s;
}

static void tearing_of_each_class(void)
{
#define TEARING(allocate, overwrite)                                                               \
    "\"tearing\": {\"allocate\": \"" allocate "\", \"overwrite\": \"" overwrite                    \
    "\"}, \"order\": [], \"sync\": {}"
    expect_states(overwriting_and_appending(), model_of(TEARING("independent", "atomic"), ""),
                  "f=ONN, f=ONN0, f=ONN00, f=ONN0N, f=ONNN, f=ONNN0, f=ONNNN, "
                  "f=OOO, f=OOO0, f=OOO00, f=OOO0N, f=OOON, f=OOON0, f=OOONN");
    expect_states(overwriting_and_appending(), model_of(TEARING("atomic", "prefix"), ""),
                  "f=ONN, f=ONN0, f=ONN00, f=ONNN, f=ONNNN, f=ONO, f=ONO0, f=ONO00, f=ONON, "
                  "f=ONONN, f=OOO, f=OOO0, f=OOO00, f=OOON, f=OOONN");
    expect_states(overwriting_and_appending(), model_of(TEARING("prefix", "atomic"), ""),
                  "f=ONN, f=ONN0, f=ONN00, f=ONNN, f=ONNN0, f=ONNNN, "
                  "f=OOO, f=OOO0, f=OOO00, f=OOON, f=OOON0, f=OOONN");
}

/* A word speaks of all pieces of the call. */
static void tearing_of_the_call(void)
{
#define WORD(word)                                                                                 \
    "\"tearing\": \"" word                                                                         \
    "\", \"order\": [" RULE("\"data\"", "\"grow\"", "same-call") "], "                             \
                                                                 "\"sync\": {}"
    expect_states(overwriting_and_appending(), model_of(WORD("atomic"), ""),
                  "f=ONN, f=ONNN, f=ONNNN, f=OOO");
    expect_states(overwriting_and_appending(), model_of(WORD("prefix"), ""),
                  "f=ONN, f=ONNN, f=ONNNN, f=ONO, f=OOO");
}

/* ---- Syncs that restate ---- */

#define RESTATES(words)                                                                            \
    PLAIN META_IN_ORDER ", \"sync\": {}, \"restates\": {\"fsync-file\": [" words "]}"
#define ALONE RESTATES("\"own-data\", \"own-names\"")

static void one_inode_alone(void)
{
    expect_states(two_files(), model_of(ALONE, FSYNC_SOURCE), "x=E y=Y, x=X y=Y, y=Y");
}

/* As before, and then a change that needs all metadata before it. */
static void what_follows_needs_what_is_in_order(void)
{
    struct sample *s = two_files();
    new_file(s, "z", 'Z');
    expect_states(s, model_of(ALONE, FSYNC_SOURCE),
                  "x=E y=Y, x=E y=Y z=E, x=E y=Y z=Z, x=X y=Y, x=X y=Y z=E, x=X y=Y z=Z, y=Y");
}

/* A cut is metadata; that the file was cut and written is stated anew. */
static struct sample *rewriting(void)
{
    struct sample *s = sample_new();
    uint32_t node = sample_had(s, "f", S_IFREG | 0644, "OOOOOOOOOOOOOOOOOOOOOOOO");
    sample_create(s, FF_ROOT_NODE, "x", S_IFREG | 0644);
    sample_resize(s, node, 0);
    sample_write(s, node, 0, BLOCK, 'N');
    sample_fsync(s, node);
    sample_resize(s, node, 3 * BLOCK);
    return s;
}

static void rewritten_file(void)
{
    /* Never an old block behind the end. */
    expect_states(rewriting(), model_of(ALONE, FSYNC_SOURCE), "f=N, f=N x=E, f=N00 x=E");
}

static struct sample *in_place(bool cut)
{
    struct sample *s = sample_new();
    uint32_t node = sample_had(s, "f", S_IFREG | 0644, "OOOOOOOO");
    sample_create(s, FF_ROOT_NODE, "x", S_IFREG | 0644);
    if (cut)
        sample_resize(s, node, 0);
    sample_write(s, node, 0, BLOCK, 'N');
    sample_fsync(s, node);
    sample_write(s, node, 0, BLOCK, 'M');
    return s;
}

/* Data that is written over what was synced waits for none of the metadata before that. */
static void overwriting_what_is_restated(void)
{
    expect_states(in_place(true), model_of(ALONE, FSYNC_SOURCE), "f=M, f=M x=E, f=N, f=N x=E");
    expect_states(in_place(false), model_of(ALONE, FSYNC_SOURCE), "f=M, f=M x=E, f=N, f=N x=E");
}

/* f becomes bak, a new f is written and synced. */
static struct sample *keeping_a_copy(void)
{
    struct sample *s = sample_new();
    uint32_t old = sample_had(s, "f", S_IFREG | 0644, "OOOOOOOO");
    sample_create(s, FF_ROOT_NODE, "x", S_IFREG | 0644);
    rename_here(s, old, "f", "bak", FF_NO_NODE);
    sample_fsync(s, new_file(s, "f", 'N'));
    return s;
}

static void displaced_files(void)
{
    expect_states(keeping_a_copy(), model_of(ALONE, FSYNC_SOURCE), "bak=O f=N x=E, f=N, f=N x=E");
    expect_states(keeping_a_copy(),
                  model_of(RESTATES("\"own-data\", \"own-names\", \"displaced\""), FSYNC_SOURCE),
                  "bak=O f=N, bak=O f=N x=E");
}

/* The renamed file is synced: its former name is not its own, whatever that means then. */
static void former_names(void)
{
    struct sample *s = sample_new();
    uint32_t old = sample_had(s, "f", S_IFREG | 0644, "OOOOOOOO");
    rename_here(s, old, "f", "bak", FF_NO_NODE);
    new_file(s, "f", 'N');
    sample_fsync(s, old);
    expect_states(s, model_of(ALONE, FSYNC_SOURCE), "bak=O, bak=O f=E, bak=O f=N");
}

static void restated_parents(void)
{
    expect_states(new_directories(), model_of(RESTATES("\"own-names\", \"parents\""), FSYNC_SOURCE),
                  OTHER_OR_NOT("d d/e d/e/f=E"));
    expect_states(new_directories(),
                  model_of(RESTATES("\"own-names\", \"parents\"") ", \"parent-levels\": 1",
                           FSYNC_SOURCE ", \"parent-levels\": \"s\""),
                  ", d d/e d/e/f=E, d d/e d/e/f=E other");
}

/* d is renamed, and then the directory in it synced. */
static struct sample *renamed_above(bool durable)
{
    struct sample *s = sample_new();
    uint32_t outer = sample_create(s, FF_ROOT_NODE, "d", S_IFDIR | 0755);
    uint32_t inner = sample_create(s, outer, "e", S_IFDIR | 0755);
    sample_fsync(s, sample_create(s, inner, "f", S_IFREG | 0644));
    if (durable)
        sample_sync(s, FF_EFFECT_SYNC_ALL, FF_NO_NODE);
    rename_here(s, outer, "d", "z", FF_NO_NODE);
    sample_fsync(s, sample_create(s, inner, "g", S_IFREG | 0644));
    return s;
}

/* A directory is new until its creation is durable: it is not enough that it was restated. */
static void directories_that_are_new(void)
{
    static const char model[] =
        PLAIN META_IN_ORDER ", \"sync\": {\"sync\": [\"everything\"]},"
                            " \"restates\": {\"fsync-file\": [\"own-names\", \"parents\"]}";
    static const char sources[] = FSYNC_SOURCE ", \"sync\": \"s\"";
    expect_states(renamed_above(false), model_of(model, sources), "z z/e z/e/f=E z/e/g=E");
    expect_states(renamed_above(true), model_of(model, sources),
                  "d d/e d/e/f=E d/e/g=E, z z/e z/e/f=E z/e/g=E");
}

/* An old directory is moved into a new one, and a file in it synced that did not change. */
static struct sample *moved_into_a_new_one(void)
{
    struct sample *s = sample_new();
    uint32_t sub = sample_had(s, "sub", S_IFDIR | 0755, "");
    uint32_t file = sample_had(s, "f", S_IFREG | 0644, "OOOOOOOO");
    s->names[1].parent = sub;
    uint32_t new = sample_create(s, FF_ROOT_NODE, "a", S_IFDIR | 0755);
    sample_rename(s, sub, FF_ROOT_NODE, "sub", new, "sub", FF_NO_NODE);
    sample_fsync(s, file);
    return s;
}

static void new_directories_above_old_ones(void)
{
    expect_states(moved_into_a_new_one(),
                  model_of(RESTATES("\"own-names\", \"parents\""), FSYNC_SOURCE),
                  "a a/sub a/sub/f=O, a sub sub/f=O");
    expect_states(moved_into_a_new_one(),
                  model_of(RESTATES("\"own-names\", \"parents\"") ", \"parent-levels\": 1",
                           FSYNC_SOURCE ", \"parent-levels\": \"s\""),
                  "a a/sub a/sub/f=O, a sub sub/f=O, sub sub/f=O");
}

#define DIRECTORY_SOURCE ", \"fsync-directory\": \"s\""

/* Out of the directory that is synced, or into it: one name is left, and not none. */
static struct sample *moving(bool into)
{
    struct sample *s = sample_new();
    uint32_t directory = sample_create(s, FF_ROOT_NODE, "d", S_IFDIR | 0755);
    uint32_t inner = sample_create(s, FF_ROOT_NODE, "e", S_IFDIR | 0755);
    sample_sync(s, FF_EFFECT_SYNC_ALL, FF_NO_NODE);
    sample_create(s, FF_ROOT_NODE, "x", S_IFREG | 0644);
    sample_rename(s, inner, FF_ROOT_NODE, "e", directory, "e", FF_NO_NODE);
    sample_fsync(s, into ? directory : FF_ROOT_NODE);
    return s;
}

static void restated_entries(void)
{
    static const char model[] =
        PLAIN META_IN_ORDER ", \"sync\": {\"sync\": [\"everything\"]},"
                            " \"restates\": {\"fsync-directory\": [\"own-entries\", \"parents\"]}";
    expect_states(moving(true), model_of(model, DIRECTORY_SOURCE ", \"sync\": \"s\""),
                  "d d/e, d d/e x=E");
    expect_states(moving(false), model_of(model, DIRECTORY_SOURCE ", \"sync\": \"s\""),
                  "d d/e x=E");
}

/* A directory that is moved on has the name only that it has now. */
static void directory_moved_twice(void)
{
    struct sample *s = sample_new();
    uint32_t middle = sample_create(s, FF_ROOT_NODE, "m", S_IFDIR | 0755);
    uint32_t last = sample_create(s, FF_ROOT_NODE, "z", S_IFDIR | 0755);
    uint32_t moved = sample_create(s, FF_ROOT_NODE, "a", S_IFDIR | 0755);
    sample_sync(s, FF_EFFECT_SYNC_ALL, FF_NO_NODE);
    sample_rename(s, moved, FF_ROOT_NODE, "a", middle, "a", FF_NO_NODE);
    sample_rename(s, moved, middle, "a", last, "a", FF_NO_NODE);
    sample_fsync(s, middle);
    static const char model[] =
        PLAIN META_IN_ORDER ", \"sync\": {\"sync\": [\"everything\"]},"
                            " \"restates\": {\"fsync-directory\": [\"own-entries\"]}";
    expect_states(s, model_of(model, DIRECTORY_SOURCE ", \"sync\": \"s\""), "m z z/a");
}

#define ENTRIES                                                                                    \
    PLAIN META_IN_ORDER                                                                            \
        ", \"sync\": {\"sync\": [\"everything\"]}, \"restates\": "                                 \
        "{\"fsync-file\": [\"own-names\"], \"fsync-directory\": [\"own-entries\"]}"
#define ENTRIES_SOURCE FSYNC_SOURCE DIRECTORY_SOURCE ", \"sync\": \"s\""

/* A file that is moved on is never without a name, whichever directory is synced. */
static struct sample *moving_on(bool first)
{
    struct sample *s = sample_new();
    uint32_t one = sample_create(s, FF_ROOT_NODE, "a", S_IFDIR | 0755);
    uint32_t two = sample_create(s, FF_ROOT_NODE, "b", S_IFDIR | 0755);
    uint32_t file = sample_create(s, one, "x", S_IFREG | 0644);
    sample_sync(s, FF_EFFECT_SYNC_ALL, FF_NO_NODE);
    sample_rename(s, file, one, "x", FF_ROOT_NODE, "x", FF_NO_NODE);
    sample_rename(s, file, FF_ROOT_NODE, "x", two, "x", FF_NO_NODE);
    sample_fsync(s, first ? one : two);
    return s;
}

static void renames_as_a_whole(void)
{
    expect_states(moving_on(true), model_of(ENTRIES, ENTRIES_SOURCE), "a b b/x=E");
    expect_states(moving_on(false), model_of(ENTRIES, ENTRIES_SOURCE),
                  "a a/x=E b b/x=E, a b b/x=E");
}

/* What an earlier sync restated is not restated with all that belongs to it once more. */
static void entries_that_were_restated(void)
{
    for (int stated = 0; stated < 2; stated++) {
        struct sample *s = sample_new();
        uint32_t old = sample_had(s, "f", S_IFREG | 0644, "OOOOOOOO");
        uint32_t sub = sample_had(s, "sub", S_IFDIR | 0755, "");
        sample_rename(s, old, FF_ROOT_NODE, "f", sub, "f", FF_NO_NODE);
        sample_create(s, FF_ROOT_NODE, "f", S_IFREG | 0644);
        if (stated != 0)
            sample_fsync(s, old);
        sample_fsync(s, sub);
        expect_states(s, model_of(ENTRIES, ENTRIES_SOURCE),
                      stated != 0 ? "f=E sub sub/f=O, sub sub/f=O" : "f=E sub sub/f=O");
    }
}

/* What a failed sync dropped is not restated; what was written later is. */
static struct sample *failing(bool written_again)
{
    struct sample *s = sample_new();
    uint32_t node = sample_had(s, "f", S_IFREG | 0644, "OOOOOOOOOOOOOOOO");
    sample_write(s, node, 0, 2 * BLOCK, 'N');
    sample_sync(s, FF_EFFECT_SYNC_FAILED, node);
    if (written_again)
        sample_write(s, node, 0, BLOCK, 'M');
    sample_fsync(s, node);
    return s;
}

static void dropped_data(void)
{
    expect_states(failing(false), model_of(ALONE, FSYNC_SOURCE), "f=NN, f=NO, f=ON, f=OO");
    expect_states(failing(true), model_of(ALONE, FSYNC_SOURCE), "f=MN, f=MO");
}

/* A sync of the file that has begun, ... */
static struct ff_call begin_fsync(struct sample *s, uint32_t node)
{
    struct ff_call sync = *sample_sync(s, FF_EFFECT_SYNC_FILE, node);
    s->trace.call_count--;
    s->tick--;
    return sync;
}

/* ... and ends after the calls that were made since. */
static void end_fsync(struct sample *s, struct ff_call sync)
{
    struct ff_call *end = sample_call(s, "fsync", FF_EFFECT_SYNC_FILE);
    sync.end = end->end;
    *end = sync;
}

/* Another thread renames while the sync runs: that is later, and need not be there. */
static void beside_the_sync(void)
{
    struct sample *s = sample_new();
    uint32_t node = new_file(s, "a", 'A');
    struct ff_call sync = begin_fsync(s, node);
    rename_here(s, node, "a", "b", FF_NO_NODE);
    end_fsync(s, sync);
    expect_states(s, model_of(ALONE, FSYNC_SOURCE), "a=A, b=A");
}

/* A sync that fails meanwhile may have dropped what this one takes for written. */
static void beside_a_sync_that_fails(void)
{
    struct sample *s = sample_new();
    uint32_t node = sample_had(s, "f", S_IFREG | 0644, "OOOOOOOO");
    sample_write(s, node, 0, BLOCK, 'N');
    struct ff_call sync = begin_fsync(s, node);
    sample_sync(s, FF_EFFECT_SYNC_FAILED, node);
    end_fsync(s, sync);
    expect_states(s, model_of(ALONE, FSYNC_SOURCE), "f=N, f=O");
}

/* Also if that one began before: what was written when it began may be dropped by it. */
static void beside_one_that_fails_early(void)
{
    struct sample *s = sample_new();
    uint32_t node = sample_had(s, "f", S_IFREG | 0644, "OOOOOOOO");
    sample_write(s, node, 0, BLOCK, 'N');
    struct ff_call *failed = sample_sync(s, FF_EFFECT_SYNC_FAILED, node);
    struct ff_call sync = begin_fsync(s, node);
    failed->end = ++s->tick;
    end_fsync(s, sync);
    expect_states(s, model_of(ALONE, FSYNC_SOURCE), "f=N, f=O");
    s = sample_new();
    node = sample_had(s, "f", S_IFREG | 0644, "OOOOOOOO");
    sample_write(s, node, 0, BLOCK, 'N');
    sample_fsync(s, node);
    sample_sync(s, FF_EFFECT_SYNC_FAILED, node);
    expect_states(s, model_of(ALONE, FSYNC_SOURCE), "f=N");
}

/* A sync of a range restates what lies in it, and growth up to its end. */
static void range_of_a_file(void)
{
    struct sample *s = sample_new();
    uint32_t node = sample_create(s, FF_ROOT_NODE, "f", S_IFREG | 0644);
    sample_write(s, node, 0, BLOCK, 'A');
    sample_write(s, node, BLOCK, BLOCK, 'B');
    struct ff_call *sync = sample_sync(s, FF_EFFECT_SYNC_RANGE, node);
    sync->offset = 0;
    sync->length = BLOCK;
    expect_states(s, model_of(ALONE, FSYNC_SOURCE), "f=A, f=AB");
}

/* ---- Checkpoints ---- */

#define CHECKPOINTS(choice)                                                                        \
    "\"tearing\": \"independent\", \"checkpoint\": \"" choice "\", " META_IN_ORDER                 \
    ", \"sync\": {\"fsync-directory\": [\"all-meta\"]}, \"restates\": "                            \
    "{\"fsync-file\": [\"own-data\", \"own-names\"]}"
#define CHECKPOINT_SOURCES ", \"checkpoint\": \"s\"" FSYNC_SOURCE DIRECTORY_SOURCE

/* A file that was there gets another name, after another file was created; then it is synced,
 * so many times, a further file being created before each. */
static struct sample *moved_and_synced(bool link, int syncs)
{
    struct sample *s = sample_new();
    uint32_t node = sample_had(s, "f", S_IFREG | 0644, "OOOOOOOO");
    sample_create(s, FF_ROOT_NODE, "x", S_IFREG | 0644);
    if (link)
        sample_link(s, node, FF_ROOT_NODE, "g");
    else
        rename_here(s, node, "f", "g", FF_NO_NODE);
    for (int i = 0; i < syncs; i++) {
        sample_write(s, node, 0, BLOCK, (char)('A' + i));
        sample_fsync(s, node);
        const char name[] = {(char)('a' + i), '\0'};
        sample_create(s, FF_ROOT_NODE, name, S_IFREG | 0644);
    }
    return s;
}

static void checkpoint_of_a_moved_file(void)
{
    expect_states(moved_and_synced(false, 1), model_of(CHECKPOINTS("moved"), CHECKPOINT_SOURCES),
                  "a=E g=A x=E, g=A x=E");
    expect_states(moved_and_synced(true, 1), model_of(CHECKPOINTS("moved"), CHECKPOINT_SOURCES),
                  "a=E f=A g=A x=E, f=A g=A x=E");
    expect_states(moved_and_synced(false, 1), model_of(CHECKPOINTS("sync"), CHECKPOINT_SOURCES),
                  "a=E g=A x=E, g=A, g=A x=E");
    /* The second sync finds a file that was not moved since the first one. */
    expect_states(moved_and_synced(false, 2), model_of(CHECKPOINTS("moved"), CHECKPOINT_SOURCES),
                  "a=E b=E g=B x=E, a=E g=B x=E, g=B x=E");
}

/* A journal knows what changed last in the directory, a checkpoint need not. */
static void checkpoint_of_a_directory(void)
{
    for (int moved = 0; moved < 2; moved++) {
        struct sample *s = sample_new();
        uint32_t directory = sample_create(s, FF_ROOT_NODE, "d", S_IFDIR | 0755);
        sample_create(s, FF_ROOT_NODE, "x", S_IFREG | 0644);
        sample_fsync(s, directory);
        expect_states(s,
                      moved ? model_of(CHECKPOINTS("moved"), CHECKPOINT_SOURCES)
                            : model_of(CHECKPOINTS("sync"), CHECKPOINT_SOURCES),
                      moved ? "d x=E" : "d, d x=E");
    }
}

/* Which of two syncs at the same time finds that the file was moved is not known. */
static void checkpoint_beside_another(void)
{
    struct sample *s = sample_new();
    uint32_t node = sample_had(s, "f", S_IFREG | 0644, "OOOOOOOO");
    sample_create(s, FF_ROOT_NODE, "x", S_IFREG | 0644);
    rename_here(s, node, "f", "g", FF_NO_NODE);
    uint64_t begin = sample_sync(s, FF_EFFECT_SYNC_FILE, node)->begin;
    sample_sync(s, FF_EFFECT_SYNC_FILE, node)->begin = begin;
    expect_states(s, model_of(CHECKPOINTS("moved"), CHECKPOINT_SOURCES), "g=O, g=O x=E");
}

static const struct unit_test tests[] = {
    {"growth before a rename that replaces", rename_waits_for_growth},
    {"... of that very file", rename_waits_for_no_other_file},
    {"renames that replace nothing", rename_and_replace_are_apart},
    {"a sync of all metadata", all_metadata},
    {"... before the last change of what is synced", all_metadata_by_then},
    {"tearing of each class of data", tearing_of_each_class},
    {"tearing of a call as a whole", tearing_of_the_call},
    {"a sync of one inode", one_inode_alone},
    {"... and what follows it", what_follows_needs_what_is_in_order},
    {"... of a file that was cut and written", rewritten_file},
    {"... and is overwritten", overwriting_what_is_restated},
    {"... and of what lost its name", displaced_files},
    {"... that had another name", former_names},
    {"... in new directories", restated_parents},
    {"... that are new until that is durable", directories_that_are_new},
    {"... above one that is not new", new_directories_above_old_ones},
    {"a sync of a directory's entries", restated_entries},
    {"... of which one went on", directory_moved_twice},
    {"... by renames, one after the other", renames_as_a_whole},
    {"... that were restated before", entries_that_were_restated},
    {"a sync after one that failed", dropped_data},
    {"a sync beside other calls", beside_the_sync},
    {"... of which one fails", beside_a_sync_that_fails},
    {"... of which one that began before fails", beside_one_that_fails_early},
    {"a sync of a range", range_of_a_file},
    {"a checkpoint by the sync of a moved file", checkpoint_of_a_moved_file},
    {"... of a directory", checkpoint_of_a_directory},
    {"... and of two at the same time", checkpoint_beside_another},
};

UNIT_MAIN("rules", tests)
