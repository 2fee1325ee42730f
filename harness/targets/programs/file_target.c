/*
 * A file that programs replace: three blocks of lines "old", then of lines "new".
 *
 *     file-target init FILE [WORD]    a file with lines of that word, else of "old"
 *     file-target check FILE PROMISE  the old or the new file, whole; the new one once the
 *                                     workload has printed PROMISE
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "judge.h"

enum { LINES = 3000, LINE_SIZE = 4 };

static void init(const char *path, const char *word)
{
    FILE *file = fopen(path, "w");
    for (int i = 0; file != NULL && i < LINES; i++)
        fprintf(file, "%s\n", word);
    if (file == NULL || fclose(file) != 0)
        judge_fail("%s cannot be written", path);
}

/* Whether the text is that word, line after line, and nothing else. */
static bool holds(const char *text, size_t size, const char *line)
{
    bool same = size == (size_t)LINES * LINE_SIZE;
    for (size_t i = 0; same && i < size; i += LINE_SIZE)
        same = memcmp(text + i, line, LINE_SIZE) == 0;
    return same;
}

static void check(const char *path, const char *promise)
{
    static char text[LINES * LINE_SIZE + 1];
    FILE *file = fopen(path, "r");
    if (file == NULL)
        judge_fail("%s %s", path, errno == ENOENT ? "is missing" : "cannot be read");
    size_t size = fread(text, 1, sizeof(text), file);
    if (ferror(file))
        judge_fail("%s cannot be read", path);
    fclose(file);
    bool old = holds(text, size, "old\n"), new = holds(text, size, "new\n");
    if (size == 0)
        judge_fail("%s is empty", path);
    if (!old && !new)
        judge_fail("%s is neither the old nor the new file", path);
    if (old && judge_promised(promise))
        judge_fail("the new %s is lost, although it was reported", path);
    judge_accept(new ? "new" : "old");
}

int main(int argc, char **argv)
{
    if (argc >= 3 && argc <= 4 && strcmp(argv[1], "init") == 0)
        init(argv[2], argc == 4 ? argv[3] : "old");
    else if (argc == 4 && strcmp(argv[1], "check") == 0)
        check(argv[2], argv[3]);
    else
        return judge_usage("file-target init FILE [WORD] | check FILE PROMISE");
    return 0;
}
