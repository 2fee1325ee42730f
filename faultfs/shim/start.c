#include "start.h"
#include "calls.h"
#include "interposed_names.h"

#include "gate.h"
#include "recorder.h"
#include "scope.h"
#include "text.h"

#include <asm/unistd.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>

extern char **environ;

static bool started;

static const char *environment_get(const char *name)
{
    size_t length = text_length(name, CHANNEL_PATH_SIZE);
    for (char **variable = environ; variable != NULL && *variable != NULL; variable++)
        if (text_starts(*variable, name) && (*variable)[length] == '=')
            return *variable + length + 1;
    return NULL;
}

static void fail(const char *problem)
{
    char message[256];
    struct text text = {message, sizeof(message), 0};
    text_add(&text, "libfaultfs.so: ");
    text_add(&text, problem);
    text_add(&text, " (" CHANNEL_VARIABLE ")\n");
    GATE_3(__NR_write, 2, message, text.length);
    GATE_1(__NR_exit_group, 127);
}

/*
 * The launcher's memory, or NULL when this process cannot share it but all that
 * it does is caught by the launcher's net.
 */
static struct channel *channel_map(const char *path, bool has_net)
{
    /* Not through the gate: the net hands it to a process that may not open it. */
    long fd = GATE_4(__NR_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC, 0);
    if (fd < 0 && has_net)
        return NULL;
    if (fd < 0)
        fail("cannot open the launcher's memory: is the launcher still running?");
    long address =
        GATE_6(__NR_mmap, 0, sizeof(struct channel), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    GATE_1(__NR_close, fd);
    if (address < 0 && address > -4096)
        fail("cannot map the launcher's memory");
    struct channel *mapped = (struct channel *)address;
    if (mapped->magic != CHANNEL_MAGIC)
        fail("the launcher is of another version");
    struct stat status;
    if (status_get(AT_FDCWD, "/proc/self/ns/pid", 0, &status) != 0 ||
        status.st_ino != mapped->process_namespace) {
        if (!has_net)
            fail("a process in another PID namespace can only be recorded with seccomp");
        GATE_2(__NR_munmap, address, sizeof(struct channel));
        return NULL;
    }
    if (gate_open() != 0)
        fail("cannot map the page from which it makes system calls");
    atomic_fetch_add(&mapped->images, 1);
    return mapped;
}

static struct channel *channel_inert(void)
{
    long address = GATE_6(__NR_mmap, 0, sizeof(struct channel), PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (address < 0 && address > -4096)
        fail("cannot map memory");
    return (struct channel *)address;
}

/* Called by the loader, and by wrappers, some of them before that. */
__attribute__((constructor)) void start(void)
{
    if (started)
        return;
    /* Without an environment it is too early to decide. */
    started = environ != NULL;
    const char *path = environment_get(CHANNEL_VARIABLE);
    if (path != NULL) {
        bool has_net = text_starts(path, CHANNEL_NET_PREFIX);
        channel = channel_map(path + (has_net ? sizeof(CHANNEL_NET_PREFIX) - 1 : 0), has_net);
    }
    if (channel == NULL)
        channel = channel_inert();
}

/* What was stored through mappings belongs before whatever happens after the exit. */
__attribute__((destructor)) static void finish(void)
{
    struct site site = {SYMBOL_munmap, NULL, FF_ROUTE_SYMBOL, 0};
    if (channel != NULL)
        mapping_scan(&site);
}
