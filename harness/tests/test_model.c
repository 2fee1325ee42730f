/*
 * Model files: the shipped ones load, and anything that the engine would not
 * understand is refused with the place.
 */
#include "unit.h"

#include <stdlib.h>
#include <unistd.h>

#include "config.h"
#include "memory.h"
#include "model.h"

static const char valid[] =
    "{\"schema\": \"crashmatrix/model/1\", \"name\": \"m\", \"description\": \"d\","
    " \"unit\": 4096, \"granule\": 512, \"tearing\": \"independent\", \"unwritten\": \"zeros\","
    " \"rename-across-directories\": \"both\", \"order\": [{\"before\": [\"names\"],"
    " \"after\": [\"grow\", \"data\"], \"scope\": \"all\", \"source\": \"s\"}],"
    " \"sync\": {\"fsync-file\": [\"own-data\"]},"
    " \"sources\": {\"unit\": \"s\", \"granule\": \"s\", \"tearing\": \"s\", \"unwritten\": \"s\","
    " \"rename-across-directories\": \"s\", \"fsync-file\": \"s\"}}";

/* Loads a model with the first occurrence of from replaced by to. */
static struct cm_model *load_changed(const char *from, const char *to, struct ff_error *error)
{
    char path[] = "/tmp/model-XXXXXX";
    const char *at = strstr(valid, from);
    CU_ASSERT_PTR_NOT_NULL_FATAL(at);
    int fd = mkstemp(path);
    CU_ASSERT_FATAL(fd >= 0);
    FILE *stream = fdopen(fd, "w");
    fprintf(stream, "%.*s%s%s", (int)(at - valid), valid, to, at + strlen(from));
    fclose(stream);
    error->text[0] = '\0';
    struct cm_model *model = cm_model_load(path, error);
    unlink(path);
    return model;
}

static void valid_model(void)
{
    struct ff_error error;
    struct cm_model *model = load_changed("\"d\"", "\"d\"", &error);
    CU_ASSERT_PTR_NOT_NULL_FATAL(model);
    CU_ASSERT_EQUAL(model->unit, 4096);
    CU_ASSERT_EQUAL(model->granule, 512);
    CU_ASSERT_EQUAL(model->rule_count, 1);
    CU_ASSERT_EQUAL(model->rules[0].before, CM_SET_NAMES);
    CU_ASSERT_EQUAL(model->rules[0].after, CM_BIT(GROW) | CM_SET_DATA);
    CU_ASSERT_EQUAL(model->covers[CM_SYNC_FSYNC_FILE], 1u << CM_COVER_OWN_DATA);
    CU_ASSERT_EQUAL(model->covers[CM_SYNC_SYNC], 0);
    cm_model_free(model);
}

static void restating_model(void)
{
    struct ff_error error;
    struct cm_model *model = load_changed(
        "\"independent\"", "{\"allocate\": \"prefix\", \"overwrite\": \"atomic\"}", &error);
    CU_ASSERT_PTR_NOT_NULL_FATAL(model);
    CU_ASSERT_TRUE(model->apart);
    CU_ASSERT_EQUAL(model->tearing, CM_TEARING_PREFIX);
    CU_ASSERT_EQUAL(model->overwrite_tearing, CM_TEARING_ATOMIC);
    cm_model_free(model);
    model =
        load_changed("{\"fsync-file\": [\"own-data\"]}",
                     "{}, \"restates\": {\"fsync-file\": [\"own-names\", \"parents\"]}", &error);
    CU_ASSERT_PTR_NOT_NULL_FATAL(model);
    CU_ASSERT_EQUAL(model->restates[CM_SYNC_FSYNC_FILE],
                    1u << CM_RESTATE_OWN_NAMES | 1u << CM_RESTATE_PARENTS);
    CU_ASSERT_EQUAL(model->covers[CM_SYNC_FSYNC_FILE], 0);
    CU_ASSERT_EQUAL(model->parent_levels, 0);
    cm_model_free(model);
}

