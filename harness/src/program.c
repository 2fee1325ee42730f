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
#include <xxhash.h>

#include "memory.h"

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

/* Where a name leads, from the current directory or $PATH; false: nowhere. */
static bool program_find(const char *name, char path[PATH_MAX])
{
    const char *search = search_path();
    if (strchr(name, '/') != NULL)
        return snprintf(path, PATH_MAX, "%s", name) < PATH_MAX;
    while (candidate_next(&search, name, path))
        if (access(path, X_OK) == 0)
            return true;
    return false;
}

bool cm_program_is_preloadable(const char *name)
{
    char path[PATH_MAX];
    return program_find(name, path) && file_is_preloadable(path, true);
}

/* Nothing of what cannot be read. */
static void digest_file(XXH3_state_t *state, const char *path)
{
    char bytes[16384];
    struct stat status;
    ssize_t size;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return;
    if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode))
        while ((size = read(fd, bytes, sizeof(bytes))) > 0)
            XXH3_64bits_update(state, bytes, (size_t)size);
    close(fd);
}

/* A relative path is one of the directory under test, whose files the trace has. */
static void digest_word(XXH3_state_t *state, const char *word)
{
    char path[PATH_MAX];
    if ((word[0] == '/' || strchr(word, '/') == NULL) && program_find(word, path))
        digest_file(state, path);
    XXH3_64bits_update(state, word, strlen(word) + 1);
}

uint64_t cm_program_digest(char *const *argv, bool shell)
{
    static const char between[] = " \t\n\"'`;&|()<>$={}";
    XXH3_state_t *state = XXH3_createState();
    if (state == NULL)
        return 0;
    XXH3_64bits_reset(state);
    for (size_t i = 0; argv[i] != NULL; i++) {
        char *text = shell && i == 2 ? strdup(argv[i]) : NULL, *rest = NULL;
        for (char *word = text == NULL ? NULL : strtok_r(text, between, &rest); word != NULL;
             word = strtok_r(NULL, between, &rest))
            digest_word(state, word);
        free(text);
        digest_word(state, argv[i]);
    }
    uint64_t digest = XXH3_64bits_digest(state);
    XXH3_freeState(state);
    return digest;
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

static bool is_in_folder(const char *folder, size_t length, const char *command)
{
    char *path = cm_format("%.*s/%s", (int)length, folder, command);
    bool found = access(path, X_OK) == 0;
    free(path);
    return found;
}

bool cm_program_is_installed(const char *command)
{
    const char *folder = getenv("PATH");
    while (folder != NULL) {
        size_t length = strcspn(folder, ":");
        if (length > 0 && is_in_folder(folder, length, command))
            return true;
        folder = folder[length] == ':' ? folder + length + 1 : NULL;
    }
    return false;
}
