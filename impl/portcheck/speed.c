#include "speed.h"

#include <stddef.h>
#include <string.h>

/* All that termios(3) has on Linux. */
#define SPEEDS(X)                                                                                  \
    X(50)                                                                                          \
    X(75)                                                                                          \
    X(110)                                                                                         \
    X(134) X(150) X(200) X(300) X(600) X(1200) X(1800) X(2400) X(4800) X(9600) X(19200) X(38400)   \
        X(57600) X(115200) X(230400) X(460800) X(500000) X(576000) X(921600) X(1000000) X(1152000) \
            X(1500000) X(2000000) X(2500000) X(3000000) X(3500000) X(4000000)

speed_t pc_speed(const char *baud)
{
    static const struct {
        const char *baud;
        speed_t speed;
    } speeds[] = {
#define X(number) {#number, B##number},
        SPEEDS(X)
#undef X
    };
    for (size_t i = 0; i < sizeof(speeds) / sizeof(speeds[0]); i++)
        if (strcmp(baud, speeds[i].baud) == 0)
            return speeds[i].speed;
    return B0;
}
