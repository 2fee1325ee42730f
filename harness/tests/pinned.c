/*
 * pinned CASE DIRECTORY: a check that depends on something besides the state, or could, as
 * each of the cases says; DIRECTORY is one that other runs find. `pinned list` prints
 *
 *     same NAME      it is the same in each run: pinned, or private to the run
 *     executed NAME  so it is if each run is executed
 *     outside NAME   it is to be marked "outside-reached"
 *     random NAME    it is to be marked "unpinned-random"
 *
 * A label says what was found, so that a run that finds something else has another one.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <mqueue.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static char outside[PATH_MAX];

/* A name in the directory that other runs find. */
static const char *there(const char *name)
{
    static char path[2 * PATH_MAX];
    snprintf(path, sizeof(path), "%s/%s", outside, name);
    return path;
}

static const char *temporary(const char *name)
{
    static char path[2 * PATH_MAX];
    snprintf(path, sizeof(path), "%s/%s", getenv("TMPDIR"), name);
    return path;
}

static void must(int done)
{
    if (!done) {
        printf("cannot: %s\n", strerror(errno));
        exit(1);
    }
}

static void put(const char *path, int flags, const char *text)
{
    int fd = open(path, flags, 0644);
    must(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text) && close(fd) == 0);
}

static void label(const void *bytes, size_t size)
{
    fputs("label: ", stdout);
    for (size_t i = 0; i < size; i++)
        printf("%02x", ((const unsigned char *)bytes)[i]);
    putchar('\n');
}

/* ---- What is the same in each run ---- */

static void log_to_stderr(void)
{
    fputs("checked\n", stderr);
    put("/dev/stderr", O_WRONLY, "again\n");
    put("/proc/self/fd/2", O_WRONLY | O_APPEND, "and again\n");
    put("/dev/null", O_WRONLY | O_CREAT | O_TRUNC, "nothing\n");
    put("/dev/zero", O_RDWR, "x");
}

static void change_own_files(void)
{
    put("made", O_WRONLY | O_CREAT, "x");
    put(temporary("made"), O_WRONLY | O_CREAT | O_EXCL, "x");
    must(rename(temporary("made"), "moved") == 0 && unlink("moved") == 0);
    must(mkdir(temporary("sub"), 0700) == 0 && rmdir(temporary("sub")) == 0);
    put("/proc/self/comm", O_WRONLY, "renamed");
    must(symlink(there("constant"), "link") == 0 && unlink("link") == 0);
}

static void make_nameless_file(void)
{
    int fd = open(outside, O_RDWR | O_TMPFILE, 0600);
    must((fd >= 0 || errno == EOPNOTSUPP) && memfd_create("mine", 0) >= 0 && tmpfile() != NULL);
}

static void read_outside(void)
{
    char text[64] = "";
    int fd = open(there("constant"), O_RDONLY);
    must(fd >= 0 && read(fd, text, sizeof(text)) > 0 && access(outside, W_OK) == 0);
    must(open(there("missing"), O_WRONLY) < 0 && unlink(there("missing")) != 0);
    label(text, strlen(text));
}

static void fail_to_make_directory(void)
{
    must(mkdir("/proc/self/made", 0700) != 0);
}

static int listen_at(const char *path, int *peer)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (strlen(path) >= sizeof(address.sun_path) || fd < 0)
        return -1;
    strcpy(address.sun_path, path);
    *peer = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    return bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0 && listen(fd, 1) == 0 &&
                   connect(*peer, (struct sockaddr *)&address, sizeof(address)) == 0
               ? fd
               : -1;
}

static void talk_to_itself(void)
{
    int peer, pair[2];
    must(listen_at("socket", &peer) >= 0 && listen_at(temporary("socket"), &peer) >= 0);
    must(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0 && pipe(pair) == 0);
    must(mkfifo("fifo", 0600) == 0 && open("fifo", O_RDWR) >= 0);
}

/* As getpwuid() does where there is no such service. */
static void look_for_service(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof(address.sun_path), "/run/no-such-service/socket");
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    must(connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0);
}

static void throw_dice(void)
{
    unsigned char dice[24], more[5000];
    must(getrandom(dice, 16, 0) == 16 && getrandom(dice + 16, 4, GRND_NONBLOCK) == 4);
    must(getrandom(more, sizeof(more), GRND_RANDOM) == (ssize_t)sizeof(more));
    memcpy(dice + 20, more + sizeof(more) - 4, 4);
    must(memcmp(dice, dice + 8, 8) != 0);
    label(dice, sizeof(dice));
}

static void ask_wrongly_for_random(void)
{
    char bytes[8];
    must(getrandom(bytes, sizeof(bytes), 0x100) == -1 && errno == EINVAL);
    must(syscall(SYS_getrandom, 8, sizeof(bytes), 0) == -1 && errno == EFAULT);
    must(getrandom(bytes, 0, 0) == 0);
}

static void read_device(const char *path, unsigned char bytes[8])
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    must(fd >= 0 && fcntl(fd, F_GETFD) == FD_CLOEXEC && read(fd, bytes, 8) == 8);
}

static void read_devices(void)
{
    unsigned char bytes[24];
    read_device("/dev/urandom", bytes);
    read_device("/dev/random", bytes + 8);
    read_device("/dev/../dev/urandom", bytes + 16);
    must(memcmp(bytes, bytes + 8, 8) != 0 && memcmp(bytes + 8, bytes + 16, 8) != 0);
    label(bytes, sizeof(bytes));
}

/* Programs hash and sort addresses. (Where it is forked they are others than where it is
 * executed, which is said.) */
static void say_addresses(void)
{
    int here;
    const void *addresses[] = {&here, (void *)(uintptr_t)read_outside, malloc(1)};
    (void)here;
    label(addresses, sizeof(addresses));
}

