/*
 * Tests of the flash's driver, in a process: what a cut in the midst leaves. The kernel's
 * headers are empty files, and what the driver uses of them is here.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

typedef uint8_t u8;
typedef uint64_t u64;
typedef uint64_t phys_addr_t;
struct erase_info {
    u64 addr, len;
};
struct mtd_info {
    const char *name;
    void *owner;
    int type, flags;
    u64 size;
    unsigned int erasesize, writesize, writebufsize;
    int (*_read)(struct mtd_info *, loff_t, size_t, size_t *, u_char *);
    int (*_write)(struct mtd_info *, loff_t, size_t, size_t *, const u_char *);
    int (*_erase)(struct mtd_info *, struct erase_info *);
};
enum { MTD_NANDFLASH, MTD_CAP_NANDFLASH, MEMREMAP_WB };
#define THIS_MODULE NULL
#define __init
#define __exit
#define container_of(at, type, name) ((type *)((char *)(at)-offsetof(type, name)))
#define wmb()                        ((void)0)
#define WRITE_ONCE(at, value)        ((at) = (value))
#define WARN_ON(condition)           ((void)(condition))
#define pr_err(...)                  ((void)0)
#define module_init(function)
#define module_exit(function)
#define MODULE_DESCRIPTION(text)
#define MODULE_LICENSE(text)

static u8 memory[32 << 20]; /* of the file of the host: ci/board-cuts */

static void *memremap(phys_addr_t where, size_t size, int how)
{
    (void)where;
    (void)how;
    return size <= sizeof(memory) ? memory : NULL;
}

static void memunmap(void *at)
{
    (void)at;
}

static int mtd_device_register(struct mtd_info *mtd, const void *parts, int count)
{
    (void)parts;
    return mtd->size > 0 ? count : 1;
}

static int mtd_device_unregister(struct mtd_info *mtd)
{
    return mtd->size > 0 ? 0 : 1;
}

static jmp_buf off;
static bool is_cut;

static void usleep_range(unsigned long least, unsigned long most)
{
    (void)least;
    (void)most;
    if (is_cut)
        longjmp(off, 1);
}

#include "nand.c"

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);                \
            exit(1);                                                                               \
        }                                                                                          \
    } while (0)

static int write_page(unsigned int page, char letter)
{
    u8 bytes[PAGE];
    size_t done = 0;
    memset(bytes, letter, sizeof(bytes));
    return nand.mtd._write(&nand.mtd, (loff_t)page * PAGE, PAGE, &done, bytes);
}

static int erase_block(unsigned int block)
{
    struct erase_info erase = {(u64)block * BLOCK, BLOCK};
    return nand.mtd._erase(&nand.mtd, &erase);
}

/* 0, or the negative error; *letter is the page's, 0 when it has several. */
static int read_page(unsigned int page, int *letter)
{
    u8 bytes[PAGE];
    size_t done = 0;
    int error = nand.mtd._read(&nand.mtd, (loff_t)page * PAGE, PAGE, &done, bytes);
    *letter = memcmp(bytes, bytes + 1, PAGE - 1) == 0 ? bytes[0] : 0;
    return error;
}

static bool reads(unsigned int page, int letter)
{
    int seen = 0;
    return read_page(page, &seen) == 0 && seen == letter;
}

static bool is_unreadable(unsigned int page)
{
    int seen = 0;
    return read_page(page, &seen) == -EBADMSG;
}

static void pages_are_programmed_once(void)
{
    size_t done = 0;
    CHECK(write_page(3, 'a') == 0 && reads(3, 'a') && reads(2, 0xff) && reads(4, 0xff));
    CHECK(write_page(3, 'b') == -EIO && reads(3, 'a'));
    CHECK(erase_block(0) == 0 && reads(3, 0xff));
    CHECK(write_page(3, 'b') == 0 && reads(3, 'b'));
    CHECK(nand.mtd._write(&nand.mtd, PAGE / 2, PAGE, &done, memory) == -EINVAL);
    CHECK(nand.mtd._write(&nand.mtd, 0, PAGE / 2, &done, memory) == -EINVAL);
}

static void a_cut_in_a_page(void)
{
    CHECK(write_page(64, 'a') == 0);
    is_cut = true;
    if (setjmp(off) == 0)
        write_page(65, 'b');
    is_cut = false;
    CHECK(reads(64, 'a') && is_unreadable(65) && reads(66, 0xff));
    CHECK(write_page(65, 'c') == -EIO && is_unreadable(65));
    CHECK(erase_block(1) == 0 && reads(65, 0xff) && write_page(65, 'c') == 0 && reads(65, 'c'));
}

static void a_cut_in_an_erasure(void)
{
    CHECK(write_page(127, 'z') == 0 && write_page(128, 'a') == 0 && write_page(192, 'b') == 0);
    is_cut = true;
    if (setjmp(off) == 0)
        erase_block(2);
    is_cut = false;
    CHECK(is_unreadable(128) && is_unreadable(191) && reads(127, 'z') && reads(192, 'b'));
    CHECK(write_page(129, 'c') == -EIO);
    CHECK(erase_block(2) == 0 && reads(128, 0xff));
}

int main(void)
{
    memset(memory, 0xff, sizeof(memory));
    CHECK(nand_init() == 0);
    pages_are_programmed_once();
    a_cut_in_a_page();
    a_cut_in_an_erasure();
    nand_exit();
    return 0;
}
