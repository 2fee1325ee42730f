/*
 * The matrix on the terminal. It is first put together as a grid of texts, so that columns
 * can be as wide as what is in them. Calls that change nothing are left out, and in a
 * long matrix a stretch of calls with equal cells becomes one row.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "report_page.h"

/* Width that calls are shortened to if a page is too narrow. */
#define CALL_WIDTH_MINIMUM 24

/* A matrix with more rows than this is long. */
#define LONG_MATRIX 60
/* Equal rows that are worth folding. */
#define FOLD_MINIMUM 3

/* Labels that a cell names one by one, and characters of each. */
#define LABELS_SHOWN 3
#define LABEL_WIDTH  20

/* ---- Cells ---- */

static bool cells_equal(const struct cm_cell *a, const struct cm_cell *b)
{
    if (a->label_count != b->label_count || a->violations != b->violations)
        return false;
    for (size_t i = 0; i < a->label_count; i++)
        if (a->labels[i].states != b->labels[i].states ||
            strcmp(a->labels[i].name, b->labels[i].name) != 0)
            return false;
    return true;
}

static void print_labels(FILE *stream, const struct cm_cell *cell)
{
    const char *separator = "";
    size_t shown = cell->label_count <= LABELS_SHOWN + 1 ? cell->label_count : LABELS_SHOWN;
    for (size_t i = 0; i < shown; i++) {
        char *name = cm_page_shorten(cm_safe_text(cell->labels[i].name), LABEL_WIDTH);
        fprintf(stream, "%s%" PRIu64 " %s", separator, cell->labels[i].states, name);
        separator = ", ";
        free(name);
    }
    uint64_t rest = 0;
    for (size_t i = shown; i < cell->label_count; i++)
        rest += cell->labels[i].states;
    if (shown < cell->label_count)
        fprintf(stream, ", %" PRIu64 " of %zu other labels", rest, cell->label_count - shown);
    if (cell->violations > 0)
        fprintf(stream, "%s%" PRIu64 " FAIL", separator, cell->violations);
    else if (cell->label_count == 0)
        fputc('-', stream);
}

/* A cell of a model that was not covered entirely says so and counts no more
 * than it knows. */
static void print_lower_bound(FILE *stream, const struct cm_cell *cell, bool complete)
{
    uint64_t states = 0;
    for (size_t i = 0; i < cell->label_count; i++)
        states += cell->labels[i].states;
    if (cell->violations > 0)
        fprintf(stream, "FAIL >= %" PRIu64, cell->violations);
    else
        fprintf(stream, "%s >= %" PRIu64, complete ? "shard" : "incomplete", states);
}

static char *cell_text(const struct cm_exploration *exploration, uint32_t boundary)
{
    struct cm_buffer buffer;
    FILE *stream = cm_buffer_open(&buffer);
    if (exploration->exhaustive)
        print_labels(stream, &exploration->cells[boundary]);
    else
        print_lower_bound(stream, &exploration->cells[boundary], exploration->complete);
    return cm_buffer_close(&buffer);
}

static const char *cell_colour(const struct cm_exploration *exploration, uint32_t boundary)
{
    if (exploration->cells[boundary].violations > 0)
        return CM_RED;
    return exploration->exhaustive ? NULL : CM_YELLOW;
}

/* ---- Matrix ---- */

/* A row: boundaries first to last, which have equal cells. */
struct row {
    uint32_t first;
    uint32_t last;
    size_t calls; /* that change something, among them */
};

/* Columns: boundaries, the call that ends there, and a cell for each group of models. */
enum column { COLUMN_BOUNDARY, COLUMN_CALL, COLUMN_MODEL };

/* Models whose cells are equal in every row: a column. */
struct group {
    size_t first; /* the first of them, whose cells are shown */
    size_t count;
};

struct matrix {
    const struct cm_report *report;
    struct group *groups;
    size_t *group_of; /* of each model */
    size_t group_count;
    struct row *rows;
    size_t row_count;
    char **texts;   /* row_count + 1 rows, the first of them the heading */
    size_t *widths; /* of the columns */
    size_t column_count;
    size_t total; /* of the widths, with what is between */
    size_t idle;  /* calls left out */
};

