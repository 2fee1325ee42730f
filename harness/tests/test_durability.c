/*
 * What each way to sync makes durable, from the recording of a real program to the
 * states that a power cut could leave after its last call: under model posix, does
 * something hold in all of them, or only in some?
 */
#include "unit.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "memory.h"
#include "poset.h"
#include "sample.h"
#include "state.h"

enum { IMPOSSIBLE = 77, OPERATIONS_LIMIT = 16 };

static char scratch[] = "/tmp/test_durability.XXXXXX", root[64], trace_path[64];

/* ---- Recording ---- */

static void file_make(const char *name, const char *text)
{
    char path[128];
    snprintf(path, sizeof(path), "%s/%s", root, name);
    FILE *file = fopen(path, "w");
    fputs(text, file);
    fclose(file);
}

static void start_directory(void)
{
    char from[128], to[128];
    struct ff_error error;
    umask(022);
    snprintf(root, sizeof(root), "%s/root", scratch);
    snprintf(trace_path, sizeof(trace_path), "%s/trace", scratch);
    ff_directory_clear(scratch, &error);
    mkdir(root, 0755);
    file_make("f", "old old");
    file_make("h", "other");
    snprintf(from, sizeof(from), "%s/f", root);
    snprintf(to, sizeof(to), "%s/g", root);
    CU_ASSERT_EQUAL(link(from, to), 0);
    snprintf(to, sizeof(to), "%s/d", root);
    mkdir(to, 0755);
}

static int run(const char *workload, bool records)
{
    start_directory();
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        int null = open("/dev/null", O_WRONLY);
        dup2(null, records ? 1 : 2);
        if (records)
            execl(FAULTFS_RECORD, FAULTFS_RECORD, "--root", root, "--output", trace_path, "--",
                  DURABLE, workload, (char *)NULL);
        else if (chdir(root) == 0)
            execl(DURABLE, DURABLE, workload, (char *)NULL);
        _exit(127);
    }
    int status = -1;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* ---- Properties ---- */

static const struct ff_node *node_of(const struct ff_tree *tree, const char *name)
{
    return ff_tree_node(tree, ff_tree_lookup(tree, FF_ROOT_NODE, name));
}

static bool holds(const struct ff_tree *tree, const char *name, size_t offset, const char *text)
{
    const struct ff_node *node = node_of(tree, name);
    return node != NULL && node->size >= offset + strlen(text) &&
           memcmp(node->data + offset, text, strlen(text)) == 0;
}

static bool f_is_new(const struct ff_tree *tree)
{
    return holds(tree, "f", 0, "new");
}

static bool f_is_far(const struct ff_tree *tree)
{
    return holds(tree, "f", 8192, "far");
}

static bool f_is_private(const struct ff_tree *tree)
{
    return (node_of(tree, "f")->mode & 0777) == 0600;
}

static bool f_has_xattr(const struct ff_tree *tree)
{
    return node_of(tree, "f")->xattrs_size != 0;
}

static bool new_exists(const struct ff_tree *tree)
{
    return node_of(tree, "new") != NULL;
}

static bool new_is_new_if_there(const struct ff_tree *tree)
{
    return !new_exists(tree) || holds(tree, "new", 0, "new");
}

static bool new_is_short(const struct ff_tree *tree)
{
    return holds(tree, "new", 0, "01234") && node_of(tree, "new")->size == 5;
}

static bool f_and_h_are_exchanged(const struct ff_tree *tree)
{
    return holds(tree, "f", 0, "other") && holds(tree, "h", 0, "old old");
}

static bool f_and_h_are_both_there(const struct ff_tree *tree)
{
    return f_and_h_are_exchanged(tree) ||
           (holds(tree, "f", 0, "old old") && holds(tree, "h", 0, "other"));
}

static bool h_is_moved(const struct ff_tree *tree)
{
    uint32_t directory = ff_tree_lookup(tree, FF_ROOT_NODE, "d");
    return node_of(tree, "h") == NULL && ff_tree_lookup(tree, directory, "new") != FF_NO_NODE;
}

static bool f_is_old(const struct ff_tree *tree)
{
    return holds(tree, "f", 0, "old old");
}

/* ---- States ---- */

enum quantity { NEVER, SOMETIMES, ALWAYS };

static bool is_state_at_the_end(const struct cm_poset *poset, const cm_word *ideal)
{
    for (size_t o = 0; o < poset->operation_count; o++) {
        if (!cm_has(ideal, o) && poset->operations[o].shown.durable != CM_NEVER)
            return false;
        for (size_t p = 0; p < poset->operation_count && cm_has(ideal, o); p++)
            if (cm_has(cm_down(poset, o), p) && !cm_has(ideal, p))
                return false;
    }
    return true;
}

/* In how many of the states after the last call. */
static enum quantity how_often(const struct cm_poset *poset,
                               bool (*property)(const struct ff_tree *))
{
    size_t states = 0, with = 0;
    CU_ASSERT_FATAL(poset->operation_count <= OPERATIONS_LIMIT);
    for (cm_word subset = 0; subset < (cm_word)1 << poset->operation_count; subset++) {
        cm_word *ideal = cm_allocate(poset->words == 0 ? 1 : poset->words, sizeof(cm_word));
        ideal[0] = subset;
        if (is_state_at_the_end(poset, ideal)) {
            struct ff_tree *tree = cm_state_build(poset, ideal);
            states++;
            with += property(tree);
            ff_tree_free(tree);
        }
        free(ideal);
    }
    return with == 0 ? NEVER : with < states ? SOMETIMES : ALWAYS;
}

