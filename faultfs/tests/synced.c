/*
 * synced MODE SIZE SIGNS: writes SIZE bytes to the new file "file", which is open for
 * writing only or for reading too (MODE w or rw), syncs it twice with more bytes in
 * between, and says by files in the directory SIGNS how far it is:
 *
 *     written   now it waits for the file `sync`, then syncs
 *     synced    now it waits for the file `finish`
 *
 * MODE lock: writing only, with a lock on the file, which must still be there when the
 * file was synced.
 */
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const char *signs;

static const char *sign(const char *name)
{
    static char path[4096];
    snprintf(path, sizeof(path), "%s/%s", signs, name);
    return path;
}

/* By open and close: a file outside concerns nobody. */
static bool signal_and_wait(const char *done, const char *awaited)
{
    struct timespec pause = {0, 5000000};
    int file = open(sign(done), O_CREAT | O_WRONLY, 0600);
    if (file < 0)
        return false;
    close(file);
    while (access(sign(awaited), F_OK) != 0)
        nanosleep(&pause, NULL);
    return true;
}

static bool append(int file, size_t size)
{
    char *bytes = malloc(size + 1);
    for (size_t i = 0; bytes != NULL && i < size; i++)
        bytes[i] = (char)('a' + i % 23);
    bool done = bytes != NULL && write(file, bytes, size) == (ssize_t)size;
    free(bytes);
    return done;
}

static struct flock whole(void)
{
    return (struct flock){.l_type = F_WRLCK, .l_whence = SEEK_SET};
}

/* Asked by another process, for which alone it is one. */
static bool is_locked(int file)
{
    int status = 0;
    pid_t child = fork();
    if (child == 0) {
        struct flock lock = whole();
        _exit(fcntl(file, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK ? 0 : 1);
    }
    return waitpid(child, &status, 0) == child && status == 0;
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        fprintf(stderr, "usage: synced rw|w|lock SIZE SIGNS\n");
        return 2;
    }
    signs = argv[3];
    bool locks = strcmp(argv[1], "lock") == 0;
    struct flock lock = whole();
    int file = open("file", O_CREAT | (argv[1][0] == 'r' ? O_RDWR : O_WRONLY), 0644);
    if (file < 0 || !append(file, strtoul(argv[2], NULL, 10)))
        return 1;
    if (locks && fcntl(file, F_SETLK, &lock) != 0)
        return 1;
    if (!signal_and_wait("written", "sync") || fsync(file) != 0)
        return 1;
    if (locks && !is_locked(file)) {
        fprintf(stderr, "the lock is gone\n");
        return 1;
    }
    if (!signal_and_wait("synced", "finish"))
        return 1;
    return append(file, 10) && fdatasync(file) == 0 ? 0 : 1;
}
