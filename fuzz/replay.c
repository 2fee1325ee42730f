/*
 * A main() for a fuzz target where there is no fuzzer: runs it on each file that is
 * named, and on the files of each folder. A failed check aborts; the last line of
 * standard error says on which file.
 *
 *     replay_NAME FILE|FOLDER...
 *
 * Exit status 0 when all passed, 2 when something cannot be read or no file was run.
 */
#include "target.h"

#include <ftw.h>
#include <sys/stat.h>

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
    free(data);
    files++;
    return 0;
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        if (nftw(argv[i], run, 16, FTW_PHYS) != 0) {
            perror(argv[i]);
            return 2;
        }
    if (files == 0) {
        fprintf(stderr, "usage: %s FILE|FOLDER...\nNo file was run.\n", argv[0]);
        return 2;
    }
    printf("%zu files passed\n", files);
    return 0;
}
