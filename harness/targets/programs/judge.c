#include "judge.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void judge_promise(const char *word)
{
    char line[128];
    int length = snprintf(line, sizeof(line), "%s\n", word);
    if (write(STDOUT_FILENO, line, (size_t)length) != length)
        judge_fail("standard output cannot be written");
}

bool judge_promised(const char *word)
{
    char line[128];
    bool found = false;
    const char *path = getenv("CRASHMATRIX_STDOUT");
    FILE *file = path != NULL ? fopen(path, "r") : NULL;
    if (file == NULL)
        judge_fail("CRASHMATRIX_STDOUT does not name the output of the workload");
    while (!found && fgets(line, sizeof(line), file) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        found = strcmp(line, word) == 0;
    }
    fclose(file);
    return found;
}

void judge_accept(const char *label)
{
    printf("label: %s\n", label);
}

void judge_transfer(int first, int second)
{
    bool old = first == 100 && second == 0, new = first == 60 && second == 40;
    if (first == -1 && second == -1)
        judge_fail("what was there before the transaction is lost");
    if (!old && !new)
        judge_fail("half a transaction: the amounts are %d and %d", first, second);
    if (old && judge_promised("transferred"))
        judge_fail("an acknowledged transaction is lost");
    judge_accept(new ? "new" : "old");
}

void judge_fail(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    putchar('\n');
    fflush(stdout);
    _exit(1);
}

int judge_usage(const char *text)
{
    fprintf(stderr, "usage: %s\n", text);
    return 2;
}
