/*
 * What the report writers share: safe text, and the words for calls, operations
 * and boundaries. The text of a call needs the path that a node had at that
 * time; it is found by going back through the calls to the one that named it.
 */
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "report_shared.h"

/* Bytes of output that a description quotes. */
#define OUTPUT_SHOWN 40

/* Directories above a node; deeper ones are cut off with "...". Names in a
 * consistent trace form no circle, but a limit costs nothing. */
#define DEPTH_LIMIT 64

/* ---- Text in memory ---- */

_Noreturn void cm_report_no_memory(void)
{
    fputs("crashmatrix: out of memory\n", stderr);
    abort();
}

FILE *cm_buffer_open(struct cm_buffer *buffer)
{
    *buffer = (struct cm_buffer){0};
    buffer->stream = open_memstream(&buffer->text, &buffer->size);
    if (buffer->stream == NULL)
        cm_report_no_memory();
    return buffer->stream;
}

char *cm_buffer_close(struct cm_buffer *buffer)
{
    if (fclose(buffer->stream) != 0)
        cm_report_no_memory();
    return buffer->text;
}

/* ---- Safe text ---- */

static bool is_continuation(const unsigned char *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if ((bytes[i] & 0xc0) != 0x80)
            return false;
    return true;
}

/*
 * Length in bytes of the printable character that begins here, 0 if there is
 * none: a control character (also U+0080 to U+009F), or a sequence that RFC 3629
 * excludes (too long for its value, a surrogate, beyond U+10FFFF).
 */
static size_t printable_length(const unsigned char *bytes, size_t size)
{
    static const struct {
        unsigned char mask, lead;
        size_t length;
        uint32_t minimum;
    } forms[] = {{0xe0, 0xc0, 2, 0xa0}, {0xf0, 0xe0, 3, 0x800}, {0xf8, 0xf0, 4, 0x10000}};

    if (bytes[0] < 0x80)
        return bytes[0] >= 0x20 && bytes[0] != 0x7f;
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        if ((bytes[0] & forms[i].mask) != forms[i].lead)
            continue;
        size_t length = forms[i].length;
        if (length > size || !is_continuation(bytes + 1, length - 1))
            return 0;
        uint32_t value = bytes[0] & (unsigned char)~forms[i].mask;
        for (size_t k = 1; k < length; k++)
            value = value << 6 | (bytes[k] & 0x3f);
        bool surrogate = value >= 0xd800 && value <= 0xdfff;
        bool no_character = value == 0xfffe || value == 0xffff || value > 0x10ffff;
        return value < forms[i].minimum || surrogate || no_character ? 0 : length;
    }
    return 0;
}

void cm_print_safe(FILE *stream, const void *bytes, size_t size)
{
    const unsigned char *next = bytes;
    for (size_t left = size; left > 0;) {
        size_t length = printable_length(next, left);
        if (*next == '\\')
            fputs("\\\\", stream);
        else if (length > 0)
            fwrite(next, 1, length, stream);
        else
            fprintf(stream, "\\x%02x", *next);
        if (length == 0)
            length = 1;
        next += length;
        left -= length;
    }
}

char *cm_safe_text(const char *text)
{
    struct cm_buffer buffer;
    cm_print_safe(cm_buffer_open(&buffer), text, strlen(text));
    return cm_buffer_close(&buffer);
}

/* ---- Paths ---- */

/* A name and the directory that it is in. */
struct place {
    uint32_t parent;
    struct ff_bytes name;
};

static bool same_place(const struct place *place, uint32_t parent, const struct ff_bytes *name)
{
    return place->parent == parent && place->name.size == name->size &&
           memcmp(place->name.data, name->data, name->size) == 0;
}

/* Whether the call leaves the node at a place of its own choosing. */
static bool call_names(const struct ff_call *call, uint32_t node, struct place *place)
{
    struct place first = {call->parent, call->filename};
    struct place second = {call->parent2, call->filename2};
    switch (call->effect) {
    case FF_EFFECT_CREATE:
    case FF_EFFECT_LINK:
        *place = first;
        return call->node == node;
    case FF_EFFECT_RENAME:
        *place = second;
        return call->node == node;
    case FF_EFFECT_EXCHANGE:
        *place = call->node == node ? second : first;
        return call->node == node || call->node2 == node;
    default:
        return false;
    }
}

/* Whether the call takes the node's name at that place away. */
static bool call_takes(const struct ff_call *call, const struct place *place)
{
    switch (call->effect) {
    case FF_EFFECT_UNLINK:
        return same_place(place, call->parent, &call->filename);
    case FF_EFFECT_RENAME:
    case FF_EFFECT_EXCHANGE:
        return same_place(place, call->parent, &call->filename) ||
               same_place(place, call->parent2, &call->filename2);
    default:
        return false;
    }
}

