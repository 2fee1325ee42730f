/* The grammar of faults, and the tables of calls and errors. */
#include "../shim/glob.h"
#include "../shim/interposed_names.h"
#include "faultfs/faults.h"
#include "unit.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#define BIT(identifier) (UINT64_C(1) << FF_FAULT_CALL_##identifier)
#define EVERY_CALL      ((UINT64_C(1) << FF_FAULT_CALL_COUNT) - 1)
#define EVERY_WRITE                                                                                \
    (BIT(WRITE) | BIT(PWRITE) | BIT(WRITEV) | BIT(PWRITEV) | BIT(COPY) | BIT(SENDFILE) |           \
     BIT(SPLICE))

static void accepted(void)
{
    static const struct {
        const char *spec;
        struct ff_fault fault;
    } cases[] = {
        {"write=EIO", {BIT(WRITE), FF_FAULT_ERROR, EIO, 0, 1, 1, ""}},
        {"__write#3=EIO", {BIT(WRITE), FF_FAULT_ERROR, EIO, 0, 3, 3, ""}},
        {"openat,fsync=eintr", {BIT(OPEN) | BIT(FSYNC), FF_FAULT_ERROR, EINTR, 0, 1, 1, ""}},
        {"fsync=EINTR", {BIT(FSYNC), FF_FAULT_ERROR, EINTR, 0, 1, 1, ""}},
        {"fdatasync:wal/*#2-5=EROFS", {BIT(FDATASYNC), FF_FAULT_ERROR, EROFS, 0, 2, 5, "wal/*"}},
        {"rename:a=b:c#all=EXDEV", {BIT(RENAME), FF_FAULT_ERROR, EXDEV, 0, 1, UINT64_MAX, "a=b:c"}},
        {"unlink:a#b#1=EIO", {BIT(UNLINK), FF_FAULT_ERROR, EIO, 0, 1, 1, "a#b"}},
        {"*=EIO", {EVERY_CALL & ~BIT(SYNC), FF_FAULT_ERROR, EIO, 0, 1, 1, ""}},
        {"*=cut-before", {EVERY_CALL, FF_FAULT_CUT_BEFORE, 0, 0, 1, 1, ""}},
        {"sync#2=cut-after", {BIT(SYNC), FF_FAULT_CUT_AFTER, 0, 0, 2, 2, ""}},
        {"pwrite64=short:512", {BIT(PWRITE), FF_FAULT_SHORT, 0, 512, 1, 1, ""}},
        {"*#7=short:1", {EVERY_WRITE, FF_FAULT_SHORT, 0, 1, 7, 7, ""}},
        {"*=ENOSPC@4096", {EVERY_WRITE, FF_FAULT_BUDGET, ENOSPC, 4096, 1, UINT64_MAX, ""}},
        {"setxattr=ENOTSUP", {BIT(SETXATTR), FF_FAULT_ERROR, EOPNOTSUPP, 0, 1, 1, ""}},
        {"write#18446744073709551615=EIO",
         {BIT(WRITE), FF_FAULT_ERROR, EIO, 0, UINT64_MAX, UINT64_MAX, ""}},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct ff_fault fault;
        struct ff_error error = {""};
        const struct ff_fault *expected = &cases[i].fault;
        int result = ff_fault_parse(cases[i].spec, &fault, &error);
        bool same = result == 0 && fault.calls == expected->calls &&
                    fault.action == expected->action && fault.error == expected->error &&
                    fault.bytes == expected->bytes && fault.first == expected->first &&
                    fault.last == expected->last && strcmp(fault.glob, expected->glob) == 0;
        if (!same)
            fprintf(stderr, "\n%s: %s calls=%" PRIx64 " glob=%s\n", cases[i].spec, error.text,
                    fault.calls, fault.glob);
        CU_ASSERT(same);
    }
}

