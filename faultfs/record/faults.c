/*
 * The grammar of faults.h. A SPEC is taken apart from its ends: the action after
 * the last =, the ordinals after the last #, the calls before the first colon.
 */
#include "faultfs/faults.h"

#include "../trace/error.h"

#include <ctype.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(FF_FAULT_CALL_COUNT <= 64, "struct ff_fault has a bit for each");

/* Tables ************************************************************************************/

static const struct {
    const char *name;
    const char *others; /* separated by blanks */
    int errors[12];     /* and a 0 */
} calls[] = {
#define LIST(...)                           __VA_ARGS__
#define X(identifier, name, others, errors) {name, others, {LIST errors}},
    FF_FAULT_CALLS(X)
#undef X
#undef LIST
};

/* The errors that a SPEC can name: whatever a call on files may return. */
#define ERRORS(X)                                                                                  \
    X(E2BIG)                                                                                       \
    X(EACCES)                                                                                      \
    X(EAGAIN)                                                                                      \
    X(EBADF)                                                                                       \
    X(EBUSY)                                                                                       \
    X(EDQUOT)                                                                                      \
    X(EEXIST)                                                                                      \
    X(EFAULT)                                                                                      \
    X(EFBIG)                                                                                       \
    X(EINTR)                                                                                       \
    X(EINVAL)                                                                                      \
    X(EIO)                                                                                         \
    X(EISDIR)                                                                                      \
    X(ELOOP)                                                                                       \
    X(EMFILE)                                                                                      \
    X(EMLINK)                                                                                      \
    X(ENFILE)                                                                                      \
    X(ENODEV)                                                                                      \
    X(ENAMETOOLONG)                                                                                \
    X(ENODATA)                                                                                     \
    X(ENOENT)                                                                                      \
    X(ENOLCK)                                                                                      \
    X(ENOMEM)                                                                                      \
    X(ENOSPC)                                                                                      \
    X(ENOSYS)                                                                                      \
    X(ENOTDIR)                                                                                     \
    X(ENXIO)                                                                                       \
    X(ENOTEMPTY)                                                                                   \
    X(EOPNOTSUPP)                                                                                  \
    X(ENOTSUP)                                                                                     \
    X(EPERM)                                                                                       \
    X(EPIPE)                                                                                       \
    X(EOVERFLOW)                                                                                   \
    X(ERANGE)                                                                                      \
    X(EROFS)                                                                                       \
    X(ESPIPE)                                                                                      \
    X(ESTALE)                                                                                      \
    X(ETXTBSY)                                                                                     \
    X(EXDEV)

static const struct {
    const char *name;
    int number;
} error_names[] = {
#define X(name) {#name, name},
    ERRORS(X)
#undef X
};

/* Calls *************************************************************************************/

static bool is_equal(const char *text, const char *other, size_t length)
{
    return strncmp(text, other, length) == 0 && text[length] == '\0';
}

static bool is_listed(const char *names, const char *name, size_t length)
{
    for (; *names != '\0'; names += strspn(names, " ")) {
        size_t size = strcspn(names, " ");
        if (size == length && memcmp(names, name, size) == 0)
            return true;
        names += size;
    }
    return false;
}

static enum ff_fault_call call_find(const char *name, size_t length)
{
    unsigned call = 0;
    while (call < FF_FAULT_CALL_COUNT && !is_equal(calls[call].name, name, length) &&
           !is_listed(calls[call].others, name, length))
        call++;
    return (enum ff_fault_call)call;
}

enum ff_fault_call ff_fault_call_find(const char *name)
{
    return call_find(name, strlen(name));
}

const char *ff_fault_call_name(enum ff_fault_call call)
{
    return calls[call].name;
}

const int *ff_fault_errors(enum ff_fault_call call)
{
    return calls[call].errors;
}

bool ff_fault_writes(enum ff_fault_call call)
{
    return call == FF_FAULT_CALL_WRITE || call == FF_FAULT_CALL_PWRITE ||
           call == FF_FAULT_CALL_WRITEV || call == FF_FAULT_CALL_PWRITEV ||
           call == FF_FAULT_CALL_COPY || call == FF_FAULT_CALL_SENDFILE ||
           call == FF_FAULT_CALL_SPLICE;
}

