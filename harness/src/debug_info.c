#include "debug_info.h"

#include <dwarf.h>
#include <elfutils/libdwfl.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "memory.h"

struct cm_debug_info {
    Dwfl *session;
    Dwfl_Module *module;
};

/* ---- The file ---- */

static const Dwfl_Callbacks callbacks = {
    .find_elf = dwfl_build_id_find_elf,
    .find_debuginfo = dwfl_standard_find_debuginfo,
    .section_address = dwfl_offline_section_address,
};

/* A path of a trace may be anything by now, also something that waits or reacts. */
static int file_open(const char *path)
{
    struct stat status;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd >= 0 && fstat(fd, &status) == 0 && S_ISREG(status.st_mode))
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

static const char *build_id_compare(Dwfl_Module *module, struct ff_bytes recorded)
{
    const unsigned char *bits = NULL;
    GElf_Addr address;
    int size = dwfl_module_build_id(module, &bits, &address);
    size_t actual = size > 0 ? (size_t)size : 0;
    if (actual != recorded.size || (actual > 0 && memcmp(bits, recorded.data, actual) != 0))
        return "has changed since the recording";
    return actual == 0 ? "has no build-id, so it may have changed" : NULL;
}

/* The module of an ELF file, or NULL. */
static Dwfl_Module *module_report(Dwfl *session, const char *path)
{
    GElf_Addr bias;
    int fd = file_open(path);
    if (fd < 0)
        return NULL;
    dwfl_report_begin(session);
    Dwfl_Module *module = dwfl_report_offline(session, path, path, fd);
    if (module == NULL)
        close(fd);
    dwfl_report_end(session, NULL, NULL);
    return module != NULL && dwfl_module_getelf(module, &bias) != NULL ? module : NULL;
}

struct cm_debug_info *cm_debug_info_open(const char *path, struct ff_bytes build_id,
                                         const char **problem)
{
    struct cm_debug_info *info = cm_allocate(1, sizeof(*info));
    info->session = dwfl_begin(&callbacks);
    if (info->session != NULL)
        info->module = module_report(info->session, path);
    *problem = info->module != NULL ? build_id_compare(info->module, build_id)
                                    : "is gone or cannot be read";
    if (info->module != NULL && (*problem == NULL || build_id.size == 0))
        return info;
    cm_debug_info_close(info);
    return NULL;
}

void cm_debug_info_close(struct cm_debug_info *info)
{
    if (info != NULL && info->session != NULL)
        dwfl_end(info->session);
    free(info);
}

/* ---- Addresses ---- */

/* From a position in the file to an address as libdwfl counts; false if it is nowhere. */
static bool address_find(const struct cm_debug_info *info, uint64_t offset, Dwarf_Addr *address)
{
    GElf_Addr bias;
    size_t count;
    Elf *elf = dwfl_module_getelf(info->module, &bias);
    if (elf_getphdrnum(elf, &count) != 0)
        return false;
    for (size_t i = 0; i < count; i++) {
        GElf_Phdr segment;
        if (gelf_getphdr(elf, (int)i, &segment) == NULL || segment.p_type != PT_LOAD ||
            offset < segment.p_offset || offset - segment.p_offset >= segment.p_filesz)
            continue;
        *address = offset - segment.p_offset + segment.p_vaddr + bias;
        return true;
    }
    return false;
}

/*
 * The compilation unit with an address, of which the bias is then taken off.
 * clang writes no table of addresses (.debug_aranges), so that each unit must be
 * asked when the table does not know.
 */
static Dwarf_Die *unit_find(Dwfl_Module *module, Dwarf_Addr *address)
{
    Dwarf_Addr bias = 0;
    Dwarf_Die *unit = dwfl_module_addrdie(module, *address, &bias);
    while (unit == NULL || dwarf_haspc(unit, *address - bias) != 1) {
        unit = dwfl_module_nextcu(module, unit, &bias);
        if (unit == NULL)
            return NULL;
    }
    *address -= bias;
    return unit;
}

/* ---- Names ---- */

/* From a function's code, or a copy of it inlined, to where it was declared. */
static Dwarf_Die declaration_of(Dwarf_Die function)
{
    static const unsigned links[] = {DW_AT_abstract_origin, DW_AT_specification};
    Dwarf_Attribute attribute;
    Dwarf_Die next;
    for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++)
        if (dwarf_attr(&function, links[i], &attribute) != NULL &&
            dwarf_formref_die(&attribute, &next) != NULL)
            function = next;
    return function;
}

static bool qualifies(Dwarf_Die *scope)
{
    switch (dwarf_tag(scope)) {
    case DW_TAG_namespace:
    case DW_TAG_class_type:
    case DW_TAG_structure_type:
    case DW_TAG_union_type:
    case DW_TAG_enumeration_type:
        return true;
    default:
        return false;
    }
}

/* "store::Log::commit", malloc'ed. */
static char *function_name(Dwarf_Die function)
{
    Dwarf_Die declaration = declaration_of(function);
    Dwarf_Die *scopes = NULL;
    const char *name = dwarf_diename(&declaration);
    char *qualified = cm_format("%s", name != NULL ? name : "(without a name)");
    int count = dwarf_getscopes_die(&declaration, &scopes);
    for (int i = 1; i < count; i++) {
        if (!qualifies(&scopes[i]))
            continue;
        const char *scope = dwarf_diename(&scopes[i]);
        char *longer = cm_format("%s::%s", scope != NULL ? scope : "(anonymous)", qualified);
        free(qualified);
        qualified = longer;
    }
    free(scopes);
    return qualified;
}