static bool place_holds(const struct ff_trace *trace, const struct place *place, size_t from,
                        size_t to)
{
    for (size_t i = from; i < to; i++)
        if (call_takes(&trace->calls[i], place))
            return false;
    return true;
}

/*
 * Where a node was just before a call: a name that it then had, or the last one
 * that it had had, if it was open without a name. False when it never had one.
 */
static bool node_place(const struct ff_trace *trace, uint32_t node, size_t call,
                       struct place *place)
{
    bool found = false;
    struct place candidate;
    for (size_t i = call; i-- > 0;) {
        if (!call_names(&trace->calls[i], node, &candidate))
            continue;
        if (!found)
            *place = candidate;
        found = true;
        if (place_holds(trace, &candidate, i + 1, call)) {
            *place = candidate;
            return true;
        }
    }
    for (size_t i = 0; i < trace->name_count; i++) {
        const struct ff_snapshot_name *name = &trace->names[i];
        if (name->node != node)
            continue;
        candidate = (struct place){name->parent, name->filename};
        if (!found)
            *place = candidate;
        found = true;
        if (place_holds(trace, &candidate, 0, call)) {
            *place = candidate;
            return true;
        }
    }
    return found;
}

static void print_place(FILE *stream, const struct ff_trace *trace, struct place place, size_t call)
{
    struct place places[DEPTH_LIMIT];
    size_t depth = 0;
    places[depth++] = place;
    while (places[depth - 1].parent != FF_ROOT_NODE && depth < DEPTH_LIMIT) {
        if (!node_place(trace, places[depth - 1].parent, call, &places[depth]))
            break;
        depth++;
    }
    if (places[depth - 1].parent != FF_ROOT_NODE)
        fputs(".../", stream);
    while (depth-- > 0) {
        cm_print_safe(stream, places[depth].name.data, places[depth].name.size);
        if (depth > 0)
            fputc('/', stream);
    }
}

static void print_node(FILE *stream, const struct ff_trace *trace, uint32_t node, size_t call)
{
    struct place place;
    if (node == FF_ROOT_NODE)
        fputc('.', stream);
    else if (node_place(trace, node, call, &place))
        print_place(stream, trace, place, call);
    else
        fprintf(stream, "(node %" PRIu32 " without a name)", node);
}

/* ---- Calls ---- */

static void print_places(FILE *stream, const struct ff_trace *trace, uint32_t index,
                         const char *arrow)
{
    const struct ff_call *call = &trace->calls[index];
    print_place(stream, trace, (struct place){call->parent, call->filename}, index);
    fputs(arrow, stream);
    print_place(stream, trace, (struct place){call->parent2, call->filename2}, index);
}

static void print_creation(FILE *stream, const struct ff_trace *trace, uint32_t index)
{
    const struct ff_call *call = &trace->calls[index];
    print_place(stream, trace, (struct place){call->parent, call->filename}, index);
    if (S_ISLNK(call->mode)) {
        fputs(" -> ", stream);
        cm_print_safe(stream, call->data.data, call->data.size);
    } else if (S_ISREG(call->mode)) {
        fputs(" (new)", stream);
    }
}

static void print_output(FILE *stream, const struct ff_call *call)
{
    bool cut = call->data.size > OUTPUT_SHOWN;
    size_t shown = cut ? OUTPUT_SHOWN : call->data.size;
    /* Most output ends in a newline, which tells nothing. */
    if (!cut && shown > 0 && call->data.data[shown - 1] == '\n')
        shown--;
    fputs("stdout \"", stream);
    cm_print_safe(stream, call->data.data, shown);
    fputs(cut ? "...\"" : "\"", stream);
}

/* A call that changed nothing: what it was about, as far as the trace says, and
 * why it failed, if it did. */
static void print_idle(FILE *stream, const struct ff_trace *trace, uint32_t index)
{
    const struct ff_call *call = &trace->calls[index];
    if (call->parent != FF_NO_NODE && call->filename.size > 0) {
        fputc(' ', stream);
        print_place(stream, trace, (struct place){call->parent, call->filename}, index);
    } else if (call->node != FF_NO_NODE) {
        fputc(' ', stream);
        print_node(stream, trace, call->node, index);
    }
    if (call->result < 0 && call->result > -4096)
        fprintf(stream, ": %s", strerror((int)-call->result));
}