static void wrong_models(void)
{
    static const struct {
        const char *from, *to, *message;
    } cases[] = {
        {"\"unit\": 4096", "\"unit\": 4096, \"units\": 1", "unknown key 'units'"},
        {"\"unit\": 4096", "\"unit\": 4096, \"unit\": 4096", "key 'unit' stands twice"},
        {"\"unit\": 4096, ", "", "key 'unit' is missing"},
        {"4096", "0", "unit: must be"},
        {"4096", "4096.5", "unit: must be"},
        {"4096", "\"4096\"", "unit: must be"},
        {"512", "500", "must divide the unit"},
        {"512", "8192", "must divide the unit"},
        {"independent", "sometimes", "unknown value 'sometimes'"},
        {"\"names\"", "\"nmes\"", "unknown value 'nmes'"},
        {"\"fsync-file\": [\"own", "\"fsink\": [\"own", "unknown key 'fsink'"},
        {"[\"own-data\"]", "\"own-data\"", "must be a list"},
        {"own-data", "other-data", "unknown value 'other-data'"},
        {"\"independent\"", "{\"allocate\": \"atomic\"}", "key 'overwrite' is missing"},
        {"\"independent\"", "{\"allocate\": \"atomic\", \"overwrite\": \"never\"}",
         "tearing: overwrite: unknown value 'never'"},
        {"\"independent\"", "7", "tearing: must be a string"},
        {"[\"own-data\"]}", "[\"own-names\"]}", "unknown value 'own-names'"},
        {"[\"own-data\"]}", "[]}, \"restates\": {\"sync\": []}", "restates: unknown key 'sync'"},
        {"[\"own-data\"]}", "[]}, \"restates\": {\"fsync-file\": [\"own-size\"]}",
         "unknown value 'own-size'"},
        {"[\"own-data\"]}", "[]}, \"restates\": {\"fsync-file\": [\"own-entries\"]}",
         "fsync-file: cannot restate own-entries"},
        {"[\"own-data\"]}", "[]}, \"restates\": {\"fsync-directory\": [\"own-data\"]}",
         "fsync-directory: cannot restate own-data"},
        {"[\"own-data\"]}", "[]}, \"restates\": {\"fsync-file\": [\"displaced\"]}",
         "fsync-file: 'displaced' and 'parents' stand beside"},
        {"[\"own-data\"]}", "[]}, \"restates\": {\"fdatasync-file\": [\"own-data\"]}",
         "sources: key 'fdatasync-file' is missing"},
        {"[\"own-data\"]}", "[]}, \"parent-levels\": 1", "parent-levels: nothing names 'parents'"},
        {"[\"own-data\"]}",
         "[]}, \"restates\": {\"fsync-file\": [\"own-names\", \"parents\"]}, \"parent-levels\": 0",
         "parent-levels: must be a number from 1"},
        {", \"source\": \"s\"}]", "}]", "key 'source' is missing"},
        {", \"fsync-file\": \"s\"}}", "}}", "key 'fsync-file' is missing"},
        {"\"unit\": \"s\"", "\"unit\": \"\"", "sources"},
        {"\"order\"", "\"rename\": \"sometimes\", \"order\"", "rename: unknown value"},
        {"\"order\"", "\"rename\": \"stepwise\", \"order\"", "key 'rename' is missing"},
        {"\"independent\"", "\"atomic\", \"append\": \"zeros-garbage-data\"", "append"},
        {"\"sources\": {", "\"size\": \"entry\", \"sources\": {\"size\": \"s\", ",
         "size: lies in entries only"},
        {"\"sources\": {",
         "\"append\": \"zeros-garbage-data\", \"freed-blocks\": \"reused\", \"sources\": {"
         "\"append\": \"s\", \"freed-blocks\": \"s\", ",
         "append: in steps"},
        {"\"m\"", "\"../m\"", "name: may hold"},
        {"model/1", "model/2", "schema must be"},
        {"\"s\"}}", "\"s\"}} x", "not valid JSON"},
        {"\"s\"}}", "\"s\"", "not valid JSON"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct ff_error error;
        struct cm_model *model = load_changed(cases[i].from, cases[i].to, &error);
        CU_ASSERT_PTR_NULL(model);
        CU_ASSERT_PTR_NOT_NULL(strstr(error.text, cases[i].message));
        if (model != NULL || strstr(error.text, cases[i].message) == NULL)
            printf("\n    case %zu: '%s'", i, error.text);
        cm_model_free(model);
    }
}

/* What a reader that is not strict would pass over. */
static void strict_text(void)
{
    static const struct {
        char byte;
        const char *message;
    } cases[] = {
        {'\0', "line 1, column 8"}, {'\x01', "a control character"}, {'\xff', "not UTF-8"}};
    struct ff_error error;
    struct cm_config config;
    char text[] = "{\"a\": \"?\"}";
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        text[7] = cases[i].byte;
        CU_ASSERT_EQUAL(cm_config_parse(&config, "file", text, sizeof(text) - 1, &error), -1);
        CU_ASSERT_PTR_NOT_NULL(strstr(error.text, cases[i].message));
        cm_config_close(&config);
    }
    static const char behind[] = "{}\0{}", ended[] = "{\"a\": \"b\\u0000\"}";
    CU_ASSERT_EQUAL(cm_config_parse(&config, "file", behind, sizeof(behind) - 1, &error), -1);
    cm_config_close(&config);
    CU_ASSERT_EQUAL(cm_config_parse(&config, "file", ended, sizeof(ended) - 1, &error), -1);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "\\u0000"));
    cm_config_close(&config);
    text[7] = 'b';
    CU_ASSERT_EQUAL(cm_config_parse(&config, "file", text, sizeof(text) - 1, &error), 0);
    cm_config_close(&config);
}

