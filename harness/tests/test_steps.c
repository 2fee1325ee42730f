/*
 * Calls that are done in several steps: renames, unlinks and appends. Of each small
 * workload all states, listed by hand, and beside it those of the usual model.
 */
#include "unit.h"

#include "states.h"

enum { SIZE = 4 }; /* bytes of a unit, and of a granule */

/* posix with small units, and one choice made. */
static struct cm_model *model_with(enum cm_choice choice, unsigned value)
{
    struct cm_model *model = sample_model("posix");
    model->unit = model->granule = SIZE;
    model->choices[choice] = value;
    return model;
}

static void expect(struct sample *s, enum cm_choice choice, unsigned value, const char *plain,
                   const char *split)
{
    struct cm_model *model = model_with(choice, 0);
    states_expect(s, model, 0, plain);
    model->choices[choice] = value;
    states_expect(s, model, 0, split);
    cm_model_free(model);
    sample_free(s);
}

/* ---- Renames ---- */

static struct sample *rename_over(void)
{
    struct sample *s = sample_new();
    uint32_t old = sample_had(s, "f", S_IFREG | 0644, "old");
    uint32_t new = sample_had(s, "t", S_IFREG | 0644, "new");
    sample_rename(s, new, FF_ROOT_NODE, "t", FF_ROOT_NODE, "f", old);
    return s;
}

static void independent_rename(void)
{
    expect(rename_over(), CM_CHOICE_RENAME, CM_RENAME_INDEPENDENT,
           "f=new\n"
           "f=old t=new\n",
           "f=new\n"
           "f=new t=new\n"
           "f=old\n"
           "f=old t=new\n");
}

static void stepwise_rename(void)
{
    expect(rename_over(), CM_CHOICE_RENAME, CM_RENAME_STEPWISE,
           "f=new\n"
           "f=old t=new\n",
           "\n"
           "f= t=new\n"
           "f=new\n"
           "f=old t=new\n"
           "t=new\n");
}

/* It has another name, and is not cut. */
static void stepwise_rename_over_a_link(void)
{
    struct sample *s = sample_new();
    uint32_t old = sample_had(s, "f", S_IFREG | 0644, "old");
    uint32_t new = sample_had(s, "t", S_IFREG | 0644, "new");
    sample_link(s, old, FF_ROOT_NODE, "g");
    sample_sync(s, FF_EFFECT_SYNC_ALL, FF_NO_NODE);
    sample_rename(s, new, FF_ROOT_NODE, "t", FF_ROOT_NODE, "f", old);
    struct cm_model *model = model_with(CM_CHOICE_RENAME, CM_RENAME_STEPWISE);
    states_expect(s, model, 3,
                  "f=new g=old\n"
                  "f=old g=old t=new\n"
                  "g=old\n"
                  "g=old t=new\n");
    cm_model_free(model);
    sample_free(s);
}

/* Of a directory there are never two names. */
static void rename_of_a_directory(void)
{
    for (unsigned how = CM_RENAME_INDEPENDENT; how <= CM_RENAME_STEPWISE; how++) {
        struct sample *s = sample_new();
        uint32_t directory = sample_had(s, "a", S_IFDIR | 0755, "");
        sample_rename(s, directory, FF_ROOT_NODE, "a", FF_ROOT_NODE, "b", FF_NO_NODE);
        sample_rename(s, directory, FF_ROOT_NODE, "b", FF_ROOT_NODE, "c", FF_NO_NODE);
        expect(s, CM_CHOICE_RENAME, how, "a/\nb/\nc/\n", "\na/\nb/\nc/\n");
    }
}

static struct sample *exchange(uint32_t mode)
{
    struct sample *s = sample_new();
    uint32_t one = sample_had(s, "a", mode, S_ISDIR(mode) ? "" : "1");
    uint32_t two = sample_had(s, "b", S_IFREG | 0644, "2");
    struct ff_call *call = sample_call(s, "renameat2", FF_EFFECT_EXCHANGE);
    call->node = one;
    call->parent = FF_ROOT_NODE;
    call->filename = sample_text(s, "a");
    call->node2 = two;
    call->parent2 = FF_ROOT_NODE;
    call->filename2 = sample_text(s, "b");
    return s;
}