static void print_call(FILE *stream, const struct ff_trace *trace, uint32_t index)
{
    const struct ff_call *call = &trace->calls[index];
    fputs(call->name, stream);
    if (call->effect == FF_EFFECT_NONE) {
        print_idle(stream, trace, index);
        return;
    }
    if (call->effect == FF_EFFECT_SYNC_ALL)
        return;
    fputc(' ', stream);
    switch (call->effect) {
    case FF_EFFECT_CREATE:
        print_creation(stream, trace, index);
        break;
    case FF_EFFECT_UNLINK:
        print_place(stream, trace, (struct place){call->parent, call->filename}, index);
        break;
    case FF_EFFECT_LINK:
        print_node(stream, trace, call->node, index);
        fputs(" -> ", stream);
        print_place(stream, trace, (struct place){call->parent, call->filename}, index);
        break;
    case FF_EFFECT_RENAME:
        print_places(stream, trace, index, " -> ");
        break;
    case FF_EFFECT_EXCHANGE:
        print_places(stream, trace, index, " <-> ");
        break;
    case FF_EFFECT_WRITE:
        print_node(stream, trace, call->node, index);
        fprintf(stream, " %" PRIu64 "+%zu", call->offset, call->data.size);
        break;
    case FF_EFFECT_RESIZE:
        print_node(stream, trace, call->node, index);
        fprintf(stream, " to %" PRIu64 " bytes", call->offset);
        break;
    case FF_EFFECT_ATTRIBUTES:
        print_node(stream, trace, call->node, index);
        fprintf(stream, " mode %04o owner %" PRIu32 ":%" PRIu32, call->mode & 07777u, call->uid,
                call->gid);
        break;
    case FF_EFFECT_OUTPUT:
        print_output(stream, call);
        break;
    default: /* the syncs of one node */
        print_node(stream, trace, call->node, index);
        break;
    }
}

char *cm_call_text(const struct ff_trace *trace, uint32_t call)
{
    assert(call < trace->call_count);
    struct cm_buffer buffer;
    print_call(cm_buffer_open(&buffer), trace, call);
    return cm_buffer_close(&buffer);
}

/* ---- Operations ---- */

static void print_operation(FILE *stream, const struct ff_trace *trace,
                            const struct cm_operation *operation)
{
    const struct ff_call *call = &trace->calls[operation->call];
    /* Models tell first writes from overwrites; to people both are data. */
    bool content = operation->length > 0;
    bool data = content && strcmp(operation->class, "garbage") != 0 &&
                strcmp(operation->class, "stale") != 0 && strcmp(operation->class, "reuse") != 0;
    fprintf(stream, "%s of ", data ? "data" : operation->class);
    if (strcmp(operation->class, "rename") == 0)
        print_places(stream, trace, operation->call, " -> ");
    else if (strcmp(operation->class, "exchange") == 0)
        print_places(stream, trace, operation->call, " <-> ");
    else
        cm_print_safe(stream, operation->path, strlen(operation->path));
    if (content)
        fprintf(stream, " %" PRIu64 "+%" PRIu64, operation->offset, operation->length);
    else if (strcmp(operation->class, "grow") == 0 || strcmp(operation->class, "cut") == 0 ||
             strcmp(operation->class, "chain") == 0)
        fprintf(stream, " to %" PRIu64, operation->offset);
    fprintf(stream, " (%s, call %" PRIu32 ")", call->name, operation->boundary);
}

char *cm_operation_text(const struct ff_trace *trace, const struct cm_operation *operation)
{
    struct cm_buffer buffer;
    print_operation(cm_buffer_open(&buffer), trace, operation);
    return cm_buffer_close(&buffer);
}

char *cm_listed_text(const struct cm_listed *listed, const char *word, uint32_t operation)
{
    struct cm_buffer buffer;
    char *text = cm_operation_text(listed->trace, &listed->operations[operation]);
    char *site = cm_site_text(listed->sites, listed->operations[operation].call);
    fprintf(cm_buffer_open(&buffer), "%s: %s%s%s", word, text, site[0] != '\0' ? " " : "", site);
    free(site);
    free(text);
    return cm_buffer_close(&buffer);
}

char *cm_cut_text(const struct cm_cut *cut, size_t number)
{
    struct cm_buffer buffer;
    FILE *stream = cm_buffer_open(&buffer);
    fprintf(stream, "then the %srecovery, cut ", number > 0 ? "next " : "");
    if (cut->boundary == 0) {
        fputs("before its first call", stream);
    } else {
        char *call = cm_call_text(cut->trace, cut->boundary_calls[cut->boundary]);
        fprintf(stream, "after its call %" PRIu32 " (%s)", cut->boundary, call);
        free(call);
    }
    return cm_buffer_close(&buffer);
}

