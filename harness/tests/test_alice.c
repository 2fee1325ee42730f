/*
 * The toy program of ALICE's documentation, written anew from its description, explored to
 * the end under the model alice: all that was published of it is found. Under weaker and
 * stronger models it is said which of that remains; and a program that syncs is clean.
 */
#include "unit.h"

#include "memory.h"
#include "model.h"
#include "sample.h"

/* What was published, and what a check says of a state. */
enum {
    TORN = 1,      /* the write is not ordered before the rename */
    FORGOTTEN = 2, /* the rename is not done when the message is printed */
    MISSING = 4,   /* the rename is not atomic */
    HALF = 8,      /* the two links are not one step */
};

static const struct {
    const char *text;
    unsigned finding;
} findings[] = {
    {"file1 is neither hello nor world", TORN},
    {"updated, but file1 is hello", FORGOTTEN},
    {"file1 is missing", MISSING},
    {"one link without the other", HALF},
};

static struct sample *toy(bool synced)
{
    struct sample *s = sample_new();
    uint32_t old = sample_had(s, "file1", S_IFREG | 0644, "hello");
    uint32_t new = sample_create(s, FF_ROOT_NODE, "tmp", S_IFREG | 0644);
    struct ff_call *call = sample_call(s, "write", FF_EFFECT_WRITE);
    call->node = new;
    call->data = sample_text(s, "world");
    if (synced)
        sample_fsync(s, new);
    sample_call(s, "close", FF_EFFECT_NONE);
    sample_rename(s, new, FF_ROOT_NODE, "tmp", FF_ROOT_NODE, "file1", old);
    if (synced)
        sample_fsync(s, FF_ROOT_NODE);
    sample_output(s, "Updated\n");
    if (!synced) {
        sample_link(s, new, FF_ROOT_NODE, "link1");
        sample_link(s, new, FF_ROOT_NODE, "link2");
    }
    return s;
}

static bool holds(const struct cm_state *state, uint32_t file, const char *text)
{
    char content[16];
    size_t size = cm_state_read(state, file, content, sizeof(content), 0);
    return cm_state_size(state, file) == strlen(text) && size == strlen(text) &&
           memcmp(content, text, size) == 0;
}

static unsigned judge(const struct cm_state *state)
{
    uint32_t file = cm_state_lookup(state, FF_ROOT_NODE, "file1");
    bool one = cm_state_lookup(state, FF_ROOT_NODE, "link1") != FF_NO_NODE;
    bool two = cm_state_lookup(state, FF_ROOT_NODE, "link2") != FF_NO_NODE;
    cm_looks_at_output(state);
    if (file == FF_NO_NODE)
        return MISSING;
    if (!holds(state, file, "world")) {
        if (!holds(state, file, "hello"))
            return TORN;
        if (state->output_size > 0)
            return FORGOTTEN;
    }
    return one != two ? HALF : 0;
}

static void check(void *context, struct cm_state *state, struct cm_outcome *outcome)
{
    (void)context;
    unsigned finding = judge(state);
    outcome->status = finding != 0 ? CM_VIOLATED : CM_ACCEPTED;
    snprintf(outcome->text, sizeof(outcome->text), "good");
    for (size_t i = 0; i < sizeof(findings) / sizeof(findings[0]); i++)
        if (findings[i].finding == finding)
            snprintf(outcome->text, sizeof(outcome->text), "%s", findings[i].text);
}

static unsigned finding_of(const char *text)
{
    for (size_t i = 0; i < sizeof(findings) / sizeof(findings[0]); i++)
        if (strcmp(findings[i].text, text) == 0)
            return findings[i].finding;
    return 0;
}

/* What is found, by what is looked at and eagerly. */
static void expect(struct sample *s, const char *name, unsigned expected)
{
    struct cm_model *model = sample_model(name);
    for (int eager = 0; eager < 2; eager++) {
        struct ff_error error = {""};
        struct cm_check judged = {.run = check, .observes = true};
        struct cm_options options = {.jobs = 1, .eager = eager == 1};
        struct cm_exploration *result = cm_explore(&s->trace, model, &judged, &options, &error);
        CU_ASSERT_PTR_NOT_NULL_FATAL(result);
        CU_ASSERT_TRUE(result->exhaustive);
        CU_ASSERT_STRING_EQUAL(result->legal, result->covered);
        unsigned found = 0;
        for (size_t i = 0; i < result->violation_count; i++)
            found |= finding_of(result->violations[i].reason);
        CU_ASSERT_EQUAL(found, expected);
        if (found != expected)
            printf("\n    %s: found %#x, not %#x", name, found, expected);
        cm_exploration_free(result);
    }
    cm_model_free(model);
}

static void findings_under_alice(void)
{
    struct sample *s = toy(false);
    expect(s, "alice", TORN | FORGOTTEN | MISSING | HALF);
    sample_free(s);
}

/* Its rename is atomic, and that is all. */
static void findings_under_posix(void)
{
    struct sample *s = toy(false);
    expect(s, "posix", TORN | FORGOTTEN | HALF);
    sample_free(s);
}

/* Data that was not written may be zeros, or, without auto_da_alloc, missing altogether. */
static void findings_under_ext4(void)
{
    struct sample *s = toy(false);
    expect(s, "ext4", TORN | FORGOTTEN | HALF);
    expect(s, "ext4-journal", FORGOTTEN | HALF);
    sample_free(s);
}

/* What has no order among names can lose them, too. */
static void findings_without_a_journal(void)
{
    struct sample *s = toy(false);
    expect(s, "ext2", TORN | FORGOTTEN | HALF);
    expect(s, "vfat", TORN | FORGOTTEN | HALF);
    sample_free(s);
}

/* Nothing is lost; but between the two links the program may be killed. */
static void findings_when_killed(void)
{
    struct sample *s = toy(false);
    expect(s, "process-crash", HALF);
    sample_free(s);
}

/* With syncs, and without links, what remains is that the rename is not atomic; on vfat the
 * new name is empty, since the sync came before the rename. */
static void synced_twin(void)
{
    struct sample *s = toy(true);
    expect(s, "posix", 0);
    expect(s, "ext4", 0);
    expect(s, "ext2", 0);
    expect(s, "vfat", TORN);
    expect(s, "alice", TORN | MISSING);
    sample_free(s);
}

static const struct unit_test tests[] = {
    {"alice: the four published findings", findings_under_alice},
    {"posix: all but that the rename is not atomic", findings_under_posix},
    {"ext4: the same; data=journal: not the write", findings_under_ext4},
    {"ext2 and vfat: the same, since the target is replaced at once", findings_without_a_journal},
    {"process-crash: the two links", findings_when_killed},
    {"with syncs: clean where renames are atomic", synced_twin},
};

UNIT_MAIN("alice", tests)