static void exchanges(void)
{
    expect(exchange(S_IFREG | 0644), CM_CHOICE_RENAME, CM_RENAME_INDEPENDENT, "a=1 b=2\na=2 b=1\n",
           "a=1 b=1\na=1 b=2\na=2 b=1\na=2 b=2\n");
    expect(exchange(S_IFREG | 0644), CM_CHOICE_RENAME, CM_RENAME_STEPWISE, "a=1 b=2\na=2 b=1\n",
           "a=1 b=2\na=2 b=1\na=2 b=2\n");
    expect(exchange(S_IFDIR | 0755), CM_CHOICE_RENAME, CM_RENAME_INDEPENDENT, "a/ b=2\na=2 b/\n",
           "a/ b=2\na=2 b/\n");
}

/* The fsync of a directory makes durable the part that lies in it. */
static void parts_are_synced_apart(void)
{
    struct sample *s = sample_new();
    uint32_t directory = sample_had(s, "d", S_IFDIR | 0755, "");
    uint32_t file = sample_had(s, "t", S_IFREG | 0644, "1");
    sample_rename(s, file, FF_ROOT_NODE, "t", directory, "f", FF_NO_NODE);
    sample_fsync(s, directory);
    struct cm_model *model = model_with(CM_CHOICE_RENAME, CM_RENAME_INDEPENDENT);
    states_expect(s, model, 2, "d/ d/f=1\nd/ d/f=1 t=1\n");
    sample_fsync(s, FF_ROOT_NODE);
    states_expect(s, model, 3, "d/ d/f=1\n");
    cm_model_free(model);
    sample_free(s);
}

/* ---- Unlinks ---- */

static void truncating_unlink(void)
{
    struct sample *s = sample_new();
    uint32_t file = sample_had(s, "f", S_IFREG | 0644, "old");
    sample_unlink(s, FF_ROOT_NODE, "f", file);
    expect(s, CM_CHOICE_UNLINK, CM_UNLINK_TRUNCATE_FIRST, "\nf=old\n", "\nf=\nf=old\n");
}

static void unlink_of_one_of_two_names(void)
{
    struct sample *s = sample_new();
    uint32_t file = sample_had(s, "f", S_IFREG | 0644, "old");
    sample_link(s, file, FF_ROOT_NODE, "g");
    sample_unlink(s, FF_ROOT_NODE, "f", file);
    expect(s, CM_CHOICE_UNLINK, CM_UNLINK_TRUNCATE_FIRST, "\nf=old\nf=old g=old\ng=old\n",
           "\nf=old\nf=old g=old\ng=old\n");
}

/* ---- Appends ---- */

static void append_of_two_units(void)
{
    struct sample *s = sample_new();
    uint32_t file = sample_had(s, "f", S_IFREG | 0644, "");
    sample_write(s, file, 0, 6, 'w');
    expect(s, CM_CHOICE_APPEND, CM_APPEND_ZEROS_GARBAGE_DATA,
           "f=\nf=....\nf=......\nf=....ww\nf=wwww\nf=wwww..\nf=wwwwww\n",
           "f=\nf=....\nf=......\nf=....ww\nf=....~~\n"
           "f=wwww\nf=wwww..\nf=wwwwww\nf=wwww~~\n"
           "f=~~~~\nf=~~~~..\nf=~~~~ww\nf=~~~~~~\n");
}

/* What lies before the old end is an overwrite, of the same granule. */
static void append_over_the_end(void)
{
    struct sample *s = sample_new();
    uint32_t file = sample_had(s, "f", S_IFREG | 0644, "abcde");
    sample_write(s, file, 3, 4, 'w');
    expect(s, CM_CHOICE_APPEND, CM_APPEND_ZEROS_GARBAGE_DATA,
           "f=abcde\nf=abcde..\nf=abcdw\nf=abcdwww\nf=abcwe\nf=abcwe..\nf=abcww\nf=abcwwww\n",
           "f=abcde\nf=abcde..\nf=abcdw\nf=abcdw..\nf=abcdwww\nf=abcdw~~\n"
           "f=abcwe\nf=abcwe..\nf=abcww\nf=abcww..\nf=abcwwww\nf=abcww~~\n");
}

