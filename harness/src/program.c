#include "program.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool has_interpreter(int fd, const Elf64_Ehdr *header)
{
    for (unsigned i = 0; i < header->e_phnum; i++) {
        Elf64_Phdr segment;
        off_t at = (off_t)(header->e_phoff + (Elf64_Off)i * sizeof(segment));
        if (pread(fd, &segment, sizeof(segment), at) != sizeof(segment))
            return false;
        if (segment.p_type == PT_INTERP)
            return true;
    }
    return false;
}

/* The path behind "#!"; false if there is none. */
static bool interpreter_find(const char *line, char path[PATH_MAX])
{
    if (strncmp(line, "#!", 2) != 0)
        return false;
    const char *start = line + 2 + strspn(line + 2, " \t");
    size_t length = strcspn(start, " \t\n");
    if (length == 0 || length >= PATH_MAX)
        return false;
    memcpy(path, start, length);
    path[length] = '\0';
    return true;
}

static bool file_is_preloadable(const char *path, bool scripts)
{
    union {
        Elf64_Ehdr header;
        char text[256];
    } start = {.text = ""};
    char interpreter[PATH_MAX];
    struct stat status;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return false;
    bool found = fstat(fd, &status) == 0 && S_ISREG(status.st_mode) &&
                 (status.st_mode & (S_ISUID | S_ISGID)) == 0 &&
                 read(fd, start.text, sizeof(start.text) - 1) > 0;
    bool is_program = found && memcmp(start.text, ELFMAG, SELFMAG) == 0 &&
                      start.header.e_ident[EI_CLASS] == ELFCLASS64 &&
                      has_interpreter(fd, &start.header);
    close(fd);
    if (found && !is_program && scripts && interpreter_find(start.text, interpreter))
        return file_is_preloadable(interpreter, false);
    return is_program;
}

/* The next candidate for name from a search path; false at the end. */
static bool candidate_next(const char **search, const char *name, char path[PATH_MAX])
{
    while (**search != '\0') {
        size_t length = strcspn(*search, ":");
        /* An empty part is the current directory. */
        int size =
            snprintf(path, PATH_MAX, "%.*s%s%s", (int)length, *search, length > 0 ? "/" : "", name);
        *search += length + ((*search)[length] == ':');
        if (size > 0 && size < PATH_MAX)
            return true;
    }
    return false;
}

static const char *search_path(void)
{
    const char *search = getenv("PATH");
    return search != NULL ? search : "/bin:/usr/bin";
}

bool cm_program_is_preloadable(const char *name)
{
    char path[PATH_MAX];
    const char *search = search_path();
    if (strchr(name, '/') != NULL)
        return file_is_preloadable(name, true);
    while (candidate_next(&search, name, path))
        if (access(path, X_OK) == 0)
            return file_is_preloadable(path, true);
    return false;
}

/* (An attribute because of server.c, where it is run on a stack that is not known.) */
__attribute__((no_sanitize("address"))) int cm_program_execute(char *const *argv)
{
    char path[PATH_MAX];
    const char *search = search_path();
    int code = ENOENT;
    if (strchr(argv[0], '/') != NULL)
        return execve(argv[0], argv, environ);
    while (candidate_next(&search, argv[0], path)) {
        execve(path, argv, environ);
        if (errno != ENOENT && errno != ENOTDIR && errno != EACCES)
            return -1;
        if (errno == EACCES)
            code = EACCES;
    }
    errno = code;
    return -1;
}
