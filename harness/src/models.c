/*
 * The subcommand models: what the models promise, one of them explained, and which fits a
 * directory.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "catalogue.h"
#include "explain.h"
#include "fail.h"
#include "filesystem.h"
#include "model.h"
#include "report_shared.h"
#include "run.h"

static const char *const all[] = {"all"};

/* All of them in short, or those of the words in full. */
static int print_models(const char *const *words, size_t count)
{
    struct cm_models models = {0};
    struct ff_error error;
    int status = cm_models_choose(count > 0 ? words : all, count > 0 ? count : 1, &models, &error);
    for (size_t i = 0; status == 0 && i < models.count; i++) {
        if (count == 0) {
            cm_model_print(models.models[i], stdout);
            continue;
        }
        fputs(i > 0 ? "\n" : "", stdout);
        status = cm_model_explain(models.paths[i], stdout, &error);
    }
    cm_models_free(&models);
    return status == 0 ? CM_EXIT_PASS : cm_give_up(CM_EXIT_USAGE, error.text);
}

/* ---- For a directory ---- */

static void print_layer(const char *where, const struct cm_mount *mount)
{
    char *source = cm_safe_text(mount->source), *point = cm_safe_text(mount->point);
    printf("%s: %s (%s, mounted on %s", where, mount->type, source, point);
    free(source);
    free(point);
    for (size_t i = 0; i < mount->shown; i++) {
        char *option = cm_safe_text(mount->options[i]);
        printf("%s%s", i == 0 ? ", " : ",", option);
        free(option);
    }
    puts(")");
}

/* The description of the model, if it is shipped. */
static void print_description(const char *name)
{
    struct cm_models models = {0};
    struct ff_error error;
    if (cm_models_choose(&name, 1, &models, &error) == 0)
        printf("    %s\n", models.models[0]->description);
    cm_models_free(&models);
}

static void print_advice(const char *directory, const struct cm_fs_advice *advice)
{
    char *name = cm_safe_text(directory);
    for (size_t i = 0; i < advice->layer_count; i++)
        print_layer(i == 0 ? name : "its upper directory", &advice->layers[i]);
    free(name);
    printf("model: %s\n", advice->model != NULL ? advice->model : "none fits");
    if (advice->model != NULL)
        print_description(advice->model);
    if (advice->note != NULL)
        printf("note: %s\n", advice->note);
    for (size_t i = 0; i < advice->warning_count; i++) {
        const struct cm_fs_warning *warning = &advice->warnings[i];
        char *option = cm_safe_text(warning->option);
        printf("warning: %s%s%s: %s; no model's promises hold\n", warning->type,
               *option != '\0' ? ", " : "", option, warning->text);
        free(option);
    }
}

/* The directory's own path, malloc'ed, and the id of its mount, or 0; NULL with *error set. */
static char *locate(const char *directory, unsigned long *id, struct ff_error *error)
{
    struct statx status = {0};
    char *path = realpath(directory, NULL);
    if (path == NULL || statx(AT_FDCWD, path, 0, STATX_TYPE | STATX_MNT_ID, &status) != 0) {
        cm_fail(error, "%s: %s", directory, strerror(errno));
    } else if (!S_ISDIR(status.stx_mode)) {
        cm_fail(error, "%s: not a directory", directory);
    } else {
        *id = (status.stx_mask & STATX_MNT_ID) != 0 ? (unsigned long)status.stx_mnt_id : 0;
        return path;
    }
    free(path);
    return NULL;
}

static int fit(const char *directory)
{
    struct cm_fs_advice advice = {0};
    struct ff_error error;
    unsigned long id = 0;
    char *path = locate(directory, &id, &error);
    int status = CM_EXIT_USAGE;
    if (path == NULL || cm_fs_advise("", path, id, &advice, &error) != 0) {
        cm_give_up(CM_EXIT_USAGE, error.text);
    } else {
        print_advice(directory, &advice);
        status = advice.warning_count > 0 ? CM_EXIT_VIOLATION
                 : advice.model == NULL   ? CM_EXIT_INCOMPLETE
                                          : CM_EXIT_PASS;
    }
    cm_fs_advice_free(&advice);
    free(path);
    return status;
}

int cm_show_models(const struct cm_settings *settings)
{
    if (settings->directory != NULL && settings->operand_count > 0)
        return cm_give_up(CM_EXIT_USAGE, "models: --for and names of models exclude each other");
    if (settings->directory != NULL)
        return fit(settings->directory);
    return print_models((const char *const *)settings->operands, settings->operand_count);
}
