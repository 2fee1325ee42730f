#include "unobserved.h"

#include <string.h>

#include "fail.h"
#include "memory.h"

static const struct {
    const char *name;
    bool acceptable;
    const char *description;
} kinds[] = {
#define X(name, acceptable, description) {name, acceptable, description},
    CM_UNOBSERVED_KINDS(X)
#undef X
};

enum { KIND_COUNT = sizeof(kinds) / sizeof(kinds[0]) };

const char *cm_unobserved_description(const char *kind)
{
    for (size_t i = 0; i < KIND_COUNT; i++)
        if (strcmp(kinds[i].name, kind) == 0)
            return kinds[i].description;
    return NULL;
}

static bool is_acceptable(const char *kind)
{
    for (size_t i = 0; i < KIND_COUNT; i++)
        if (strcmp(kinds[i].name, kind) == 0)
            return kinds[i].acceptable;
    return false;
}

int cm_accept_check(const struct cm_words *accept, struct ff_error *error)
{
    for (size_t i = 0; i < accept->count; i++)
        if (!is_acceptable(accept->items[i]))
            return cm_fail(error,
                           "--accept: '%s' is not a kind that can be accepted; see "
                           "crashmatrix run --help",
                           accept->items[i]);
    return 0;
}

static bool is_accepted(const struct cm_words *accept, const char *kind)
{
    for (size_t i = 0; i < accept->count; i++)
        if (strcmp(accept->items[i], kind) == 0)
            return true;
    return false;
}

struct list {
    const struct cm_words *accept;
    struct cm_unobserved *items;
    size_t count;
};

static void add(struct list *list, const char *kind, const char *where, uint64_t times)
{
    const char *what = cm_unobserved_description(kind);
    list->items[list->count++] =
        (struct cm_unobserved){.kind = kind,
                               .what = what != NULL ? what : "",
                               .where = where,
                               .times = times,
                               .accepted = is_accepted(list->accept, kind)};
}

/* Once for all models. */
static void add_dependence(struct list *list, const struct cm_dependence *dependence)
{
    static const char *const names[CM_DEPENDENCE_KINDS] = {
        [CM_DEPENDS_ON_OUTSIDE] = "outside-reached", [CM_DEPENDS_ON_RANDOM] = "unpinned-random"};
    const char *kind = names[dependence->kind];
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->items[i].kind, kind) == 0 &&
            strcmp(list->items[i].where, dependence->what) == 0)
            return;
    add(list, kind, dependence->what, 1);
}

static void add_exploration(struct list *list, const struct cm_exploration *exploration)
{
    if (exploration->out_of_budget)
        add(list, "budget", exploration->model, 1);
    for (size_t i = 0; i < exploration->unobserved_count; i++)
        add(list, exploration->unobserved[i].kind, exploration->unobserved[i].what,
            exploration->unobserved[i].count);
    for (size_t i = 0; i < exploration->dependence_count; i++)
        add_dependence(list, &exploration->dependences[i]);
    if (exploration->audit_mismatches > 0)
        add(list, "nondeterministic-check", exploration->audit_text, exploration->audit_mismatches);
}

struct cm_unobserved *cm_unobserved_collect(const struct cm_unobserved_sources *sources,
                                            const struct cm_words *accept, size_t *count)
{
    const struct ff_trace *trace = sources->trace;
    size_t most =
        trace->unobserved_count + 2 * sources->exploration_count + sources->missing_count + 1;
    for (size_t i = 0; i < sources->exploration_count; i++)
        most +=
            sources->explorations[i]->dependence_count + sources->explorations[i]->unobserved_count;
    struct list list = {.accept = accept, .items = cm_allocate(most, sizeof(struct cm_unobserved))};
    for (size_t i = 0; i < trace->unobserved_count; i++)
        add(&list, trace->unobserved[i].kind, trace->unobserved[i].what,
            trace->unobserved[i].count);
    for (size_t i = 0; i < sources->exploration_count; i++)
        add_exploration(&list, sources->explorations[i]);
    for (size_t i = 0; i < sources->missing_count; i++)
        add(&list, "shard-missing", sources->missing[i], 1);
    if (sources->interrupted)
        add(&list, "interrupted", "", 1);
    *count = list.count;
    return list.items;
}

void cm_print_accept_help(FILE *stream)
{
    fputs("\nKinds that --accept knows:\n", stream);
    for (size_t i = 0; i < KIND_COUNT; i++)
        if (kinds[i].acceptable)
            fprintf(stream, "  %-20s %s\n", kinds[i].name, kinds[i].description);
}