/* The gap shows zeros; and a synced append is whole. */
static void append_behind_a_gap(void)
{
    struct sample *s = sample_new();
    uint32_t file = sample_had(s, "f", S_IFREG | 0644, "a");
    sample_write(s, file, 2, 2, 'w');
    struct cm_model *model = model_with(CM_CHOICE_APPEND, CM_APPEND_ZEROS_GARBAGE_DATA);
    states_expect(s, model, 0, "f=a\nf=a...\nf=a.ww\nf=a.~~\n");
    sample_fsync(s, file);
    states_expect(s, model, 2, "f=a.ww\n");
    cm_model_free(model);
    sample_free(s);
}

/* ---- Sizes in directory entries ---- */

static struct cm_model *entry_model(void)
{
    struct cm_model *model = model_with(CM_CHOICE_RENAME, CM_RENAME_INDEPENDENT);
    model->choices[CM_CHOICE_SIZE] = CM_SIZE_ENTRY;
    return model;
}

/* The new name is blank until the file is synced; a sync of the directory does not help. */
static void blank_after_rename(void)
{
    struct cm_model *model = entry_model();
    struct sample *s = rename_over();
    states_expect(s, model, 0,
                  "f=\n"
                  "f= t=new\n"
                  "f=new\n"
                  "f=new t=new\n"
                  "f=old\n"
                  "f=old t=new\n");
    sample_fsync(s, FF_ROOT_NODE);
    states_expect(s, model, 2, "f=\nf=new\n");
    sample_free(s);
    s = rename_over();
    sample_fsync(s, 3);
    states_expect(s, model, 2, "f=new\nf=new t=new\n");
    sample_fsync(s, FF_ROOT_NODE);
    states_expect(s, model, 3, "f=new\n");
    sample_free(s);
    cm_model_free(model);
}

/* A directory is blank, too, and has one name at most. */
static void blank_directory(void)
{
    struct cm_model *model = entry_model();
    struct sample *s = sample_new();
    uint32_t directory = sample_had(s, "a", S_IFDIR | 0755, "");
    sample_had(s, "f", S_IFREG | 0644, "1");
    s->names[1].parent = directory;
    sample_rename(s, directory, FF_ROOT_NODE, "a", FF_ROOT_NODE, "b", FF_NO_NODE);
    states_expect(s, model, 0, "\na/ a/f=1\nb/\nb/ b/f=1\n");
    cm_model_free(model);
    sample_free(s);
}

/* What is behind the chain of blocks cannot be read, and the whole file is shown so. */
static void chained_append(void)
{
    struct cm_model *model = entry_model();
    struct sample *s = sample_new();
    uint32_t file = sample_had(s, "f", S_IFREG | 0644, "a");
    sample_write(s, file, 1, 5, 'w');
    states_expect(s, model, 0,
                  "f=!\nf=a\nf=a...\nf=a.....\nf=a...ww\nf=awww\nf=awww..\nf=awwwww\n");
    sample_fsync(s, file);
    states_expect(s, model, 2, "f=awwwww\n");
    cm_model_free(model);
    sample_free(s);
}

/* No further block is needed. */
static void append_within_a_block(void)
{
    struct cm_model *model = entry_model();
    struct sample *s = sample_new();
    uint32_t file = sample_had(s, "f", S_IFREG | 0644, "a");
    sample_write(s, file, 1, 3, 'w');
    states_expect(s, model, 0, "f=a\nf=a...\nf=awww\n");
    cm_model_free(model);
    sample_free(s);
}

static void unchained(void)
{
    struct cm_model *model = entry_model();
    struct sample *s = sample_new();
    uint32_t file = sample_had(s, "f", S_IFREG | 0644, "abcde");
    sample_resize(s, file, 2);
    states_expect(s, model, 0, "f=!\nf=ab\nf=abcde\n");
    sample_fsync(s, file);
    states_expect(s, model, 2, "f=ab\n");
    cm_model_free(model);
    sample_free(s);
}

/* ---- Freed blocks ---- */

/* A file is removed and another one made. Either may show the other's bytes. */
static void blocks_of_a_removed_file(void)
{
    struct sample *s = sample_new();
    uint32_t old = sample_had(s, "f", S_IFREG | 0644, "old!");
    sample_unlink(s, FF_ROOT_NODE, "f", old);
    uint32_t new = sample_create(s, FF_ROOT_NODE, "g", S_IFREG | 0644);
    sample_write(s, new, 0, 3, 'w');
    expect(s, CM_CHOICE_FREED, CM_FREED_REUSED,
           "\n"
           "f=old!\nf=old! g=\nf=old! g=...\nf=old! g=www\n"
           "g=\ng=...\ng=www\n",
           "\n"
           "f=old!\nf=old! g=\nf=old! g=...\nf=old! g=old\nf=old! g=www\n"
           "f=www.\nf=www. g=\nf=www. g=www\n"
           "g=\ng=...\ng=old\ng=www\n");
}