/* ---- What other runs find ---- */

static void count_runs(void)
{
    char text[16] = "0";
    int fd = open(there("count"), O_RDWR | O_CREAT, 0644);
    must(fd >= 0 && pread(fd, text, sizeof(text) - 1, 0) >= 0);
    snprintf(text, sizeof(text), "%d", atoi(text) + 1);
    must(pwrite(fd, text, strlen(text), 0) > 0);
}

static void append_to_log(void)
{
    put(there("log"), O_WRONLY | O_APPEND | O_CREAT, "checked\n");
}

static void make_file(void)
{
    must(close(open(there("made"), O_RDONLY | O_CREAT, 0644)) == 0);
}

static void make_directory(void)
{
    must(mkdir(there("directory"), 0700) == 0 || errno == EEXIST);
}

static void remove_file(void)
{
    unlink(there("once"));
}

static void move_out(void)
{
    must(symlink("x", there("new-link")) == 0 || errno == EEXIST);
}

static void by_descriptor(void)
{
    int fd = open(outside, O_RDONLY | O_DIRECTORY);
    must(mkdirat(fd, "at", 0700) == 0 || errno == EEXIST);
}

static void by_current_directory(void)
{
    must(chdir(outside) == 0 && chmod(".", 0755) == 0);
}

static void by_link(void)
{
    must(symlink(there("constant"), "link") == 0);
    put("link", O_WRONLY | O_APPEND, "");
}

static void change_attributes(void)
{
    must(fchmod(open(there("constant"), O_RDONLY), 0644) == 0);
}

static void open_fifo(void)
{
    must(open(there("fifo"), O_RDONLY | O_NONBLOCK) >= 0);
}

static void share_memory(void)
{
    must(shm_open("/crashmatrix-pinned", O_RDWR | O_CREAT, 0600) >= 0);
    shm_unlink("/crashmatrix-pinned");
}

static void share_old_memory(void)
{
    int id = shmget(IPC_PRIVATE, 4096, 0600);
    shmctl(id, IPC_RMID, NULL);
}

static void queue_messages(void)
{
    mq_open("/crashmatrix-pinned", O_RDONLY);
}

/* (Another run may serve there at the time.) */
static void serve_outside(void)
{
    int peer;
    unlink(there("socket"));
    listen_at(there("socket"), &peer);
}

static void serve_abstract(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "\0crashmatrix-pinned"};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    connect(fd, (struct sockaddr *)&address, sizeof(address));
}

static void use_network(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(9)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    connect(fd, (struct sockaddr *)&address, sizeof(address));
}

static void send_datagrams(void)
{
    close(socket(AF_INET, SOCK_DGRAM, 0));
}

/* Not by the process that was started. */
static void from_child(void)
{
    pid_t pid = fork();
    if (pid == 0) {
        append_to_log();
        _exit(0);
    }
    waitpid(pid, NULL, 0);
}

/* ---- What cannot be pinned ---- */

static void read_uuid(void)
{
    char text[64];
    int fd = open("/proc/sys/kernel/random/uuid", O_RDONLY);
    must(fd >= 0 && read(fd, text, sizeof(text)) > 0);
}

static void stir_device(void)
{
    int fd = open("/dev/urandom", O_RDWR);
    must(fd >= 0);
}

static void read_very_much(void)
{
    static char bytes[1 << 20];
    int fd = open("/dev/urandom", O_RDONLY);
    for (int i = 0; i < 5; i++)
        if (read(fd, bytes, sizeof(bytes)) <= 0)
            break;
}

static void open_very_often(void)
{
    for (int i = 0; i < 20; i++)
        must(open("/dev/urandom", O_RDONLY) >= 0);
}

static const struct {
    const char *kind, *name;
    void (*act)(void);
} cases[] = {
    {"same", "stderr", log_to_stderr},
    {"same", "own-files", change_own_files},
    {"same", "nameless", make_nameless_file},
    {"same", "reading", read_outside},
    {"same", "own-directory", fail_to_make_directory},
    {"same", "own-sockets", talk_to_itself},
    {"same", "no-service", look_for_service},
    {"same", "dice", throw_dice},
    {"same", "wrong-random", ask_wrongly_for_random},
    {"same", "devices", read_devices},
    {"executed", "addresses", say_addresses},
    {"outside", "count", count_runs},
    {"outside", "log", append_to_log},
    {"outside", "create", make_file},
    {"outside", "mkdir", make_directory},
    {"outside", "unlink", remove_file},
    {"outside", "symlink", move_out},
    {"outside", "descriptor", by_descriptor},
    {"outside", "current-directory", by_current_directory},
    {"outside", "link", by_link},
    {"outside", "attributes", change_attributes},
    {"outside", "fifo", open_fifo},
    {"outside", "shared-memory", share_memory},
    {"outside", "system-v", share_old_memory},
    {"outside", "messages", queue_messages},
    {"outside", "socket", serve_outside},
    {"outside", "abstract", serve_abstract},
    {"outside", "network", use_network},
    {"outside", "datagrams", send_datagrams},
    {"outside", "child", from_child},
    {"random", "uuid", read_uuid},
    {"random", "stir", stir_device},
    {"random", "much", read_very_much},
    {"random", "often", open_very_often},
};

int main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "";
    snprintf(outside, sizeof(outside), "%s", argc > 2 ? argv[2] : "/nonexistent");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        if (strcmp(name, "list") == 0)
            printf("%s %s\n", cases[i].kind, cases[i].name);
        if (strcmp(name, cases[i].name) == 0) {
            cases[i].act();
            return 0;
        }
    }
    return strcmp(name, "list") == 0 ? 0 : 2;
}
