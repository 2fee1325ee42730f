// SPDX-License-Identifier: MIT
/*
 * nand: the NAND flash of an emulated board, whose cells are a file of the host.
 *
 * The cells are the memory of an NVDIMM of QEMU's, which is a mapping of that file: what is
 * programmed stays when the emulator is killed. (nandsim's flash is memory of the guest, and
 * the records of its cache_file are; block2mtd keeps writes in the page cache, and UBIFS
 * never asks it to write them.)
 *
 * As a NAND flash, it programs pages that were erased, each once, erases blocks, and takes
 * its time for both. When the power goes in the midst, the page, or each page of the block,
 * cannot be read any more until the block is erased: as with a flash whose ECC covers pages.
 */
#include <linux/delay.h>
#include <linux/io.h>
#include <linux/module.h>
#include <linux/mtd/mtd.h>

enum { PAGE = 2048, BLOCK = 64 * PAGE, BLOCKS = 128, PAGES = BLOCKS * BLOCK / PAGE };

/* Typical of SLC. */
enum { PROGRAM_US = 200, ERASE_US = 1500 };

/* In the memory behind the cells, a byte for each page. Erased, all of it is 0xff. */
enum state { ERASED = 0xff, IN_THE_MIDST = 0x7f, PROGRAMMED = 0 };

struct nand {
    struct mtd_info mtd;
    u8 *cells, *states;
};

static struct nand *nand_of(struct mtd_info *mtd)
{
    return container_of(mtd, struct nand, mtd);
}

static void set_state(struct nand *nand, unsigned int page, enum state state)
{
    wmb();
    WRITE_ONCE(nand->states[page], state);
    wmb();
}

static int nand_read(struct mtd_info *mtd, loff_t from, size_t len, size_t *retlen, u_char *buf)
{
    struct nand *nand = nand_of(mtd);
    unsigned int page;

    memcpy(buf, nand->cells + from, len);
    *retlen = len;
    for (page = from / PAGE; len > 0 && page <= (from + len - 1) / PAGE; page++)
        if (nand->states[page] == IN_THE_MIDST)
            return -EBADMSG;
    return 0;
}

static int program(struct nand *nand, unsigned int page, const u8 *from)
{
    u8 *cells = nand->cells + (size_t)page * PAGE;

    if (nand->states[page] != ERASED) {
        pr_err("nand: page %u was not erased\n", page);
        return -EIO;
    }
    set_state(nand, page, IN_THE_MIDST);
    memcpy(cells, from, PAGE / 2);
    usleep_range(PROGRAM_US, 2 * PROGRAM_US);
    memcpy(cells + PAGE / 2, from + PAGE / 2, PAGE / 2);
    set_state(nand, page, PROGRAMMED);
    return 0;
}

static int nand_write(struct mtd_info *mtd, loff_t to, size_t len, size_t *retlen,
                      const u_char *buf)
{
    if (to % PAGE != 0 || len % PAGE != 0)
        return -EINVAL;
    for (*retlen = 0; *retlen < len; *retlen += PAGE) {
        int error = program(nand_of(mtd), (to + *retlen) / PAGE, buf + *retlen);

        if (error)
            return error;
    }
    return 0;
}

static int nand_erase(struct mtd_info *mtd, struct erase_info *erase)
{
    struct nand *nand = nand_of(mtd);
    unsigned int first = erase->addr / PAGE, end = first + erase->len / PAGE, page;

    for (page = first; page < end; page++)
        set_state(nand, page, IN_THE_MIDST);
    usleep_range(ERASE_US, 2 * ERASE_US);
    memset(nand->cells + erase->addr, 0xff, erase->len);
    for (page = first; page < end; page++)
        set_state(nand, page, ERASED);
    return 0;
}

/* Where QEMU's pc has its first NVDIMM, whose memory Linux leaves alone unless asked. */
static const phys_addr_t address = 0x100000000;

static struct nand nand = {
    .mtd =
        {
            .name = "nand",
            .owner = THIS_MODULE,
            .type = MTD_NANDFLASH,
            .flags = MTD_CAP_NANDFLASH,
            .size = (u64)BLOCKS * BLOCK,
            .erasesize = BLOCK,
            .writesize = PAGE,
            .writebufsize = PAGE,
            ._read = nand_read,
            ._write = nand_write,
            ._erase = nand_erase,
        },
};

static int __init nand_init(void)
{
    int error;

    nand.cells = memremap(address, (size_t)BLOCKS * BLOCK + PAGES, MEMREMAP_WB);
    if (!nand.cells)
        return -ENXIO;
    nand.states = nand.cells + (size_t)BLOCKS * BLOCK;
    error = mtd_device_register(&nand.mtd, NULL, 0);
    if (error)
        memunmap(nand.cells);
    return error;
}

static void __exit nand_exit(void)
{
    WARN_ON(mtd_device_unregister(&nand.mtd));
    memunmap(nand.cells);
}

module_init(nand_init);
module_exit(nand_exit);
MODULE_DESCRIPTION("NAND flash of an emulated board, in memory that the host keeps");
MODULE_LICENSE("Dual MIT/GPL");