static bool boundary_is_idle(const struct cm_report *report, uint32_t boundary)
{
    if (boundary == 0)
        return false;
    uint32_t call = report->explorations[0]->boundary_calls[boundary];
    return report->trace->calls[call].effect == FF_EFFECT_NONE;
}

static bool boundaries_equal(const struct cm_report *report, uint32_t a, uint32_t b)
{
    for (size_t i = 0; i < report->exploration_count; i++)
        if (!cells_equal(&report->explorations[i]->cells[a], &report->explorations[i]->cells[b]))
            return false;
    return true;
}

static void matrix_choose_rows(struct matrix *matrix)
{
    const struct cm_report *report = matrix->report;
    uint32_t count = cm_boundary_count(report);
    matrix->rows = cm_allocate(count, sizeof(matrix->rows[0]));
    for (uint32_t b = 0; b < count; b++) {
        if (boundary_is_idle(report, b))
            matrix->idle++;
        else
            matrix->rows[matrix->row_count++] = (struct row){b, b, 1};
    }
}

/* Joins stretches of rows with equal cells. Boundary 0 stays a row of its own. */
static void matrix_fold(struct matrix *matrix)
{
    struct row *rows = matrix->rows;
    size_t kept = 0;
    for (size_t i = 0; i < matrix->row_count;) {
        size_t end = i + 1;
        while (i > 0 && end < matrix->row_count &&
               boundaries_equal(matrix->report, rows[i].first, rows[end].first))
            end++;
        if (end - i >= FOLD_MINIMUM) {
            rows[kept++] = (struct row){rows[i].first, rows[end - 1].last, end - i};
            i = end;
        } else {
            rows[kept++] = rows[i++];
        }
    }
    matrix->row_count = kept;
}

static bool models_equal(const struct matrix *matrix, size_t a, size_t b)
{
    const struct cm_exploration *one = matrix->report->explorations[a];
    const struct cm_exploration *other = matrix->report->explorations[b];
    if (one->exhaustive != other->exhaustive || one->complete != other->complete)
        return false;
    for (size_t r = 0; r < matrix->row_count; r++) {
        uint32_t boundary = matrix->rows[r].first;
        if (!cells_equal(&one->cells[boundary], &other->cells[boundary]))
            return false;
    }
    return true;
}

/* One for each model, or one for all that are equal. */
static void matrix_group(struct matrix *matrix, bool join)
{
    size_t models = matrix->report->exploration_count;
    matrix->groups = cm_allocate(models, sizeof(matrix->groups[0]));
    matrix->group_of = cm_allocate(models, sizeof(matrix->group_of[0]));
    matrix->group_count = 0;
    for (size_t i = 0; i < models; i++) {
        size_t g = join ? 0 : matrix->group_count;
        while (g < matrix->group_count && !models_equal(matrix, matrix->groups[g].first, i))
            g++;
        if (g == matrix->group_count)
            matrix->groups[matrix->group_count++] = (struct group){i, 0};
        matrix->groups[g].count++;
        matrix->group_of[i] = g;
    }
}

/* "ext4", or "ext4 +2", which the legend tells. */
static char *group_heading(const struct matrix *matrix, size_t group)
{
    const struct group *models = &matrix->groups[group];
    char *name = cm_safe_text(matrix->report->explorations[models->first]->model);
    if (models->count == 1)
        return name;
    char *heading = cm_format("%s +%zu", name, models->count - 1);
    free(name);
    return heading;
}

static void print_group(const struct matrix *matrix, size_t group, FILE *stream)
{
    char *heading = group_heading(matrix, group);
    char *begin = cm_format("  %s: ", heading);
    fputs(begin, stream);
    struct cm_page_list list = cm_page_list(stream, begin);
    free(begin);
    free(heading);
    for (size_t i = 0; i < matrix->report->exploration_count; i++) {
        if (matrix->group_of[i] != group)
            continue;
        char *name = cm_safe_text(matrix->report->explorations[i]->model);
        cm_page_list_add(&list, name);
        free(name);
    }
    fputc('\n', stream);
}

