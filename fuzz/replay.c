/*
 * A main() for a fuzz target where there is no fuzzer: runs it on each file that is
 * named, and on the files of each folder. A failed check aborts; the last line of
 * standard error says on which file.
 *
 *     replay_NAME [--repeat N] FILE|FOLDER...
 *
 * With --repeat, then runs all of them N times more, in turn as a fuzzer would, and prints how
 * many executions that were per second of processor time (user and system).
 *
 * Exit status 0 when all passed, 2 when something cannot be read or no file was run.
 */
#include "target.h"

#include <ftw.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

static struct input {
    uint8_t *data;
    size_t size;
} * inputs;
static size_t files;

static int run(const char *path, const struct stat *status, int type, struct FTW *walk)
{
    (void)walk;
    if (type == FTW_D)
        return 0;
    FILE *file = type == FTW_F ? fopen(path, "rb") : NULL;
    size_t size = (size_t)status->st_size;
    /* Of exactly that size, so that a sanitizer sees a read beyond it. */
    uint8_t *data = malloc(size > 0 ? size : 1);
    if (file == NULL || data == NULL || fread(data, 1, size, file) != size) {
        fprintf(stderr, "%s: cannot be read\n", path);
        exit(2);
    }
    fclose(file);
    fprintf(stderr, "%s\n", path);
    LLVMFuzzerTestOneInput(data, size);
    inputs = realloc(inputs, (files + 1) * sizeof(*inputs));
    if (inputs == NULL) {
        fprintf(stderr, "%s: no memory\n", path);
        exit(2);
    }
    inputs[files++] = (struct input){data, size};
    return 0;
}

static void repeat(unsigned long times)
{
    clock_t start = clock();
    for (unsigned long i = 0; i < times; i++)
        for (size_t j = 0; j < files; j++)
            LLVMFuzzerTestOneInput(inputs[j].data, inputs[j].size);
    double seconds = (double)(clock() - start) / CLOCKS_PER_SEC;
    printf("%.0f executions per second of processor time\n",
           (double)times * (double)files / seconds);
}

int main(int argc, char **argv)
{
    int first = 1;
    unsigned long times = 0;
    if (argc > 2 && strcmp(argv[1], "--repeat") == 0) {
        times = strtoul(argv[2], NULL, 10);
        first = 3;
    }
    for (int i = first; i < argc; i++)
        if (nftw(argv[i], run, 16, FTW_PHYS) != 0) {
            perror(argv[i]);
            return 2;
        }
    if (files == 0) {
        fprintf(stderr, "usage: %s [--repeat N] FILE|FOLDER...\nNo file was run.\n", argv[0]);
        return 2;
    }
    printf("%zu files passed\n", files);
    if (times > 0)
        repeat(times);
    for (size_t i = 0; i < files; i++)
        free(inputs[i].data);
    free(inputs);
    return 0;
}
