/*
 * What the parts of the report for people share: widths and colours,
 * and the parts that have files of their own.
 */
#ifndef CRASHMATRIX_REPORT_PAGE_H
#define CRASHMATRIX_REPORT_PAGE_H

#include "report_shared.h"

/* Width that the matrix and lists keep to, if they can. */
#define CM_PAGE_WIDTH 100

#define CM_BOLD   "\033[1m"
#define CM_RED    "\033[31m"
#define CM_GREEN  "\033[32m"
#define CM_YELLOW "\033[33m"

/* Columns that safe text takes on a terminal, at one for each character. */
size_t cm_page_width(const char *text);

/* Replaces text by one of at most width characters that keeps the beginning and
 * more of the end, where paths differ. Both are malloc'ed; width is 4 or more. */
char *cm_page_shorten(char *text, size_t width);

/* Spaces, from a column to another. */
void cm_page_pad(FILE *stream, size_t used, size_t width);

/* A text in a colour, or without if there are no colours or it is NULL. */
void cm_page_print(FILE *stream, bool colours, const char *colour, const char *text);
const char *cm_page_colour(enum cm_verdict verdict);

/* Words with commas between, below each other from a column on where a line is full. */
struct cm_page_list {
    FILE *stream;
    size_t indent;
    size_t used; /* columns of the line */
    size_t count;
};
/* After begin, which stands at the beginning of a line and may be coloured. */
struct cm_page_list cm_page_list(FILE *stream, const char *begin);
void cm_page_list_add(struct cm_page_list *list, const char *word);

/* The matrix and how to read it. */
void cm_print_matrix(const struct cm_report *report, FILE *stream, bool colours);

/* If there are several models: under which the program passes, or why not. */
void cm_print_glance(const struct cm_report *report, FILE *stream, bool colours);

#endif
