#include "watch.h"

#include <stdlib.h>

#ifdef __x86_64__

#include <asm/unistd.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "memory.h"
#include "observer.h"
#include "watch_calls.h"
#include "watch_outside.h"
#include "watch_random.h"

/* ---- Nodes ---- */

enum { ELSEWHERE = 16 };

struct elsewhere {
    char path[120];
    size_t length;
};

struct cm_watch {
    const struct cm_scratch *scratch;
    struct cm_listener *listener; /* or NULL */
    enum cm_watch_kind kind;

    /* Of a run: */
    const struct cm_state *state;
    dev_t device; /* of the directory under test */
    const struct cm_place *places;
    size_t place_count;
    struct cm_watch_seen seen;
    bool recovers;    /* it is the recovery */
    bool several;     /* there are, or were, other tasks */
    bool shared;      /* with the same descriptors, or the same memory */
    uint32_t *opened; /* files of which only what is read is looked at */
    size_t opened_count, opened_capacity;
    struct elsewhere elsewhere[ELSEWHERE];
    size_t elsewhere_count;
    struct cm_outside outside;
    struct cm_random random;

    /* Of a call: */
    enum cm_change change;
    bool follows;       /* a link at the end of its path */
    bool random_device; /* its path leads to one */
    bool whole;         /* it looks at all that is in the file */
};

static int compare_places(const void *a, const void *b)
{
    const struct cm_place *left = a, *right = b;
    return left->inode < right->inode ? -1 : left->inode > right->inode;
}

/* The node of a file; FF_NO_NODE: it is elsewhere, or the command made it. */
static uint32_t node_of(const struct cm_watch *watch, const struct stat *status)
{
    const struct cm_place wanted = {.inode = status->st_ino};
    if (status->st_dev != watch->device || watch->place_count == 0)
        return FF_NO_NODE;
    const struct cm_place *found =
        bsearch(&wanted, watch->places, watch->place_count, sizeof(wanted), compare_places);
    return found == NULL ? FF_NO_NODE : found->node;
}

/* ---- Looking ---- */

/* Behind the end of a file there is nothing to be seen but where it ends. */
static void look_at_data(const struct cm_watch *watch, uint32_t node, uint64_t offset,
                         uint64_t size)
{
    const struct ff_node *file = ff_tree_node(watch->state->tree, node);
    uint64_t end = file != NULL ? file->size : 0;
    cm_looks_at_size(watch->state, node);
    if (offset < end)
        cm_looks_at_data(watch->state, node, offset, size < end - offset ? size : end - offset);
}

static void look_at_content(struct cm_watch *watch, uint32_t node)
{
    if (watch->kind < CM_WATCH_READS || watch->shared) {
        look_at_data(watch, node, 0, UINT64_MAX);
        return;
    }
    watch->opened = cm_reserve(watch->opened, watch->opened_count, &watch->opened_capacity,
                               sizeof(*watch->opened));
    watch->opened[watch->opened_count++] = node;
}

/* The blocks of a file follow from its size: it has no holes (layout.h). */
static void look_at(struct cm_watch *watch, const struct stat *status, enum cm_look look)
{
    const struct cm_state *state = watch->state;
    uint32_t node = node_of(watch, status);
    bool is_directory = S_ISDIR(status->st_mode);
    if (status->st_dev == watch->device) {
        watch->seen.scratch = true;
        /* The kernel looks for its interpreter (execve(2)), perhaps there, too. */
        if (look == CM_LOOK_FILE_SYSTEM || (look == CM_LOOK_EXECUTE && !is_directory))
            cm_looks_at_everything(state);
    }
    if (node == FF_NO_NODE || look == CM_LOOK_NAME)
        return;
    cm_looks_at_attributes(state, node);
    /* The status of a directory tells how many names it has. */
    if (is_directory && look != CM_LOOK_OPEN)
        cm_looks_at_names(state, node);
    if (is_directory)
        return;
    cm_looks_at_size(state, node);
    if (watch->whole)
        look_at_data(watch, node, 0, UINT64_MAX);
    else if (look == CM_LOOK_OPEN)
        look_at_content(watch, node);
    else
        cm_looks_at_links(state, node);
}

/* A path on its way: where it is, without links, and what is left of it. */
struct way {
    struct cm_watch *watch;
    pid_t process;
    char here[PATH_MAX];
    char rest[2 * PATH_MAX];
    int links;
};

