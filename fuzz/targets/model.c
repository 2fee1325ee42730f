/*
 * Any bytes as a configuration file: of a model, of a target, and, when they begin with
 * anything but a brace, as a mountinfo. What is accepted must be described, must mean the same
 * when it is written in another way, and under a model the engine must hold (examined.h).
 */
#include "config.h"
#include "examined.h"
#include "explain.h"
#include "invention.h"
#include "mount.h"
#include "target.h"

#include "../../harness/src/target.h"

#include <manifest/json.h>
#include <string.h>

/* Unit and granule that a small trace can do with. */
enum { UNIT_LIMIT = 64 };

/* No object has two members of one name. */
static void require_distinct_keys(const cJSON *value)
{
    const cJSON *item;
    cJSON_ArrayForEach(item, value)
    {
        for (const cJSON *other = item->next; item->string != NULL && other != NULL;
             other = other->next)
            require(strcmp(item->string, other->string) != 0);
        require_distinct_keys(item);
    }
}

static char *describe(const struct cm_config *config, const struct cm_model *model)
{
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    require(stream != NULL);
    cm_model_print(model, stream);
    require(cm_model_explain_config(config, stream) == 0);
    require(fclose(stream) == 0 && size > 0 && strlen(text) == size);
    return text;
}

static void explore(const struct cm_model *model)
{
    /* A file is written, synced and renamed over another one. */
    static const uint8_t bytes[] = {1, 0, 0, 2, 0, 1, 1, 0, 2, 3, 0, 0, 2, 2,
                                    0, 2, 0, 0, 3, 0, 0, 0, 4, 0, 1, 1, 3, 1};
    static struct invention invention;
    struct choices choices = {bytes, bytes + sizeof(bytes)};
    invent_trace(&invention, &choices);
    if (model->unit <= UNIT_LIMIT || model->unit >= 4096)
        examine(&invention.trace, model, cm_model_digest(model), true);
}

/* Returns whether it is a model. */
static bool is_model(const struct cm_config *config, const struct cm_config *again)
{
    struct cm_model *model = cm_model_read(config);
    if (model == NULL) {
        require(config->error->text[0] != '\0');
        return false;
    }
    struct cm_model *other = cm_model_read(again);
    require(other != NULL && strcmp(model->name, other->name) == 0);
    require(cm_model_digest(model) == cm_model_digest(other));
    char *text = describe(config, model), *other_text = describe(again, other);
    require(strcmp(text, other_text) == 0);
    require(model->granule > 0 && model->unit % model->granule == 0);
    free(text);
    free(other_text);
    explore(model);
    cm_model_free(other);
    cm_model_free(model);
    return true;
}

static bool is_target(const struct cm_config *config, const struct cm_config *again)
{
    struct cm_target *target = cm_target_read(config);
    if (target == NULL)
        return false;
    struct cm_target *other = cm_target_read(again);
    require(other != NULL && strcmp(target->workload, other->workload) == 0);
    require(strcmp(target->name, other->name) == 0 && strcmp(target->check, other->check) == 0);
    require(target->models.count > 0 && target->models.count == other->models.count);
    require(target->expect_pass == other->expect_pass && target->monotone == other->monotone);
    cm_target_free(other);
    cm_target_free(target);
    return true;
}

static void read_config(const char *text, size_t size)
{
    struct ff_error error = {""}, again_error;
    struct cm_config config, again;
    bool accepted = cm_config_parse(&config, "file", text, size, &error) == 0;
    require(accepted == (error.text[0] == '\0'));
    require(!accepted || mf_json_scan(text, size, NULL, NULL, &(struct mf_json_fault){0}));
    if (accepted) {
        char *other = cJSON_PrintUnformatted(config.root);
        require(other != NULL);
        require(cm_config_parse(&again, "again", other, strlen(other), &again_error) == 0);
        bool model = is_model(&config, &again), target = is_target(&config, &again);
        require(!model || !target);
        if (model || target)
            require_distinct_keys(config.root);
        cm_config_close(&again);
        free(other);
    }
    cm_config_close(&config);
}

static void read_mounts(char *text, size_t size)
{
    FILE *stream = fmemopen(text, size, "r");
    require(stream != NULL);
    for (unsigned long id = 0; id < 2; id++) {
        struct cm_mount mount = {0};
        rewind(stream);
        cm_mount_search(stream, "/nowhere", "/a/b", id * 29, &mount);
        require(mount.type != NULL || mount.option_count == 0);
        require(mount.shown <= mount.option_count);
        cm_mount_value(&mount, "upperdir");
        cm_mount_free(&mount);
    }
    fclose(stream);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    /* Of exactly that size, so that a read beyond it is seen. */
    char *text = malloc(size > 0 ? size : 1);
    require(text != NULL);
    if (size > 0)
        memcpy(text, data, size);
    if (size == 0 || text[0] == '{')
        read_config(text, size);
    else
        read_mounts(text, size);
    free(text);
    return 0;
}
