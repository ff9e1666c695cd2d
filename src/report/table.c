#include "report/csv_text.h"
#include "report/report.h"

#include <stdlib.h>
#include <string.h>

enum { GAP = 2 };

typedef struct {
    int width;         /* of the widest cell, in columns of a terminal */
    bool number, text; /* a cell below the header holds one */
} column_kind;

struct report_table {
    int columns, rows, capacity; /* the header is row 0 */
    char **cell;                 /* (capacity, columns), owned */
    column_kind *kind;           /* (columns) */
};

/* ---- text on a terminal ---------------------------------------------------------------------- */

static bool within(uint32_t code, const uint32_t (*range)[2], size_t ranges)
{
    for (size_t i = 0; i < ranges; i++)
        if (code >= range[i][0] && code <= range[i][1])
            return true;
    return false;
}

/* Columns that a character takes: 0 for combining marks, 2 for East Asian wide ones and pictures.
 */
static int character_width(uint32_t code)
{
    static const uint32_t zero[][2] = {{0x300, 0x36F},   {0x1AB0, 0x1AFF}, {0x1DC0, 0x1DFF},
                                       {0x200B, 0x200F}, {0x20D0, 0x20FF}, {0xFE00, 0xFE0F},
                                       {0xFE20, 0xFE2F}, {0xFEFF, 0xFEFF}};
    static const uint32_t wide[][2] = {{0x1100, 0x115F},   {0x2E80, 0x303E},  {0x3041, 0xA4CF},
                                       {0xAC00, 0xD7A3},   {0xF900, 0xFAFF},  {0xFE30, 0xFE6F},
                                       {0xFF00, 0xFF60},   {0xFFE0, 0xFFE6},  {0x1F300, 0x1F64F},
                                       {0x1F900, 0x1F9FF}, {0x20000, 0x3FFFD}};
    if (within(code, zero, sizeof zero / sizeof *zero))
        return 0;
    return within(code, wide, sizeof wide / sizeof *wide) ? 2 : 1;
}

static int display_width(const char *text)
{
    int width = 0;
    size_t left = strlen(text);
    while (left > 0) {
        uint32_t code = '?';
        int length = am_utf8_decode(text, left, &code);
        if (length == 0)
            length = 1;
        width += character_width(code);
        text += length;
        left -= (size_t)length;
    }
    return width;
}

/* ---- which columns hold numbers -------------------------------------------------------------- */

static const char *skip_prefix(const char *text, const char *prefix)
{
    size_t length = strlen(prefix);
    return strncmp(text, prefix, length) == 0 ? text + length : text;
}

static const char *skip_number(const char *text)
{
    const char *c = skip_prefix(text, "\u2212"); /* minus sign */
    if (c == text)
        c += *c == '+' || *c == '-';
    const char *digits = c;
    c += strspn(c, "0123456789");
    if (*c == '.')
        c += 1 + strspn(c + 1, "0123456789");
    if (strcspn(digits, "0123456789") >= (size_t)(c - digits))
        return NULL;
    if (*c == 'e' || *c == 'E') {
        const char *exponent = c + 1 + (c[1] == '+' || c[1] == '-');
        size_t length = strspn(exponent, "0123456789");
        c = length > 0 ? exponent + length : c;
    }
    return c;
}

/* A number, perhaps "± number", perhaps a short unit without digits ("%", "s", "MiB"). */
static bool is_quantity(const char *text)
{
    const char *c = skip_number(text);
    if (!c)
        return false;
    const char *spread = c + strspn(c, " ");
    const char *second = skip_prefix(spread, "±");
    if (second != spread) {
        c = skip_number(second + strspn(second, " "));
        if (!c)
            return false;
    }
    c += strspn(c, " ");
    return display_width(c) <= 5 && !strpbrk(c, "0123456789-:/");
}

static bool is_blank(const char *text)
{
    static const char *const blanks[] = {"", "-", "–", "—", "nan", "NaN", "n/a"};
    for (size_t i = 0; i < sizeof blanks / sizeof *blanks; i++)
        if (strcmp(text, blanks[i]) == 0)
            return true;
    return false;
}

