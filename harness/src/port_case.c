#include "port_case.h"

#include <string.h>

const struct cm_port_case cm_port_cases[CM_PORT_CASE_COUNT] = {
#define X(id, name, operation, base, need, what)                                                   \
    {name, operation, base, CM_PORT_NEEDS_##need, what},
    CM_PORT_CASES(X)
#undef X
};

/* A key that is no file name, and a file without bytes. */
const struct cm_port_file cm_port_files[CM_PORT_FILE_COUNT] = {
    {"lsm", "", 700, false},
    {"text", "title", 100, false},
    {"column", "price (\u20ac) / \"kg\"", 0, true},
};

enum cm_port_case_id cm_port_case_find(const char *name)
{
    unsigned i = 0;
    while (i < CM_PORT_CASE_COUNT && strcmp(cm_port_cases[i].name, name) != 0)
        i++;
    return (enum cm_port_case_id)i;
}

size_t cm_port_content(uint64_t version, unsigned index, unsigned char data[CM_PORT_SIZE_MAX])
{
    const struct cm_port_file *file = &cm_port_files[index];
    size_t size = file->size == 0 ? 0 : file->size + version % 8 * 13;
    /* xorshift64: no granule is like another one, or all zeros. */
    uint64_t x = (file->shared ? 0 : version) * 1000003 + (uint64_t)index * 7919 + 1;
    for (size_t i = 0; i < size; i++) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        data[i] = (unsigned char)(x >> 24);
    }
    return size;
}

void cm_print_port_help(FILE *stream)
{
    fprintf(stream, "  %-20s %s\n\nParts that --only knows, in the order in which they are run:\n",
            "unsupported", "the port, or no chosen model, has what a part needs");
    fprintf(stream, "  %-22s %s\n", "vectors", "the conformance vectors");
    fprintf(stream, "  %-22s %s\n", "rename/interchange",
            "what one writes the other reads and commits to: the port, libmanifest");
    for (size_t i = 0; i < CM_PORT_CASE_COUNT; i++)
        fprintf(stream, "  rename/%-15s %s\n", cm_port_cases[i].name, cm_port_cases[i].what);
    fprintf(stream, "  %-22s %s\n", "rename/commit-faults",
            "calls of a commit fail (--faults, default: all)");
    fprintf(stream, "  %-22s %s\n", "rename/commit-nested",
            "with --nested: the power is cut during recovery, too");
    fprintf(stream, "  %-22s %s\n", "slots/...", "the same with the other commit point");
}
