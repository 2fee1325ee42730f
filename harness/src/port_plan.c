/*
 * What is run for each part of `crashmatrix port`, as commands.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "fail.h"
#include "memory.h"
#include "model.h"
#include "port.h"

char *cm_port_quote(const char *word)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "_-./+:,@%";
    size_t used = 0;
    if (*word != '\0' && word[strspn(word, plain)] == '\0')
        return cm_format("%s", word);
    char *text = cm_allocate(4 * strlen(word) + 3, 1);
    text[used++] = '\'';
    for (; *word != '\0'; word++) {
        if (*word == '\'') {
            stpcpy(text + used, "'\\''");
            used += 4;
        } else {
            text[used++] = *word;
        }
    }
    text[used] = '\'';
    return text;
}

/* Puts two texts together, the first of which is freed. */
static char *join(char *text, const char *more)
{
    char *longer = cm_format("%s%s", text, more);
    free(text);
    return longer;
}

/* Appends the words with which commit-files commits a version. */
static char *add_version(const struct cm_port *port, char *text, uint64_t version)
{
    for (unsigned i = 0; i < CM_PORT_FILE_COUNT; i++) {
        const struct cm_port_file *file = &cm_port_files[i];
        if (file->shared && version != 2)
            continue;
        char *path = cm_format("%s/%" PRIu64 "-%u", port->contents, version, i);
        char *key = cm_port_quote(file->key), *quoted = cm_port_quote(path);
        char *longer = cm_format("%s %s %s %s", text, file->kind, key, quoted);
        free(path);
        free(key);
        free(quoted);
        free(text);
        text = longer;
    }
    return text;
}

/* commit-files of the versions first to last through one handle. */
static char *add_commit(const struct cm_port *port, char *text, uint64_t first, uint64_t last)
{
    text = join(text, port->text);
    text = join(text, " commit-files " CM_PORT_PATH);
    for (uint64_t version = first; version <= last; version++) {
        if (version > first)
            text = join(text, " then");
        text = add_version(port, text, version);
    }
    return text;
}

/* A database with the versions up to `last`. */
static char *make_base(const struct cm_port *port, const char *point, uint64_t last)
{
    char *text =
        cm_port_has(port, "init")
            ? cm_format("mkdir " CM_PORT_PATH " && port-judge need %s init " CM_PORT_PATH " %s",
                        port->text, point)
            : cm_format("port-judge init " CM_PORT_PATH " %s", point);
    if (last >= 2)
        text = add_commit(port, join(text, " && port-judge need "), 2, last);
    return text;
}

static bool is_slots(const char *point)
{
    return strcmp(point, "slots") == 0;
}

/* A writer was killed when it had written its commit point, and before it synced it: the rename,
 * or the write of the slot, is made again by the workload. */
static char *unsync(const struct cm_port *port, char *text, const char *point)
{
    text = add_commit(port,
                      join(text, is_slots(point)
                                     ? " && cp -R db before && port-judge need "
                                     : " && cp db/MANIFEST-CURRENT before && port-judge need "),
                      3, 3);
    return join(text, is_slots(point) ? " && for s in A B; do"
                                        " cmp -s db/MANIFEST-SLOT-$s before/MANIFEST-SLOT-$s ||"
                                        " { mv db/MANIFEST-SLOT-$s late &&"
                                        " cp before/MANIFEST-SLOT-$s db/ && echo $s >slot; }; done;"
                                        " rm -r before && test -f slot"
                                      : " && mv db/MANIFEST-CURRENT db/MANIFEST-CURRENT.9.tmp &&"
                                        " mv before db/MANIFEST-CURRENT");
}

