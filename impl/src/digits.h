/* Numbers as text, without the price of printf(). */
#ifndef MANIFEST_SRC_DIGITS_H
#define MANIFEST_SRC_DIGITS_H

#include <stdint.h>

#define MF_DIGITS_MAX 20 /* of a uint64_t */

/* Writes a number in decimal, with zeros before it when it has fewer digits than at_least (at
 * most MF_DIGITS_MAX), and a NUL; returns the NUL. */
char *mf_digits(char *to, uint64_t value, unsigned at_least);

#endif
