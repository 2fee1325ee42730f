/*
 * Model files: strict reading, digest, description. Every promise must name its
 * source, and nothing that the engine would ignore is accepted.
 */
#include "model.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "config.h"
#include "memory.h"

struct word {
    const char *name;
    unsigned value;
};

static const struct word class_words[] = {
#define X(identifier, name) {name, CM_BIT(identifier)},
    CM_CLASSES(X)
#undef X
#define X(identifier, name, bits) {name, bits},
        CM_CLASS_SETS(X)
#undef X
            {NULL, 0}};

#define WORD(prefix, identifier, name) {name, prefix##identifier},
#define X(identifier, name)            WORD(CM_SCOPE_, identifier, name)
static const struct word scope_words[] = {CM_SCOPES(X){NULL, 0}};
#undef X
#define X(identifier, name) WORD(CM_SYNC_, identifier, name)
static const struct word sync_words[] = {CM_SYNCS(X){NULL, 0}};
#undef X
#define X(identifier, name) WORD(CM_COVER_, identifier, name)
static const struct word cover_words[] = {CM_COVERS(X){NULL, 0}};
#undef X
#define X(identifier, name) WORD(CM_RESTATE_, identifier, name)
static const struct word restate_words[] = {CM_RESTATES(X){NULL, 0}};
#undef X
#define X(identifier, name) WORD(CM_TEARING_, identifier, name)
static const struct word tearing_words[] = {CM_TEARINGS(X){NULL, 0}};
#undef X
#define X(identifier, name) WORD(CM_UNWRITTEN_, identifier, name)
static const struct word unwritten_words[] = {CM_UNWRITTENS(X){NULL, 0}};
#undef X
#define X(identifier, name) WORD(CM_CROSSING_, identifier, name)
static const struct word crossing_words[] = {CM_CROSSINGS(X){NULL, 0}};
#undef X
#define X(identifier, name) WORD(CM_RENAME_, identifier, name)
static const struct word rename_words[] = {CM_RENAMES(X){NULL, 0}};
#undef X
#define X(identifier, name) WORD(CM_UNLINK_, identifier, name)
static const struct word unlink_words[] = {CM_UNLINKS(X){NULL, 0}};
#undef X
#define X(identifier, name) WORD(CM_APPEND_, identifier, name)
static const struct word append_words[] = {CM_APPENDS(X){NULL, 0}};
#undef X

#define X(identifier, name) WORD(CM_SIZE_, identifier, name)
static const struct word size_words[] = {CM_SIZES(X){NULL, 0}};
#undef X

#define X(identifier, name) WORD(CM_FREED_, identifier, name)
static const struct word freed_words[] = {CM_FREEDS(X){NULL, 0}};
#undef X

#define X(identifier, name) WORD(CM_CHECKPOINT_, identifier, name)
static const struct word checkpoint_words[] = {CM_CHECKPOINTS(X){NULL, 0}};
#undef X

static const char *const choice_keys[] = {
#define X(identifier, key) key,
    CM_CHOICES(X)
#undef X
};

static const struct word *const choice_words[CM_CHOICE_COUNT] = {
    [CM_CHOICE_RENAME] = rename_words, [CM_CHOICE_UNLINK] = unlink_words,
    [CM_CHOICE_APPEND] = append_words, [CM_CHOICE_SIZE] = size_words,
    [CM_CHOICE_FREED] = freed_words,   [CM_CHOICE_CHECKPOINT] = checkpoint_words,
};

const char *cm_class_name(enum cm_class class)
{
    return class_words[class == CM_CLASS_RENAME_REPLACE ? CM_CLASS_RENAME : class].name;
}

static const char *word_name(const struct word *words, unsigned value)
{
    while (words->name != NULL && words->value != value)
        words++;
    return words->name;
}

/* ---- Reading ---- */

/* Each returns false with the reader's error set; where is the place in the file. */

static bool refuse(const struct cm_config *config, const char *where, const char *what,
                   const char *detail)
{
    cm_config_error(config, "%s: %s%s", where, what, detail);
    return false;
}

static bool read_word(const struct cm_config *config, const cJSON *item, const char *where,
                      const struct word *words, unsigned *value)
{
    if (!cJSON_IsString(item))
        return refuse(config, where, "must be a string", "");
    for (const struct word *word = words; word->name != NULL; word++) {
        if (strcmp(word->name, item->valuestring) == 0) {
            *value = word->value;
            return true;
        }
    }
    char known[CM_TEXT_SIZE] = "";
    for (const struct word *word = words; word->name != NULL; word++) {
        strncat(known, word == words ? "" : ", ", sizeof(known) - strlen(known) - 1);
        strncat(known, word->name, sizeof(known) - strlen(known) - 1);
    }
    cm_config_error(config, "%s: unknown value '%s'; known are %s", where, item->valuestring,
                    known);
    return false;
}