/* Takes the next component off the rest; false at the end. */
static bool component_take(struct way *way, char name[NAME_MAX + 1])
{
    size_t start = strspn(way->rest, "/");
    size_t length = strcspn(way->rest + start, "/");
    if (length == 0 || length > NAME_MAX)
        return false;
    memcpy(name, way->rest + start, length);
    name[length] = '\0';
    memmove(way->rest, way->rest + start + length, strlen(way->rest + start + length) + 1);
    return true;
}

static void go_up(struct way *way)
{
    char *slash = strrchr(way->here, '/');
    if (slash != NULL)
        *slash = '\0';
}

/* What looking a name up in a directory tells, and whether that is none of the scratch's.
 * False: the directory cannot be seen. */
static bool look_up(const struct way *way, const char *name, bool *elsewhere)
{
    struct stat status;
    struct cm_watch *watch = way->watch;
    const char *output = cm_scratch_stdout(watch->scratch);
    size_t length = strlen(way->here);
    if (strncmp(output, way->here, length) == 0 && output[length] == '/' &&
        strcmp(output + length + 1, name) == 0)
        cm_looks_at_output(watch->state);
    if (stat(way->here[0] == '\0' ? "/" : way->here, &status) != 0)
        return errno == ENOENT;
    uint32_t node = node_of(watch, &status);
    *elsewhere = status.st_dev != watch->device;
    watch->seen.scratch = watch->seen.scratch || !*elsewhere;
    if (node != FF_NO_NODE) {
        cm_looks_at_attributes(watch->state, node);
        cm_looks_at_name(watch->state, node, name);
    }
    return true;
}

/* Goes on with what a link says. False if that is not possible. */
static bool follow(struct way *way, const char *path)
{
    char target[PATH_MAX], whole[3 * PATH_MAX];
    ssize_t length = readlink(path, target, sizeof(target) - 1);
    if (length < 0 || ++way->links > 40)
        return false;
    target[length] = '\0';
    int size = snprintf(whole, sizeof(whole), "%s/%s", target, way->rest);
    if (size < 0 || (size_t)size >= sizeof(way->rest))
        return false;
    memcpy(way->rest, whole, (size_t)size + 1);
    if (target[0] == '/')
        way->here[0] = '\0';
    return true;
}

/*
 * The interpreter that a script outside names is looked for from the current directory,
 * if its path is relative.
 */
static bool interpreter_is_outside(const char *path)
{
    char line[256];
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    ssize_t size = fd < 0 ? 0 : read(fd, line, sizeof(line) - 1);
    if (fd >= 0)
        close(fd);
    line[size < 0 ? 0 : size] = '\0';
    return strncmp(line, "#!", 2) != 0 || line[2 + strspn(line + 2, " \t")] == '/';
}

/*
 * Directories elsewhere, by paths without links: what is looked up in them tells nothing
 * of the state. They are only believed in the same run, and until it changes anything.
 */
static bool is_elsewhere(const struct cm_watch *watch, const char *path, size_t length)
{
    for (size_t i = 0; i < watch->elsewhere_count && !watch->seen.change; i++)
        if (watch->elsewhere[i].length == length &&
            memcmp(watch->elsewhere[i].path, path, length) == 0)
            return true;
    return false;
}

static void elsewhere_add(struct cm_watch *watch, const char *path)
{
    size_t length = strlen(path);
    if (watch->elsewhere_count == ELSEWHERE || length >= sizeof(watch->elsewhere[0].path) ||
        strncmp(path, "/proc", 5) == 0 || is_elsewhere(watch, path, length))
        return;
    struct elsewhere *known = &watch->elsewhere[watch->elsewhere_count++];
    memcpy(known->path, path, length);
    known->length = length;
}

/* Goes to the directory of a path at once, if it is known to be elsewhere. */
static bool elsewhere_enter(struct way *way)
{
    const char *slash = strrchr(way->rest, '/');
    size_t length = slash == NULL ? 0 : (size_t)(slash - way->rest);
    if (length == 0 || !is_elsewhere(way->watch, way->rest, length))
        return false;
    memcpy(way->here, way->rest, length);
    way->here[length] = '\0';
    memmove(way->rest, slash, strlen(slash) + 1);
    return true;
}

static bool is_at_end(const struct way *way)
{
    return way->rest[strspn(way->rest, "/")] == '\0';
}

