#include "net_request.h"

#include "../shim/scope.h"
#include "../trace/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

struct net_request *net_request;

bool net_request_is_valid(const struct net_request *request)
{
    return ioctl(request->listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &request->notification.id) == 0;
}

static void *memory_get(struct net_request *request, size_t size)
{
    void *memory = ff_memory_allocate(size == 0 ? 1 : size, 1);
    request->memory[request->memory_count++] = memory;
    return memory;
}

/* Descriptors *******************************************************************************/

enum net_transfer net_request_descriptor(struct net_request *request, int theirs, int *own)
{
    for (int i = 0; i < request->descriptor_count; i++)
        if (request->descriptors[i].theirs == theirs) {
            *own = request->descriptors[i].own;
            return NET_MAKE;
        }
    *own = tracee_descriptor(&request->tracee, theirs);
    if (*own == -EBADF)
        return NET_PASS;
    if (*own < 0)
        return NET_UNREADABLE;
    request->descriptors[request->descriptor_count].own = *own;
    request->descriptors[request->descriptor_count++].theirs = theirs;
    return NET_MAKE;
}

static enum net_transfer descriptor_get(struct net_request *request, int argument)
{
    int own = -1;
    enum net_transfer result =
        net_request_descriptor(request, (int)request->notification.data.args[argument], &own);
    request->raw.arguments[argument] = own;
    return result;
}

static enum net_transfer directory_get(struct net_request *request, int argument)
{
    /* The kernel looks at 32 bits. */
    if ((int)request->notification.data.args[argument] != AT_FDCWD)
        return descriptor_get(request, argument);
    request->raw.arguments[argument] = AT_FDCWD;
    return NET_MAKE;
}

/* Whether the first argument is something whose data must be looked at. */
static bool target_is_of_interest(const struct net_request *request)
{
    struct stat status;
    int fd = (int)request->raw.arguments[0];
    return scope_descriptor(fd, &status) != NULL ||
           (fstat(fd, &status) == 0 && scope_is_output(&status));
}

/* Texts and bytes ***************************************************************************/

static enum net_transfer text_get(struct net_request *request, int argument)
{
    char *text = memory_get(request, PATH_MAX);
    uint64_t address = request->notification.data.args[argument];
    if (!tracee_read_text(&request->tracee, address, text, PATH_MAX))
        return NET_PASS; /* EFAULT or ENAMETOOLONG */
    request->raw.arguments[argument] = (long)text;
    return NET_MAKE;
}

static enum net_transfer path_get(struct net_request *request, int argument)
{
    enum net_transfer result = text_get(request, argument);
    if (result != NET_MAKE)
        return result;
    char *path = (char *)request->raw.arguments[argument]; /* NOLINT(performance-no-int-to-ptr) */
    if (path[0] != '/')
        return tracee_enter_directory(&request->tracee) ? NET_MAKE : NET_UNREADABLE;
    return tracee_translate_path(&request->tracee, path) ? NET_MAKE : NET_PASS;
}

/* Bytes that cannot be read end a write early, as they do in the kernel. */
static enum net_transfer bytes_get(struct net_request *request, int argument)
{
    uint64_t size = request->notification.data.args[argument + 1];
    size = size < INT_MAX ? size : INT_MAX;
    if (size == 0 || request->notification.data.args[argument] == 0)
        return NET_MAKE;
    void *bytes = memory_get(request, size);
    size_t got =
        tracee_read(&request->tracee, request->notification.data.args[argument], bytes, size);
    if (got == 0)
        return NET_PASS;
    request->raw.arguments[argument] = (long)bytes;
    request->raw.arguments[argument + 1] = (long)got;
    return NET_MAKE;
}

/* The path of one in the file system may be relative. */
static enum net_transfer address_get(struct net_request *request, int argument)
{
    return tracee_enter_directory(&request->tracee) ? bytes_get(request, argument) : NET_UNREADABLE;
}