static void print_legend(const struct matrix *matrix, FILE *stream)
{
    if (matrix->group_count == matrix->report->exploration_count)
        return;
    fputs("\nModels with the same cells are one column:\n", stream);
    for (size_t g = 0; g < matrix->group_count; g++)
        if (matrix->groups[g].count > 1)
            print_group(matrix, g, stream);
}

static char **matrix_texts(const struct matrix *matrix, size_t row)
{
    return matrix->texts + row * matrix->column_count;
}

static char *row_numbers(const struct row *row)
{
    struct cm_buffer buffer;
    FILE *stream = cm_buffer_open(&buffer);
    fprintf(stream, "%" PRIu32, row->first);
    if (row->last > row->first)
        fprintf(stream, "-%" PRIu32, row->last);
    return cm_buffer_close(&buffer);
}

static char *row_call(const struct matrix *matrix, const struct row *row)
{
    char *call = cm_boundary_text(matrix->report, row->last);
    if (row->calls == 1)
        return call;
    struct cm_buffer buffer;
    fprintf(cm_buffer_open(&buffer), "%zu calls, the last: %s", row->calls, call);
    free(call);
    return cm_buffer_close(&buffer);
}

static void matrix_fill(struct matrix *matrix)
{
    const struct cm_report *report = matrix->report;
    matrix->column_count = COLUMN_MODEL + matrix->group_count;
    matrix->texts =
        cm_allocate((matrix->row_count + 1) * matrix->column_count, sizeof(matrix->texts[0]));
    char **heading = matrix_texts(matrix, 0);
    heading[COLUMN_BOUNDARY] = cm_safe_text("#");
    heading[COLUMN_CALL] = cm_safe_text("power cut after");
    for (size_t g = 0; g < matrix->group_count; g++)
        heading[COLUMN_MODEL + g] = group_heading(matrix, g);
    for (size_t r = 0; r < matrix->row_count; r++) {
        char **texts = matrix_texts(matrix, r + 1);
        texts[COLUMN_BOUNDARY] = row_numbers(&matrix->rows[r]);
        texts[COLUMN_CALL] = row_call(matrix, &matrix->rows[r]);
        for (size_t g = 0; g < matrix->group_count; g++)
            texts[COLUMN_MODEL + g] =
                cell_text(report->explorations[matrix->groups[g].first], matrix->rows[r].first);
    }
}

static size_t column_width(const struct matrix *matrix, size_t column)
{
    size_t widest = 0;
    for (size_t r = 0; r <= matrix->row_count; r++) {
        size_t width = cm_page_width(matrix_texts(matrix, r)[column]);
        widest = width > widest ? width : widest;
    }
    return widest;
}

/* Makes columns as wide as needed. */
static void matrix_measure(struct matrix *matrix)
{
    matrix->widths = cm_allocate(matrix->column_count, sizeof(matrix->widths[0]));
    matrix->total = 0;
    for (size_t c = 0; c < matrix->column_count; c++) {
        matrix->widths[c] = column_width(matrix, c);
        matrix->total += matrix->widths[c] + 2;
    }
}

/* Whether it stays too wide for a page, with the calls as short as they may be. */
static bool matrix_is_wide(const struct matrix *matrix)
{
    size_t calls = matrix->widths[COLUMN_CALL];
    size_t spare = calls > CALL_WIDTH_MINIMUM ? calls - CALL_WIDTH_MINIMUM : 0;
    return matrix->total - spare > CM_PAGE_WIDTH;
}

/* Makes the calls shorter until the page is wide enough. */
static void matrix_shorten(struct matrix *matrix)
{
    size_t *calls = &matrix->widths[COLUMN_CALL];
    while (matrix->total > CM_PAGE_WIDTH && *calls > CALL_WIDTH_MINIMUM) {
        matrix->total--;
        (*calls)--;
    }
    for (size_t r = 0; r <= matrix->row_count; r++) {
        char **text = &matrix_texts(matrix, r)[COLUMN_CALL];
        *text = cm_page_shorten(*text, *calls);
    }
}

static const char *matrix_colour(const struct matrix *matrix, size_t row, size_t column)
{
    if (row == 0)
        return CM_BOLD;
    if (column < COLUMN_MODEL)
        return NULL;
    const struct group *group = &matrix->groups[column - COLUMN_MODEL];
    return cell_colour(matrix->report->explorations[group->first], matrix->rows[row - 1].first);
}

