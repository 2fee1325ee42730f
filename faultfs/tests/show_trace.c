/*
 * show_trace TRACE: the calls of a trace, one a line, as in trace_text.h. With -v
 * also ticks, process, thread, result and call site; with -d only the digest; with
 * -r only how many calls came by each route, and what was not observed.
 */
#include "faultfs/trace.h"
#include "trace_text.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static void routes_print(const struct ff_trace *trace)
{
    size_t counts[FF_ROUTE_COUNT] = {0};
    for (size_t i = 0; i < trace->call_count; i++)
        counts[trace->calls[i].route]++;
    for (int route = 0; route < FF_ROUTE_COUNT; route++)
        printf("%s %zu\n", ff_route_name((enum ff_route)route), counts[route]);
    for (size_t i = 0; i < trace->unobserved_count; i++)
        printf("unobserved %s: %s (%" PRIu64 ")\n", trace->unobserved[i].kind,
               trace->unobserved[i].what, trace->unobserved[i].count);
}

int main(int argc, char **argv)
{
    struct ff_error error;
    bool verbose = argc == 3 && strcmp(argv[1], "-v") == 0;
    bool digest = argc == 3 && strcmp(argv[1], "-d") == 0;
    bool routes = argc == 3 && strcmp(argv[1], "-r") == 0;
    if (argc != 2 && !verbose && !digest && !routes) {
        fprintf(stderr, "usage: show_trace [-v | -d | -r] TRACE\n");
        return 2;
    }
    struct ff_trace *trace = ff_trace_open(argv[argc - 1], &error);
    if (trace == NULL) {
        fprintf(stderr, "show_trace: %s\n", error.text);
        return 3;
    }
    if (digest)
        printf("%016" PRIx64 "\n", trace->digest);
    if (routes)
        routes_print(trace);
    for (size_t i = 0; i < trace->call_count && !digest && !routes; i++) {
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
