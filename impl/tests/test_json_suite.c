/*
 * The scanner against JSONTestSuite (nst/JSONTestSuite): every y_ file is
 * accepted, every n_ file refused. The suite is not part of the repository:
 * $CRASHMATRIX_JSON_SUITE names its folder, else JSON_SUITE as built in; exit
 * status 77, "skipped", when it is not there.
 */
#include "support.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STATUS_SKIPPED = 77 };

static bool is_accepted(const char *directory, const char *name)
{
    size_t size;
    char *text = file_read(path_of(directory, name), &size);
    struct mf_json_fault fault;
    bool accepted = mf_json_scan(text, size, NULL, NULL, &fault);
    free(text);
    return accepted;
}

int main(void)
{
    const char *directory = getenv("CRASHMATRIX_JSON_SUITE");
    if (directory == NULL)
        directory = JSON_SUITE;
    DIR *stream = opendir(directory);
    if (stream == NULL) {
        printf("skipped: no JSONTestSuite in %s (set CRASHMATRIX_JSON_SUITE)\n", directory);
        return STATUS_SKIPPED;
    }
    unsigned accepted = 0, refused = 0, wrong = 0;
    for (const struct dirent *entry; (entry = readdir(stream)) != NULL;) {
        bool must_accept = strncmp(entry->d_name, "y_", 2) == 0;
        if (!must_accept && strncmp(entry->d_name, "n_", 2) != 0)
            continue;
        bool is = is_accepted(directory, entry->d_name);
        if (is != must_accept) {
            printf("%s: %s\n", entry->d_name, is ? "accepted" : "refused");
            wrong++;
        }
        *(is ? &accepted : &refused) += is == must_accept;
    }
    closedir(stream);
    printf("%u accepted, %u refused, %u wrong\n", accepted, refused, wrong);
    return wrong == 0 && accepted > 0 && refused > 0 ? 0 : 1;
}
