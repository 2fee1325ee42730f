#include "command.h"
int pc_probe(const struct pc_arguments *arguments)
{
    (void)arguments;
    return PC_EXIT_FAILED;
}