/* Where the removal is durable before the other file is written, only that may show old bytes;
 * and where that is synced, none. */
static void blocks_after_a_sync(void)
{
    struct sample *s = sample_new();
    struct cm_model *model = model_with(CM_CHOICE_FREED, CM_FREED_REUSED);
    uint32_t old = sample_had(s, "f", S_IFREG | 0644, "old!");
    sample_unlink(s, FF_ROOT_NODE, "f", old);
    sample_fsync(s, FF_ROOT_NODE);
    uint32_t new = sample_create(s, FF_ROOT_NODE, "g", S_IFREG | 0644);
    sample_write(s, new, 0, 3, 'w');
    states_expect(s, model, 4, "\ng=\ng=...\ng=old\ng=www\n");
    sample_fsync(s, new);
    sample_fsync(s, FF_ROOT_NODE);
    states_expect(s, model, 6, "g=www\n");
    cm_model_free(model);
    sample_free(s);
}

/* A file with another name keeps its blocks; and only granules of the same number are reused. */
static void blocks_that_are_kept(void)
{
    struct sample *s = sample_new();
    struct cm_model *model = model_with(CM_CHOICE_FREED, CM_FREED_REUSED);
    uint32_t old = sample_had(s, "f", S_IFREG | 0644, "old!");
    sample_link(s, old, FF_ROOT_NODE, "h");
    sample_sync(s, FF_EFFECT_SYNC_ALL, FF_NO_NODE);
    sample_unlink(s, FF_ROOT_NODE, "h", old);
    uint32_t new = sample_create(s, FF_ROOT_NODE, "g", S_IFREG | 0644);
    sample_write(s, new, 0, 3, 'w');
    sample_fsync(s, FF_ROOT_NODE);
    states_expect(s, model, 6, "f=old! g=\nf=old! g=...\nf=old! g=www\n");
    sample_free(s);
    s = sample_new();
    old = sample_had(s, "f", S_IFREG | 0644, "old!");
    new = sample_had(s, "g", S_IFREG | 0644, "abcd");
    sample_unlink(s, FF_ROOT_NODE, "f", old);
    sample_write(s, new, 2, 3, 'w');
    sample_fsync(s, new);
    states_expect(s, model, 3, "f=old! g=abwww\ng=abwww\n");
    cm_model_free(model);
    sample_free(s);
}

/* What was never written is a hole, and has no block to give away; where blocks are chained there
 * are no holes. */
static void blocks_of_a_hole(void)
{
    struct sample *s = sample_new();
    uint32_t old = sample_create(s, FF_ROOT_NODE, "f", S_IFREG | 0644);
    sample_write(s, old, SIZE, 2, 'o');
    sample_sync(s, FF_EFFECT_SYNC_ALL, FF_NO_NODE);
    sample_unlink(s, FF_ROOT_NODE, "f", old);
    uint32_t new = sample_create(s, FF_ROOT_NODE, "g", S_IFREG | 0644);
    sample_write(s, new, 0, 3, 'w');
    struct cm_model *model = model_with(CM_CHOICE_FREED, CM_FREED_REUSED);
    struct states states = states_from(s, model, 6);
    for (size_t i = 0; i < states.count; i++)
        CU_ASSERT_PTR_NULL(strstr(states.lines[i], "f=w"));
    states_free(&states);
    model->choices[CM_CHOICE_SIZE] = CM_SIZE_ENTRY;
    model->choices[CM_CHOICE_RENAME] = CM_RENAME_INDEPENDENT;
    states = states_from(s, model, 6);
    size_t shown = 0;
    for (size_t i = 0; i < states.count; i++)
        shown += strstr(states.lines[i], "f=w") != NULL;
    CU_ASSERT(shown > 0);
    states_free(&states);
    cm_model_free(model);
    sample_free(s);
}