static void digest_is_of_the_meaning(void)
{
    struct ff_error error;
    struct cm_model *model = load_changed("\"d\"", "\"d\"", &error);
    struct cm_model *renamed = load_changed("\"d\"", "\"another text\"", &error);
    struct cm_model *weaker = load_changed("[\"own-data\"]", "[]", &error);
    struct cm_model *other = load_changed("\"scope\": \"all\"", "\"scope\": \"same-call\"", &error);
    static const char sources[] = "\"sources\": {";
    struct cm_model *usual =
        load_changed(sources, "\"unlink\": \"atomic\", \"sources\": {\"unlink\": \"s\", ", &error);
    struct cm_model *split = load_changed(
        sources, "\"unlink\": \"truncate-first\", \"sources\": {\"unlink\": \"s\", ", &error);
    CU_ASSERT_FATAL(usual != NULL && split != NULL);
    CU_ASSERT_EQUAL(cm_model_digest(usual), cm_model_digest(model));
    CU_ASSERT_NOT_EQUAL(cm_model_digest(split), cm_model_digest(model));
    cm_model_free(usual);
    cm_model_free(split);
    struct cm_model *restating = load_changed(
        "[\"own-data\"]}", "[]}, \"restates\": {\"fsync-file\": [\"own-data\"]}", &error);
    struct cm_model *apart =
        load_changed("\"independent\"",
                     "{\"allocate\": \"independent\", \"overwrite\": \"independent\"}", &error);
    CU_ASSERT_FATAL(model != NULL && renamed != NULL && weaker != NULL && other != NULL);
    CU_ASSERT_FATAL(restating != NULL && apart != NULL);
    CU_ASSERT_EQUAL(cm_model_digest(model), cm_model_digest(renamed));
    CU_ASSERT_NOT_EQUAL(cm_model_digest(model), cm_model_digest(weaker));
    CU_ASSERT_NOT_EQUAL(cm_model_digest(model), cm_model_digest(other));
    CU_ASSERT_NOT_EQUAL(cm_model_digest(weaker), cm_model_digest(restating));
    CU_ASSERT_NOT_EQUAL(cm_model_digest(model), cm_model_digest(apart));
    cm_model_free(restating);
    cm_model_free(apart);
    cm_model_free(model);
    cm_model_free(renamed);
    cm_model_free(weaker);
    cm_model_free(other);
}

/* As they were before there were other file systems: ids of progress and reports stay. */
static void old_digests(void)
{
    static const struct {
        const char *name;
        uint64_t digest;
    } models[] = {{"posix", 0x897d686b6dc35188},
                  {"posix-create", 0xd185d1d3927156b7},
                  {"posix-torn", 0xa24964599201ac20},
                  {"process-crash", 0xc222782aeb5dd18b}};
    for (size_t i = 0; i < sizeof(models) / sizeof(models[0]); i++) {
        struct ff_error error;
        char *path = cm_format("%s/%s.json", MODELS_DIR, models[i].name);
        struct cm_model *model = cm_model_load(path, &error);
        CU_ASSERT_PTR_NOT_NULL_FATAL(model);
        CU_ASSERT_EQUAL(cm_model_digest(model), models[i].digest);
        cm_model_free(model);
        free(path);
    }
}

static void shipped_models(void)
{
    static const char *const names[] = {"posix",
                                        "posix-create",
                                        "posix-torn",
                                        "process-crash",
                                        "ext3-writeback",
                                        "ext3-ordered",
                                        "ext3-journal",
                                        "ext4",
                                        "ext4-noauto_da_alloc",
                                        "ext4-nodelalloc",
                                        "ext4-writeback",
                                        "ext4-journal",
                                        "xfs",
                                        "btrfs",
                                        "f2fs",
                                        "f2fs-strict",
                                        "ubifs",
                                        "lazyfs"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        struct ff_error error;
        char *path = cm_format("%s/%s.json", MODELS_DIR, names[i]);
        struct cm_model *model = cm_model_load(path, &error);
        CU_ASSERT_PTR_NOT_NULL(model);
        if (model == NULL)
            printf("\n    %s", error.text);
        else
            CU_ASSERT_STRING_EQUAL(cm_model_name(model), names[i]);
        cm_model_free(model);
        free(path);
    }
}

static const struct unit_test tests[] = {
    {"a valid model is read as it stands", valid_model},
    {"... with tearing of each class, and syncs that restate", restating_model},
    {"wrong models are refused with the place", wrong_models},
    {"their text is read strictly", strict_text},
    {"the digest is of the meaning, not of the words", digest_is_of_the_meaning},
    {"models of before have the digests of before", old_digests},
    {"the shipped models load", shipped_models},
};

UNIT_MAIN("models", tests)
