#include "channel.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "text.h"

enum { RECONNECT_MS = 500, POLL_MS = 200 };

static bool is_stopped(const struct pc_channel *channel)
{
    return *channel->stop != 0;
}

/* ---- Which one ---- */

static bool parse_port(const char *text, in_port_t *port)
{
    size_t digits = strspn(text, "0123456789");
    unsigned long number = strtoul(text, NULL, 10);
    if (digits == 0 || digits > 5 || text[digits] != '\0' || number == 0 || number > UINT16_MAX)
        return false;
    *port = htons((in_port_t)number);
    return true;
}

/* "fe80::1%eth0": the interface may not be there yet. */
static bool parse_ipv6(struct pc_channel *channel, char *text, in_port_t port)
{
    char *percent = strchr(text, '%');
    if (percent != NULL) {
        *percent = '\0';
        channel->interface = pc_copy(percent + 1);
    }
    channel->address.ipv6 = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = port};
    return inet_pton(AF_INET6, text, &channel->address.ipv6.sin6_addr) == 1;
}

static bool parse_ipv4(struct pc_channel *channel, const char *text, in_port_t port)
{
    channel->address.ipv4 = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = port};
    return inet_pton(AF_INET, text, &channel->address.ipv4.sin_addr) == 1;
}

/* "ADDRESS:PORT", which is changed. */
static char *parse_tcp(struct pc_channel *channel, char *text)
{
    in_port_t port;
    char *colon = strrchr(text, ':');
    if (colon == NULL || !parse_port(colon + 1, &port))
        return pc_format("'%s' does not end in a port, such as 192.168.7.1:5555", text);
    *colon = '\0';
    channel->kind = PC_TCP;
    if (text[0] == '[' && colon[-1] == ']') {
        colon[-1] = '\0';
        text++;
        if (parse_ipv6(channel, text, port))
            return NULL;
    } else if (parse_ipv4(channel, text, port)) {
        return NULL;
    }
    return pc_format("'%s' is no address of digits, such as 192.168.7.1, [fd00::7:1] or "
                     "[fe80::1%%eth0]; names are not looked up",
                     text);
}

char *pc_channel_parse(struct pc_channel *channel, const char *text)
{
    channel->name = text;
    channel->in = channel->out = -1;
    if (strcmp(text, "stdout") == 0) {
        channel->kind = PC_STDOUT;
        return NULL;
    }
    if (strncmp(text, "serial:", 7) == 0 && text[7] != '\0') {
        channel->kind = PC_SERIAL;
        channel->device = pc_copy(text + 7);
        return NULL;
    }
    if (strncmp(text, "tcp:", 4) == 0) {
        char *address = pc_copy(text + 4);
        char *problem = parse_tcp(channel, address);
        free(address);
        return problem;
    }
    return pc_format("'%s' is none of serial:DEVICE, tcp:ADDRESS:PORT, stdout", text);
}

/* ---- Opening ---- */

/* Raw: no echo, no signals, no flow control, every byte as it is; the lines of the modem
 * are not looked at. */
static bool set_raw(int file, speed_t speed)
{
    struct termios settings;
    if (tcgetattr(file, &settings) != 0)
        return false;
    settings.c_iflag &=
        (tcflag_t) ~(IGNBRK | BRKINT | PARMRK | ISTRIP | INLCR | IGNCR | ICRNL | IXON | IXOFF);
    settings.c_oflag &= (tcflag_t)~OPOST;
    settings.c_lflag &= (tcflag_t) ~(ECHO | ECHONL | ICANON | ISIG | IEXTEN);
    settings.c_cflag &= (tcflag_t) ~(CSIZE | PARENB | CRTSCTS | HUPCL);
    settings.c_cflag |= CS8 | CLOCAL | CREAD;
    settings.c_cc[VMIN] = 1; /* poll waits for so many bytes */
    settings.c_cc[VTIME] = 0;
    if (speed != B0 && (cfsetispeed(&settings, speed) != 0 || cfsetospeed(&settings, speed) != 0))
        return false;
    return tcsetattr(file, TCSANOW, &settings) == 0;
}