/* Of the process that looks: /proc/self is another one here. False: it is not known. */
static bool name_translate(const struct way *way, char name[NAME_MAX + 1])
{
    if (strcmp(way->here, "/proc") == 0 && strcmp(name, "self") == 0)
        snprintf(name, NAME_MAX + 1, "%d", (int)way->process);
    return strcmp(way->here, "/proc") != 0 || strcmp(name, "thread-self") != 0;
}

/* Where a path leads, or the link that it ends with; status: NULL if there is no such file. */
static void note_end(struct way *way, const char *path, const struct stat *status,
                     enum cm_look look)
{
    struct cm_watch *watch = way->watch;
    bool is_link = status != NULL && S_ISLNK(status->st_mode);
    enum cm_use use = look == CM_LOOK_OPEN ? CM_USE_OPEN : CM_USE_LOOK;
    if (!is_at_end(way) || (is_link && watch->follows))
        return;
    watch->random_device = look == CM_LOOK_OPEN && status != NULL && S_ISCHR(status->st_mode) &&
                           cm_random_is_device(status->st_rdev);
    if (watch->change == CM_CREATES || (watch->change == CM_CHANGES && status != NULL))
        use = CM_USE_CHANGE;
    cm_outside_path(&watch->outside, path, status, use);
    if (is_link)
        watch->change = CM_CHANGES_NOTHING;
}

/* False: it is not known where this leads. */
static bool walk(struct way *way, enum cm_look look)
{
    char name[NAME_MAX + 1], path[PATH_MAX + NAME_MAX + 2];
    struct stat status;
    bool elsewhere = way->here[0] == '\0' && elsewhere_enter(way);
    bool looked = false;
    while (component_take(way, name)) {
        looked = false;
        if (strcmp(name, ".") == 0)
            continue;
        if (strcmp(name, "..") == 0) {
            go_up(way);
            continue;
        }
        if (!name_translate(way, name) || (!elsewhere && !look_up(way, name, &elsewhere)))
            return false;
        if (elsewhere && is_at_end(way))
            elsewhere_add(way->watch, way->here);
        elsewhere = false;
        snprintf(path, sizeof(path), "%s/%s", way->here, name);
        if (lstat(path, &status) != 0) {
            bool is_missing = errno == ENOENT || errno == ENOTDIR;
            note_end(way, path, NULL, look);
            return is_missing;
        }
        note_end(way, path, &status, look);
        look_at(way->watch, &status, is_at_end(way) ? look : CM_LOOK_NAME);
        if (is_at_end(way) && look == CM_LOOK_EXECUTE && !interpreter_is_outside(path))
            return false;
        if (S_ISLNK(status.st_mode)) {
            if (!follow(way, path))
                return false;
        } else if (snprintf(way->here, sizeof(way->here), "%s", path) >= (int)sizeof(way->here)) {
            return false;
        } else {
            looked = is_at_end(way);
        }
    }
    if (!is_at_end(way))
        return false;
    /* "." and "..", or the root */
    const char *here = way->here[0] == '\0' ? "/" : way->here;
    if (!looked && stat(here, &status) == 0) {
        note_end(way, here, &status, look);
        look_at(way->watch, &status, look);
    }
    return true;
}

/* The process's descriptor, or its current directory. */
static void descriptor_path(pid_t process, int fd, char path[64])
{
    if (fd == AT_FDCWD)
        snprintf(path, 64, "/proc/%d/cwd", (int)process);
    else
        snprintf(path, 64, "/proc/%d/fd/%d", (int)process, fd);
}

static bool look_at_descriptor(struct cm_watch *watch, pid_t process, int fd, enum cm_look look)
{
    char path[64];
    struct stat status;
    descriptor_path(process, fd, path);
    if (stat(path, &status) != 0)
        return errno == ENOENT; /* there is no such descriptor */
    look_at(watch, &status, look);
    if (watch->change != CM_CHANGES_NOTHING)
        cm_outside_descriptor(&watch->outside, path);
    return true;
}