/* ---- the table ------------------------------------------------------------------------------- */

report_table *table_new(int columns, const char *const *header)
{
    report_table *table = calloc(1, sizeof *table);
    if (!table)
        return NULL;
    table->columns = columns;
    table->kind = calloc((size_t)AM_MAX(columns, 1), sizeof *table->kind);
    if (!table->kind || !table_row(table, header)) {
        table_free(table);
        return NULL;
    }
    return table;
}

static bool reserve_row(report_table *table)
{
    if (table->rows < table->capacity)
        return true;
    int capacity = 2 * table->capacity + 8;
    size_t row = (size_t)AM_MAX(table->columns, 1) * sizeof(char *);
    char **cell = realloc(table->cell, (size_t)capacity * row);
    if (!cell)
        return false;
    table->cell = cell;
    table->capacity = capacity;
    return true;
}

static void learn(column_kind *kind, const char *cell, bool header)
{
    kind->width = AM_MAX(kind->width, display_width(cell));
    if (header || is_blank(cell))
        return;
    if (is_quantity(cell))
        kind->number = true;
    else
        kind->text = true;
}

bool table_row(report_table *table, const char *const *cell)
{
    if (!reserve_row(table))
        return false;
    char **row = table->cell + (size_t)table->rows * (size_t)table->columns;
    for (int j = 0; j < table->columns; j++) {
        row[j] = strdup(cell[j]);
        if (!row[j]) {
            while (j-- > 0)
                free(row[j]);
            return false;
        }
    }
    for (int j = 0; j < table->columns; j++)
        learn(&table->kind[j], row[j], table->rows == 0);
    table->rows++;
    return true;
}

void table_free(report_table *table)
{
    if (!table)
        return;
    size_t cells = (size_t)table->rows * (size_t)table->columns;
    for (size_t i = 0; i < cells; i++)
        free(table->cell[i]);
    free(table->cell);
    free(table->kind);
    free(table);
}

static void put_blanks(FILE *stream, int count)
{
    fprintf(stream, "%*s", AM_MAX(count, 0), "");
}

/* A line break or a terminal escape would tear the table. */
static void put_cell(FILE *stream, const char *text)
{
    for (const char *c = text; *c; c++)
        fputc((unsigned char)*c < 0x20 || *c == 0x7F ? '?' : *c, stream);
}

static void print_row(const report_table *table, char *const *row, FILE *stream)
{
    int pending = 0; /* blanks are written before text only: no line ends with one */
    for (int j = 0; j < table->columns; j++) {
        const column_kind *kind = &table->kind[j];
        bool right = kind->number && !kind->text;
        int space = kind->width - display_width(row[j]);
        if (row[j][0] != '\0') {
            put_blanks(stream, pending + (right ? space : 0));
            put_cell(stream, row[j]);
            pending = right ? 0 : space;
        } else {
            pending += space;
        }
        pending += GAP;
    }
    fputc('\n', stream);
}

void table_print(const report_table *table, FILE *stream)
{
    for (int i = 0; i < table->rows; i++) {
        print_row(table, table->cell + (size_t)i * (size_t)table->columns, stream);
        if (i > 0)
            continue;
        for (int j = 0; j < table->columns; j++)
            for (int k = 0; k < table->kind[j].width + (j > 0 ? GAP : 0); k++)
                fputs("─", stream);
        fputc('\n', stream);
    }
}

am_status table_write_csv(const report_table *table, const char *path, am_error *err)
{
    am_output out;
    AM_TRY(am_output_open(&out, path, err));
    for (int i = 0; i < table->rows; i++) {
        char *const *row = table->cell + (size_t)i * (size_t)table->columns;
        for (int j = 0; j < table->columns; j++) {
            csv_put_text(out.stream, row[j]);
            fputc(j + 1 < table->columns ? ',' : '\n', out.stream);
        }
    }
    return am_output_commit(&out, err);
}
