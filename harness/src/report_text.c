/*
 * The report for people: the matrix, then each violation with what it lost and
 * the command that replays it, then a summary, a line for each model, and the
 * verdict as the last line.
 *
 * The matrix is first put together as a grid of texts, so that columns can be
 * as wide as what is in them. Calls that change nothing are left out, and in a
 * long matrix a stretch of calls with equal cells becomes one row.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "report_shared.h"

/* Width that a matrix keeps to while its calls can be shortened. */
#define PAGE_WIDTH         100
#define CALL_WIDTH_MINIMUM 24

/* A matrix with more rows than this is long. */
#define LONG_MATRIX 60
/* Equal rows that are worth folding. */
#define FOLD_MINIMUM 3

/* Labels that a cell names one by one, and characters of each. */
#define LABELS_SHOWN 3
#define LABEL_WIDTH  20

/* Lost and kept operations listed for a violation, each. */
#define OPERATIONS_SHOWN 12

/* Digits of a count that are printed; larger ones are rounded. */
#define DIGITS_SHOWN 18

#define BOLD   "\033[1m"
#define RED    "\033[31m"
#define GREEN  "\033[32m"
#define YELLOW "\033[33m"
#define PLAIN  "\033[0m"

/* ---- Columns ---- */

/* Columns that safe text takes on a terminal, at one for each character. */
static size_t text_width(const char *text)
{
    size_t width = 0;
    for (; *text != '\0'; text++)
        width += ((unsigned char)*text & 0xc0) != 0x80;
    return width;
}

/* The byte at which character number column begins. */
static const char *text_column(const char *text, size_t column)
{
    for (; *text != '\0'; text++)
        if (((unsigned char)*text & 0xc0) != 0x80 && column-- == 0)
            break;
    return text;
}

/* Replaces text by one of at most width characters that keeps the beginning and
 * more of the end, where paths differ. Both are malloc'ed; width is 4 or more. */
static char *text_shorten(char *text, size_t width)
{
    size_t length = text_width(text);
    if (length <= width)
        return text;
    size_t head = (width - 3) / 3;
    size_t tail = width - 3 - head;
    struct cm_buffer buffer;
    FILE *stream = cm_buffer_open(&buffer);
    fwrite(text, 1, (size_t)(text_column(text, head) - text), stream);
    fprintf(stream, "...%s", text_column(text, length - tail));
    free(text);
    return cm_buffer_close(&buffer);
}

static void print_padding(FILE *stream, size_t used, size_t width)
{
    for (; used < width; used++)
        fputc(' ', stream);
}

/* ---- Colours ---- */

static const char *verdict_colour(enum cm_verdict verdict)
{
    switch (verdict) {
    case CM_PASS:
        return GREEN;
    case CM_FAIL:
        return RED;
    default:
        return YELLOW;
    }
}

static void print_coloured(FILE *stream, bool colours, const char *colour, const char *text)
{
    if (colours && colour != NULL)
        fprintf(stream, "%s%s%s", colour, text, PLAIN);
    else
        fputs(text, stream);
}

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
        char *name = text_shorten(cm_safe_text(cell->labels[i].name), LABEL_WIDTH);
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
        return RED;
    return exploration->exhaustive ? NULL : YELLOW;
}

/* ---- Matrix ---- */

/* A row: boundaries first to last, which have equal cells. */
struct row {
    uint32_t first;
    uint32_t last;
    size_t calls; /* that change something, among them */
};

/* Columns: boundaries, the call that ends there, and a cell for each model. */
enum column { COLUMN_BOUNDARY, COLUMN_CALL, COLUMN_MODEL };

