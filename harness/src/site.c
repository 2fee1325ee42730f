#include "site.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "report_shared.h"

struct cm_sites {
    const struct ff_trace *trace;
    struct cm_site *sites; /* sorted by module and offset */
    size_t count;
};

/* ---- Finding ---- */

static int site_compare(const void *left, const void *right)
{
    const struct cm_site *a = left, *b = right;
    if (a->module != b->module)
        return a->module < b->module ? -1 : 1;
    return (a->offset > b->offset) - (a->offset < b->offset);
}

static void sites_collect(struct cm_sites *sites)
{
    const struct ff_trace *trace = sites->trace;
    size_t count = 0;
    sites->sites = cm_allocate(trace->call_count, sizeof(sites->sites[0]));
    for (size_t i = 0; i < trace->call_count; i++)
        if (trace->calls[i].module < trace->module_count)
            sites->sites[count++] =
                (struct cm_site){.module = trace->calls[i].module, .offset = trace->calls[i].site};
    qsort(sites->sites, count, sizeof(sites->sites[0]), site_compare);
    for (size_t i = 0; i < count; i++)
        if (i == 0 || site_compare(&sites->sites[i], &sites->sites[sites->count - 1]) != 0)
            sites->sites[sites->count++] = sites->sites[i];
}

/* Looks up the sites of one module, which begin at first; returns where they end. */
static size_t module_resolve(struct cm_sites *sites, size_t first)
{
    const char *problem;
    uint32_t number = sites->sites[first].module;
    const struct ff_module *module = &sites->trace->modules[number];
    struct cm_debug_info *info = cm_debug_info_open(module->path, module->build_id, &problem);
    size_t i = first;
    for (; i < sites->count && sites->sites[i].module == number; i++) {
        if (info != NULL)
            cm_debug_info_find(info, sites->sites[i].offset, &sites->sites[i].place);
        sites->sites[i].problem = problem;
    }
    cm_debug_info_close(info);
    return i;
}

struct cm_sites *cm_sites_find(const struct ff_trace *trace)
{
    struct cm_sites *sites = cm_allocate(1, sizeof(*sites));
    sites->trace = trace;
    sites_collect(sites);
    for (size_t i = 0; i < sites->count;)
        i = module_resolve(sites, i);
    return sites;
}

const struct cm_site *cm_site_of(const struct cm_sites *sites, uint32_t call)
{
    if (sites == NULL)
        return NULL;
    struct cm_site key = {.module = sites->trace->calls[call].module,
                          .offset = sites->trace->calls[call].site};
    return bsearch(&key, sites->sites, sites->count, sizeof(sites->sites[0]), site_compare);
}

void cm_sites_free(struct cm_sites *sites)
{
    if (sites == NULL)
        return;
    for (size_t i = 0; i < sites->count; i++) {
        free(sites->sites[i].place.function);
        free(sites->sites[i].place.file);
    }
    free(sites->sites);
    free(sites);
}

/* ---- Text ---- */

static void print_text(FILE *stream, const char *text)
{
    cm_print_safe(stream, text, strlen(text));
}

static void print_site(FILE *stream, const struct cm_site *site, const char *module)
{
    const struct cm_debug_place *place = &site->place;
    if (place->function != NULL)
        print_text(stream, place->function);
    if (place->function != NULL)
        fputs(place->file != NULL ? "() " : "() in ", stream);
    if (place->file != NULL) {
        print_text(stream, place->file);
        if (place->line > 0)
            fprintf(stream, ":%" PRIu32, place->line);
    } else {
        print_text(stream, module);
        fprintf(stream, "+0x%" PRIx64, site->offset);
    }
    if (site->problem != NULL) {
        fputs(": ", stream);
        print_text(stream, module);
        fprintf(stream, " %s", site->problem);
    }
}

char *cm_site_text(const struct cm_sites *sites, uint32_t call)
{
    struct cm_buffer buffer;
    FILE *stream = cm_buffer_open(&buffer);
    const struct cm_site *site = cm_site_of(sites, call);
    if (site != NULL) {
        const char *path = sites->trace->modules[site->module].path;
        const char *slash = strrchr(path, '/');
        fputc('[', stream);
        print_site(stream, site, slash != NULL ? slash + 1 : path);
        fputc(']', stream);
    }
    return cm_buffer_close(&buffer);
}
