/* acknowledge [buffered]: says after each of two commits that it is done. */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    (void)argv;
    setvbuf(stdout, NULL, argc > 1 ? _IOFBF : _IONBF, BUFSIZ);
    for (int i = 1; i <= 2; i++) {
        FILE *file = fopen("counter.tmp", "w");
        if (file == NULL || fprintf(file, "%d\n", i) < 0 || fflush(file) != 0 ||
            fsync(fileno(file)) != 0 || fclose(file) != 0 || rename("counter.tmp", "counter") != 0)
            return 1;
        printf("committed %d\n", i);
    }
    return 0;
}