static bool look_at_path(struct cm_watch *watch, pid_t process, int directory, uint64_t text,
                         enum cm_look look)
{
    char link[64];
    struct way way = {.watch = watch, .process = process};
    struct iovec to = {way.rest, PATH_MAX};
    /* A path may end just before memory that cannot be read: page by page. */
    size_t have = 0;
    while (memchr(way.rest, '\0', have) == NULL && have < PATH_MAX) {
        uint64_t piece = 4096 - (text + have) % 4096;
        struct iovec from = {(void *)(uintptr_t)(text + have),
                             piece}; /* NOLINT(performance-no-int-to-ptr) */
        to = (struct iovec){way.rest + have, piece < PATH_MAX - have ? piece : PATH_MAX - have};
        from.iov_len = to.iov_len;
        ssize_t count = process_vm_readv(process, &to, 1, &from, 1, 0);
        if (count <= 0)
            return have == 0 && errno == EFAULT; /* the call will fail, too */
        have += (size_t)count;
    }
    if (memchr(way.rest, '\0', have) == NULL)
        return true; /* ENAMETOOLONG */
    if (way.rest[0] == '\0' || strcmp(way.rest, ".") == 0)
        return look_at_descriptor(watch, process, directory, look);
    if (way.rest[0] == '/')
        return walk(&way, look);
    descriptor_path(process, directory, link);
    ssize_t length = readlink(link, way.here, sizeof(way.here) - 1);
    if (length < 0)
        return errno == ENOENT; /* there is no such descriptor */
    way.here[length] = '\0';
    if (way.here[0] != '/')
        return true; /* ENOTDIR */
    if (strcmp(way.here, "/") == 0)
        way.here[0] = '\0';
    return walk(&way, look);
}

/* ---- Reading ---- */

/* The position of a descriptor; nobody moves it meanwhile if there is one task only. */
static bool position_read(pid_t process, int fd, uint64_t *position)
{
    char path[64], text[256];
    snprintf(path, sizeof(path), "/proc/%d/fdinfo/%d", (int)process, fd);
    int info = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t size = info < 0 ? -1 : read(info, text, sizeof(text) - 1);
    if (info >= 0)
        close(info);
    text[size < 0 ? 0 : size] = '\0';
    return sscanf(text, "pos: %" SCNu64, position) == 1;
}

/* How much it reads at most is not looked for if that is an array. */
static bool look_at_reading(struct cm_watch *watch, const struct seccomp_notif *call,
                            const struct cm_reading *reading)
{
    char path[64];
    struct stat status;
    const __u64 *arguments = call->data.args;
    int fd = (int)arguments[reading->descriptor];
    uint64_t offset = arguments[3], size = reading->vector ? UINT64_MAX : arguments[2];
    descriptor_path((pid_t)call->pid, fd, path);
    if (fd < 0 || stat(path, &status) != 0)
        return fd < 0 || errno == ENOENT; /* there is no such descriptor */
    uint32_t node = node_of(watch, &status);
    if (node == FF_NO_NODE || !S_ISREG(status.st_mode))
        return true;
    /* preadv2() with an offset of -1 is as readv(). */
    bool here = reading->read == CM_READ_HERE || offset == UINT64_MAX;
    if (reading->read == CM_READ_ALL || watch->shared || (here && watch->several) ||
        (here && !position_read((pid_t)call->pid, fd, &offset))) {
        offset = 0;
        size = UINT64_MAX;
    }
    look_at_data(watch, node, offset, size);
    return true;
}

/* From now on positions may be moved by others, or descriptors mean something else. */
static void note_task(struct cm_watch *watch, const struct seccomp_notif *call)
{
    uint64_t flags = call->data.args[0];
    struct iovec to = {&flags, sizeof(flags)};
    struct iovec from = {
        (void *)(uintptr_t)call->data.args[0], /* NOLINT(performance-no-int-to-ptr) */
        sizeof(flags)};
    if (call->data.nr == __NR_fork || call->data.nr == __NR_vfork)
        flags = 0;
    else if (call->data.nr == __NR_clone3 &&
             process_vm_readv((pid_t)call->pid, &to, 1, &from, 1, 0) != sizeof(flags))
        flags = CLONE_FILES;
    watch->several = true;
    if ((flags & CLONE_FILES) == 0 && ((flags & CLONE_VM) == 0 || (flags & CLONE_VFORK) != 0))
        return;
    watch->shared = true;
    for (size_t i = 0; i < watch->opened_count; i++)
        look_at_data(watch, watch->opened[i], 0, UINT64_MAX);
    watch->opened_count = 0;
}

/* ---- Calls ---- */