char *cm_port_setup(const struct cm_port *port, const char *point, enum cm_port_case_id id)
{
    if (id == CM_PORT_INIT)
        return cm_format("mkdir " CM_PORT_PATH);
    char *text = make_base(port, point, cm_port_cases[id].base);
    if (id == CM_PORT_OPEN)
        return unsync(port, text, point);
    if (id == CM_PORT_SWEEP)
        return join(text, " && touch db/" CM_PORT_FOREIGN
                          " && echo torn >db/MANIFEST-CURRENT.7.tmp && echo torn "
                          ">db/MANIFEST-000009");
    if (id == CM_PORT_RECOVER)
        return join(text, is_slots(point) ? " && echo damaged >db/MANIFEST-000003"
                                          : " && echo damaged >db/MANIFEST-CURRENT");
    if (id == CM_PORT_RESTORE) {
        char *longer = cm_format("%s && port-judge need %s backup db 2 backup", text, port->text);
        free(text);
        return longer;
    }
    return text;
}

char *cm_port_workload(const struct cm_port *port, const char *point, enum cm_port_case_id id)
{
    const char *adapter = port->text;
    switch (id) {
    case CM_PORT_INIT:
        return cm_format("%s init db %s", adapter, point);
    case CM_PORT_COMMIT:
        return add_commit(port, cm_format("%s", ""), 2, 2);
    case CM_PORT_SECOND:
        return add_commit(port, cm_format("%s", ""), 3, 4);
    case CM_PORT_OPEN:
        return cm_format(
            is_slots(point) ? "dd if=late of=db/MANIFEST-SLOT-$(cat slot) conv=notrunc status=none "
                              "&& %s write db"
                            : "mv db/MANIFEST-CURRENT.9.tmp db/MANIFEST-CURRENT && %s write db",
            adapter);
    case CM_PORT_CLEANUP:
        return cm_format("%s cleanup db %u", adapter, CM_PORT_KEEP);
    case CM_PORT_SWEEP:
        return cm_format("%s sweep db", adapter);
    case CM_PORT_RECOVER:
        return cm_format("%s recover db %u", adapter, CM_PORT_SAVED);
    case CM_PORT_BACKUP:
        return cm_format("%s backup db 2 backup && %s backup db 3 backup", adapter, adapter);
    case CM_PORT_RESTORE:
        return cm_format("%s restore backup %u db", adapter, CM_PORT_SAVED);
    case CM_PORT_CASE_COUNT:
        break;
    }
    return NULL;
}

/* Opening for writing. */
char *cm_port_recover(const struct cm_port *port)
{
    return cm_format("%s write " CM_PORT_PATH, port->text);
}

char *cm_port_check(const struct cm_port *port, const char *point, enum cm_port_case_id id)
{
    /* Less than the check itself has, so that it can say what took so long. */
    return cm_format("port-judge check %s %s %u %s", cm_port_cases[id].name, point,
                     port->settings->timeout_ms - port->settings->timeout_ms / 4, port->text);
}

static int write_content(const struct cm_port *port, uint64_t version, unsigned index,
                         struct ff_error *error)
{
    unsigned char data[CM_PORT_SIZE_MAX];
    size_t size = cm_port_content(version, index, data);
    char *path = cm_format("%s/%" PRIu64 "-%u", port->contents, version, index);
    FILE *file = fopen(path, "wbe");
    bool done = file != NULL && fwrite(data, 1, size, file) == size;
    done = file != NULL && fclose(file) == 0 && done;
    int status = done ? 0 : cm_fail(error, "%s: cannot be written: %s", path, strerror(errno));
    free(path);
    return status;
}

int cm_port_write_contents(const struct cm_port *port, struct ff_error *error)
{
    int status = 0;
    for (uint64_t version = 2; version <= 6; version++)
        for (unsigned i = 0; status == 0 && i < CM_PORT_FILE_COUNT; i++)
            status = write_content(port, version, i, error);
    return status;
}

const char *cm_port_misfit(const struct cm_model *model, const char *point, enum cm_port_need need)
{
    if (is_slots(point))
        return NULL;
    if (model->choices[CM_CHOICE_RENAME] == CM_RENAME_STEPWISE)
        return "a rename over a name is several steps there";
    if (model->choices[CM_CHOICE_SIZE] == CM_SIZE_ENTRY)
        return "a renamed file may be empty there";
    if (need == CM_PORT_NEEDS_RENAME && model->choices[CM_CHOICE_RENAME] != CM_RENAME_ATOMIC)
        return "after a rename both names may be there, or none";
    return NULL;
}
