/*
 * The command of the planted bugs.
 *
 *     planted list                          names, one a line
 *     planted NAME setup                    prepares the directory
 *     planted NAME buggy|correct            the workload, with the bug or without
 *     planted NAME check                    judges a state
 *     planted NAME expect                   reason and lost operation, one pair a
 *                                           line, a tab between
 *     planted NAME about                    the crash that it stands for
 */
#include "planted.h"

static const struct {
    const char *name;
    const struct planted_bug *bug;
} bugs[] = {
#define X(identifier) {#identifier, &planted_##identifier},
    PLANTED_BUGS(X)
#undef X
};

#define BUG_COUNT (sizeof(bugs) / sizeof(bugs[0]))

/* ---- The command ---- */

/* Whether a name of the command line is that of an identifier. */
static bool name_matches(const char *name, const char *identifier)
{
    for (; *name != '\0' && *identifier != '\0'; name++, identifier++)
        if (*name != (*identifier == '_' ? '-' : *identifier))
            return false;
    return *name == *identifier;
}

static void list(void)
{
    for (size_t i = 0; i < BUG_COUNT; i++) {
        for (const char *c = bugs[i].name; *c != '\0'; c++)
            putchar(*c == '_' ? '-' : *c);
        putchar('\n');
    }
}

static void expect(const struct planted_bug *bug)
{
    for (const struct planted_expectation *row = bug->expected; row->reason != NULL; row++)
        printf("%s\t%s\n", row->reason, row->lost);
}

static int perform(const struct planted_bug *bug, const char *action)
{
    if (strcmp(action, "setup") == 0)
        bug->setup();
    else if (strcmp(action, "buggy") == 0 || strcmp(action, "correct") == 0)
        bug->workload(strcmp(action, "correct") == 0);
    else if (strcmp(action, "check") == 0)
        bug->check();
    else if (strcmp(action, "expect") == 0)
        expect(bug);
    else if (strcmp(action, "about") == 0)
        puts(bug->crash);
    else
        return 2;
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "list") == 0) {
        list();
        return 0;
    }
    for (size_t i = 0; argc == 3 && i < BUG_COUNT; i++)
        if (name_matches(argv[1], bugs[i].name))
            return perform(bugs[i].bug, argv[2]);
    fputs("usage: planted list | planted NAME setup|buggy|correct|check|expect|about\n", stderr);
    return 2;
}