struct matrix {
    const struct cm_report *report;
    struct row *rows;
    size_t row_count;
    char **texts;   /* row_count + 1 rows, the first of them the heading */
    size_t *widths; /* of the columns */
    size_t column_count;
    size_t idle; /* calls left out */
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
    matrix->column_count = COLUMN_MODEL + report->exploration_count;
    matrix->texts =
        cm_allocate((matrix->row_count + 1) * matrix->column_count, sizeof(matrix->texts[0]));
    char **heading = matrix_texts(matrix, 0);
    heading[COLUMN_BOUNDARY] = cm_safe_text("#");
    heading[COLUMN_CALL] = cm_safe_text("power cut after");
    for (size_t i = 0; i < report->exploration_count; i++)
        heading[COLUMN_MODEL + i] = cm_safe_text(report->explorations[i]->model);
    for (size_t r = 0; r < matrix->row_count; r++) {
        char **texts = matrix_texts(matrix, r + 1);
        texts[COLUMN_BOUNDARY] = row_numbers(&matrix->rows[r]);
        texts[COLUMN_CALL] = row_call(matrix, &matrix->rows[r]);
        for (size_t i = 0; i < report->exploration_count; i++)
            texts[COLUMN_MODEL + i] = cell_text(report->explorations[i], matrix->rows[r].first);
    }
}

static size_t column_width(const struct matrix *matrix, size_t column)
{
    size_t widest = 0;
    for (size_t r = 0; r <= matrix->row_count; r++) {
        size_t width = text_width(matrix_texts(matrix, r)[column]);
        widest = width > widest ? width : widest;
    }
    return widest;
}

/* Makes columns as wide as needed, then the calls shorter until the page is
 * wide enough. */
static void matrix_measure(struct matrix *matrix)
{
    size_t total = 0;
    matrix->widths = cm_allocate(matrix->column_count, sizeof(matrix->widths[0]));
    for (size_t c = 0; c < matrix->column_count; c++) {
        matrix->widths[c] = column_width(matrix, c);
        total += matrix->widths[c] + 2;
    }
    size_t *calls = &matrix->widths[COLUMN_CALL];
    while (total > PAGE_WIDTH && *calls > CALL_WIDTH_MINIMUM) {
        total--;
        (*calls)--;
    }
    for (size_t r = 0; r <= matrix->row_count; r++) {
        char **text = &matrix_texts(matrix, r)[COLUMN_CALL];
        *text = text_shorten(*text, *calls);
    }
}

static const char *matrix_colour(const struct matrix *matrix, size_t row, size_t column)
{
    if (row == 0)
        return BOLD;
    if (column < COLUMN_MODEL)
        return NULL;
    return cell_colour(matrix->report->explorations[column - COLUMN_MODEL],
                       matrix->rows[row - 1].first);
}

static void matrix_print_row(const struct matrix *matrix, size_t row, FILE *stream, bool colours)
{
    for (size_t c = 0; c < matrix->column_count; c++) {
        const char *text = matrix_texts(matrix, row)[c];
        size_t width = text_width(text);
        fputs("  ", stream);
        if (c == COLUMN_BOUNDARY)
            print_padding(stream, width, matrix->widths[c]);
        print_coloured(stream, colours, matrix_colour(matrix, row, c), text);
        if (c != COLUMN_BOUNDARY && c + 1 < matrix->column_count)
            print_padding(stream, width, matrix->widths[c]);
    }
    fputc('\n', stream);
}

static void matrix_free(struct matrix *matrix)
{
    for (size_t i = 0; i < (matrix->row_count + 1) * matrix->column_count; i++)
        free(matrix->texts[i]);
    free(matrix->texts);
    free(matrix->widths);
    free(matrix->rows);
}

static void print_matrix(const struct cm_report *report, FILE *stream, bool colours)
{
    struct matrix matrix = {.report = report};
    matrix_choose_rows(&matrix);
    if (matrix.row_count > LONG_MATRIX)
        matrix_fold(&matrix);
    matrix_fill(&matrix);
    matrix_measure(&matrix);
    for (size_t row = 0; row <= matrix.row_count; row++)
        matrix_print_row(&matrix, row, stream, colours);
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
    matrix_free(&matrix);
}

/* ---- Violations ---- */

static void print_operations(const struct cm_listed *listed, const char *word,
                             const uint32_t *operations, size_t count, FILE *stream)
{
    size_t shown = count <= OPERATIONS_SHOWN + 1 ? count : OPERATIONS_SHOWN;
    for (size_t i = 0; i < shown; i++) {
        char *text = cm_listed_text(listed, word, operations[i]);
        fprintf(stream, "    %s\n", text);
        free(text);
    }
    if (shown < count)
        fprintf(stream, "    %s: %zu more, see report.json\n", word, count - shown);
}