/* A loss that gives no block away does not hide the one before. */
static void blocks_after_an_empty_loss(void)
{
    struct sample *s = sample_new();
    struct cm_model *model = model_with(CM_CHOICE_FREED, CM_FREED_REUSED);
    uint32_t old = sample_had(s, "f", S_IFREG | 0644, "old!");
    uint32_t other = sample_had(s, "h", S_IFREG | 0644, "abc");
    sample_unlink(s, FF_ROOT_NODE, "f", old);
    sample_resize(s, other, 1);
    uint32_t new = sample_create(s, FF_ROOT_NODE, "g", S_IFREG | 0644);
    sample_write(s, new, 0, 3, 'w');
    sample_fsync(s, other);
    sample_fsync(s, FF_ROOT_NODE);
    states_expect(s, model, 6, "g= h=a\ng=... h=a\ng=old h=a\ng=www h=a\n");
    cm_model_free(model);
    sample_free(s);
}

/* Two steps of a removal: with the first one the blocks are free. */
static void blocks_of_a_file_that_is_cut_first(void)
{
    struct sample *s = sample_new();
    struct cm_model *model = model_with(CM_CHOICE_FREED, CM_FREED_REUSED);
    model->choices[CM_CHOICE_UNLINK] = CM_UNLINK_TRUNCATE_FIRST;
    uint32_t old = sample_had(s, "f", S_IFREG | 0644, "old!");
    sample_unlink(s, FF_ROOT_NODE, "f", old);
    sample_fsync(s, old);
    uint32_t new = sample_create(s, FF_ROOT_NODE, "g", S_IFREG | 0644);
    sample_write(s, new, 0, 3, 'w');
    states_expect(s, model, 4,
                  "\nf=\nf= g=\nf= g=...\nf= g=old\nf= g=www\ng=\ng=...\ng=old\ng=www\n");
    cm_model_free(model);
    sample_free(s);
}

/* What another file put into the blocks is no change of the one that lost them: a sync of that
 * commits no metadata for it. */
static void blocks_and_metadata(void)
{
    struct sample *s = sample_new();
    struct cm_model *model = model_with(CM_CHOICE_FREED, CM_FREED_REUSED);
    model->covers[CM_SYNC_FSYNC_FILE] = 1u << CM_COVER_OWN_DATA | 1u << CM_COVER_ALL_META;
    uint32_t old = sample_had(s, "f", S_IFREG | 0644, "old!");
    sample_resize(s, old, 0);
    sample_create(s, FF_ROOT_NODE, "x", S_IFREG | 0644);
    uint32_t new = sample_create(s, FF_ROOT_NODE, "g", S_IFREG | 0644);
    sample_write(s, new, 0, 3, 'w');
    sample_fsync(s, old);
    struct states states = states_from(s, model, 5);
    CU_ASSERT(states_have(&states, "f="));
    CU_ASSERT(states_have(&states, "f= g=www x="));
    states_free(&states);
    cm_model_free(model);
    sample_free(s);
}

/* A file that is emptied and written again may get its own blocks back. */
static void blocks_of_its_own(void)
{
    struct sample *s = sample_new();
    uint32_t file = sample_had(s, "f", S_IFREG | 0644, "old!");
    sample_resize(s, file, 0);
    sample_write(s, file, 0, 3, 'w');
    expect(s, CM_CHOICE_FREED, CM_FREED_REUSED, "f=\nf=...\nf=old!\nf=www\n",
           "f=\nf=...\nf=old\nf=old!\nf=www\nf=www.\n");
}

/* A rename that replaces a file frees its blocks, too. */
static void blocks_of_a_replaced_file(void)
{
    struct sample *s = rename_over();
    uint32_t other = sample_create(s, FF_ROOT_NODE, "g", S_IFREG | 0644);
    sample_write(s, other, 0, 3, 'w');
    struct cm_model *model = model_with(CM_CHOICE_FREED, CM_FREED_REUSED);
    struct states states = states_from(s, model, 0);
    CU_ASSERT(states_have(&states, "f=www t=new"));
    CU_ASSERT(states_have(&states, "f=new g=old"));
    CU_ASSERT_FALSE(states_have(&states, "f=new g=new"));
    CU_ASSERT_FALSE(states_have(&states, "f=www"));
    states_free(&states);
    cm_model_free(model);
    sample_free(s);
}

/* ---- Looking at files that cannot be read ---- */

struct reading {
    bool lists;
};

