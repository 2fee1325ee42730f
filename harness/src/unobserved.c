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

struct cm_unobserved *cm_unobserved_collect(const struct ff_trace *trace,
                                            const struct cm_words *accept, bool interrupted,
                                            size_t *count)
{
    struct cm_unobserved *all = cm_allocate(trace->unobserved_count + 1, sizeof(*all));
    *count = 0;
    for (size_t i = 0; i < trace->unobserved_count; i++) {
        const struct ff_unobserved *one = &trace->unobserved[i];
        const char *what = cm_unobserved_description(one->kind);
        all[(*count)++] = (struct cm_unobserved){.kind = one->kind,
                                                 .what = what != NULL ? what : "",
                                                 .where = one->what,
                                                 .times = one->count,
                                                 .accepted = is_accepted(accept, one->kind)};
    }
    if (interrupted)
        all[(*count)++] = (struct cm_unobserved){.kind = "interrupted",
                                                 .what = cm_unobserved_description("interrupted"),
                                                 .where = "",
                                                 .times = 1};
    return all;
}

void cm_print_accept_help(FILE *stream)
{
    fputs("\nKinds that --accept knows:\n", stream);
    for (size_t i = 0; i < KIND_COUNT; i++)
        if (kinds[i].acceptable)
            fprintf(stream, "  %-20s %s\n", kinds[i].name, kinds[i].description);
}
