/* Rates of serial lines, for portcheck and portcheck-host. */
#ifndef PORTCHECK_SPEED_H
#define PORTCHECK_SPEED_H

#include <termios.h>

/* The speed of so many bits per second in digits, such as "115200"; B0: there is none. */
speed_t pc_speed(const char *baud);

#endif
