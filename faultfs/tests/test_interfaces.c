/*
 * Every workload of interfaces.h is recorded: the launcher's self-check must agree,
 * and the trace must be what is expected.
 */
#include "unit.h"

#include "faultfs/tree.h"
#include "interfaces.h"
#include "trace_text.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char scratch[] = "/tmp/test_interfaces.XXXXXX", root[64], trace_path[64];

static void start_directory(void)
{
    char path[128];
    struct ff_error error;
    umask(022);
    snprintf(root, sizeof(root), "%s/root", scratch);
    snprintf(trace_path, sizeof(trace_path), "%s/trace", scratch);
    ff_directory_clear(scratch, &error);
    mkdir(root, 0755);
    snprintf(path, sizeof(path), "%s/dir", root);
    mkdir(path, 0755);
    snprintf(path, sizeof(path), "%s/dir/inner", root);
    FILE *file = fopen(path, "w");
    fputs("inner", file);
    fclose(file);
    snprintf(path, sizeof(path), "%s/old", root);
    file = fopen(path, "w");
    fputs("0123456789", file);
    fclose(file);
    snprintf(path, sizeof(path), "%s/link", root);
    CU_ASSERT_EQUAL(symlink("old", path), 0);
}

/* The exit status of the recording of a workload. */
static int recorded(const char *name)
{
    start_directory();
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        int null = open("/dev/null", O_WRONLY);
        dup2(null, 1);
        execl(FAULTFS_RECORD, FAULTFS_RECORD, "--root", root, "--output", trace_path, "--",
              INTERFACES, name, (char *)NULL);
        _exit(127);
    }
    int status = -1;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static char *calls_text(const struct ff_trace *trace)
{
    char *text = NULL;
    size_t size;
    FILE *stream = open_memstream(&text, &size);
    for (size_t i = 0; i < trace->call_count; i++)
        if (strcmp(trace->calls[i].name, "close") != 0 &&
            strcmp(trace->calls[i].name, "__close") != 0)
            call_print(stream, &trace->calls[i]);
    fclose(stream);
    return text;
}

static void every_interface(void)
{
    for (size_t i = 0; i < interface_case_count; i++) {
        struct ff_error error = {""};
        int status = recorded(interface_cases[i].name);
        if (status != 0)
            fprintf(stderr, "workload \"%s\": exit status %d\n", interface_cases[i].name, status);
        CU_ASSERT_EQUAL(status, 0);
        struct ff_trace *trace = ff_trace_open(trace_path, &error);
        CU_ASSERT_PTR_NOT_NULL(trace);
        if (trace == NULL || interface_cases[i].expected == NULL) {
            ff_trace_free(trace);
            continue;
        }
        char *text = calls_text(trace);
        CU_ASSERT_STRING_EQUAL(text, interface_cases[i].expected);
        if (strcmp(text, interface_cases[i].expected) != 0)
            fprintf(stderr, "workload \"%s\" gave\n%sand should give\n%s", interface_cases[i].name,
                    text, interface_cases[i].expected);
        free(text);
        ff_trace_free(trace);
    }
}

static const struct ff_call *find(const struct ff_trace *trace, enum ff_effect effect, size_t nth)
{
    for (size_t i = 0; i < trace->call_count; i++)
        if (trace->calls[i].effect == effect && nth-- == 0)
            return &trace->calls[i];
    return NULL;
}