/* False: what it looks at is not known. */
static bool look(struct cm_watch *watch, const struct seccomp_notif *call,
                 const struct cm_looking *looking)
{
    pid_t process = (pid_t)call->pid;
    const __u64 *arguments = call->data.args;
    int directory = looking->directory < 0 ? AT_FDCWD : (int)arguments[looking->directory];
    enum cm_look what = (enum cm_look)looking->look;
    return looking->path < 0
               ? look_at_descriptor(watch, process, directory, what)
               : look_at_path(watch, process, directory, arguments[looking->path], what);
}

static bool needs_listener(const struct seccomp_notif *call)
{
    return call->data.arch == AUDIT_ARCH_X86_64 && call->data.nr == __NR_seccomp &&
           call->data.args[0] == SECCOMP_SET_MODE_FILTER &&
           (call->data.args[1] & SECCOMP_FILTER_FLAG_NEW_LISTENER) != 0;
}

/* As the kernel has it; what it sets is inherited, at most until another program begins. */
static void note_handler(struct cm_watch *watch, const struct seccomp_notif *call)
{
    struct {
        uint64_t handler, flags;
    } action;
    struct iovec to = {&action, sizeof(action)};
    struct iovec from = {
        (void *)(uintptr_t)call->data.args[1], /* NOLINT(performance-no-int-to-ptr) */
        sizeof(action)};
    bool is_read = process_vm_readv((pid_t)call->pid, &to, 1, &from, 1, 0) == sizeof(action);
    if (is_read && (action.handler <= (uint64_t)(uintptr_t)SIG_IGN || (action.flags & SA_RESTART)))
        return;
    watch->seen.handles = true;
    if (watch->listener->server == 0)
        watch->listener->handles = true;
}

/* False: what it does is not known. */
static bool call_take_down(struct cm_watch *watch, const struct seccomp_notif *call)
{
    bool known = false;
    char path[64];
    int number = call->data.nr;
    if (call->data.arch != AUDIT_ARCH_X86_64) {
        watch->seen.handles = true;
        cm_outside_call(&watch->outside, call);
        return false;
    }
    if (number == __NR_rt_sigaction) {
        note_handler(watch, call);
        return true;
    }
    for (size_t i = 0; i < cm_looking_count; i++) {
        if (cm_looking[i].number != number)
            continue;
        known = true;
        watch->seen.change = watch->seen.change || cm_may_change(&cm_looking[i], call->data.args);
        watch->follows = cm_follows(&cm_looking[i]);
        watch->change = cm_change_of(&cm_looking[i], call);
        watch->whole = watch->recovers && watch->change != CM_CHANGES_NOTHING &&
                       (cm_looking[i].look == CM_LOOK_OPEN || number == __NR_truncate ||
                        cm_names_hold_content(watch->state));
        if ((watch->kind >= CM_WATCH_LOOKS || watch->change != CM_CHANGES_NOTHING) &&
            !look(watch, call, &cm_looking[i]))
            return false;
    }
    for (size_t i = 0; i < cm_reading_count && !known; i++)
        if (cm_reading[i].number == number)
            return look_at_reading(watch, call, &cm_reading[i]);
    if (cm_is_among(cm_starting, cm_starting_count, number)) {
        note_task(watch, call);
        return true;
    }
    if (cm_is_among(cm_changing, cm_changing_count, number)) {
        watch->seen.change = known = true;
        descriptor_path((pid_t)call->pid, (int)call->data.args[0], path);
        cm_outside_descriptor(&watch->outside, path);
    }
    if (!known)
        cm_outside_call(&watch->outside, call);
    return known;
}

/* ---- The interface ---- */

struct cm_watch *cm_watch_new(const struct cm_scratch *scratch)
{
    struct cm_watch *watch = cm_allocate(1, sizeof(*watch));
    watch->scratch = scratch;
    watch->random = (struct cm_random)CM_RANDOM_NONE;
    return watch;
}

void cm_watch_free(struct cm_watch *watch)
{
    if (watch == NULL)
        return;
    cm_random_close(&watch->random);
    free(watch->opened);
    free(watch);
}

void cm_watch_begin(struct cm_watch *watch, const struct cm_state *state,
                    const struct cm_layout *layout)
{
    watch->state = state;
    watch->seen = (struct cm_watch_seen){0};
    watch->device = cm_layout_device(layout);
    watch->places = cm_layout_places(layout, &watch->place_count);
    watch->outside = (struct cm_outside){cm_scratch_base(watch->scratch), state};
    cm_watch_next(watch, false);
    if (watch->place_count == 0)
        cm_looks_at_everything(state);
}