/* Number n of the cuts during recovery, from 0. */
static void print_cut(const struct cm_cut *cut, size_t number, FILE *stream)
{
    const struct cm_listed listed = {.trace = cut->trace, .operations = cut->operations};
    char *text = cm_cut_text(cut, number);
    fprintf(stream, "    %s\n", text);
    free(text);
    print_operations(&listed, "lost", cut->lost, cut->lost_count, stream);
    print_operations(&listed, "kept", cut->kept, cut->kept_count, stream);
}

static void print_interval(const struct cm_report *report, const struct cm_violation *violation,
                           FILE *stream)
{
    uint32_t first = violation->first_boundary;
    uint32_t last = violation->last_boundary;
    char *call = cm_boundary_text(report, first);
    fputs("    power cut: ", stream);
    if (first == 0)
        fputs(call, stream);
    else
        fprintf(stream, "after call %" PRIu32, first);
    if (last > first)
        fprintf(stream, " to call %" PRIu32, last);
    if (first > 0)
        fprintf(stream, " (%s)", call);
    fputc('\n', stream);
    free(call);
}

/* The trace of a run without --report is gone, and no command can replay it. */
static void print_replay(const struct cm_report *report, const struct cm_violation *violation,
                         FILE *stream)
{
    char *text = report->trace_path != NULL ? cm_replay_command(report, violation)
                                            : cm_safe_text(violation->id);
    fprintf(stream, "    replay: %s", text);
    fputs(report->trace_path != NULL ? "\n" : " (after a run with --report DIR)\n", stream);
    free(text);
}

static void print_violation(const struct cm_report *report,
                            const struct cm_exploration *exploration,
                            const struct cm_violation *violation, FILE *stream, bool colours)
{
    const struct cm_listed listed = {report->trace, report->sites, exploration->operations};
    char *reason = cm_safe_text(violation->reason);
    fputs("  ", stream);
    print_coloured(stream, colours, RED, reason);
    fprintf(stream, "  (%" PRIu64 " state%s)\n", violation->states,
            violation->states == 1 ? "" : "s");
    print_interval(report, violation, stream);
    print_operations(&listed, "lost", violation->lost, violation->lost_count, stream);
    print_operations(&listed, "kept", violation->kept, violation->kept_count, stream);
    for (size_t i = 0; i < violation->cut_count; i++)
        print_cut(&violation->cuts[i], i, stream);
    print_replay(report, violation, stream);
    free(reason);
}

static void print_violations(const struct cm_report *report,
                             const struct cm_exploration *exploration, FILE *stream, bool colours)
{
    if (exploration->violation_count == 0)
        return;
    char *model = cm_safe_text(exploration->model);
    fprintf(stream, "\nViolations under %s\n", model);
    free(model);
    for (size_t i = 0; i < exploration->violation_count; i++)
        print_violation(report, exploration, &exploration->violations[i], stream, colours);
}

/* ---- Summary ---- */

/* A decimal count; "?" if it is not known, rounded down if it is long. */
static void print_count(FILE *stream, const char *digits)
{
    size_t length = digits == NULL ? 0 : strlen(digits);
    if (digits == NULL)
        fputc('?', stream);
    else if (length <= DIGITS_SHOWN)
        fputs(digits, stream);
    else
        fprintf(stream, "~%c.%c%ce%zu", digits[0], digits[1], digits[2], length - 1);
}

/* Below the line of the model. */
static void print_depth(const struct cm_depth *depth, size_t cuts, size_t width, FILE *stream)
{
    print_padding(stream, 0, width + 4);
    fprintf(stream, "%zu cut%s during recovery: covered ", cuts, cuts == 1 ? "" : "s");
    print_count(stream, depth->covered);
    fputs(" of ", stream);
    print_count(stream, depth->legal);
    fprintf(stream,
            " states of %" PRIu64 " recoveries, %" PRIu64 " distinct, %" PRIu64 " runs, %" PRIu64
            " rejected\n",
            depth->recoveries, depth->distinct, depth->runs, depth->rejected);
}

