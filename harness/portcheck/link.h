/*
 * The way to the board and back: a serial line, a TCP port that the board connects to, a
 * command's input and output, or a file or FIFO that somebody else fills (no way back).
 *
 * A way that breaks is made again: USB serial adapters that take their power from the board
 * vanish with it, and TCP connections are never closed by a power cut. Why a device or a file
 * cannot be opened is told once, on standard error.
 */
#ifndef PORTCHECK_LINK_H
#define PORTCHECK_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <termios.h>

#include "faultfs/trace.h"

enum ph_link_kind { PH_LINK_SERIAL, PH_LINK_TCP, PH_LINK_COMMAND, PH_LINK_FILE };

struct ph_link {
    enum ph_link_kind kind;
    char *name;     /* device, command or path; host of TCP */
    speed_t speed;  /* of a serial line */
    char *port;     /* of TCP, in digits; that was chosen, if 0 was asked for */
    int listener;   /* of TCP, or -1 */
    int file;       /* to and from the board, or -1: there is no way at the moment */
    pid_t child;    /* of the command, or 0 */
    off_t offset;   /* of a regular file: what was read */
    uint64_t tried; /* when the way was last made, as cm_process_clock() */
    int problem;    /* errno of that, which was told; 0: it was made */
};

/* "serial:DEVICE[@BAUD]", "tcp:HOST:PORT" ([HOST] for IPv6 addresses), "command:CMD" or
 * "file:PATH". -1 with the error if it is none of these, or cannot be listened on. */
int ph_link_open(struct ph_link *link, const char *where, struct ff_error *error);
void ph_link_close(struct ph_link *link);

/* Waits for bytes at most so long, and returns how many there are; 0: none. Another
 * descriptor, or -1, ends the waiting when it can be read. */
size_t ph_link_read(struct ph_link *link, char *bytes, size_t size, int other,
                    unsigned milliseconds);

/* Sends what can be sent at once. What cannot is lost, as on any line. */
void ph_link_write(struct ph_link *link, const char *bytes, size_t size);

/* Whether there is a way back to the board. */
bool ph_link_speaks(const struct ph_link *link);

#endif
