#include "digits.h"

char *mf_digits(char *to, uint64_t value, unsigned at_least)
{
    char digits[MF_DIGITS_MAX];
    unsigned count = 0;
    do {
        digits[count++] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0 || count < at_least);
    while (count > 0)
        *to++ = digits[--count];
    *to = '\0';
    return to;
}