static bool open_serial(struct pc_channel *channel, char **error)
{
    int file = open(channel->device, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (file < 0 || !set_raw(file, channel->speed)) {
        *error = pc_format("%s: %s", channel->device,
                           errno == ENOTTY ? "not a serial line" : strerror(errno));
        if (file >= 0)
            close(file);
        return false;
    }
    channel->in = channel->out = file;
    return true;
}

/* A line at a time; and a host that vanished is noticed even when nothing is sent. */
static void set_options(int file)
{
    int yes = 1, idle = 5, count = 3;
    unsigned unanswered_ms = 30000;
    setsockopt(file, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
    setsockopt(file, SOL_SOCKET, SO_KEEPALIVE, &yes, sizeof(yes));
    setsockopt(file, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof(idle));
    setsockopt(file, IPPROTO_TCP, TCP_KEEPINTVL, &idle, sizeof(idle));
    setsockopt(file, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof(count));
    setsockopt(file, IPPROTO_TCP, TCP_USER_TIMEOUT, &unanswered_ms, sizeof(unanswered_ms));
}

/* False: errno. The network may not be up yet. */
static bool try_connection(struct pc_channel *channel)
{
    socklen_t size = channel->address.any.sa_family == AF_INET6 ? sizeof(channel->address.ipv6)
                                                                : sizeof(channel->address.ipv4);
    if (channel->interface != NULL) {
        channel->address.ipv6.sin6_scope_id = if_nametoindex(channel->interface);
        if (channel->address.ipv6.sin6_scope_id == 0)
            return false;
    }
    int file = socket(channel->address.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (file < 0)
        return false;
    if (connect(file, &channel->address.any, size) != 0) {
        int problem = errno;
        close(file);
        errno = problem;
        return false;
    }
    set_options(file);
    channel->in = channel->out = file;
    return true;
}

/* Each only once: the network may be down for long. */
static void tell_problem(struct pc_channel *channel, int problem)
{
    if (problem != 0 && problem != channel->problem)
        fprintf(stderr, "portcheck: %s: %s; it is tried until the host answers\n", channel->name,
                strerror(problem));
    channel->problem = problem;
}

/* Bytes of the connection before belong to it. */
static bool open_tcp(struct pc_channel *channel)
{
    channel->received_size = channel->received_used = 0;
    channel->reader.used = 0;
    while (!is_stopped(channel)) {
        bool connected = try_connection(channel);
        tell_problem(channel, connected ? 0 : errno);
        if (connected)
            return true;
        nanosleep(&(struct timespec){.tv_nsec = RECONNECT_MS * 1000000L}, NULL);
    }
    return false;
}

bool pc_channel_open(struct pc_channel *channel, char **error)
{
    *error = NULL;
    switch (channel->kind) {
    case PC_SERIAL:
        return open_serial(channel, error);
    case PC_TCP:
        return open_tcp(channel);
    case PC_STDOUT:
        break;
    }
    channel->in = STDIN_FILENO;
    channel->out = STDOUT_FILENO;
    return true;
}

static void disconnect(struct pc_channel *channel)
{
    if (channel->kind != PC_STDOUT && channel->out >= 0)
        close(channel->out);
    channel->in = channel->out = -1;
}

/* The last lines are still on their way through a slow serial line; but not for ever. */
void pc_channel_close(struct pc_channel *channel)
{
    if (channel->kind == PC_SERIAL && channel->out >= 0 && !is_stopped(channel))
        tcdrain(channel->out);
    disconnect(channel);
    free(channel->device);
    free(channel->interface);
}

/* ---- Sending ---- */

void pc_channel_begin(struct pc_channel *channel, struct pc_message *message, const char *word)
{
    pc_message_begin(message, channel->run, channel->sequence++, word);
}

/* Waits until bytes can go out. False: told to stop. */
static bool wait_to_send(const struct pc_channel *channel)
{
    while (!is_stopped(channel)) {
        struct pollfd out = {.fd = channel->out, .events = POLLOUT};
        if (poll(&out, 1, POLL_MS) > 0)
            return true;
    }
    return false;
}

/* 1: sent, 0: told to stop, -1: broken. When told to stop it still sends what can go out at
 * once, so that the last words arrive. */
static int send_bytes(const struct pc_channel *channel, const char *bytes, size_t size)
{
    while (size > 0) {
        ssize_t count = write(channel->out, bytes, size);
        if (count > 0) {
            bytes += count;
            size -= (size_t)count;
        } else if (count < 0 && errno == EAGAIN) {
            if (!wait_to_send(channel))
                return 0;
        } else if (count < 0 && errno != EINTR) {
            return -1;
        } else if (is_stopped(channel)) {
            return 0;
        }
    }
    return 1;
}

bool pc_channel_send(struct pc_channel *channel, struct pc_message *message)
{
    if (!pc_message_end(message))
        return false;
    for (;;) {
        int result = channel->out < 0 ? -1 : send_bytes(channel, message->text, message->length);
        if (result >= 0)
            return result > 0;
        if (channel->kind != PC_TCP)
            return false;
        disconnect(channel);
        if (!open_tcp(channel))
            return false;
    }
}

/* ---- Receiving ---- */

/* Takes bytes that are there until they complete a line. */
static bool take_received(struct pc_channel *channel, struct pc_line *line)
{
    while (channel->received_used < channel->received_size)
        if (pc_reader_take(&channel->reader, channel->received[channel->received_used++], line))
            return true;
    return false;
}

/* The end of standard input: nobody will say anything any more. The end of a TCP connection:
 * it is made again. A serial line has no end; a console that was hung up says so for ever. */
static bool receive_end(struct pc_channel *channel)
{
    if (channel->kind == PC_TCP) {
        disconnect(channel);
        return open_tcp(channel);
    }
    if (channel->kind == PC_SERIAL) {
        nanosleep(&(struct timespec){.tv_nsec = POLL_MS * 1000000L}, NULL);
        return true;
    }
    channel->in = -1;
    return false;
}

/* Reads what is there. False: nothing will come any more. */
static bool receive_bytes(struct pc_channel *channel)
{
    ssize_t count = read(channel->in, channel->received, sizeof(channel->received));
    if (count < 0 && (errno == EAGAIN || errno == EINTR))
        return true;
    if (count <= 0)
        return receive_end(channel);
    channel->received_size = (size_t)count;
    channel->received_used = 0;
    return true;
}

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

bool pc_channel_receive(struct pc_channel *channel, int timeout_ms, struct pc_line *line)
{
    int64_t end = now_ms() + timeout_ms;
    for (;;) {
        if (take_received(channel, line))
            return true;
        if (is_stopped(channel) || channel->in < 0)
            return false;
        int64_t left = timeout_ms < 0 ? POLL_MS : end - now_ms();
        int wait = left < 0 ? 0 : left > POLL_MS ? POLL_MS : (int)left;
        struct pollfd in = {.fd = channel->in, .events = POLLIN};
        if (poll(&in, 1, wait) > 0) {
            if (!receive_bytes(channel))
                return false;
        } else if (timeout_ms >= 0 && left <= 0) {
            return false;
        }
    }
}
