/*
 * The way to the host: a serial line, a TCP connection to it, or standard output, with
 * standard input as the way back.
 *
 * Lines are sent whole or not at all, as far as the board can tell. A TCP connection that
 * breaks is made again, as often as it takes, and the line that was being sent is sent
 * again, with the same sequence number. Everything waits for it meanwhile: a commit that
 * nobody hears of would prove nothing.
 */
#ifndef PORTCHECK_CHANNEL_H
#define PORTCHECK_CHANNEL_H

#include "line.h"

#include <netinet/in.h>
#include <signal.h>
#include <termios.h>

enum pc_channel_kind { PC_SERIAL, PC_TCP, PC_STDOUT };

struct pc_channel {
    enum pc_channel_kind kind;
    const char *name; /* as it was given */
    char *device;     /* of a serial line */
    speed_t speed;    /* of a serial line; B0: left as it is */
    union {
        struct sockaddr any;
        struct sockaddr_in ipv4;
        struct sockaddr_in6 ipv6;
    } address;       /* of TCP */
    char *interface; /* of TCP, where the address is only that of a link; or NULL */
    int in, out;     /* -1: not connected; in is -1 too where nobody listens */
    struct pc_reader reader;
    char received[256]; /* bytes that were read and not yet taken */
    size_t received_size, received_used;
    uint32_t run;
    uint64_t sequence;
    const volatile sig_atomic_t *stop; /* given up when this is set */
    int problem;                       /* of TCP, that was told last; 0: it is connected */
};

/*
 * Reads serial:DEVICE, tcp:ADDRESS:PORT or stdout. An address is one of digits, IPv4 or
 * [IPv6], with %INTERFACE where it belongs to a link: what resolves names is a seventh of a
 * static program, and needs a server. NULL, or what is wrong, which the caller frees.
 */
char *pc_channel_parse(struct pc_channel *channel, const char *text);

/* Opens it; a TCP connection is tried until it comes about, and standard error told why it
 * does not. False: told to stop, or *error
 * says what is wrong (the caller frees it). */
bool pc_channel_open(struct pc_channel *channel, char **error);
void pc_channel_close(struct pc_channel *channel);

/* Begins a line with the run and the next sequence number of the channel. */
void pc_channel_begin(struct pc_channel *channel, struct pc_message *message, const char *word);

/* Sends the line. False: told to stop, or the way is broken for good. */
bool pc_channel_send(struct pc_channel *channel, struct pc_message *message);

/* Takes a line from the host, waiting at most so long; negative: without limit. False:
 * none came, told to stop, or nobody is there any more. */
bool pc_channel_receive(struct pc_channel *channel, int timeout_ms, struct pc_line *line);

#endif
