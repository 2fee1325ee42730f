/*
 * The main function of a unit test program: one CUnit suite from a table.
 *
 *     static const struct unit_test tests[] = {
 *         {"an empty file is rejected", empty_file},
 *         ...
 *     };
 *     UNIT_MAIN("json", tests)
 *
 * With arguments, only the tests whose names contain one of them are run; an
 * argument that matches nothing is an error. Exit status 0 when all pass, 1
 * when one fails, 2 on wrong usage.
 */
#ifndef UNIT_H
#define UNIT_H

#include <CUnit/Basic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

struct unit_test {
    const char *name;
    void (*run)(void);
};

static inline bool unit_selected(const char *name, int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        if (strstr(name, argv[i]) != NULL)
            return true;
    return argc < 2;
}

static inline int unit_main(const char *suite_name, const struct unit_test *tests, size_t count,
                            int argc, char **argv)
{
    if (CU_initialize_registry() != CUE_SUCCESS)
        return 2;
    CU_pSuite suite = CU_add_suite(suite_name, NULL, NULL);
    size_t selected = 0;
    for (size_t i = 0; i < count; i++) {
        if (!unit_selected(tests[i].name, argc, argv))
            continue;
        CU_add_test(suite, tests[i].name, tests[i].run);
        selected++;
    }
    if (selected == 0) {
        fprintf(stderr, "%s: no test matches\n", argv[0]);
        return 2;
    }
    CU_basic_set_mode(CU_BRM_VERBOSE);
    CU_basic_run_tests();
    unsigned failures = CU_get_number_of_failures();
    CU_cleanup_registry();
    return failures == 0 ? 0 : 1;
}

#define UNIT_MAIN(suite, tests)                                                                    \
    int main(int argc, char **argv)                                                                \
    {                                                                                              \
        return unit_main(suite, tests, sizeof(tests) / sizeof((tests)[0]), argc, argv);            \
    }

#endif
