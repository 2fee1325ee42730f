#include "trace_text.h"

#include <inttypes.h>
#include <sys/stat.h>

static void text_print(FILE *stream, const char *label, struct ff_bytes bytes)
{
    fprintf(stream, "%s\"", label);
    for (size_t i = 0; i < bytes.size && i < 40; i++)
        if (bytes.data[i] >= 0x20 && bytes.data[i] < 0x7f)
            fputc(bytes.data[i], stream);
        else
            fprintf(stream, "\\x%02x", bytes.data[i]);
    fprintf(stream, "\"%s", bytes.size > 40 ? "..." : "");
}

static void name_print(FILE *stream, const char *label, uint32_t parent, struct ff_bytes name)
{
    fprintf(stream, " %s=%" PRIu32 "/", label, parent);
    text_print(stream, "", name);
}

static void fields_print(FILE *stream, const struct ff_call *call)
{
    switch (call->effect) {
    case FF_EFFECT_CREATE:
        fprintf(stream, " node=%" PRIu32, call->node);
        name_print(stream, "name", call->parent, call->filename);
        fprintf(stream, " mode=%o", call->mode);
        if (S_ISLNK(call->mode))
            text_print(stream, " target=", call->data);
        break;
    case FF_EFFECT_WRITE:
        fprintf(stream, " node=%" PRIu32 " offset=%" PRIu64 " size=%zu", call->node, call->offset,
                call->data.size);
        text_print(stream, " ", call->data);
        break;
    case FF_EFFECT_OUTPUT:
        text_print(stream, " ", call->data);
        break;
    case FF_EFFECT_RESIZE:
        fprintf(stream, " node=%" PRIu32 " size=%" PRIu64, call->node, call->offset);
        break;
    case FF_EFFECT_ATTRIBUTES:
        fprintf(stream, " node=%" PRIu32 " mode=%o", call->node, call->mode);
        break;
    case FF_EFFECT_LINK:
    case FF_EFFECT_UNLINK:
        fprintf(stream, " node=%" PRIu32, call->node);
        name_print(stream, "name", call->parent, call->filename);
        break;
    case FF_EFFECT_RENAME:
    case FF_EFFECT_EXCHANGE:
        fprintf(stream, " node=%" PRIu32, call->node);
        name_print(stream, "name", call->parent, call->filename);
        name_print(stream, "to", call->parent2, call->filename2);
        fprintf(stream, " node2=%" PRIu32, call->node2);
        break;
    case FF_EFFECT_SYNC_FILE:
    case FF_EFFECT_SYNC_DATA:
        fprintf(stream, " node=%" PRIu32, call->node);
        break;
    case FF_EFFECT_SYNC_RANGE:
    case FF_EFFECT_SYNC_RANGE_DATA:
        fprintf(stream, " node=%" PRIu32 " offset=%" PRIu64 " length=%" PRIu64, call->node,
                call->offset, call->length);
        break;
    case FF_EFFECT_SET_XATTR:
    case FF_EFFECT_REMOVE_XATTR:
        fprintf(stream, " node=%" PRIu32, call->node);
        text_print(stream, " name=", call->filename);
        if (call->effect == FF_EFFECT_SET_XATTR)
            text_print(stream, " value=", call->data);
        break;
    default:
        break;
    }
}

void call_print(FILE *stream, const struct ff_call *call)
{
    fprintf(stream, "%s %s", call->name, ff_effect_name(call->effect));
    fields_print(stream, call);
    fputc('\n', stream);
}
