/* Lists of versions by the class of their names. */
#ifndef MANIFEST_SRC_HISTORY_H
#define MANIFEST_SRC_HISTORY_H

#include "database.h"
#include "names.h"

#include <manifest/history.h>

/* All numbers of the names of one class, ascending. The caller clears the list,
 * also after a failure. MF_IO, MF_NO_MEMORY. */
enum mf_code mf_list_numbers(const struct mf_directory *directory, enum mf_name_class class,
                             struct mf_versions *versions, struct mf_error *error);

#endif