static size_t pieces_size(const struct iovec *pieces, size_t count)
{
    size_t size = 0;
    for (size_t i = 0; i < count; i++)
        if (__builtin_add_overflow(size, pieces[i].iov_len, &size) || size > INT_MAX)
            return INT_MAX;
    return size;
}

/* All pieces become one, which makes no difference to a file or a pipe. */
static enum net_transfer pieces_get(struct net_request *request, int argument)
{
    struct iovec pieces[IOV_MAX];
    uint64_t count = request->notification.data.args[argument + 1];
    size_t bytes = count * sizeof(pieces[0]);
    if (count > IOV_MAX || tracee_read(&request->tracee, request->notification.data.args[argument],
                                       pieces, bytes) != bytes)
        return NET_PASS;
    size_t size = pieces_size(pieces, count), got = 0;
    unsigned char *to = memory_get(request, size);
    for (uint64_t i = 0; i < count && got < size; i++) {
        size_t part = pieces[i].iov_len < size - got ? pieces[i].iov_len : size - got;
        size_t read = tracee_read(&request->tracee, (uintptr_t)pieces[i].iov_base, to + got, part);
        got += read;
        if (read < part)
            break;
    }
    if (got == 0 && size != 0)
        return NET_PASS;
    struct iovec *piece = memory_get(request, sizeof(*piece));
    *piece = (struct iovec){to, got};
    request->raw.arguments[argument] = (long)piece;
    request->raw.arguments[argument + 1] = 1;
    return NET_MAKE;
}

static enum net_transfer offset_get(struct net_request *request, int argument)
{
    uint64_t address = request->notification.data.args[argument];
    if (address == 0)
        return NET_MAKE;
    off_t *value = &request->offsets[request->offset_count].value;
    if (tracee_read(&request->tracee, address, value, sizeof(*value)) != sizeof(*value))
        return NET_PASS;
    request->offsets[request->offset_count++].address = address;
    request->raw.arguments[argument] = (long)value;
    return NET_MAKE;
}

static enum net_transfer id_get(struct net_request *request, int argument, char letter)
{
    uint32_t id = (uint32_t)request->notification.data.args[argument];
    bool known = letter == 'u' ? tracee_translate_user(&request->tracee, &id)
                               : tracee_translate_group(&request->tracee, &id);
    request->raw.arguments[argument] = (long)id;
    return known ? NET_MAKE : NET_PASS; /* EINVAL */
}

/* All of it *********************************************************************************/

static enum net_transfer argument_get(struct net_request *request, int argument, char letter)
{
    switch (letter) {
    case 'f':
        return descriptor_get(request, argument);
    case 'd':
        return directory_get(request, argument);
    case 'p':
        return path_get(request, argument);
    case 's':
        return text_get(request, argument);
    case 'b':
        return bytes_get(request, argument);
    case 'a':
        return address_get(request, argument);
    case 'v':
        return pieces_get(request, argument);
    case 'o':
        return offset_get(request, argument);
    case 'u':
    case 'g':
        return id_get(request, argument, letter);
    default:
        return NET_MAKE;
    }
}

enum net_transfer net_request_transfer(struct net_request *request, const char *letters)
{
    for (int i = 0; letters[i] != '\0'; i++) {
        bool has_data = i == 1 && letters[0] == 'f' && (letters[i] == 'b' || letters[i] == 'v');
        if (has_data && !target_is_of_interest(request))
            return NET_PASS;
        if (letters[i] == '-' && i > 0 && strchr("bva", letters[i - 1]) != NULL)
            continue; /* the size, which came with the bytes */
        enum net_transfer result = argument_get(request, i, letters[i]);
        if (result != NET_MAKE)
            return result;
    }
    return NET_MAKE;
}

void net_request_end(struct net_request *request)
{
    for (int i = 0; i < request->offset_count; i++)
        tracee_write(&request->tracee, request->offsets[i].address, &request->offsets[i].value,
                     sizeof(request->offsets[i].value));
    for (int i = 0; i < request->descriptor_count; i++)
        close(request->descriptors[i].own);
    for (int i = 0; i < request->memory_count; i++)
        free(request->memory[i]);
    tracee_close(&request->tracee);
}
