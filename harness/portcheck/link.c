/* Serial lines, TCP, commands and files: see link.h. */
#include "link.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "fail.h"
#include "memory.h"
#include "process.h"
#include "speed.h"

/* Between two attempts to make a way, and between two looks at a regular file. */
enum { RETRY_MS = 200, LOOK_MS = 20 };

/* ---- Serial lines ---- */

/* Bytes as they are, in both directions. -1: errno. */
static int open_serial(const char *device, speed_t speed)
{
    struct termios settings;
    int file = open(device, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (file < 0)
        return -1;
    if (tcgetattr(file, &settings) != 0) {
        int problem = errno;
        close(file);
        errno = problem;
        return -1;
    }
    cfmakeraw(&settings);
    settings.c_cflag |= CLOCAL | CREAD;
    settings.c_cflag &= ~(tcflag_t)CRTSCTS;
    cfsetspeed(&settings, speed);
    tcsetattr(file, TCSANOW, &settings);
    return file;
}

static int parse_serial(struct ph_link *link, const char *text, struct ff_error *error)
{
    const char *at = strrchr(text, '@');
    link->name = cm_duplicate(text, at != NULL ? (size_t)(at - text) : strlen(text));
    link->speed = at != NULL ? pc_speed(at + 1) : B115200;
    if (link->speed == B0)
        return cm_fail(error, "--listen serial: '%s' is no rate of serial lines, such as 115200",
                       at + 1);
    return 0;
}

/* ---- TCP ---- */

static int listen_at(struct ph_link *link, const struct addrinfo *address)
{
    const int yes = 1;
    int file = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (file < 0)
        return -1;
    setsockopt(file, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
    if (bind(file, address->ai_addr, address->ai_addrlen) == 0 && listen(file, 8) == 0) {
        link->listener = file;
        return 0;
    }
    int saved = errno;
    close(file);
    errno = saved;
    return -1;
}

/* The port that the kernel chose for 0. */
static void name_port(struct ph_link *link)
{
    struct sockaddr_storage address;
    socklen_t size = sizeof(address);
    char port[16];
    if (getsockname(link->listener, (struct sockaddr *)&address, &size) != 0 ||
        getnameinfo((struct sockaddr *)&address, size, NULL, 0, port, sizeof(port),
                    NI_NUMERICSERV) != 0)
        return;
    free(link->port);
    link->port = cm_format("%s", port);
}

/* "HOST:PORT", "[IPV6]:PORT" or ":PORT". */
static bool split_address(struct ph_link *link, const char *text)
{
    const char *colon = strrchr(text, ':');
    size_t length = colon != NULL ? (size_t)(colon - text) : 0;
    bool brackets = length > 2 && text[0] == '[' && text[length - 1] == ']';
    if (colon == NULL || colon[1] == '\0' || (!brackets && memchr(text, ':', length) != NULL))
        return false;
    link->name = brackets ? cm_duplicate(text + 1, length - 2) : cm_duplicate(text, length);
    link->port = cm_format("%s", colon + 1);
    return true;
}

static int open_tcp(struct ph_link *link, const char *text, struct ff_error *error)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
    struct addrinfo *found = NULL;
    if (!split_address(link, text))
        return cm_fail(error, "--listen tcp: '%s' is not HOST:PORT or [IPV6]:PORT", text);
    int status = getaddrinfo(link->name[0] != '\0' ? link->name : NULL, link->port, &hints, &found);
    if (status != 0)
        return cm_fail(error, "--listen tcp: '%s': %s", text, gai_strerror(status));
    status = listen_at(link, found);
    freeaddrinfo(found);
    if (status != 0)
        return cm_fail(error, "--listen tcp: '%s' cannot be listened on: %s", text,
                       strerror(errno));
    name_port(link);
    return 0;
}

/* ---- Commands ---- */

static void run_command(const struct ph_link *link, int file)
{
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    setpgid(0, 0); /* Ctrl-C is for the host */
    if (dup2(file, STDIN_FILENO) >= 0 && dup2(file, STDOUT_FILENO) >= 0)
        execl("/bin/sh", "sh", "-c", link->name, (char *)NULL);
    _exit(127);
}

static void start_command(struct ph_link *link)
{
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
        return;
    link->child = fork();
    if (link->child == 0)
        run_command(link, pair[1]);
    close(pair[1]);
    if (link->child < 0) {
        link->child = 0;
        close(pair[0]);
        return;
    }
    link->file = pair[0];
}

static void end_command(struct ph_link *link)
{
    if (link->child <= 0)
        return;
    kill(-link->child, SIGTERM);
    kill(link->child, SIGKILL);
    waitpid(link->child, NULL, 0);
    link->child = 0;
}

/* ---- Making the way ---- */

int ph_link_open(struct ph_link *link, const char *where, struct ff_error *error)
{
    static const char *const prefixes[] = {"serial:", "tcp:", "command:", "file:"};
    size_t kind = 0;
    *link = (struct ph_link){.listener = -1, .file = -1};
    while (kind < 4 && strncmp(where, prefixes[kind], strlen(prefixes[kind])) != 0)
        kind++;
    if (kind == 4 || where[strlen(prefixes[kind])] == '\0')
        return cm_fail(error,
                       "--listen: '%s' is none of serial:DEVICE, tcp:HOST:PORT, command:CMD, "
                       "file:PATH",
                       where);
    link->kind = (enum ph_link_kind)kind;
    const char *rest = where + strlen(prefixes[kind]);
    if (link->kind == PH_LINK_SERIAL)
        return parse_serial(link, rest, error);
    if (link->kind == PH_LINK_TCP)
        return open_tcp(link, rest, error);
    link->name = cm_format("%s", rest);
    return 0;
}

static void drop(struct ph_link *link)
{
    if (link->file >= 0)
        close(link->file);
    link->file = -1;
    end_command(link);
}

void ph_link_close(struct ph_link *link)
{
    drop(link);
    if (link->listener >= 0)
        close(link->listener);
    free(link->name);
    free(link->port);
    *link = (struct ph_link){.listener = -1, .file = -1};
}

static void tell_problem(struct ph_link *link, int problem)
{
    if (problem != 0 && problem != link->problem)
        fprintf(stderr, "portcheck-host: %s: %s; it is tried until it can be opened\n", link->name,
                problem == ENOTTY ? "not a serial line" : strerror(problem));
    link->problem = problem;
}

static void make(struct ph_link *link)
{
    uint64_t now = cm_process_clock();
    if (link->tried != 0 && now - link->tried < (uint64_t)RETRY_MS * 1000000)
        return;
    link->tried = now;
    if (link->kind == PH_LINK_TCP)
        return;
    if (link->kind == PH_LINK_SERIAL)
        link->file = open_serial(link->name, link->speed);
    else if (link->kind == PH_LINK_FILE)
        link->file = open(link->name, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    else
        start_command(link);
    tell_problem(link, link->file >= 0 ? 0 : errno);
}

/* The newest connection is that of the board that has just started. What an older one
 * brought was read before: the caller polls both. */
static void accept_newest(struct ph_link *link)
{
    int file = accept4(link->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (file < 0)
        return;
    if (link->file >= 0)
        close(link->file);
    link->file = file;
}

/* ---- Reading and writing ---- */

static bool is_regular(int file)
{
    struct stat status;
    return file >= 0 && fstat(file, &status) == 0 && S_ISREG(status.st_mode);
}

/* A file that was made anew, and is shorter than what was read, is read from its start. */
static size_t read_regular(struct ph_link *link, char *bytes, size_t size)
{
    struct stat status;
    if (fstat(link->file, &status) == 0 && status.st_size < link->offset)
        link->offset = 0;
    ssize_t got = pread(link->file, bytes, size, link->offset);
    link->offset += got > 0 ? got : 0;
    return got > 0 ? (size_t)got : 0;
}

static size_t read_stream(struct ph_link *link, char *bytes, size_t size)
{
    ssize_t got = read(link->file, bytes, size);
    if (got > 0)
        return (size_t)got;
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    drop(link);
    return 0;
}

size_t ph_link_read(struct ph_link *link, char *bytes, size_t size, int other,
                    unsigned milliseconds)
{
    if (link->file < 0)
        make(link);
    bool regular = is_regular(link->file);
    size_t got = regular ? read_regular(link, bytes, size) : 0;
    if (got > 0)
        return got;
    bool waits = link->kind != PH_LINK_TCP && (link->file < 0 || regular);
    struct pollfd polled[] = {{.fd = regular ? -1 : link->file, .events = POLLIN},
                              {.fd = link->listener, .events = POLLIN},
                              {.fd = other, .events = POLLIN}};
    int limit = (int)(waits && milliseconds > LOOK_MS ? LOOK_MS : milliseconds);
    if (poll(polled, 3, limit) <= 0)
        return 0;
    if (polled[0].revents != 0)
        got = read_stream(link, bytes, size);
    else if (polled[1].revents != 0)
        accept_newest(link);
    return got;
}

void ph_link_write(struct ph_link *link, const char *bytes, size_t size)
{
    if (link->file < 0 || !ph_link_speaks(link))
        return;
    /* Whoever has gone is noticed when reading. */
    ssize_t written = link->kind == PH_LINK_SERIAL
                          ? write(link->file, bytes, size)
                          : send(link->file, bytes, size, MSG_NOSIGNAL | MSG_DONTWAIT);
    (void)written;
}

bool ph_link_speaks(const struct ph_link *link)
{
    return link->kind != PH_LINK_FILE;
}
