#include "explain.h"

#include <string.h>

#include "config.h"
#include "model.h"

/*
 * The key "kind" is of the kinds of operation in order rules, "scope" of these rules;
 * "covers" of what a sync covers, "restates" of what it states anew.
 */
static const struct {
    const char *key;
    const char *value;
    const char *text;
} meanings[] = {
    {"tearing", "independent", "the pieces of one write persist in any combination"},
    {"tearing", "prefix", "of the pieces of one write none persists without those before it"},
    {"tearing", "atomic", "all pieces of one write persist together, or none"},
    {"unwritten", "zeros", "where a file grew and its data did not persist, it shows zeros"},
    {"unwritten", "garbage",
     "where a file grew and its data did not persist, it shows what nobody wrote there"},
    {"rename-across-directories", "both",
     "a rename between two directories is durable when both were synced"},
    {"rename-across-directories", "either",
     "a rename between two directories is durable when one of them was synced"},
    {"rename", "atomic", "a rename changes its two names together"},
    {"rename", "independent",
     "a rename sets the new name and removes the old one apart: both may be there, or neither"},
    {"rename", "stepwise",
     "a rename empties and removes what it replaces, then removes the old name, then sets the "
     "new one"},
    {"unlink", "atomic", "a file's last name goes together with its content"},
    {"unlink", "truncate-first", "a file whose last name is removed is emptied before"},
    {"append", "plain", "a file that grows shows its data or what it shows unwritten"},
    {"append", "zeros-garbage-data",
     "each piece that a file grows by shows zeros first, then what nobody wrote, then the data"},
    {"size", "inode", "a size without its data is a size"},
    {"size", "entry",
     "a file's size is with its name and its blocks are elsewhere: with more size than blocks it "
     "cannot be read, and a renamed file is empty until it is synced under its new name"},
    {"freed-blocks", "private", "the blocks of a file show nothing of another one"},
    {"freed-blocks", "reused",
     "blocks that a file lost may be another's before that is durable: either may show the "
     "other's bytes"},
    {"checkpoint", "sync", "a sync of one file or directory says nothing of others by itself"},
    {"checkpoint", "moved",
     "fsync of a directory, or of a file that was renamed or linked since its last fsync, makes "
     "all earlier changes of names, attributes and cuts durable, of any file"},
    {"sync", "fsync-file", "fsync of a file"},
    {"sync", "fdatasync-file", "fdatasync of a file"},
    {"sync", "fsync-directory", "fsync of a directory"},
    {"sync", "sync", "sync or syncfs"},
    {"sync", "every-call", "any call that returned"},
    {"covers", "own-data", "its data and size"},
    {"covers", "own-attributes", "its mode, owner and extended attributes"},
    {"covers", "own-creation", "the name under which it was created"},
    {"covers", "own-entries", "the names in it"},
    {"covers", "all-meta", "all earlier changes of names, attributes and cuts, of any file"},
    {"covers", "everything", "everything done before"},
    {"restates", "own-data", "its data and size"},
    {"restates", "own-attributes", "its mode, owner and extended attributes"},
    {"restates", "own-names", "the names that it has, and that it has no others"},
    {"restates", "own-entries", "the names changed in it"},
    {"restates", "displaced", "the names of files that lost one to it"},
    {"restates", "parents", "the names of new directories that lead to it"},
    {"kind", "create", "creations"},
    {"kind", "link", "new links"},
    {"kind", "unlink", "removals"},
    {"kind", "rename", "renames to a new name"},
    {"kind", "rename-replace", "renames that replace something"},
    {"kind", "exchange", "exchanges of names"},
    {"kind", "attributes", "changes of attributes"},
    {"kind", "cut", "truncations"},
    {"kind", "grow", "growth of files"},
    {"kind", "allocate", "data where there was none"},
    {"kind", "overwrite", "data over data"},
    {"kind", "log", "what a sync states anew"},
    {"kind", "names", "changes of names"},
    {"kind", "meta", "changes of names and attributes, truncations"},
    {"kind", "data", "data"},
    {"kind", "all", "everything"},
    {"scope", "same-call", "of the same call"},
    {"scope", "same-file", "of the same file"},
    {"scope", "same-directory", "in the same directory"},
    {"scope", "named-file", "of the file that gets the name"},
    {"scope", "all", "anywhere"},
};

const char *cm_model_meaning(const char *key, const char *value)
{
    for (size_t i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++)
        if (strcmp(meanings[i].key, key) == 0 && strcmp(meanings[i].value, value) == 0)
            return meanings[i].text;
    return NULL;
}