static void rejected(void)
{
    static const struct {
        const char *spec, *problem;
    } cases[] = {
        {"", "fault : there is no =ACTION (such as =EIO) in it"},
        {"write", "fault write: there is no =ACTION (such as =EIO) in it"},
        {"=EIO", "fault =EIO: \"\" is not the name of a call"},
        {"wriite=EIO", "\"wriite\" is not the name of a call (open, write, fsync, rename, ..., or"},
        {"write,=EIO", "\"\" is not the name of a call"},
        {"write,*=EIO", "\"*\" is not the name of a call"},
        {"writ=EIO", "\"writ\" is not the name of a call"},
        {"mkdirat mkdtemp=EIO", "\"mkdirat mkdtemp\" is not the name of a call"},
        {"write:=EIO", "there is no glob after the colon"},
        {"write#=EIO", "\"#\" does not say which calls: #N (from 1), #N-M or #all"},
        {"write#0=EIO", "\"#0\" does not say which calls"},
        {"write#2-1=EIO", "\"#2-1\" does not say which calls"},
        {"write#2-=EIO", "\"#2-\" does not say which calls"},
        {"write#-2=EIO", "\"#-2\" does not say which calls"},
        {"write#2x=EIO", "\"#2x\" does not say which calls"},
        {"write#18446744073709551616=EIO", "does not say which calls"},
        {"write:a#b=EIO", "(after a glob with a # in it, this must be given)"},
        {"write=", "\"\" is not an action: an error (EIO, ENOSPC, ...), ERROR@BYTES, short:N, "
                   "eintr, cut-before or cut-after"},
        {"write=EXX", "\"EXX\" is not an action"},
        {"write=EI", "\"EI\" is not an action"},
        {"write=cut", "\"cut\" is not an action"},
        {"write=EIO@5", "only ENOSPC, EDQUOT and EFBIG can come after so many bytes"},
        {"write=ENOSPC@", "\"@\" is not a number of bytes, from 1"},
        {"write=ENOSPC@5k", "\"@5k\" is not a number of bytes, from 1"},
        {"write#1=ENOSPC@5", "# and @ do not go together"},
        {"fsync=ENOSPC@5", "none of these calls writes data"},
        {"write=short:", "\"short:\" does not say how many bytes, from 1"},
        {"write=short:0", "\"short:0\" does not say how many bytes, from 1"},
        {"fsync=short:5", "none of these calls writes data"},
        {"sync=EIO", "this call cannot fail"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct ff_fault fault;
        struct ff_error error = {""};
        int result = ff_fault_parse(cases[i].spec, &fault, &error);
        bool said = result == -1 && strstr(error.text, cases[i].problem) != NULL;
        if (!said)
            fprintf(stderr, "\n\"%s\" gives %d: %s\n", cases[i].spec, result, error.text);
        CU_ASSERT(said);
    }
}

static void glob_size(void)
{
    struct ff_fault fault;
    struct ff_error error;
    char spec[FF_FAULT_GLOB_SIZE + 32];
    const int longest = FF_FAULT_GLOB_SIZE - 1;
    snprintf(spec, sizeof(spec), "write:%0*d=EIO", longest, 0);
    CU_ASSERT_EQUAL(ff_fault_parse(spec, &fault, &error), 0);
    CU_ASSERT_EQUAL(strlen(fault.glob), (size_t)longest);
    snprintf(spec, sizeof(spec), "write:%0*d=EIO", longest + 1, 0);
    CU_ASSERT_EQUAL(ff_fault_parse(spec, &fault, &error), -1);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "the glob is longer than 1023 bytes"));
}