void cm_watch_next(struct cm_watch *watch, bool recovers)
{
    watch->recovers = recovers;
    watch->several = watch->shared = false;
    watch->opened_count = 0;
    watch->elsewhere_count = 0;
    cm_watch_end(watch);
    cm_random_begin(&watch->random, 0);
}

void cm_watch_end(struct cm_watch *watch)
{
    if (!cm_random_end(&watch->random))
        cm_depends_on(watch->state, CM_DEPENDS_ON_RANDOM, "much of /dev/random or /dev/urandom");
}

uint64_t cm_watch_random(const struct cm_watch *watch)
{
    return watch->random.taken;
}

void cm_watch_skip_random(struct cm_watch *watch, uint64_t taken)
{
    cm_random_begin(&watch->random, taken);
}

void cm_watch_listen(struct cm_watch *watch, struct cm_listener *listener)
{
    watch->listener = listener;
    watch->kind = listener->kind;
    watch->seen.handles = watch->seen.handles || listener->handles;
}

int cm_watch_descriptor(const struct cm_watch *watch)
{
    return watch->listener->descriptor;
}

/*
 * Numbers are given one by one, and received in that order, by the lock under which calls
 * are put into a list of which the first one is received (seccomp_do_user_notification() in
 * kernel/seccomp.c, Linux 5.19). If that were otherwise, runs would be taken to be disturbed.
 */
static void number_check(struct cm_watch *watch, uint64_t number)
{
    struct cm_listener *listener = watch->listener;
    if (listener->next != 0 && number != listener->next && watch->seen.handles)
        watch->seen.lost = true;
    listener->next = number + 1;
}

void cm_watch_lose(struct cm_watch *watch)
{
    watch->seen.lost = true;
}

void cm_watch_answer(struct cm_watch *watch)
{
    struct seccomp_notif call;
    int listener = cm_watch_descriptor(watch);
    memset(&call, 0, sizeof(call));
    /* It fails if the call was given up meanwhile. */
    if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &call) != 0)
        return;
    number_check(watch, call.id);
    watch->seen.listener = watch->seen.listener || needs_listener(&call);
    watch->change = CM_CHANGES_NOTHING;
    watch->random_device = watch->whole = false;
    if ((pid_t)call.pid != watch->listener->server && !cm_random_is_asked(&call) &&
        !call_take_down(watch, &call)) {
        watch->seen.scratch = watch->seen.change = true;
        cm_looks_at_everything(watch->state);
    }
    if (cm_random_answer(&watch->random, listener, &call, watch->random_device, watch->state))
        return;
    struct seccomp_notif_resp answer = {.id = call.id, .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE};
    ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer);
}

const struct cm_watch_seen *cm_watch_seen(const struct cm_watch *watch)
{
    return &watch->seen;
}

bool cm_watch_is_possible(void)
{
    int status;
    pid_t pid = fork();
    if (pid == 0)
        _exit(cm_watch_filter_install(CM_WATCH_READS) >= 0 ? 0 : 1);
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    return pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

#else

bool cm_watch_is_possible(void)
{
    return false;
}

struct cm_watch *cm_watch_new(const struct cm_scratch *scratch)
{
    (void)scratch;
    return NULL;
}

void cm_watch_free(struct cm_watch *watch)
{
    (void)watch;
}

void cm_watch_begin(struct cm_watch *watch, const struct cm_state *state,
                    const struct cm_layout *layout)
{
    (void)watch;
    (void)state;
    (void)layout;
}

void cm_watch_next(struct cm_watch *watch, bool recovers)
{
    (void)watch;
    (void)recovers;
}

void cm_watch_listen(struct cm_watch *watch, struct cm_listener *listener)
{
    (void)watch;
    (void)listener;
}

void cm_watch_lose(struct cm_watch *watch)
{
    (void)watch;
}

int cm_watch_descriptor(const struct cm_watch *watch)
{
    (void)watch;
    return -1;
}

void cm_watch_answer(struct cm_watch *watch)
{
    (void)watch;
}

const struct cm_watch_seen *cm_watch_seen(const struct cm_watch *watch)
{
    (void)watch;
    return NULL;
}

void cm_watch_end(struct cm_watch *watch)
{
    (void)watch;
}

uint64_t cm_watch_random(const struct cm_watch *watch)
{
    (void)watch;
    return 0;
}

void cm_watch_skip_random(struct cm_watch *watch, uint64_t taken)
{
    (void)watch;
    (void)taken;
}

#endif