/* Each rule with what it does not cover. */
static const struct {
    const char *workload;
    const char *says;
    bool (*property)(const struct ff_tree *);
    enum quantity expected;
} rules[] = {
    {"nothing", "data that nobody synced", f_is_new, SOMETIMES},
    {"fsync", "data before an fsync", f_is_new, ALWAYS},
    {"fsync before", "data after an fsync", f_is_new, SOMETIMES},
    {"fsync of another", "data of another file than the synced one", f_is_new, SOMETIMES},
    {"fsync by reader", "data, by a descriptor that was opened for reading", f_is_new, ALWAYS},
    {"fsync by copy", "data, by a dup of the descriptor", f_is_new, ALWAYS},
    {"fsync by link", "data, by a hard link", f_is_new, ALWAYS},
    {"fdatasync", "data before an fdatasync", f_is_new, ALWAYS},
    {"fdatasync", "the mode before an fdatasync", f_is_private, SOMETIMES},
    {"fdatasync", "an extended attribute before an fdatasync", f_has_xattr, SOMETIMES},
    {"fsync attributes", "the mode before an fsync", f_is_private, ALWAYS},
    {"fsync attributes", "an extended attribute before an fsync", f_has_xattr, ALWAYS},
    {"dsync", "data of an O_DSYNC write", f_is_new, ALWAYS},
    {"dsync and mode", "the mode before an O_DSYNC write", f_is_private, SOMETIMES},
    {"sync and mode", "the mode before an O_SYNC write", f_is_private, ALWAYS},
    {"dsync of a page", "another page than the one of an O_DSYNC write", f_is_new, SOMETIMES},
    {"dsync of a page", "a page that an O_DSYNC write appended", f_is_far, ALWAYS},
    {"rwf_dsync", "another page than the one of an RWF_DSYNC write", f_is_new, SOMETIMES},
    {"rwf_dsync", "a page that an RWF_DSYNC write appended", f_is_far, ALWAYS},
    {"sync_file_range", "data before a sync_file_range", f_is_new, SOMETIMES},
    {"syncfs", "data before a syncfs", f_is_new, ALWAYS},
    {"syncfs", "a name before a syncfs", new_exists, ALWAYS},
    {"sync", "data before a sync", f_is_new, ALWAYS},
    {"sync", "a name before a sync", new_exists, ALWAYS},
    {"create", "the name of a file that was synced", new_exists, SOMETIMES},
    {"create and directory", "a name in a directory that was synced", new_exists, ALWAYS},
    {"unnamed", "the name that a file got after its sync", new_exists, SOMETIMES},
    {"unnamed", "the content of such a file, where it has its name", new_is_new_if_there, ALWAYS},
    {"unnamed and directory", "such a name in a directory that was synced", new_exists, ALWAYS},
    {"exchange", "an exchange of names that was not synced", f_and_h_are_exchanged, SOMETIMES},
    {"exchange", "that both or none of the names are exchanged", f_and_h_are_both_there, ALWAYS},
    {"move one directory", "a move, when one of its directories was synced", h_is_moved, SOMETIMES},
    {"move both directories", "a move, when both were synced", h_is_moved, ALWAYS},
    {"failed", "what a call that failed would have written", f_is_new, NEVER},
    {"failed", "that a call that failed changed nothing", f_is_old, ALWAYS},
    {"short", "what a short write wrote", new_is_short, ALWAYS},
    {"mapped", "a store through a mapping before an fsync", f_is_new, ALWAYS},
    {"mapped after", "a store through a mapping after an fsync", f_is_new, SOMETIMES},
    {"msync", "a store through a mapping before an msync", f_is_new, ALWAYS},
};

static void every_rule(void)
{
    static const char *const words[] = {"never", "sometimes", "always"};
    struct cm_model *model = sample_model("posix");
    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
        struct ff_error error = {""};
        if (run(rules[i].workload, false) == IMPOSSIBLE) {
            printf("\n    skipped: %s is not possible here", rules[i].workload);
            continue;
        }
        CU_ASSERT_EQUAL(run(rules[i].workload, true), 0);
        struct ff_trace *trace = ff_trace_open(trace_path, &error);
        CU_ASSERT_PTR_NOT_NULL_FATAL(trace);
        struct cm_poset *poset = cm_poset_build(trace, model, 0, &error);
        CU_ASSERT_PTR_NOT_NULL_FATAL(poset);
        enum quantity found = how_often(poset, rules[i].property);
        CU_ASSERT_EQUAL(found, rules[i].expected);
        if (found != rules[i].expected)
            printf("\n    %s survives %s, and should %s\n", rules[i].says, words[found],
                   words[rules[i].expected]);
        cm_poset_free(poset);
        ff_trace_free(trace);
    }
    cm_model_free(model);
}

static const struct unit_test tests[] = {
    {"what each sync makes durable, and what it does not", every_rule},
};

int main(int argc, char **argv)
{
    struct ff_error error;
    if (mkdtemp(scratch) == NULL)
        return 2;
    int status = unit_main("durability", tests, sizeof(tests) / sizeof(tests[0]), argc, argv);
    ff_directory_clear(scratch, &error);
    rmdir(scratch);
    return status;
}