/* What is in the files, got by what is looked at. */
static void read_all(void *context, struct cm_state *state, struct cm_outcome *outcome)
{
    static const char *const names[] = {"f", "t"};
    size_t length = 0;
    outcome->status = CM_VIOLATED;
    outcome->text[0] = '\0';
    if (((const struct reading *)context)->lists) {
        const struct ff_node *root = cm_state_list(state, FF_ROOT_NODE);
        for (size_t i = 0; i < root->entry_count; i++)
            length += (size_t)snprintf(outcome->text + length, sizeof(outcome->text) - length,
                                       "%s%o ", root->entries[i].name,
                                       ff_tree_node(state->tree, root->entries[i].node)->mode);
        return;
    }
    for (size_t i = 0; i < 2; i++) {
        char bytes[16];
        uint32_t file = cm_state_lookup(state, FF_ROOT_NODE, names[i]);
        size_t size = cm_state_read(state, file, bytes, sizeof(bytes), 0);
        for (size_t b = 0; b < size; b++)
            bytes[b] = bytes[b] == 0 ? '.' : bytes[b];
        length +=
            (size_t)snprintf(outcome->text + length, sizeof(outcome->text) - length, "%s %zu %.*s,",
                             names[i], (size_t)cm_state_size(state, file), (int)size, bytes);
    }
}

static size_t count_reasons(const struct sample *s, bool lists, bool eager)
{
    struct ff_error error = {""};
    struct cm_model *model = entry_model();
    struct reading reading = {lists};
    struct cm_check check = {.context = &reading, .run = read_all, .observes = true};
    struct cm_options options = {.jobs = 1, .eager = eager};
    struct cm_exploration *result = cm_explore(&s->trace, model, &check, &options, &error);
    CU_ASSERT_PTR_NOT_NULL_FATAL(result);
    CU_ASSERT_TRUE(result->exhaustive);
    CU_ASSERT_STRING_EQUAL(result->legal, result->covered);
    size_t count = result->violation_count;
    cm_exploration_free(result);
    cm_model_free(model);
    return count;
}

/* By looking, the same is found as in all states. */
static void looked_at(void)
{
    struct sample *s = sample_new();
    uint32_t file = sample_had(s, "f", S_IFREG | 0644, "a");
    uint32_t other = sample_create(s, FF_ROOT_NODE, "t", S_IFREG | 0644);
    sample_write(s, file, 1, 9, 'w');
    sample_write(s, other, 0, 6, 'y');
    sample_resize(s, file, 2);
    sample_rename(s, other, FF_ROOT_NODE, "t", FF_ROOT_NODE, "f", file);
    for (int lists = 0; lists < 2; lists++) {
        size_t expected = count_reasons(s, lists == 1, true);
        CU_ASSERT_EQUAL(count_reasons(s, lists == 1, false), expected);
        CU_ASSERT(expected > 4);
    }
    sample_free(s);
}

static const struct unit_test tests[] = {
    {"a rename of two parts", independent_rename},
    {"a rename step by step", stepwise_rename},
    {"a rename over one of two names, step by step", stepwise_rename_over_a_link},
    {"a directory has no two names", rename_of_a_directory},
    {"an exchange of two parts", exchanges},
    {"the parts of a rename are synced apart", parts_are_synced_apart},
    {"an unlink that cuts first", truncating_unlink},
    {"an unlink of one of two names does not cut", unlink_of_one_of_two_names},
    {"an append in three steps a unit", append_of_two_units},
    {"an append in steps over the end of the file", append_over_the_end},
    {"an append in steps behind a gap", append_behind_a_gap},
    {"sizes in entries: a new name is blank", blank_after_rename},
    {"sizes in entries: a moved directory is blank", blank_directory},
    {"chains: what is not chained cannot be read", chained_append},
    {"chains: an append within a block", append_within_a_block},
    {"chains: a truncation", unchained},
    {"chains: what a check looks at", looked_at},
    {"freed blocks: of a file that was removed", blocks_of_a_removed_file},
    {"freed blocks: after a sync", blocks_after_a_sync},
    {"freed blocks: of others they are kept", blocks_that_are_kept},
    {"freed blocks: of a hole there are none", blocks_of_a_hole},
    {"freed blocks: none, and some before", blocks_after_an_empty_loss},
    {"freed blocks: of a file that is cut first", blocks_of_a_file_that_is_cut_first},
    {"freed blocks: no metadata", blocks_and_metadata},
    {"freed blocks: of the same file", blocks_of_its_own},
    {"freed blocks: of a file that was replaced", blocks_of_a_replaced_file},
};

UNIT_MAIN("steps", tests)
