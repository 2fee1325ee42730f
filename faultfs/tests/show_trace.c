/*
 * show_trace TRACE: the calls of a trace, one a line, as in trace_text.h. With -v
 * also ticks, process, thread, result and call site; with -d only the digest.
 */
#include "faultfs/trace.h"
#include "trace_text.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
    struct ff_error error;
    bool verbose = argc == 3 && strcmp(argv[1], "-v") == 0;
    bool digest = argc == 3 && strcmp(argv[1], "-d") == 0;
    if (argc != 2 && !verbose && !digest) {
        fprintf(stderr, "usage: show_trace [-v | -d] TRACE\n");
        return 2;
    }
    struct ff_trace *trace = ff_trace_open(argv[argc - 1], &error);
    if (trace == NULL) {
        fprintf(stderr, "show_trace: %s\n", error.text);
        return 3;
    }
    if (digest)
        printf("%016" PRIx64 "\n", trace->digest);
    for (size_t i = 0; i < trace->call_count && !digest; i++) {
        const struct ff_call *call = &trace->calls[i];
        if (verbose)
            printf("%" PRIu64 "-%" PRIu64 " %" PRIu32 ".%" PRIu32 " = %" PRId64 " fd %" PRId32
                   " at %s+%" PRIx64 " ",
                   call->begin, call->end, call->process, call->thread, call->result, call->fd,
                   call->module == UINT32_MAX ? "?" : trace->modules[call->module].path,
                   call->site);
        call_print(stdout, call);
    }
    ff_trace_free(trace);
    return 0;
}