const char *ff_fault_error_name(int error)
{
    for (size_t i = 0; i < sizeof(error_names) / sizeof(error_names[0]); i++)
        if (error_names[i].number == error)
            return error_names[i].name;
    return NULL;
}

/* The parts of a SPEC ***********************************************************************/

/* The text from start to end, for a message. */
#define PART(start, end) (int)((end) - (start) < 200 ? (end) - (start) : 200), (start)

struct parser {
    const char *spec;
    struct ff_fault *fault;
    struct ff_error *error;
};

static int calls_parse(const struct parser *parser, const char *start, const char *end)
{
    if (end - start == 1 && *start == '*') {
        parser->fault->calls = (UINT64_C(1) << FF_FAULT_CALL_COUNT) - 1;
        return 0;
    }
    for (;;) {
        const char *comma = memchr(start, ',', (size_t)(end - start));
        const char *stop = comma == NULL ? end : comma;
        enum ff_fault_call call = call_find(start, (size_t)(stop - start));
        if (call == FF_FAULT_CALL_COUNT)
            return ff_error_set(parser->error,
                                "fault %.200s: \"%.*s\" is not the name of a call (open, write, "
                                "fsync, rename, ..., or * for all)",
                                parser->spec, PART(start, stop));
        parser->fault->calls |= UINT64_C(1) << call;
        if (comma == NULL)
            return 0;
        start = comma + 1;
    }
}

static int glob_parse(const struct parser *parser, const char *start, const char *end)
{
    size_t size = (size_t)(end - start);
    if (size == 0)
        return ff_error_set(parser->error, "fault %.200s: there is no glob after the colon",
                            parser->spec);
    if (size >= FF_FAULT_GLOB_SIZE)
        return ff_error_set(parser->error, "fault %.200s: the glob is longer than %d bytes",
                            parser->spec, FF_FAULT_GLOB_SIZE - 1);
    memcpy(parser->fault->glob, start, size);
    return 0;
}

/* A number of digits and nothing else, from 1. False if it is none. */
static bool number_parse(const char *start, const char *end, uint64_t *number)
{
    *number = 0;
    if (start == end)
        return false;
    for (; start < end; start++)
        if (!isdigit((unsigned char)*start) || __builtin_mul_overflow(*number, 10, number) ||
            __builtin_add_overflow(*number, (uint64_t)(*start - '0'), number))
            return false;
    return *number != 0;
}

static int which_parse(const struct parser *parser, const char *start, const char *end)
{
    struct ff_fault *fault = parser->fault;
    const char *dash = memchr(start, '-', (size_t)(end - start));
    fault->first = 1;
    fault->last = UINT64_MAX;
    if (is_equal("all", start, (size_t)(end - start)))
        return 0;
    const char *stop = dash == NULL ? end : dash;
    if (!number_parse(start, stop, &fault->first) ||
        (dash != NULL && !number_parse(dash + 1, end, &fault->last)) || fault->last < fault->first)
        return ff_error_set(parser->error,
                            "fault %.200s: \"#%.*s\" does not say which calls: #N (from 1), #N-M "
                            "or #all (after a glob with a # in it, this must be given)",
                            parser->spec, PART(start, end));
    if (dash == NULL)
        fault->last = fault->first;
    return 0;
}

/* Leaves out the calls that the action cannot happen to; some must remain. */
static int calls_restrict(const struct parser *parser, bool (*is_possible)(enum ff_fault_call),
                          const char *problem)
{
    for (unsigned call = 0; call < FF_FAULT_CALL_COUNT; call++)
        if (!is_possible((enum ff_fault_call)call))
            parser->fault->calls &= ~(UINT64_C(1) << call);
    if (parser->fault->calls == 0)
        return ff_error_set(parser->error, "fault %.200s: %s", parser->spec, problem);
    return 0;
}

