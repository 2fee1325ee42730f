/* The command probe: prints what is below a directory, and what is to be said of it. */
#include "command.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "findings.h"
#include "layers.h"
#include "mount.h"
#include "text.h"
#include "utf8.h"

/* ---- For people ---- */

static void print_layer(const struct pc_layer *layer)
{
    static const char *const first[] = {"point", "name"};
    printf("%-10s %s", layer->kind, pc_layer_name(layer));
    for (size_t i = 0; i < layer->field_count; i++) {
        const char *key = layer->fields[i].key;
        if (strcmp(key, first[0]) != 0 && strcmp(key, first[1]) != 0)
            printf("\n           %-22s %s", key, layer->fields[i].value);
    }
    putchar('\n');
}

static void print_text(const char *directory, const struct pc_layers *layers,
                       const struct pc_advice *advice)
{
    printf("%s\n\n", directory);
    for (size_t i = 0; i < layers->count; i++)
        print_layer(&layers->layers[i]);
    if (layers->cut)
        puts("...        there are more layers than can be shown");
    printf("\ncommit point: %s (%s): %s\n", advice->point, pc_support_word(advice->support),
           advice->reason);
    for (size_t i = 0; i < advice->count; i++) {
        const struct pc_finding *finding = &advice->findings[i];
        printf("%s: %s: %s: %s\n", pc_severity_word(finding->severity), finding->subject,
               finding->matched, finding->text);
    }
}

/* ---- For programs ---- */

/* Names and labels may be any bytes: what is not UTF-8 is written as if it were Latin-1. */
static void print_string(const char *text)
{
    putchar('"');
    while (*text != '\0') {
        unsigned byte = (unsigned char)*text;
        size_t length = mf_utf8_length(text, strlen(text));
        if (length == 0 || byte < 0x20 || byte == 0x7f) {
            printf("\\u%04x", byte);
            length = 1;
        } else {
            printf("%s%.*s", byte == '"' || byte == '\\' ? "\\" : "", (int)length, text);
        }
        text += length;
    }
    putchar('"');
}

static void print_member(const char *before, const char *name, const char *value)
{
    printf("%s\"%s\":", before, name);
    print_string(value);
}

static void print_json(const char *directory, const struct pc_layers *layers,
                       const struct pc_advice *advice)
{
    print_member("{", "program", "portcheck " CRASHMATRIX_VERSION);
    print_member(",", "directory", directory);
    print_member(",", "commit_point", advice->point);
    print_member(",", "support", pc_support_word(advice->support));
    print_member(",", "reason", advice->reason);
    printf(",\"complete\":%s,\"layers\":[", layers->cut ? "false" : "true");
    for (size_t i = 0; i < layers->count; i++) {
        const struct pc_layer *layer = &layers->layers[i];
        print_member(i > 0 ? ",{" : "{", "layer", layer->kind);
        for (size_t j = 0; j < layer->field_count; j++)
            print_member(",", layer->fields[j].key, layer->fields[j].value);
        putchar('}');
    }
    fputs("],\"findings\":[", stdout);
    for (size_t i = 0; i < advice->count; i++) {
        const struct pc_finding *finding = &advice->findings[i];
        print_member(i > 0 ? ",{" : "{", "severity", pc_severity_word(finding->severity));
        print_member(",", "code", finding->code);
        print_member(",", "subject", finding->subject);
        print_member(",", "matched", finding->matched);
        print_member(",", "text", finding->text);
        putchar('}');
    }
    puts("]}");
}

/* ---- The command ---- */

/* The id of the mount is known of the system that this program runs on only. */
static bool collect(const char *sysroot, const char *path, char **directory,
                    struct pc_layers *layers)
{
    unsigned long id = 0;
    if (*sysroot != '\0') {
        *directory = pc_copy(path);
        return pc_layers_collect(sysroot, *directory, 0, layers);
    }
    int handle = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (handle < 0)
        return false;
    *directory = pc_directory_path(handle);
    id = pc_mount_id(handle);
    close(handle);
    return *directory != NULL && pc_layers_collect("", *directory, id, layers);
}

const char *pc_fitting_point(const char *directory, const char **reason)
{
    char *whole = NULL;
    struct pc_layers layers = {0};
    struct pc_advice advice = {.point = "none", .reason = "its mount cannot be found"};
    if (collect("", directory, &whole, &layers))
        pc_advise(&layers, &advice);
    *reason = advice.reason;
    pc_advice_free(&advice);
    pc_layers_free(&layers);
    free(whole);
    return advice.point;
}

char *pc_medium_serial(const char *directory)
{
    static const char *const keys[] = {"cid", "serial"};
    char *whole = NULL, *serial = NULL;
    struct pc_layers layers = {0};
    if (collect("", directory, &whole, &layers))
        for (size_t i = 0; i < layers.count; i++)
            for (size_t j = 0; j < 2 && serial == NULL; j++) {
                const char *value = pc_layer_value(&layers.layers[i], keys[j]);
                serial = value != NULL ? pc_copy(value) : NULL;
            }
    pc_layers_free(&layers);
    free(whole);
    return serial;
}

/* Not from /proc or /sys, and so of this system only: for --expect-device, and the record. */
static void add_uuid(const char *directory, struct pc_layers *layers)
{
    struct pc_target target;
    char *problem = pc_target_look(directory, &target);
    if (problem == NULL && target.uuid[0] != '\0')
        pc_layer_add(&layers->layers[0], "uuid", target.uuid);
    free(problem);
    pc_target_free(&target);
}

int pc_probe(const struct pc_arguments *arguments)
{
    char *directory = NULL;
    struct pc_layers layers = {0};
    struct pc_advice advice = {0};
    int status = PC_EXIT_FAILED;
    if (*arguments->sysroot != '\0' && arguments->directory[0] != '/') {
        fprintf(stderr, "portcheck: with --root the directory is an absolute path: %s\n",
                arguments->directory);
        return PC_EXIT_USAGE;
    }
    if (collect(arguments->sysroot, arguments->directory, &directory, &layers)) {
        if (*arguments->sysroot == '\0')
            add_uuid(directory, &layers);
        pc_advise(&layers, &advice);
        (arguments->json ? print_json : print_text)(directory, &layers, &advice);
        status = PC_EXIT_OK;
    } else {
        fprintf(stderr, "portcheck: %s: %s\n", arguments->directory, strerror(errno));
    }
    pc_advice_free(&advice);
    pc_layers_free(&layers);
    free(directory);
    return status;
}