/* A list of words as a set: bits of the values, or of 1 << value for indices. */
static bool read_words(const struct cm_config *config, const cJSON *list, const char *where,
                       const struct word *words, bool indices, unsigned *set)
{
    if (!cJSON_IsArray(list))
        return refuse(config, where, "must be a list of strings", "");
    *set = 0;
    const cJSON *item;
    cJSON_ArrayForEach(item, list)
    {
        unsigned value = 0;
        if (!read_word(config, item, where, words, &value))
            return false;
        *set |= indices ? 1u << value : value;
    }
    return true;
}

static bool read_number(const struct cm_config *config, const cJSON *item, const char *where,
                        const char *what, uint32_t *number)
{
    if (!cJSON_IsNumber(item) || item->valuedouble < 1 || item->valuedouble > 1 << 24)
        return refuse(config, where, what, " from 1 to 16777216");
    *number = (uint32_t)item->valuedouble;
    if ((double)*number < item->valuedouble || item->valuedouble < (double)*number)
        return refuse(config, where, "must be a whole number", "");
    return true;
}

static bool read_size(const struct cm_config *config, const cJSON *item, const char *where,
                      uint32_t *size)
{
    return read_number(config, item, where, "must be a number of bytes", size);
}

/* One word for all pieces of a call, or one for each class of data. */
static bool read_tearing(const struct cm_config *config, const cJSON *item, struct cm_model *model)
{
    static const char *const keys[] = {"allocate", "overwrite", NULL};
    unsigned tearing = 0, overwrite = 0;
    if (!cJSON_IsObject(item)) {
        if (!read_word(config, item, "tearing", tearing_words, &tearing))
            return false;
        model->tearing = tearing;
        return true;
    }
    if (!cm_config_keys(config, item, "tearing", keys, 2) ||
        !read_word(config, cm_config_get(item, "allocate"), "tearing: allocate", tearing_words,
                   &tearing) ||
        !read_word(config, cm_config_get(item, "overwrite"), "tearing: overwrite", tearing_words,
                   &overwrite))
        return false;
    model->apart = true;
    model->tearing = tearing;
    model->overwrite_tearing = overwrite;
    return true;
}

static bool read_rule(const struct cm_config *config, const cJSON *item, struct cm_order_rule *rule)
{
    static const char *const keys[] = {"before", "after", "scope", "source", NULL};
    static const char where[] = "order";
    unsigned scope = 0;
    if (!cm_config_keys(config, item, where, keys, 4) ||
        !read_words(config, cm_config_get(item, "before"), "order: before", class_words, false,
                    &rule->before) ||
        !read_words(config, cm_config_get(item, "after"), "order: after", class_words, false,
                    &rule->after) ||
        !read_word(config, cm_config_get(item, "scope"), "order: scope", scope_words, &scope))
        return false;
    rule->scope = scope;
    return true;
}

static bool read_rules(const struct cm_config *config, const cJSON *list, struct cm_model *model)
{
    if (!cJSON_IsArray(list))
        return refuse(config, "order", "must be a list of rules", "");
    model->rules = cm_allocate((size_t)cJSON_GetArraySize(list), sizeof(*model->rules));
    const cJSON *item;
    cJSON_ArrayForEach(item, list)
    {
        if (!read_rule(config, item, &model->rules[model->rule_count]))
            return false;
        model->rule_count++;
    }
    return true;
}

static bool read_syncs(const struct cm_config *config, const cJSON *object, struct cm_model *model)
{
    const char *keys[CM_SYNC_COUNT + 1] = {NULL};
    for (size_t i = 0; i < CM_SYNC_COUNT; i++)
        keys[i] = sync_words[i].name;
    if (!cm_config_keys(config, object, "sync", keys, 0))
        return false;
    for (size_t i = 0; i < CM_SYNC_COUNT; i++) {
        const cJSON *covers = cm_config_get(object, keys[i]);
        if (covers != NULL &&
            !read_words(config, covers, keys[i], cover_words, true, &model->covers[i]))
            return false;
    }
    return true;
}