/* Numbers of processes and threads, ticks, and places in the program. */
static void circumstances(void)
{
    struct ff_error error;
    CU_ASSERT_EQUAL(recorded("children"), 0);
    struct ff_trace *trace = ff_trace_open(trace_path, &error);
    CU_ASSERT_PTR_NOT_NULL_FATAL(trace);
    static const char *const texts[] = {"forked ", "spawned\n", "again"};
    static const uint32_t processes[] = {1, 2, 0};
    static const uint64_t offsets[] = {0, 7, 7}; /* the parent's descriptor does not append */
    for (size_t i = 0; i < 3; i++) {
        const struct ff_call *call = find(trace, FF_EFFECT_WRITE, i);
        CU_ASSERT_PTR_NOT_NULL_FATAL(call);
        CU_ASSERT_EQUAL(call->process, processes[i]);
        CU_ASSERT_EQUAL(call->offset, offsets[i]);
        CU_ASSERT_STRING_EQUAL(call->data.data, texts[i]);
        CU_ASSERT_EQUAL(call->begin, call->end);
        CU_ASSERT_NOT_EQUAL_FATAL(call->module, UINT32_MAX);
    }
    const struct ff_module *module = &trace->modules[find(trace, FF_EFFECT_WRITE, 0)->module];
    CU_ASSERT_PTR_NOT_NULL(strstr(module->path, "/interfaces"));
    ff_trace_free(trace);

    CU_ASSERT_EQUAL(recorded("thread"), 0);
    trace = ff_trace_open(trace_path, &error);
    CU_ASSERT_PTR_NOT_NULL_FATAL(trace);
    for (size_t i = 0; i < 3; i++) {
        CU_ASSERT_EQUAL(find(trace, FF_EFFECT_WRITE, i)->process, 0);
        CU_ASSERT_EQUAL(find(trace, FF_EFFECT_WRITE, i)->thread, i == 1);
    }
    ff_trace_free(trace);

    CU_ASSERT_EQUAL(recorded("sync"), 0);
    trace = ff_trace_open(trace_path, &error);
    CU_ASSERT_PTR_NOT_NULL_FATAL(trace);
    CU_ASSERT(find(trace, FF_EFFECT_SYNC_FILE, 0)->begin <
              find(trace, FF_EFFECT_SYNC_FILE, 0)->end);
    CU_ASSERT_EQUAL(find(trace, FF_EFFECT_NONE, 0)->fd, find(trace, FF_EFFECT_WRITE, 0)->fd);
    ff_trace_free(trace);
}

/* The same behaviour gives the same digest, whatever the process and inode numbers. */
static void determinism(void)
{
    static const char *const names[] = {"write", "rename", "children", "output", "sync"};
    struct ff_error error;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        uint64_t digests[2];
        for (int run = 0; run < 2; run++) {
            CU_ASSERT_EQUAL(recorded(names[i]), 0);
            struct ff_trace *trace = ff_trace_open(trace_path, &error);
            CU_ASSERT_PTR_NOT_NULL_FATAL(trace);
            digests[run] = trace->digest;
            ff_trace_free(trace);
        }
        CU_ASSERT_EQUAL(digests[0], digests[1]);
    }
}

static void large_data_is_whole(void)
{
    struct ff_error error;
    CU_ASSERT_EQUAL(recorded("large"), 0);
    struct ff_trace *trace = ff_trace_open(trace_path, &error);
    CU_ASSERT_PTR_NOT_NULL_FATAL(trace);
    const struct ff_call *call = find(trace, FF_EFFECT_WRITE, 0);
    CU_ASSERT_EQUAL_FATAL(call->data.size, 5000000);
    bool same = true;
    for (int i = 0; i < 5000000; i++)
        same = same && call->data.data[i] == (unsigned char)(i * 7 / 3);
    CU_ASSERT(same);
    ff_trace_free(trace);
}

static const struct unit_test tests[] = {
    {"every interface", every_interface},
    {"circumstances", circumstances},
    {"determinism", determinism},
    {"large data is whole", large_data_is_whole},
};

int main(int argc, char **argv)
{
    struct ff_error error;
    if (mkdtemp(scratch) == NULL)
        return 2;
    int status = unit_main("interfaces", tests, sizeof(tests) / sizeof(tests[0]), argc, argv);
    ff_directory_clear(scratch, &error);
    rmdir(scratch);
    return status;
}