/* The file as people call it who are where the compiler was. */
static char *file_name(Dwarf_Die *unit, const char *file)
{
    Dwarf_Attribute attribute;
    const char *directory = dwarf_formstring(dwarf_attr(unit, DW_AT_comp_dir, &attribute));
    size_t length = directory != NULL ? strlen(directory) : 0;
    if (length > 1 && strncmp(file, directory, length) == 0 && file[length] == '/')
        file += length + 1;
    return cm_format("%s", file);
}

/* ---- Debug information ---- */

static void line_find(Dwarf_Die *unit, Dwarf_Addr address, struct cm_debug_place *place)
{
    int number = 0;
    Dwarf_Line *line = dwarf_getsrc_die(unit, address);
    const char *file = line != NULL ? dwarf_linesrc(line, NULL, NULL) : NULL;
    if (file == NULL || dwarf_lineno(line, &number) != 0)
        return;
    place->file = file_name(unit, file);
    place->line = (uint32_t)number;
}

static bool unsigned_attribute(Dwarf_Die *die, unsigned name, Dwarf_Word *value)
{
    Dwarf_Attribute attribute;
    return dwarf_formudata(dwarf_attr(die, name, &attribute), value) == 0;
}

/* The line from which an inlined function was called becomes the place's. */
static void line_of_caller(Dwarf_Die *unit, Dwarf_Die *inlined, struct cm_debug_place *place)
{
    Dwarf_Files *files;
    size_t count;
    Dwarf_Word file, line;
    free(place->file);
    place->file = NULL;
    place->line = 0;
    if (!unsigned_attribute(inlined, DW_AT_call_file, &file) ||
        !unsigned_attribute(inlined, DW_AT_call_line, &line) ||
        dwarf_getsrcfiles(unit, &files, &count) != 0 || file >= count)
        return;
    const char *path = dwarf_filesrc(files, file, NULL, NULL);
    if (path == NULL)
        return;
    place->file = file_name(unit, path);
    place->line = (uint32_t)line;
}

/*
 * The wrappers of _FORTIFY_SOURCE are artificial and belong to nothing. (So are
 * lambdas, but those belong to a class.)
 */
static bool is_wrapper(Dwarf_Die *inlined)
{
    Dwarf_Attribute attribute;
    bool artificial = false;
    Dwarf_Die declaration = declaration_of(*inlined);
    Dwarf_Die *scopes = NULL;
    int depth = dwarf_getscopes_die(&declaration, &scopes);
    free(scopes);
    dwarf_formflag(dwarf_attr(&declaration, DW_AT_artificial, &attribute), &artificial);
    return artificial && depth == 2; /* itself and the unit */
}

static void scope_use(Dwarf_Die *unit, Dwarf_Die *scope, struct cm_debug_place *place)
{
    bool inlined = dwarf_tag(scope) == DW_TAG_inlined_subroutine;
    if (place->function != NULL)
        return;
    if (inlined && is_wrapper(scope))
        line_of_caller(unit, scope, place);
    else if (inlined || dwarf_tag(scope) == DW_TAG_subprogram)
        place->function = function_name(*scope);
}

static bool holds_code(Dwarf_Die *scope)
{
    switch (dwarf_tag(scope)) {
    case DW_TAG_subprogram:
    case DW_TAG_inlined_subroutine:
    case DW_TAG_lexical_block:
    case DW_TAG_try_block:
    case DW_TAG_catch_block:
        return true;
    default:
        return false;
    }
}

struct search {
    Dwarf_Die *unit;
    Dwarf_Addr address;
    bool everywhere; /* else not in functions that do not have the address */
    struct cm_debug_place *place;
};

/*
 * The innermost function around an address: from scope to scope inwards, then
 * outwards until one will do. (dwarf_getscopes() does not look into namespaces,
 * where LLVM puts the functions of Rust.) False if no scope has the address.
 */
static bool scopes_search(const struct search *search, Dwarf_Die *around)
{
    Dwarf_Die scope;
    for (int end = dwarf_child(around, &scope); end == 0; end = dwarf_siblingof(&scope, &scope)) {
        bool here = holds_code(&scope) && dwarf_haspc(&scope, search->address) == 1;
        bool within =
            (here || qualifies(&scope) || search->everywhere) && scopes_search(search, &scope);
        if (here)
            scope_use(search->unit, &scope, search->place);
        if (here || within)
            return true;
    }
    return false;
}

/* Functions in functions (lambdas), which may be anywhere, are looked for last. */
static void function_find(Dwarf_Die *unit, Dwarf_Addr address, struct cm_debug_place *place)
{
    struct search search = {unit, address, false, place};
    if (scopes_search(&search, unit))
        return;
    search.everywhere = true;
    scopes_search(&search, unit);
}

/* ---- Symbols ---- */

/* Only a symbol of known size says which code is its own: in a stripped file the
 * nearest one before an address may be any. */
static void symbol_find(Dwfl_Module *module, Dwarf_Addr address, struct cm_debug_place *place)
{
    GElf_Off offset;
    GElf_Sym symbol;
    const char *name = dwfl_module_addrinfo(module, address, &offset, &symbol, NULL, NULL, NULL);
    if (name != NULL && offset < symbol.st_size)
        place->function = cm_format("%s", name);
}

void cm_debug_info_find(struct cm_debug_info *info, uint64_t offset, struct cm_debug_place *place)
{
    Dwarf_Addr address;
    *place = (struct cm_debug_place){0};
    /* The return address is behind the call, and may belong to what comes next. */
    if (offset == 0 || !address_find(info, offset - 1, &address))
        return;
    Dwarf_Addr inside = address;
    Dwarf_Die *unit = unit_find(info->module, &inside);
    if (unit != NULL) {
        line_find(unit, inside, place);
        function_find(unit, inside, place);
    }
    if (place->function == NULL)
        symbol_find(info->module, address, place);
}
