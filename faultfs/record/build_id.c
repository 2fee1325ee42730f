/* The note by which debug information is found for a binary (elf(5), ld --build-id). */
#include "../trace/memory.h"
#include "recording.h"

#include <elf.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static size_t padded(size_t size)
{
    return (size + 3) & ~(size_t)3;
}

/* Looks through a segment of notes. */
static struct ff_bytes note_find(const unsigned char *notes, size_t size)
{
    Elf64_Nhdr note;
    while (size >= sizeof(note)) {
        memcpy(&note, notes, sizeof(note));
        size_t name = padded(note.n_namesz), description = padded(note.n_descsz);
        if (name > size - sizeof(note) || description > size - sizeof(note) - name)
            break;
        const unsigned char *content = notes + sizeof(note);
        if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == sizeof(ELF_NOTE_GNU) &&
            memcmp(content, ELF_NOTE_GNU, sizeof(ELF_NOTE_GNU)) == 0)
            return (struct ff_bytes){content + name, note.n_descsz};
        notes = content + name + description;
        size -= sizeof(note) + name + description;
    }
    return (struct ff_bytes){NULL, 0};
}

static struct ff_bytes image_find(const unsigned char *image, size_t size)
{
    struct ff_bytes none = {NULL, 0};
    Elf64_Ehdr header;
    if (size < sizeof(header))
        return none;
    memcpy(&header, image, sizeof(header));
    if (memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 || header.e_ident[EI_CLASS] != ELFCLASS64)
        return none;
    for (size_t i = 0; i < header.e_phnum; i++) {
        Elf64_Phdr segment;
        size_t at = header.e_phoff + i * sizeof(segment);
        if (at > size || size - at < sizeof(segment))
            break;
        memcpy(&segment, image + at, sizeof(segment));
        if (segment.p_type != PT_NOTE || segment.p_offset > size ||
            segment.p_filesz > size - segment.p_offset)
            continue;
        struct ff_bytes found = note_find(image + segment.p_offset, segment.p_filesz);
        if (found.size != 0)
            return found;
    }
    return none;
}

struct ff_bytes build_id_read(const char *path)
{
    struct ff_bytes found = {NULL, 0};
    struct stat status;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd >= 0 && fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && status.st_size > 0) {
        size_t size = (size_t)status.st_size;
        void *image = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (image != MAP_FAILED) {
            found = image_find(image, size);
            found.data = ff_memory_copy(found.data, found.size);
            munmap(image, size);
        }
    }
    if (fd >= 0)
        close(fd);
    return found;
}