/* Every name that a recorded call can have means something in a SPEC. */
static void every_symbol_is_a_call(void)
{
    for (uint32_t symbol = 0; symbol < SYMBOL_COUNT; symbol++) {
        /* It is the call whose number it is given; it does nothing to a file. */
        if (symbol == SYMBOL_syscall || symbol == SYMBOL_munmap)
            continue;
        if (ff_fault_call_find(interposed_name(symbol)) == FF_FAULT_CALL_COUNT)
            fprintf(stderr, "\n%s is in no row of FF_FAULT_CALLS\n", interposed_name(symbol));
        CU_ASSERT_NOT_EQUAL(ff_fault_call_find(interposed_name(symbol)), FF_FAULT_CALL_COUNT);
    }
    CU_ASSERT_EQUAL(ff_fault_call_find("write (O_SYNC)"), FF_FAULT_CALL_COUNT);
    CU_ASSERT_EQUAL(ff_fault_call_find("__open64_2"), FF_FAULT_CALL_OPEN);
    CU_ASSERT_EQUAL(ff_fault_call_find("fdatasync"), FF_FAULT_CALL_FDATASYNC);
}

/* What --faults all makes of the tables can be parsed. */
static void every_error_can_be_named(void)
{
    for (unsigned i = 0; i < FF_FAULT_CALL_COUNT; i++) {
        enum ff_fault_call call = (enum ff_fault_call)i;
        for (const int *number = ff_fault_errors(call); *number != 0; number++) {
            char spec[128];
            struct ff_fault fault;
            struct ff_error error;
            CU_ASSERT_PTR_NOT_NULL_FATAL(ff_fault_error_name(*number));
            snprintf(spec, sizeof(spec), "%s#1=%s", ff_fault_call_name(call),
                     ff_fault_error_name(*number));
            CU_ASSERT_EQUAL(ff_fault_parse(spec, &fault, &error), 0);
            CU_ASSERT_EQUAL(fault.calls, UINT64_C(1) << call);
            CU_ASSERT_EQUAL(fault.error, *number);
        }
    }
    CU_ASSERT_STRING_EQUAL(ff_fault_error_name(EIO), "EIO");
    CU_ASSERT_PTR_NULL(ff_fault_error_name(0));
    CU_ASSERT(ff_fault_writes(FF_FAULT_CALL_SPLICE));
    CU_ASSERT(!ff_fault_writes(FF_FAULT_CALL_TRUNCATE));
}

static void globs(void)
{
    static const struct {
        const char *glob, *text;
        bool matches;
    } cases[] = {
        {"a", "a", true},
        {"a", "b", false},
        {"a", "ab", false},
        {"ab", "a", false},
        {"*", "", true},
        {"*", "a/b", true},
        {"*.log", "x/1.log", true},
        {"*.log", "1.logs", false},
        {"a*b*c", "a1b2b3c", true},
        {"a*b*c", "a1c2b", false},
        {"**", "x", true},
        {"a*", "a", true},
        {"?", "", false},
        {"?b", "ab", true},
        {"?", "/", true},
        {"[ab]c", "bc", true},
        {"[ab]c", "cc", false},
        {"[a-c]", "b", true},
        {"[a-c]", "d", false},
        {"[!a-c]", "d", true},
        {"[!a-c]", "b", false},
        {"[]]", "]", true},
        {"[!]]", "]", false},
        {"[a", "[a", true},
        {"[a-]", "-", true},
        {"\\*", "*", true},
        {"\\*", "a", false},
        {"\\", "\\", true},
        {"*[0-9]", "a1b2", true},
        {"*[0-9]", "a1b", false},
        {"", "", true},
        {"", "a", false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        bool right = glob_matches(cases[i].glob, cases[i].text) == cases[i].matches;
        if (!right)
            fprintf(stderr, "\n%s and %s\n", cases[i].glob, cases[i].text);
        CU_ASSERT(right);
    }
}

static const struct unit_test tests[] = {
    {"specs that are accepted", accepted},
    {"specs that are rejected, and why", rejected},
    {"the longest glob", glob_size},
    {"globs", globs},
    {"every symbol is a call", every_symbol_is_a_call},
    {"every error can be named", every_error_can_be_named},
};
UNIT_MAIN("faults", tests)
