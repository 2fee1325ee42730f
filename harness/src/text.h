/*
 * Text from programs under test, made fit for reports.
 */
#ifndef CRASHMATRIX_TEXT_H
#define CRASHMATRIX_TEXT_H

#include <stddef.h>
#include <stdio.h>

/*
 * Copies bytes to text, NUL-terminated and cut to capacity (at least 1) between
 * two characters. What is not UTF-8 of a printable character becomes "?", so
 * that the result can stand on a terminal, in JSON and in XML. Returns the
 * length.
 */
size_t cm_text_printable(char *text, size_t capacity, const char *bytes, size_t size);

/* Prints text for the content of an XML element or for an attribute. A control character that
 * is no white space, which XML cannot say, becomes "?". */
void cm_text_print_xml(FILE *stream, const char *text);

/*
 * The first line that is not blank, without the blanks around it. Returns where
 * it starts in bytes and sets *length; NULL when there is none.
 */
const char *cm_text_first_line(const char *bytes, size_t size, size_t *length);

#endif
