/*
 * Traces written by hand: calls are appended one by one, each with its own
 * tick. The root directory is empty unless names are added first. And the
 * shipped models, to explore them under.
 */
#ifndef SAMPLE_H
#define SAMPLE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "crashmatrix/crashmatrix.h"

enum { SAMPLE_CALLS = 1024, SAMPLE_NODES = 16 };

struct sample {
    struct ff_trace trace;
    struct ff_call calls[SAMPLE_CALLS];
    struct ff_snapshot_node nodes[SAMPLE_NODES];
    struct ff_snapshot_name names[SAMPLE_NODES];
    uint32_t next_node;
    uint64_t tick;
    char *texts[4 * SAMPLE_CALLS];
    size_t text_count;
};

static inline struct cm_model *sample_model(const char *name)
{
    char path[512];
    struct ff_error error;
    snprintf(path, sizeof(path), "%s/%s.json", MODELS_DIR, name);
    struct cm_model *model = cm_model_load(path, &error);
    if (model == NULL) {
        fprintf(stderr, "%s\n", error.text);
        abort();
    }
    return model;
}

static inline struct ff_bytes sample_bytes(struct sample *s, const void *data, size_t size)
{
    char *copy = calloc(1, size + 1);
    memcpy(copy, data, size);
    s->texts[s->text_count++] = copy;
    return (struct ff_bytes){(unsigned char *)copy, size};
}

static inline struct ff_bytes sample_text(struct sample *s, const char *text)
{
    return sample_bytes(s, text, strlen(text));
}

static inline struct sample *sample_new(void)
{
    struct sample *s = calloc(1, sizeof(*s));
    s->nodes[0].mode = S_IFDIR | 0755;
    s->next_node = 2;
    s->trace = (struct ff_trace){.root = "/d",
                                 .nodes = s->nodes,
                                 .node_count = 1,
                                 .names = s->names,
                                 .calls = s->calls,
                                 .digest = 0x0123456789abcdef};
    return s;
}

static inline void sample_free(struct sample *s)
{
    for (size_t i = 0; i < s->text_count; i++)
        free(s->texts[i]);
    free(s);
}

/* A node of the snapshot, in the root directory; names in sorted order. */
static inline uint32_t sample_had(struct sample *s, const char *name, uint32_t mode,
                                  const char *content)
{
    uint32_t node = s->next_node++;
    s->nodes[node - 1] = (struct ff_snapshot_node){.mode = mode, .data = sample_text(s, content)};
    s->names[s->trace.name_count++] =
        (struct ff_snapshot_name){FF_ROOT_NODE, node, sample_text(s, name)};
    s->trace.node_count++;
    return node;
}

static inline struct ff_call *sample_call(struct sample *s, const char *name, enum ff_effect effect)
{
    struct ff_call *call = &s->calls[s->trace.call_count++];
    s->tick++;
    *call = (struct ff_call){.name = name,
                             .effect = effect,
                             .begin = s->tick,
                             .end = s->tick,
                             .fd = -1,
                             .module = UINT32_MAX};
    return call;
}

static inline uint32_t sample_create(struct sample *s, uint32_t parent, const char *name,
                                     uint32_t mode)
{
    struct ff_call *call = sample_call(s, S_ISDIR(mode) ? "mkdir" : "openat", FF_EFFECT_CREATE);
    call->node = s->next_node++;
    call->parent = parent;
    call->filename = sample_text(s, name);
    call->mode = mode;
    return call->node;
}

static inline void sample_write(struct sample *s, uint32_t node, uint64_t offset, size_t size,
                                char fill)
{
    char *data = malloc(size);
    memset(data, fill, size);
    struct ff_call *call = sample_call(s, "pwrite64", FF_EFFECT_WRITE);
    call->node = node;
    call->offset = offset;
    call->data = sample_bytes(s, data, size);
    free(data);
}

static inline void sample_resize(struct sample *s, uint32_t node, uint64_t size)
{
    struct ff_call *call = sample_call(s, "ftruncate", FF_EFFECT_RESIZE);
    call->node = node;
    call->offset = size;
}

/* A sync that other calls may overlap: begin now, end with sample_end(). */
static inline struct ff_call *sample_sync(struct sample *s, enum ff_effect effect, uint32_t node)
{
    struct ff_call *call = sample_call(s, "fsync", effect);
    call->node = node;
    call->end = ++s->tick;
    return call;
}

static inline void sample_fsync(struct sample *s, uint32_t node)
{
    sample_sync(s, FF_EFFECT_SYNC_FILE, node);
}

static inline void sample_unlink(struct sample *s, uint32_t parent, const char *name, uint32_t node)
{
    struct ff_call *call = sample_call(s, "unlink", FF_EFFECT_UNLINK);
    call->node = node;
    call->parent = parent;
    call->filename = sample_text(s, name);
}

static inline void sample_link(struct sample *s, uint32_t node, uint32_t parent, const char *name)
{
    struct ff_call *call = sample_call(s, "link", FF_EFFECT_LINK);
    call->node = node;
    call->parent = parent;
    call->filename = sample_text(s, name);
}

static inline void sample_rename(struct sample *s, uint32_t node, uint32_t parent, const char *name,
                                 uint32_t parent2, const char *name2, uint32_t replaced)
{
    struct ff_call *call = sample_call(s, "rename", FF_EFFECT_RENAME);
    call->node = node;
    call->parent = parent;
    call->filename = sample_text(s, name);
    call->parent2 = parent2;
    call->filename2 = sample_text(s, name2);
    call->node2 = replaced;
}

static inline void sample_output(struct sample *s, const char *text)
{
    struct ff_call *call = sample_call(s, "write", FF_EFFECT_OUTPUT);
    call->data = sample_text(s, text);
    call->end = ++s->tick;
}

#endif