static bool check_restates(const struct cm_config *config, const struct cm_model *model,
                           enum cm_sync sync)
{
    const unsigned data = 1u << CM_RESTATE_OWN_DATA, names = 1u << CM_RESTATE_OWN_NAMES,
                   entries = 1u << CM_RESTATE_OWN_ENTRIES,
                   around = 1u << CM_RESTATE_DISPLACED | 1u << CM_RESTATE_PARENTS;
    const char *where = sync_words[sync].name;
    bool directory = sync == CM_SYNC_FSYNC_DIRECTORY;
    if ((model->restates[sync] & (directory ? data : entries)) != 0)
        return refuse(config, where, "cannot restate ", directory ? "own-data" : "own-entries");
    if ((model->restates[sync] & around) != 0 && (model->restates[sync] & (names | entries)) == 0)
        return refuse(config, where,
                      "'displaced' and 'parents' stand beside 'own-names' or 'own-entries'", "");
    return true;
}

/* Files and directories alone are restated. */
static bool read_restates(const struct cm_config *config, const cJSON *root, struct cm_model *model)
{
    const char *keys[] = {sync_words[CM_SYNC_FSYNC_FILE].name,
                          sync_words[CM_SYNC_FDATASYNC_FILE].name,
                          sync_words[CM_SYNC_FSYNC_DIRECTORY].name, NULL};
    const cJSON *object = cm_config_get(root, "restates"),
                *levels = cm_config_get(root, "parent-levels");
    if (object != NULL && !cm_config_keys(config, object, "restates", keys, 0))
        return false;
    bool parents = false;
    for (unsigned i = 0; i < CM_SYNC_COUNT; i++) {
        const cJSON *words = cm_config_get(object, sync_words[i].name);
        if (words != NULL && (!read_words(config, words, sync_words[i].name, restate_words, true,
                                          &model->restates[i]) ||
                              !check_restates(config, model, i)))
            return false;
        parents = parents || (model->restates[i] & 1u << CM_RESTATE_PARENTS) != 0;
    }
    if (levels != NULL && !parents)
        return refuse(config, "parent-levels", "nothing names 'parents'", "");
    return levels == NULL ||
           read_number(config, levels, "parent-levels", "must be a number", &model->parent_levels);
}

static bool read_choices(const struct cm_config *config, const cJSON *root, struct cm_model *model)
{
    for (size_t i = 0; i < CM_CHOICE_COUNT; i++) {
        const cJSON *item = cm_config_get(root, choice_keys[i]);
        if (item != NULL &&
            !read_word(config, item, choice_keys[i], choice_words[i], &model->choices[i]))
            return false;
    }
    return true;
}

/* "sources" holds one text for each promise, so that a reader can check it. */
static bool check_sources(const struct cm_config *config, const cJSON *root)
{
    const char *keys[6 + CM_CHOICE_COUNT + CM_SYNC_COUNT + 1] = {
        "unit", "granule", "tearing", "unwritten", "rename-across-directories"};
    size_t count = 5;
    for (size_t i = 0; i < CM_CHOICE_COUNT; i++)
        if (cm_config_get(root, choice_keys[i]) != NULL)
            keys[count++] = choice_keys[i];
    const cJSON *sync = cm_config_get(root, "sync"), *restates = cm_config_get(root, "restates");
    for (size_t i = 0; i < CM_SYNC_COUNT; i++)
        if (cm_config_get(sync, sync_words[i].name) != NULL ||
            cm_config_get(restates, sync_words[i].name) != NULL)
            keys[count++] = sync_words[i].name;
    if (cm_config_get(root, "parent-levels") != NULL)
        keys[count++] = "parent-levels";
    const cJSON *sources = cm_config_get(root, "sources");
    if (!cm_config_keys(config, sources, "sources", keys, count))
        return false;
    const cJSON *item;
    cJSON_ArrayForEach(
        item, sources) if (!cJSON_IsString(item) ||
                           item->valuestring[0] ==
                               '\0') return refuse(config, "sources",
                                                   "must hold texts; empty: ", item->string);
    return true;
}

