#include "tracking.h"

#include <fcntl.h>
#include <linux/kcmp.h>
#include <linux/userfaultfd.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Newer than the headers of many distributions. */
#define FEATURE_WP_UNPOPULATED (UINT64_C(1) << 13) /* linux/userfaultfd.h */
#define FEATURE_WP_ASYNC       (UINT64_C(1) << 15)

/* linux/fs.h of Linux 6.7 */
struct scanned_region {
    uint64_t start, end, categories;
};

struct scan_arguments {
    uint64_t size, flags, start, end, walk_end;
    uint64_t regions, region_count, page_limit;
    uint64_t category_inverted, category_mask, category_any, category_return;
};

#define SCAN               _IOWR('f', 16, struct scan_arguments)
#define SCAN_WRITE_PROTECT (UINT64_C(1) << 0) /* what matches, again */
#define SCAN_CHECK_ASYNC   (UINT64_C(1) << 1) /* fails where nothing is tracked */
#define PAGE_TRACKED       (UINT64_C(1) << 0) /* PAGE_IS_WPALLOWED */
#define PAGE_STORED_TO     (UINT64_C(1) << 1) /* PAGE_IS_WRITTEN */

/*
 * Each page gets an entry in the process's page table, 8 bytes: of what is larger only
 * the tracking would cost more than it saves.
 */
#define TRACKED_LIMIT (UINT64_C(4) << 30)

/* Calls found for the pages of that category. Returns their bytes, or -1. */
static int64_t scan(const struct tracked *tracked, uint64_t category, uint64_t flags,
                    void (*found)(void *context, uint64_t offset, uint64_t size), void *context)
{
    struct scanned_region regions[64];
    int64_t bytes = 0;
    struct scan_arguments arguments = {
        .size = sizeof(arguments),
        .flags = flags,
        .start = tracked->address,
        .end = tracked->address + tracked->size,
        .regions = (uint64_t)(uintptr_t)regions,
        .region_count = sizeof(regions) / sizeof(regions[0]),
        .category_mask = category,
        .category_return = category,
    };
    do {
        int count = ioctl(tracked->pagemap, SCAN, &arguments);
        if (count < 0)
            return -1;
        for (int i = 0; i < count; i++) {
            uint64_t size = regions[i].end - regions[i].start;
            bytes += (int64_t)size;
            if (found != NULL)
                found(context, tracked->offset + (regions[i].start - tracked->address), size);
        }
        arguments.start = arguments.walk_end;
    } while (arguments.start < arguments.end);
    return bytes;
}

bool tracked_scan(const struct tracked *tracked,
                  void (*found)(void *context, uint64_t offset, uint64_t size), void *context)
{
    return scan(tracked, PAGE_STORED_TO, SCAN_WRITE_PROTECT | SCAN_CHECK_ASYNC, found, context) >=
               0 &&
           /* Where there is no mapping (any more) the kernel finds nothing, and says nothing. */
           scan(tracked, PAGE_TRACKED, 0, NULL, NULL) == (int64_t)tracked->size;
}

static bool protect(const struct tracked *tracked)
{
    struct uffdio_api api = {.api = UFFD_API,
                             .features = FEATURE_WP_ASYNC | FEATURE_WP_UNPOPULATED};
    struct uffdio_register registered = {.range = {tracked->address, tracked->size},
                                         .mode = UFFDIO_REGISTER_MODE_WP};
    struct uffdio_writeprotect protected = {.range = registered.range,
                                            .mode = UFFDIO_WRITEPROTECT_MODE_WP};
    return ioctl(tracked->userfaultfd, UFFDIO_API, &api) == 0 &&
           ioctl(tracked->userfaultfd, UFFDIO_REGISTER, &registered) == 0 &&
           ioctl(tracked->userfaultfd, UFFDIO_WRITEPROTECT, &protected) == 0 &&
           tracked_scan(tracked, NULL, NULL);
}

/* A descriptor of the process in this one. */
static int descriptor_take(uint32_t process, int number)
{
    int pidfd = (int)syscall(SYS_pidfd_open, process, 0);
    int fd = pidfd < 0 ? -1 : (int)syscall(SYS_pidfd_getfd, pidfd, number, 0);
    if (pidfd >= 0)
        close(pidfd);
    return fd;
}

bool tracked_begin(struct tracked *tracked, int number)
{
    char path[64];
    if (number < 0 || tracked->size > TRACKED_LIMIT)
        return false;
    tracked->userfaultfd = descriptor_take(tracked->process, number);
    if (tracked->userfaultfd < 0)
        return false;
    snprintf(path, sizeof(path), "/proc/%u/pagemap", tracked->process);
    tracked->pagemap = open(path, O_RDONLY | O_CLOEXEC);
    if (tracked->pagemap >= 0 && protect(tracked))
        return true;
    tracked_end(tracked);
    return false;
}

void tracked_end(const struct tracked *tracked)
{
    close(tracked->userfaultfd);
    if (tracked->pagemap >= 0)
        close(tracked->pagemap);
}

bool tracked_same_memory(uint32_t process, uint32_t other)
{
    return process == other || syscall(SYS_kcmp, process, other, KCMP_VM, 0, 0) <= 0;
}

unsigned tracked_thread_count(uint32_t process)
{
    char path[64];
    struct stat status;
    snprintf(path, sizeof(path), "/proc/%u/task", process);
    /* ".", the one above, and one for each thread */
    return stat(path, &status) != 0 || status.st_nlink < 3 ? 0 : (unsigned)status.st_nlink - 2;
}
