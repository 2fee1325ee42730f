#include "port_adapter.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fail.h"
#include "memory.h"
#include "process.h"
#include "text.h"

enum { MOST_OUTPUT = 1 << 20, MOST_WORDS = 64 };

/* ---- Running ---- */

struct output {
    char *data;
    size_t size;
};

static void output_add(struct output *output, const char *bytes, size_t size)
{
    if (output->size + size > MOST_OUTPUT)
        return;
    output->data = realloc(output->data, output->size + size + 1);
    if (output->data == NULL)
        abort();
    memcpy(output->data + output->size, bytes, size);
    output->size += size;
    output->data[output->size] = '\0';
}

/* The adapter gets a process group, so that what it starts is killed with it. */
static int start(char *const *argv, int output, pid_t *pid)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
    int code = posix_spawnp(pid, argv[0], &actions, &attributes, argv, environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return code;
}

/* Reads until the end. False when the time is up. */
static bool read_all(int fd, unsigned timeout_ms, struct output *output)
{
    uint64_t deadline = cm_process_clock() + (uint64_t)timeout_ms * 1000000u;
    for (;;) {
        char chunk[4096];
        uint64_t now = cm_process_clock();
        struct pollfd polled = {.fd = fd, .events = POLLIN};
        if (now >= deadline)
            return false;
        if (poll(&polled, 1, (int)((deadline - now) / 1000000u) + 1) <= 0)
            continue;
        ssize_t size = read(fd, chunk, sizeof(chunk));
        if (size == 0 || (size < 0 && errno != EINTR))
            return true;
        if (size > 0)
            output_add(output, chunk, (size_t)size);
    }
}

static int run(char *const *argv, unsigned timeout_ms, struct output *output,
               struct ff_error *error)
{
    int pipes[2], status = 0;
    pid_t pid = 0;
    char how[64];
    if (pipe2(pipes, O_CLOEXEC) != 0)
        return cm_fail(error, "pipe: %s", strerror(errno));
    int code = start(argv, pipes[1], &pid);
    close(pipes[1]);
    bool ended = code == 0 && read_all(pipes[0], timeout_ms, output);
    close(pipes[0]);
    if (code != 0)
        return cm_fail(error, "cannot run %s: %s", argv[0], strerror(code));
    if (!ended)
        kill(-pid, SIGKILL);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (!ended)
        return cm_fail(error, "did not end within %u ms", timeout_ms);
    if (status == 0)
        return 0;
    cm_process_describe(status, how, sizeof(how));
    return cm_fail(error, "%s instead of 0", how);
}

/* ---- Answers ---- */

int cm_port_answer_read(const char *line, size_t length, struct cm_port_answer *answer,
                        struct ff_error *error)
{
    char shown[80];
    const char *end = NULL;
    answer->json = cJSON_ParseWithLengthOpts(line, length, &end, 0);
    if (answer->json != NULL && cJSON_IsObject(answer->json) && cm_port_code(answer) != NULL)
        return 0;
    cm_port_answer_free(answer);
    cm_text_printable(shown, sizeof(shown), line, length);
    return cm_fail(error, "is no line of JSON with a code: %s", shown);
}

/* The last line that is not empty. */
static const char *last_line(const struct output *output, size_t *length)
{
    size_t end = output->size;
    while (end > 0 && output->data[end - 1] == '\n')
        end--;
    size_t begin = end;
    while (begin > 0 && output->data[begin - 1] != '\n')
        begin--;
    *length = end - begin;
    return output->data + begin;
}

int cm_port_ask_words(const struct cm_port_adapter *adapter, struct cm_port_answer *answer,
                      struct ff_error *error, const char *const *words, size_t count)
{
    struct ff_error why = {""};
    struct output output = {NULL, 0};
    size_t length = 0;
    char **argv = cm_allocate(adapter->argc + count + 1, sizeof(*argv));
    answer->json = NULL;
    memcpy(argv, adapter->argv, adapter->argc * sizeof(*argv));
    memcpy(argv + adapter->argc, words, count * sizeof(*argv));
    output_add(&output, "", 0);
    int status = run(argv, adapter->timeout_ms, &output, &why);
    if (status == 0) {
        const char *line = last_line(&output, &length);
        status = length > 0 ? cm_port_answer_read(line, length, answer, &why)
                            : cm_fail(&why, "printed nothing");
    }
    if (status != 0)
        cm_fail(error, "the adapter's %s: %.400s", words[0], why.text);
    free(output.data);
    free(argv);
    return status;
}

int cm_port_ask(const struct cm_port_adapter *adapter, struct cm_port_answer *answer,
                struct ff_error *error, const char *operation, ...)
{
    const char *words[MOST_WORDS] = {operation};
    size_t count = 1;
    va_list list;
    va_start(list, operation);
    const char *word = va_arg(list, const char *);
    for (; word != NULL && count < MOST_WORDS; word = va_arg(list, const char *))
        words[count++] = word;
    va_end(list);
    return cm_port_ask_words(adapter, answer, error, words, count);
}

const char *cm_port_code(const struct cm_port_answer *answer)
{
    return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(answer->json, "code"));
}

bool cm_port_answered(const struct cm_port_answer *answer, const char *code)
{
    return strcmp(cm_port_code(answer), code) == 0;
}

bool cm_port_number(const struct cm_port_answer *answer, const char *name, uint64_t *number)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(answer->json, name);
    if (!cJSON_IsNumber(item) || item->valuedouble < 0 || item->valuedouble >= 9007199254740992.0)
        return false;
    *number = (uint64_t)item->valuedouble;
    return (double)*number == item->valuedouble;
}

bool cm_port_lists(const struct cm_port_answer *answer, const char *name, const char *word)
{
    const cJSON *item = NULL;
    cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(answer->json, name))
    {
        if (cJSON_IsString(item) && strcmp(item->valuestring, word) == 0)
            return true;
    }
    return false;
}

void cm_port_answer_free(struct cm_port_answer *answer)
{
    cJSON_Delete(answer->json);
    answer->json = NULL;
}
