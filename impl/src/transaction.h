/* What restoring needs of a transaction besides its public functions. */
#ifndef MANIFEST_SRC_TRANSACTION_H
#define MANIFEST_SRC_TRANSACTION_H

#include <manifest/manifest.h>

/* mf_transaction_begin, with a number that is not below least. */
enum mf_code mf_transaction_begin_at(struct mf_database *database, uint64_t least,
                                     struct mf_transaction **transaction, struct mf_error *error);

/* Takes all entries out of the version in the making. */
void mf_transaction_empty(struct mf_transaction *transaction);

/* The entry of that kind and key, or NULL. */
const struct mf_file *mf_transaction_find(const struct mf_transaction *transaction,
                                          enum mf_kind kind, const char *key);

/* Names under another kind and key a file that the transaction names already.
 * MF_NO_MEMORY. */
enum mf_code mf_transaction_share(struct mf_transaction *transaction, enum mf_kind kind,
                                  const char *key, const struct mf_file *file,
                                  struct mf_error *error);

#endif