char *cm_unreadable_text(const struct cm_violation *violation)
{
    struct cm_buffer buffer;
    FILE *stream = cm_buffer_open(&buffer);
    char *path = cm_safe_text(violation->unreadable);
    fprintf(stream,
            "unreadable: %s fails to open; FAT would read it up to the end of its chain of blocks, "
            "then give EIO",
            path);
    free(path);
    return cm_buffer_close(&buffer);
}

/* Copies safe text and frees it; cuts between characters, with "..." there. */
static void text_deliver(char *source, char *text, size_t size)
{
    size_t length = strlen(source);
    if (size > 0 && length < size) {
        memcpy(text, source, length + 1);
    } else if (size > 0) {
        const char *dots = "...";
        size_t tail = size - 1 < 3 ? size - 1 : 3;
        size_t kept = size - 1 - tail;
        while (kept > 0 && ((unsigned char)source[kept] & 0xc0) == 0x80)
            kept--;
        memcpy(text, source, kept);
        memcpy(text + kept, dots, tail);
        text[kept + tail] = '\0';
    }
    free(source);
}

void cm_describe_call(const struct ff_trace *trace, uint32_t call, char *text, size_t size)
{
    text_deliver(cm_call_text(trace, call), text, size);
}

void cm_describe_operation(const struct ff_trace *trace, const struct cm_operation *operation,
                           char *text, size_t size)
{
    text_deliver(cm_operation_text(trace, operation), text, size);
}

/* ---- Boundaries and violations ---- */

uint32_t cm_boundary_count(const struct cm_report *report)
{
    return report->exploration_count == 0 ? 0 : (uint32_t)report->explorations[0]->cell_count;
}

char *cm_boundary_text(const struct cm_report *report, uint32_t boundary)
{
    if (boundary == 0)
        return cm_safe_text("before the first call");
    return cm_call_text(report->trace, report->explorations[0]->boundary_calls[boundary]);
}

uint64_t cm_violation_states(const struct cm_exploration *exploration)
{
    uint64_t states = 0;
    for (size_t i = 0; i < exploration->violation_count; i++)
        states += exploration->violations[i].states;
    return states;
}

const char *cm_violation_status(const struct cm_violation *violation)
{
    switch (violation->status) {
    case CM_CRASHED:
        return "crashed";
    case CM_TIMEOUT:
        return "timeout";
    default:
        return "rejected";
    }
}

/* A word of a shell command. What '...' cannot show, $'...' can: it knows the
 * escapes of cm_print_safe(). */
static void print_word(FILE *stream, const char *word)
{
    const char *plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./:,+=@%-";
    char *safe = cm_safe_text(word);
    if (word[0] != '\0' && word[strspn(word, plain)] == '\0') {
        fputs(word, stream);
    } else if (strcmp(safe, word) == 0 && strchr(word, '\'') == NULL) {
        fprintf(stream, "'%s'", word);
    } else {
        fputs("$'", stream);
        for (const char *c = safe; *c != '\0'; c++)
            fprintf(stream, *c == '\'' ? "\\%c" : "%c", *c);
        fputc('\'', stream);
    }
    free(safe);
}

char *cm_replay_command(const struct cm_report *report, const struct cm_violation *violation)
{
    struct cm_buffer buffer;
    FILE *stream = cm_buffer_open(&buffer);
    fputs("crashmatrix replay ", stream);
    print_word(stream, violation->id);
    fputs(" --trace ", stream);
    print_word(stream, report->trace_path != NULL ? report->trace_path : "TRACE");
    if (report->recover != NULL) {
        fputs(" --recover ", stream);
        print_word(stream, report->recover);
    }
    fputs(report->check != NULL    ? " --check "
          : report->target != NULL ? " --target "
                                   : " --into ",
          stream);
    print_word(stream, report->check != NULL    ? report->check
                       : report->target != NULL ? report->target
                                                : "state");
    return cm_buffer_close(&buffer);
}

enum cm_verdict cm_exploration_verdict(const struct cm_exploration *exploration)
{
    if (exploration->violation_count > 0)
        return CM_FAIL;
    if (exploration->stopped || exploration->out_of_budget)
        return CM_INCOMPLETE;
    return exploration->exhaustive ? CM_PASS
           : exploration->complete ? CM_SHARD_PASS
                                   : CM_INCOMPLETE;
}

bool cm_unobserved_matters(const struct cm_unobserved *unobserved, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!unobserved[i].accepted)
            return true;
    return false;
}

const char *cm_verdict_name(enum cm_verdict verdict)
{
    static const char *const names[] = {[CM_PASS] = "pass",
                                        [CM_FAIL] = "fail",
                                        [CM_INCOMPLETE] = "incomplete",
                                        [CM_SHARD_PASS] = "shard-pass",
                                        [CM_BOUNDED] = "bounded"};
    return names[verdict];
}