static void print_summary_line(const struct cm_exploration *exploration, size_t width, FILE *stream,
                               bool colours)
{
    enum cm_verdict verdict = cm_exploration_verdict(exploration);
    char *model = cm_safe_text(exploration->model);
    fprintf(stream, "  %s", model);
    print_padding(stream, text_width(model), width);
    free(model);
    fputs("  covered ", stream);
    print_count(stream, exploration->covered);
    fputs(" of ", stream);
    print_count(stream, exploration->legal);
    fprintf(stream,
            " legal states, %" PRIu64 " distinct, %" PRIu64 " runs: ", exploration->distinct,
            exploration->runs);
    print_coloured(stream, colours, verdict_colour(verdict), cm_verdict_name(verdict));
    if (verdict == CM_FAIL)
        fprintf(stream, ", %" PRIu64 " rejected", cm_violation_states(exploration));
    if (exploration->stopped)
        fputs(", interrupted", stream);
    if (exploration->out_of_budget)
        fputs(", bounded by the budget", stream);
    if (exploration->shard.count > 1)
        fprintf(stream, ", shard %" PRIu32 " of %" PRIu32, exploration->shard.index + 1,
                exploration->shard.count);
    fputs(exploration->exhaustive ? ", exhaustive\n" : ", not exhaustive\n", stream);
    for (size_t i = 0; i < exploration->depth_count; i++)
        print_depth(&exploration->depths[i], i + 1, width, stream);
    if (exploration->nested > 0) {
        print_padding(stream, 0, width + 4);
        if (exploration->fixpoint)
            fputs("one more cut would leave nothing new: this holds for any number of them\n",
                  stream);
        else
            fputs("more cuts might leave something new\n", stream);
    }
}

static void print_summary(const struct cm_report *report, FILE *stream, bool colours)
{
    size_t width = 0;
    for (size_t i = 0; i < report->exploration_count; i++) {
        char *model = cm_safe_text(report->explorations[i]->model);
        width = text_width(model) > width ? text_width(model) : width;
        free(model);
    }
    fputs("\nSummary\n", stream);
    for (size_t i = 0; i < report->exploration_count; i++)
        print_summary_line(report->explorations[i], width, stream, colours);
    if (report->timing)
        fprintf(stream, "  recorded in %.2f s, explored in %.2f s\n", report->record_seconds,
                report->explore_seconds);
}

static void print_unobserved(const struct cm_report *report, FILE *stream)
{
    if (report->unobserved_count > 0)
        fputs("\nNot covered or not seen\n", stream);
    for (size_t i = 0; i < report->unobserved_count; i++) {
        const struct cm_unobserved *unobserved = &report->unobserved[i];
        char *kind = cm_safe_text(unobserved->kind);
        char *what = cm_safe_text(unobserved->what);
        char *where = cm_safe_text(unobserved->where);
        fprintf(stream, "  %s: %s", kind, what);
        if (where[0] != '\0')
            fprintf(stream, " (%s", where);
        if (where[0] != '\0' && unobserved->times > 1)
            fprintf(stream, ", %" PRIu64 " times", unobserved->times);
        fputs(where[0] != '\0' ? ")" : "", stream);
        fputs(unobserved->accepted ? ", accepted\n" : "\n", stream);
        free(where);
        free(what);
        free(kind);
    }
}

void cm_report_text(const struct cm_report *report, FILE *stream, bool colours)
{
    if (report->target != NULL) {
        char *target = cm_safe_text(report->target);
        fprintf(stream, "Crash matrix of %s: ", target);
        free(target);
    } else {
        fputs("Crash matrix: ", stream);
    }
    fprintf(stream, "%zu calls, trace %016" PRIx64 "\n\n", report->trace->call_count,
            report->trace->digest);
    if (report->exploration_count > 0)
        print_matrix(report, stream, colours);
    for (size_t i = 0; i < report->exploration_count; i++)
        print_violations(report, report->explorations[i], stream, colours);
    print_summary(report, stream, colours);
    cm_print_faults(report, stream);
    print_unobserved(report, stream);
    fputs("\nVerdict: ", stream);
    print_coloured(stream, colours, verdict_colour(report->verdict),
                   cm_verdict_name(report->verdict));
    if (report->verdict == CM_BOUNDED)
        fputs(" (not every state was covered, which was accepted)", stream);
    if (report->shard.count > 1)
        fprintf(stream, " (shard %" PRIu32 " of %" PRIu32 " only; crashmatrix merge tells of all)",
                report->shard.index + 1, report->shard.count);
    fputc('\n', stream);
}