/* The cell of a row in a column; nothing follows in the last one. */
static void matrix_print_cell(const struct matrix *matrix, size_t row, size_t column, bool last,
                              FILE *stream, bool colours)
{
    const char *text = matrix_texts(matrix, row)[column];
    size_t width = cm_page_width(text);
    fputs("  ", stream);
    if (column == COLUMN_BOUNDARY)
        cm_page_pad(stream, width, matrix->widths[column]);
    cm_page_print(stream, colours, matrix_colour(matrix, row, column), text);
    if (column != COLUMN_BOUNDARY && !last)
        cm_page_pad(stream, width, matrix->widths[column]);
}

/* The models from column first up to, but not including, end. */
static void matrix_print_part(const struct matrix *matrix, size_t first, size_t end, FILE *stream,
                              bool colours)
{
    for (size_t row = 0; row <= matrix->row_count; row++) {
        for (size_t c = 0; c < COLUMN_MODEL; c++)
            matrix_print_cell(matrix, row, c, false, stream, colours);
        for (size_t c = first; c < end; c++)
            matrix_print_cell(matrix, row, c, c + 1 == end, stream, colours);
        fputc('\n', stream);
    }
}

/* As many columns beside each other as a page has room for, then the next ones below. */
static void matrix_print(const struct matrix *matrix, FILE *stream, bool colours)
{
    size_t calls = matrix->widths[COLUMN_BOUNDARY] + matrix->widths[COLUMN_CALL] + 4;
    for (size_t first = COLUMN_MODEL; first < matrix->column_count;) {
        size_t end = first, width = calls;
        do
            width += matrix->widths[end++] + 2;
        while (end < matrix->column_count && width + matrix->widths[end] + 2 <= CM_PAGE_WIDTH);
        fputs(first > COLUMN_MODEL ? "\n" : "", stream);
        matrix_print_part(matrix, first, end, stream, colours);
        first = end;
    }
}

static void matrix_clear(struct matrix *matrix)
{
    for (size_t i = 0; i < (matrix->row_count + 1) * matrix->column_count; i++)
        free(matrix->texts[i]);
    free(matrix->texts);
    free(matrix->widths);
    free(matrix->groups);
    free(matrix->group_of);
}

/* A column for each model; if that is too wide for a page, one for those with equal cells. */
static void matrix_lay_out(struct matrix *matrix)
{
    matrix_group(matrix, false);
    matrix_fill(matrix);
    matrix_measure(matrix);
    if (matrix->group_count > 1 && matrix_is_wide(matrix)) {
        matrix_clear(matrix);
        matrix_group(matrix, true);
        matrix_fill(matrix);
        matrix_measure(matrix);
    }
    matrix_shorten(matrix);
}

void cm_print_matrix(const struct cm_report *report, FILE *stream, bool colours)
{
    struct matrix matrix = {.report = report};
    matrix_choose_rows(&matrix);
    if (matrix.row_count > LONG_MATRIX)
        matrix_fold(&matrix);
    matrix_lay_out(&matrix);
    matrix_print(&matrix, stream, colours);
    print_legend(&matrix, stream);
    bool observed = false, monotone = false;
    for (size_t i = 0; i < report->exploration_count; i++) {
        observed = observed || report->explorations[i]->observed;
        monotone = monotone || report->explorations[i]->monotone;
    }
    fputs(
        observed
            ? "\nA cell counts the states that a power cut after that call can leave and that the\n"
              "check can tell apart, by label, and those that it rejects (FAIL). One state may be\n"
              "in many rows.\n"
            : "\nA cell counts the distinct states that a power cut after that call can leave, by\n"
              "label, and those that the check rejects (FAIL). One state may be in many rows.\n",
        stream);
    if (monotone)
        fputs("The check was declared monotone: what it accepted it was not asked again with less\n"
              "output, and the label is that with the most output.\n",
              stream);
    if (matrix.idle > 0)
        fprintf(stream, "%zu call%s that changed nothing (close, failed calls, ...) left out.\n",
                matrix.idle, matrix.idle == 1 ? "" : "s");
    matrix_clear(&matrix);
    free(matrix.rows);
}
