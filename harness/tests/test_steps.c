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
    sample_write(s, file, 0, 6, 'x');
    expect(s, CM_CHOICE_APPEND, CM_APPEND_ZEROS_GARBAGE_DATA,
           "f=\nf=....\nf=......\nf=....xx\nf=xxxx\nf=xxxx..\nf=xxxxxx\n",
           "f=\nf=....\nf=......\nf=....xx\nf=....~~\n"
           "f=xxxx\nf=xxxx..\nf=xxxxxx\nf=xxxx~~\n"
           "f=~~~~\nf=~~~~..\nf=~~~~xx\nf=~~~~~~\n");
}

/* What lies before the old end is an overwrite, of the same granule. */
static void append_over_the_end(void)
{
    struct sample *s = sample_new();
    uint32_t file = sample_had(s, "f", S_IFREG | 0644, "abcde");
    sample_write(s, file, 3, 4, 'x');
    expect(s, CM_CHOICE_APPEND, CM_APPEND_ZEROS_GARBAGE_DATA,
           "f=abcde\nf=abcde..\nf=abcdx\nf=abcdxxx\nf=abcxe\nf=abcxe..\nf=abcxx\nf=abcxxxx\n",
           "f=abcde\nf=abcde..\nf=abcdx\nf=abcdx..\nf=abcdxxx\nf=abcdx~~\n"
           "f=abcxe\nf=abcxe..\nf=abcxx\nf=abcxx..\nf=abcxxxx\nf=abcxx~~\n");
}

/* The gap shows zeros; and a synced append is whole. */
static void append_behind_a_gap(void)
{
    struct sample *s = sample_new();
    uint32_t file = sample_had(s, "f", S_IFREG | 0644, "a");
    sample_write(s, file, 2, 2, 'x');
    struct cm_model *model = model_with(CM_CHOICE_APPEND, CM_APPEND_ZEROS_GARBAGE_DATA);
    states_expect(s, model, 0, "f=a\nf=a...\nf=a.xx\nf=a.~~\n");
    sample_fsync(s, file);
    states_expect(s, model, 2, "f=a.xx\n");
    cm_model_free(model);
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
};

UNIT_MAIN("steps", tests)