static bool read_model(const struct cm_config *config, const cJSON *root, struct cm_model *model)
{
    const char *keys[13 + CM_CHOICE_COUNT + 1] = {
        "schema",       "name",      "description",
        "sources",      "unit",      "granule",
        "tearing",      "unwritten", "rename-across-directories",
        "order",        "sync",      "restates",
        "parent-levels"};
    memcpy(keys + 13, choice_keys, sizeof(choice_keys));
    unsigned unwritten = 0, crossing = 0;
    if (!cm_config_keys(config, root, "model", keys, 11) ||
        !cm_config_schema(config, root, "crashmatrix/model/1") ||
        !cm_config_text(config, root, "name", &model->name) ||
        !cm_config_text(config, root, "description", &model->description) ||
        !read_size(config, cm_config_get(root, "unit"), "unit", &model->unit) ||
        !read_size(config, cm_config_get(root, "granule"), "granule", &model->granule) ||
        !read_tearing(config, cm_config_get(root, "tearing"), model) ||
        !read_word(config, cm_config_get(root, "unwritten"), "unwritten", unwritten_words,
                   &unwritten) ||
        !read_word(config, cm_config_get(root, "rename-across-directories"),
                   "rename-across-directories", crossing_words, &crossing) ||
        !read_choices(config, root, model) ||
        !read_rules(config, cm_config_get(root, "order"), model) ||
        !read_syncs(config, cm_config_get(root, "sync"), model) ||
        !read_restates(config, root, model) || !check_sources(config, root))
        return false;
    model->unwritten = unwritten;
    model->crossing = crossing;
    if (model->name[strspn(model->name, "abcdefghijklmnopqrstuvwxyz0123456789_-")] != '\0')
        return refuse(config, "name", "may hold a-z, 0-9, _ and - only", "");
    if (model->granule > model->unit || model->unit % model->granule != 0)
        return refuse(config, "granule", "must divide the unit", "");
    if (model->choices[CM_CHOICE_APPEND] != CM_APPEND_PLAIN && model->tearing == CM_TEARING_ATOMIC)
        return refuse(config, "append", "is done in steps, which atomic tearing does not have", "");
    if (model->choices[CM_CHOICE_APPEND] != CM_APPEND_PLAIN &&
        (model->choices[CM_CHOICE_FREED] != CM_FREED_PRIVATE ||
         model->choices[CM_CHOICE_SIZE] != CM_SIZE_INODE))
        return refuse(config, "append", "in steps goes with freed-blocks private and size inode",
                      "");
    if (model->choices[CM_CHOICE_SIZE] == CM_SIZE_ENTRY &&
        model->choices[CM_CHOICE_RENAME] != CM_RENAME_INDEPENDENT)
        return refuse(config, "size", "lies in entries only where renames are independent", "");
    return true;
}

struct cm_model *cm_model_read(const struct cm_config *config)
{
    struct cm_model *model = cm_allocate(1, sizeof(*model));
    if (read_model(config, config->root, model))
        return model;
    cm_model_free(model);
    return NULL;
}

struct cm_model *cm_model_load(const char *path, struct ff_error *error)
{
    struct cm_config config;
    struct cm_model *model = NULL;
    if (cm_config_open(&config, path, error) == 0)
        model = cm_model_read(&config);
    cm_config_close(&config);
    return model;
}

void cm_model_free(struct cm_model *model)
{
    if (model == NULL)
        return;
    free(model->name);
    free(model->description);
    free(model->rules);
    free(model);
}

const char *cm_model_name(const struct cm_model *model)
{
    return model->name;
}

/* ---- Meaning ---- */

/*
 * The classes of a rule as they were numbered before "rename" meant less than all renames:
 * what says the same has the same digest.
 */
static uint32_t digest_classes(unsigned classes)
{
    return (classes & CM_BIT(RENAME)) != 0 ? classes ^ CM_BIT(RENAME_REPLACE) : classes;
}

/* What a model without it does not have is not part of its digest. */
static uint64_t digest_more(const struct cm_model *model, uint64_t digest)
{
    if (model->apart) {
        const uint32_t tearing[] = {0, model->overwrite_tearing};
        digest = XXH3_64bits_withSeed(tearing, sizeof(tearing), digest);
    }
    if (model->parent_levels != 0) {
        const uint32_t levels[] = {1, model->parent_levels};
        digest = XXH3_64bits_withSeed(levels, sizeof(levels), digest);
    }
    for (uint32_t i = 0; i < CM_SYNC_COUNT; i++) {
        const uint32_t restates[] = {2 + i, model->restates[i]};
        if (model->restates[i] != 0)
            digest = XXH3_64bits_withSeed(restates, sizeof(restates), digest);
    }
    return digest;
}

uint64_t cm_model_digest(const struct cm_model *model)
{
    uint32_t words[5 + CM_SYNC_COUNT] = {model->unit, model->granule, model->tearing,
                                         model->unwritten, model->crossing};
    for (size_t i = 0; i < CM_SYNC_COUNT; i++)
        words[5 + i] = model->covers[i];
    uint64_t digest = XXH3_64bits(words, sizeof(words));
    for (size_t i = 0; i < model->rule_count; i++) {
        const struct cm_order_rule *rule = &model->rules[i];
        uint32_t fields[3] = {digest_classes(rule->before), digest_classes(rule->after),
                              rule->scope};
        digest = XXH3_64bits_withSeed(fields, sizeof(fields), digest);
    }
    for (uint32_t i = 0; i < CM_CHOICE_COUNT; i++) {
        uint32_t fields[2] = {i, model->choices[i]};
        if (fields[1] != 0) /* what is absent changes nothing */
            digest = XXH3_64bits_withSeed(fields, sizeof(fields), digest);
    }
    return digest_more(model, digest);
}

