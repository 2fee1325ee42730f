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

/* Where a workload cannot run. */
enum { IMPOSSIBLE = 77 };

/* The exit status of a workload in a fresh directory, recorded or not. */
static int run(const char *program, const char *name, bool records)
{
    start_directory();
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        int null = open("/dev/null", O_WRONLY);
        dup2(null, 1);
        if (!records) {
            dup2(null, 2);
            if (chdir(root) == 0)
                execl(program, program, name, (char *)NULL);
            _exit(127);
        }
        execl(FAULTFS_RECORD, FAULTFS_RECORD, "--root", root, "--output", trace_path, "--", program,
              name, (char *)NULL);
        _exit(127);
    }
    int status = -1;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int recorded(const char *name)
{
    return run(INTERFACES, name, true);
}

static bool is_close(const struct ff_call *call)
{
    return strcmp(call->name, "close") == 0 || strcmp(call->name, "__close") == 0;
}

static char *calls_text(const struct ff_trace *trace)
{
    char *text = NULL;
    size_t size;
    FILE *stream = open_memstream(&text, &size);
    for (size_t i = 0; i < trace->call_count; i++)
        if (!is_close(&trace->calls[i]))
            call_print(stream, &trace->calls[i]);
    fclose(stream);
    return text;
}

/* Without what changes nothing, and without the names of the calls. */
static char *effects_text(const char *calls)
{
    char *text = NULL;
    size_t size;
    FILE *stream = open_memstream(&text, &size);
    for (const char *line = calls; *line != '\0';) {
        size_t length = strcspn(line, "\n") + 1;
        const char *effect = strchr(line, ' ') + 1;
        if (effect[0] == '(')
            effect = strchr(effect, ' ') + 1;
        if (strncmp(effect, "none\n", 5) != 0)
            fwrite(effect, 1, length - (size_t)(effect - line), stream);
        line += length;
    }
    fclose(stream);
    return text;
}

static void assert_calls(const struct interface_case *workload, const char *got,
                         const char *expected)
{
    CU_ASSERT_STRING_EQUAL(got, expected);
    if (strcmp(got, expected) != 0)
        fprintf(stderr, "workload \"%s\" gave\n%sand should give\n%s", workload->name, got,
                expected);
}

static char *recorded_text(const char *program, const struct interface_case *workload)
{
    struct ff_error error = {""};
    int status = run(program, workload->name, true);
    if (status != 0)
        fprintf(stderr, "workload \"%s\": exit status %d\n", workload->name, status);
    CU_ASSERT_EQUAL(status, 0);
    struct ff_trace *trace = ff_trace_open(trace_path, &error);
    CU_ASSERT_PTR_NOT_NULL(trace);
    char *text = trace == NULL ? NULL : calls_text(trace);
    ff_trace_free(trace);
    return text;
}

static bool is_possible(const char *program, const struct interface_case *workload)
{
    if (run(program, workload->name, false) != IMPOSSIBLE)
        return true;
    printf("\n    skipped: %s is not possible here", workload->name);
    return false;
}

static void every_interface(void)
{
    size_t count = 0;
    for (const struct interface_case *workload; (workload = interface_case_at(count)) != NULL;
         count++) {
        if (!is_possible(INTERFACES, workload))
            continue;
        char *text = recorded_text(INTERFACES, workload);
        char *effects = text == NULL ? NULL : effects_text(text);
        if (text != NULL && workload->expected != NULL)
            assert_calls(workload, count < interface_case_count ? text : effects,
                         workload->expected);
        free(effects);
        free(text);
    }
    CU_ASSERT(count >= 60);
}

#ifdef __x86_64__
/* The same by a static program, whose calls all fall into the net. */
static void every_interface_without_the_library(void)
{
    for (size_t i = 0; interface_case_at(i) != NULL; i++) {
        const struct interface_case *workload = interface_case_at(i);
        if (!is_possible(INTERFACES_STATIC, workload))
            continue;
        char *text = recorded_text(INTERFACES_STATIC, workload);
        if (text != NULL && workload->expected != NULL) {
            char *got = effects_text(text);
            char *effects = i < interface_case_count ? effects_text(workload->expected) : NULL;
            assert_calls(workload, got, effects != NULL ? effects : workload->expected);
            free(effects);
            free(got);
        }
        free(text);
    }
}
#endif

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
#ifdef __x86_64__
    {"every interface without the library", every_interface_without_the_library},
#endif
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
