/*
 * The record of the commit point "slots", as a value and as bytes. No function
 * here touches a file.
 *
 * A rename replaces a name in one step only where the file system has a journal
 * or something like it. Elsewhere (vfat, exFAT, raw media behind a port) a
 * database has two files instead of MANIFEST-CURRENT, MANIFEST-SLOT-A and
 * MANIFEST-SLOT-B. Each is one record of 512 bytes, one sector of any device, and
 * is overwritten in place. The presence of either marks a database with slots;
 * readers of the format that this one extends cannot read it.
 *
 * All integers are unsigned and little-endian:
 *
 *     offset  bytes
 *          0      8  "MFSLOT1" and a zero byte
 *          8      8  sequence
 *         16      8  version n
 *         24      8  length of MANIFEST-n, in bytes
 *         32      4  CRC32C of all bytes of MANIFEST-n
 *         36    472  zero
 *        508      4  CRC32C of the 508 bytes before
 *
 * A record is empty when its sequence is 0: then version, length and CRC32C are 0.
 * In any other record none of sequence, version and length is 0. A slot is valid
 * when its file has at least 512 bytes and all of this holds for the first 512;
 * what follows them is ignored, since a commit would not remove it.
 *
 * The valid slot with the higher sequence is the winner. Init makes both empty,
 * then commits version 1 like any other. A commit writes the slot that is not the
 * winner, with the winner's sequence + 1, so that the record in force is never
 * touched: whatever becomes of a write that is cut, the other slot stands. Opening
 * for writing first writes the winner's own bytes again and syncs them (they may
 * be in memory only, and the next commit overwrites the one that is not); then, if
 * the other slot is missing or not valid, it is given the winner's record with
 * sequence + 1, and is the winner from then on.
 *
 *     slots                              result
 *     both valid                         the winner
 *     both valid, and they contradict    corrupt
 *       (the same sequence, not 0; or the one with the lower sequence has a higher
 *       version, or the same version with another length or CRC32C)
 *     one valid, not empty               the winner, and "fell back" is reported
 *     no valid one that is not empty,    no database: a cut init
 *       at most temporaries and the
 *       first manifest
 *       (if no slot is valid: at most temporaries)
 *     the same, other manifests          corrupt
 *     one is there, no regular file      corrupt
 *     MANIFEST-CURRENT is there too      corrupt
 *
 * MANIFEST-n of the winner must be there with the recorded length and CRC32C and
 * say version n, and its files must verify; else the database is corrupt. The
 * other slot is then no way out, since the winner's version was acknowledged.
 */
#ifndef MANIFEST_SLOT_H
#define MANIFEST_SLOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MF_SLOT_SIZE 512

struct mf_slot {
    uint64_t sequence; /* 0: empty, and so is the rest */
    uint64_t version;
    uint64_t size;   /* of MANIFEST-n, in bytes */
    uint32_t crc32c; /* of MANIFEST-n */
};

/* Fills all bytes of a record. */
void mf_slot_encode(const struct mf_slot *slot, unsigned char bytes[MF_SLOT_SIZE]);

/* Whether these are the bytes of a valid record; *slot is set if so. */
bool mf_slot_decode(const unsigned char *bytes, size_t size, struct mf_slot *slot);

#endif
