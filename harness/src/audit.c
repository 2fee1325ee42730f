#include "audit.h"

#include "outcome.h"

enum { AUDITED = 64, COSTLY_AUDITED = 8, COSTLY_PART = 4 };

static uint64_t random_next(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return *state >> 33;
}

static bool is_audited(const struct cm_poset *poset, const struct cm_leaf *leaf, uint64_t hash,
                       bool costly)
{
    if (cm_count_bits(leaf->sets + poset->words, poset->words) == 0)
        return true; /* the leaf in which nothing need be lost: so that there is always one */
    uint64_t chosen = costly ? COSTLY_AUDITED : AUDITED, among = leaf->spread;
    if (costly && among < (uint64_t)COSTLY_PART * COSTLY_AUDITED)
        among = (uint64_t)COSTLY_PART * COSTLY_AUDITED;
    return (hash >> 32) % among < chosen;
}

/* A random member of a leaf, as a job that has no other one as its largest. */
static void choose_member(const struct cm_poset *poset, const struct cm_leaf *leaf, uint64_t random,
                          struct cm_job *job)
{
    struct cm_interval legal = cm_cylinder_boundaries(poset, cm_cylinder_of(poset, leaf->sets));
    uint32_t first = poset->outputs[legal.first], last = poset->outputs[legal.end - 1];
    first = first > leaf->first_output ? first : leaf->first_output;
    last = last < leaf->last_output ? last : leaf->last_output;
    job->output = first + (uint32_t)(random_next(&random) % (last - first + 1));
    job->audits = 1;
    cm_word *included = job->sets, *excluded = job->sets + poset->words;
    cm_copy(job->sets, leaf->sets, 2 * poset->words);
    cm_restrict_to_output(poset, job->output, job->sets);
    for (size_t o = 0; o < poset->operation_count; o++)
        if (random_next(&random) % 2 == 0 && !cm_meet(cm_down(poset, o), excluded, poset->words))
            cm_unite(included, cm_down(poset, o), poset->words);
    for (size_t o = 0; o < poset->operation_count; o++)
        if (!cm_has(included, o))
            cm_add(excluded, o);
}

static char *describe_mismatch(const struct cm_lineage *lineage, const struct cm_job *job,
                               const struct cm_outcome *expected, const struct cm_outcome *outcome,
                               bool not_monotone)
{
    size_t lost = 0;
    char *id = cm_lineage_identity(lineage, job->sets, job->output, &lost);
    char *text = cm_format("the check said \"%s\" of one state, and \"%s\" of another one (%s) "
                           "that is the same in all that it looked at%s",
                           expected->text, outcome->text, id,
                           not_monotone ? ", but with less output: it is not monotone" : "");
    free(id);
    return text;
}

struct audited {
    const struct cm_leaf *leaf;
    uint64_t hash;
};

static int compare_audited(const void *a, const void *b)
{
    const struct audited *left = a, *right = b;
    return left->hash < right->hash ? -1 : left->hash > right->hash;
}

static struct audited *choose_audited(const struct cm_exploring *exploring, bool costly,
                                      size_t *count)
{
    const struct cm_records *leaves = &exploring->ledger.leaves;
    struct audited *chosen = NULL;
    size_t capacity = 0;
    *count = 0;
    for (size_t i = 0; i < leaves->count; i++) {
        const struct cm_leaf *leaf = cm_record(leaves, i);
        uint64_t hash =
            cm_hash_sets(exploring->poset, leaf->sets, leaf->last_output, exploring->options.seed);
        if (!is_audited(exploring->poset, leaf, hash, costly))
            continue;
        chosen = cm_reserve(chosen, *count, &capacity, sizeof(*chosen));
        chosen[(*count)++] = (struct audited){leaf, hash};
    }
    if (*count > 1)
        qsort(chosen, *count, sizeof(*chosen), compare_audited);
    return chosen;
}

int cm_audit(struct cm_exploring *exploring, struct cm_campaign *campaign, bool costly,
             struct ff_error *error)
{
    struct cm_progress_file *found = &exploring->progress;
    const struct cm_poset *poset = exploring->poset;
    size_t count = 0;
    struct audited *chosen = choose_audited(exploring, costly, &count);
    struct cm_job *job = cm_allocate(1, cm_job_size(poset));
    int status = 1;
    for (size_t i = 0; i < count && status > 0; i++) {
        const struct cm_outcome *expected = cm_leaf_outcome(&exploring->ledger, chosen[i].leaf);
        struct cm_outcome outcome;
        choose_member(poset, chosen[i].leaf, chosen[i].hash, job);
        status = cm_campaign_try(campaign, job, &outcome, error);
        if (status <= 0)
            break;
        found->audit_runs++;
        bool settled = exploring->monotone && expected->status == CM_ACCEPTED &&
                       job->output < chosen[i].leaf->last_output;
        if (outcome.status == CM_TIMEOUT || expected->status == CM_TIMEOUT ||
            cm_same_outcome(&outcome, expected) || (settled && outcome.status == CM_ACCEPTED))
            continue;
        if (found->audit_mismatches++ == 0)
            found->audit_text =
                describe_mismatch(&exploring->lineage, job, expected, &outcome, settled);
    }
    free(job);
    free(chosen);
    return status < 0 ? -1 : 0;
}
