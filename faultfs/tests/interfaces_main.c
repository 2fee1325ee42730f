#include "interfaces.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

int main(int argc, char **argv)
{
    umask(022);
    for (size_t i = 0; argc == 2 && interface_case_at(i) != NULL; i++)
        if (strcmp(interface_case_at(i)->name, argv[1]) == 0) {
            interface_case_at(i)->run();
            return 0;
        }
    fprintf(stderr, "usage: interfaces NAME\n");
    return 2;
}
