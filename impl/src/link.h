/* The record that makes a version part of a backup: MANIFEST-BACKUP-NNNNNN. */
#ifndef MANIFEST_SRC_LINK_H
#define MANIFEST_SRC_LINK_H

#include "inspect.h"

#include <manifest/history.h>

#define MF_LINK_SIZE_MAX 512 /* bytes of text; seven integers and their names are fewer */

struct mf_link {
    uint64_t version;
    bool has_base;
    uint64_t base;
    uint32_t base_crc32c; /* of the base's text */
    uint64_t manifest_size;
    uint32_t manifest_crc32c;
    uint32_t crc32c; /* of this one's whole text; not in it */
};

struct mf_link_text {
    char text[MF_LINK_SIZE_MAX];
    size_t size;
};

/* The text of a link, as backup.h shows it; sets link->crc32c. */
struct mf_link_text mf_link_print(struct mf_link *link);

/* Whether a text is exactly what mf_link_print gives for some link. */
bool mf_link_parse(const char *text, size_t size, struct mf_link *link);

/*
 * The links of a chain, ascending. The caller clears the list, also after a failure.
 * MF_IO, MF_NO_MEMORY.
 *
 * Where a rename is not one step a link is written in place, and before that, durably,
 * under the name of its part. As long as that is there and valid it is what counts if
 * the link is not whole. A part that is not valid was cut short: it says nothing.
 */
enum mf_code mf_link_list(const struct mf_directory *folder, struct mf_versions *links,
                          struct mf_error *error);

/* Reads the link of a version, or its part. MF_NO_VERSION when there is none, MF_CORRUPT when
 * it is damaged or another version's, MF_IO, MF_NO_MEMORY. */
enum mf_code mf_link_read(const struct mf_directory *folder, uint64_t version, struct mf_link *link,
                          struct mf_error *error);

/* Reads the manifest that a link stands for; the caller clears it. MF_CORRUPT when
 * it is missing or another one. */
enum mf_code mf_link_manifest(const struct mf_directory *folder, const struct mf_link *link,
                              const struct mf_read_options *options, struct mf_version *version,
                              struct mf_error *error);

#endif
