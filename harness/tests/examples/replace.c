/* Replaces greeting.txt by way of a temporary file, then says so. */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

int main(void)
{
    int file = open("greeting.new", O_WRONLY | O_CREAT | O_TRUNC, 0644);
    if (file < 0 || write(file, "hello again\n", 12) != 12)
        return 1;
    if (fsync(file) != 0 || close(file) != 0)
        return 1;
    if (rename("greeting.new", "greeting.txt") != 0)
        return 1;
#ifdef REPAIRED
    if (fsync(open(".", O_RDONLY)) != 0)
        return 1;
#endif
    return write(STDOUT_FILENO, "saved\n", 6) == 6 ? 0 : 1;
}