/* The word itself, if it is a new one. */
static const char *meaning(const char *key, const cJSON *value)
{
    const char *text = cm_model_meaning(key, value->valuestring);
    return text != NULL ? text : value->valuestring;
}

static void print_list(const char *key, const cJSON *list, FILE *stream)
{
    const cJSON *item;
    cJSON_ArrayForEach(item, list)
    {
        fputs(item == list->child ? "" : "; ", stream);
        fputs(meaning(key, item), stream);
    }
    if (list->child == NULL)
        fputs("nothing", stream);
}

static void print_source(const cJSON *source, FILE *stream)
{
    if (cJSON_IsString(source))
        fprintf(stream, "        (%s)\n", source->valuestring);
}

static void print_rule(const cJSON *rule, FILE *stream)
{
    fputs("    when one of these has persisted: ", stream);
    print_list("kind", cm_config_get(rule, "after"), stream);
    fputs(", so has all of these that came before: ", stream);
    print_list("kind", cm_config_get(rule, "before"), stream);
    fprintf(stream, ", %s\n", meaning("scope", cm_config_get(rule, "scope")));
    print_source(cm_config_get(rule, "source"), stream);
}

static void print_order(const cJSON *rules, FILE *stream)
{
    const cJSON *rule;
    if (rules->child == NULL)
        fputs("    nothing has an order but by a sync, and at the same place\n", stream);
    cJSON_ArrayForEach(rule, rules) print_rule(rule, stream);
}

/* An object of syncs, each with a list. */
static void print_syncs(const char *key, const char *verb, const cJSON *syncs, const cJSON *sources,
                        FILE *stream)
{
    const cJSON *sync;
    cJSON_ArrayForEach(sync, syncs)
    {
        const char *text = cm_model_meaning("sync", sync->string);
        fprintf(stream, "    %s %s ", text != NULL ? text : sync->string, verb);
        print_list(key, sync, stream);
        fputc('\n', stream);
        print_source(cm_config_get(sources, sync->string), stream);
    }
}

/* A size, a choice, or a choice for each kind of data. */
static void print_choice(const cJSON *item, const cJSON *source, FILE *stream)
{
    const cJSON *part;
    if (strcmp(item->string, "unit") == 0)
        fprintf(stream, "    files grow by steps of %.0f bytes\n", item->valuedouble);
    else if (strcmp(item->string, "granule") == 0)
        fprintf(stream, "    data persists in pieces of %.0f bytes, each as a whole\n",
                item->valuedouble);
    else if (strcmp(item->string, "parent-levels") == 0)
        fprintf(stream, "    of new directories on the way, %.0f are meant\n", item->valuedouble);
    else if (cJSON_IsString(item))
        fprintf(stream, "    %s\n", meaning(item->string, item));
    cJSON_ArrayForEach(part, item)
    {
        const char *kind = cm_model_meaning("kind", part->string);
        fprintf(stream, "    %s: %s\n", kind != NULL ? kind : part->string,
                meaning(item->string, part));
    }
    print_source(source, stream);
}

static void print_promise(const cJSON *item, const cJSON *sources, FILE *stream)
{
    static const char *const silent[] = {"schema", "name", "description", "sources"};
    for (size_t i = 0; i < sizeof(silent) / sizeof(silent[0]); i++)
        if (strcmp(item->string, silent[i]) == 0)
            return;
    if (strcmp(item->string, "order") == 0)
        print_order(item, stream);
    else if (strcmp(item->string, "sync") == 0)
        print_syncs("covers", "makes durable", item, sources, stream);
    else if (strcmp(item->string, "restates") == 0)
        print_syncs("restates", "states anew, whatever was lost before it:", item, sources, stream);
    else
        print_choice(item, cm_config_get(sources, item->string), stream);
}

int cm_model_explain_config(const struct cm_config *config, FILE *stream)
{
    /* Whatever is printed below has been checked by this. */
    struct cm_model *model = cm_model_read(config);
    if (model == NULL)
        return -1;
    fprintf(stream, "%s\n    %s\n\n", model->name, model->description);
    cm_model_free(model);
    const cJSON *item;
    cJSON_ArrayForEach(item, config->root)
    {
        print_promise(item, cm_config_get(config->root, "sources"), stream);
    }
    return 0;
}

int cm_model_explain(const char *path, FILE *stream, struct ff_error *error)
{
    struct cm_config config;
    int status = cm_config_open(&config, path, error);
    if (status == 0)
        status = cm_model_explain_config(&config, stream);
    cm_config_close(&config);
    return status;
}