static bool can_fail(enum ff_fault_call call)
{
    return calls[call].errors[0] != 0;
}

static int budget_parse(const struct parser *parser, const char *bytes)
{
    struct ff_fault *fault = parser->fault;
    fault->action = FF_FAULT_BUDGET;
    if (fault->error != ENOSPC && fault->error != EDQUOT && fault->error != EFBIG)
        return ff_error_set(parser->error,
                            "fault %.200s: only ENOSPC, EDQUOT and EFBIG can come after so many "
                            "bytes",
                            parser->spec);
    if (!number_parse(bytes, bytes + strlen(bytes), &fault->bytes))
        return ff_error_set(parser->error,
                            "fault %.200s: \"@%.200s\" is not a number of bytes, from 1",
                            parser->spec, bytes);
    return calls_restrict(parser, ff_fault_writes, "none of these calls writes data");
}

static int error_parse(const struct parser *parser, const char *action)
{
    struct ff_fault *fault = parser->fault;
    size_t size = strcspn(action, "@");
    for (size_t i = 0; i < sizeof(error_names) / sizeof(error_names[0]); i++)
        if (is_equal(error_names[i].name, action, size))
            fault->error = error_names[i].number;
    if (strcmp(action, "eintr") == 0)
        fault->error = EINTR;
    if (fault->error == 0)
        return ff_error_set(parser->error,
                            "fault %.200s: \"%.200s\" is not an action: an error (EIO, ENOSPC, "
                            "...), ERROR@BYTES, short:N, eintr, cut-before or cut-after",
                            parser->spec, action);
    fault->action = FF_FAULT_ERROR;
    if (action[size] == '@')
        return budget_parse(parser, action + size + 1);
    return calls_restrict(parser, can_fail, "this call cannot fail");
}

static int action_parse(const struct parser *parser, const char *action)
{
    struct ff_fault *fault = parser->fault;
    if (strcmp(action, "cut-before") == 0)
        fault->action = FF_FAULT_CUT_BEFORE;
    else if (strcmp(action, "cut-after") == 0)
        fault->action = FF_FAULT_CUT_AFTER;
    else if (strncmp(action, "short:", 6) == 0)
        fault->action = FF_FAULT_SHORT;
    else
        return error_parse(parser, action);
    if (fault->action != FF_FAULT_SHORT)
        return 0;
    if (!number_parse(action + 6, action + strlen(action), &fault->bytes))
        return ff_error_set(parser->error,
                            "fault %.200s: \"%.200s\" does not say how many bytes, from 1",
                            parser->spec, action);
    return calls_restrict(parser, ff_fault_writes, "none of these calls writes data");
}

/* The last such character before end, or NULL. */
static const char *find_last(const char *start, const char *end, char character)
{
    while (end > start && end[-1] != character)
        end--;
    return end == start ? NULL : end - 1;
}

int ff_fault_parse(const char *spec, struct ff_fault *fault, struct ff_error *error)
{
    struct parser parser = {spec, fault, error};
    *fault = (struct ff_fault){.first = 1, .last = 1};
    const char *action = strrchr(spec, '=');
    if (action == NULL)
        return ff_error_set(error, "fault %.200s: there is no =ACTION (such as =EIO) in it", spec);
    const char *end = find_last(spec, action, '#');
    bool has_which = end != NULL;
    if (has_which && which_parse(&parser, end + 1, action) != 0)
        return -1;
    end = has_which ? end : action;
    const char *colon = memchr(spec, ':', (size_t)(end - spec));
    if (calls_parse(&parser, spec, colon == NULL ? end : colon) != 0 ||
        (colon != NULL && glob_parse(&parser, colon + 1, end) != 0) ||
        action_parse(&parser, action + 1) != 0)
        return -1;
    if (fault->action == FF_FAULT_BUDGET && has_which)
        return ff_error_set(error, "fault %.200s: # and @ do not go together", spec);
    if (fault->action == FF_FAULT_BUDGET)
        fault->last = UINT64_MAX;
    return 0;
}