/* Sets stand behind what they hold; the largest that fits is printed. */
static void print_set(FILE *stream, const struct word *words, unsigned set, bool indices)
{
    const char *separator = "";
    size_t count = 0;
    while (words[count].name != NULL)
        count++;
    for (size_t i = 0; i < count && set != 0; i++) {
        const struct word *word = indices ? &words[i] : &words[count - 1 - i];
        unsigned bits = indices ? 1u << word->value : word->value;
        if ((set & bits) != bits)
            continue;
        fprintf(stream, "%s%s", separator, word->name);
        separator = ", ";
        set &= ~bits;
    }
    if (*separator == '\0')
        fputs("nothing", stream);
}

/* In words, where a model differs from what is usual. */
static const char *const choice_texts[CM_CHOICE_COUNT][3] = {
    [CM_CHOICE_RENAME] = {[CM_RENAME_INDEPENDENT] =
                              "a rename is two operations, in any order: the new name, and "
                              "the removal of the old one",
                          [CM_RENAME_STEPWISE] =
                              "a rename is a cut of the file that it replaces, the removal of "
                              "its name, that of the old name, and the new name, one after the "
                              "other"},
    [CM_CHOICE_UNLINK] = {[CM_UNLINK_TRUNCATE_FIRST] =
                              "the last name of a file is removed after the file was cut to 0"},
    [CM_CHOICE_APPEND] = {[CM_APPEND_ZEROS_GARBAGE_DATA] =
                              "each unit of an append is the size, with zeros, then garbage, then "
                              "the data"},
    [CM_CHOICE_SIZE] = {[CM_SIZE_ENTRY] =
                            "the size of a file lies in its directory entry: after a rename the "
                            "new name shows an empty file until the file itself is written; a file "
                            "cannot be read where its size says more than its chain of blocks has"},
    [CM_CHOICE_FREED] = {[CM_FREED_REUSED] =
                             "blocks that a file lost may be another's before that is durable: "
                             "either may show the other's bytes"},
    [CM_CHOICE_CHECKPOINT] = {[CM_CHECKPOINT_MOVED] =
                                  "fsync of a directory, or of a file that was renamed or linked "
                                  "since its last fsync, is a checkpoint of all earlier metadata"},
};

void cm_model_print(const struct cm_model *model, FILE *stream)
{
    fprintf(stream, "%s\n    %s\n", model->name, model->description);
    fprintf(stream, "    files grow by units of %u bytes; data tears at %u bytes, ", model->unit,
            model->granule);
    if (model->apart)
        fprintf(stream, "%s where it is new, %s where it overwrites\n",
                word_name(tearing_words, model->tearing),
                word_name(tearing_words, model->overwrite_tearing));
    else
        fprintf(stream, "%s\n", word_name(tearing_words, model->tearing));
    fprintf(stream, "    grown but unwritten parts show %s\n",
            word_name(unwritten_words, model->unwritten));
    fprintf(stream, "    a rename between two directories needs the fsync of %s\n",
            word_name(crossing_words, model->crossing));
    for (size_t i = 0; i < CM_CHOICE_COUNT; i++)
        if (model->choices[i] != 0)
            fprintf(stream, "    %s\n", choice_texts[i][model->choices[i]]);
    for (size_t i = 0; i < model->rule_count; i++) {
        const struct cm_order_rule *rule = &model->rules[i];
        fputs("    order: ", stream);
        print_set(stream, class_words, rule->before, false);
        fputs(" before ", stream);
        print_set(stream, class_words, rule->after, false);
        fprintf(stream, " (%s)\n", word_name(scope_words, rule->scope));
    }
    for (size_t i = 0; i < CM_SYNC_COUNT; i++) {
        if (model->covers[i] != 0) {
            fprintf(stream, "    %s covers ", sync_words[i].name);
            print_set(stream, cover_words, model->covers[i], true);
            fputc('\n', stream);
        }
        if (model->restates[i] != 0) {
            fprintf(stream, "    %s restates, whatever was lost before it: ", sync_words[i].name);
            print_set(stream, restate_words, model->restates[i], true);
            fputc('\n', stream);
        }
    }
    if (model->parent_levels != 0)
        fprintf(stream, "    parents are the new directories up to %u levels above\n",
                model->parent_levels);
}
