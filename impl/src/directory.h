/* Directories by their path: the only ones that are made. */
#ifndef MANIFEST_SRC_DIRECTORY_H
#define MANIFEST_SRC_DIRECTORY_H

#include <manifest/manifest.h>

/* Makes a directory; that it is there already is a success. MF_IO. */
enum mf_code mf_directory_make(const struct mf_platform *platform, const char *path,
                               struct mf_error *error);

/*
 * Makes the name of a directory durable, which its own sync does not. Wanted also
 * when it was there already: what was cut may have made it. MF_IO, MF_NO_MEMORY.
 */
enum mf_code mf_directory_sync_name(const struct mf_platform *platform, const char *path,
                                    struct mf_error *error);

#endif
