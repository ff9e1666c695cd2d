#include "report/canvas.h"

#include <stdlib.h>
#include <string.h>

static const uint32_t BRAILLE = 0x2800, RULE = 0x2506; /* ┆ */

am_status canvas_open(int columns, int rows, canvas *c, am_error *err)
{
    *c = (canvas){.columns = columns, .rows = rows};
    c->cell = am_alloc((size_t)columns * (size_t)rows, sizeof *c->cell, "plot", err);
    return c->cell != NULL ? AM_OK : AM_ERR_MEMORY;
}

void canvas_close(canvas *c)
{
    free(c->cell);
    *c = (canvas){0};
}

/* NULL outside the grid. */
static canvas_cell *cell_at(canvas *c, int column, int row)
{
    if (column < 0 || column >= c->columns || row < 0 || row >= c->rows)
        return NULL;
    return c->cell + (size_t)row * (size_t)c->columns + (size_t)column;
}

void canvas_glyph(canvas *c, int column, int row, uint32_t glyph, int ink)
{
    canvas_cell *cell = cell_at(c, column, row);
    if (cell == NULL)
        return;
    cell->glyph = glyph;
    cell->glyph_ink = (uint8_t)ink;
}

int canvas_text(canvas *c, int column, int row, const char *text, int ink)
{
    int count = 0;
    while (*text != '\0') {
        uint32_t glyph;
        int bytes = am_utf8_decode(text, strlen(text), &glyph);
        if (bytes == 0)
            glyph = '?';
        canvas_glyph(c, column + count++, row, glyph, ink);
        text += AM_MAX(bytes, 1);
    }
    return count;
}

void canvas_rule(canvas *c, int column, int row)
{
    canvas_cell *cell = cell_at(c, column, row);
    if (cell != NULL)
        cell->rule = true;
}

/* The bit of dot (x, y) of a cell in Unicode's braille patterns: the upper six go down the left and
 * then the right column, the lowest row was added later. */
static uint8_t bit_of(int x, int y)
{
    static const uint8_t bit[CANVAS_DOTS_DOWN][CANVAS_DOTS_ACROSS] = {
        {0x01, 0x08}, {0x02, 0x10}, {0x04, 0x20}, {0x40, 0x80}};
    return bit[y % CANVAS_DOTS_DOWN][x % CANVAS_DOTS_ACROSS];
}

static canvas_cell *cell_of_dot(canvas *c, int x, int y)
{
    return x < 0 || y < 0 ? NULL : cell_at(c, x / CANVAS_DOTS_ACROSS, y / CANVAS_DOTS_DOWN);
}

void canvas_dot(canvas *c, int x, int y, int ink)
{
    canvas_cell *cell = cell_of_dot(c, x, y);
    if (cell == NULL)
        return;
    cell->dots |= bit_of(x, y);
    cell->dots_ink = (uint8_t)ink;
}

void canvas_shade(canvas *c, int x, int y, int ink)
{
    canvas_cell *cell = cell_of_dot(c, x, y);
    if (cell == NULL)
        return;
    cell->shade |= bit_of(x, y);
    cell->shade_ink = (uint8_t)ink;
}

/* Bresenham. */
void canvas_line(canvas *c, int x0, int y0, int x1, int y1, int ink)
{
    int dx = abs(x1 - x0), dy = -abs(y1 - y0);
    int step_x = x0 < x1 ? 1 : -1, step_y = y0 < y1 ? 1 : -1, error = dx + dy;
    for (;;) {
        canvas_dot(c, x0, y0, ink);
        if (x0 == x1 && y0 == y1)
            return;
        int twice = 2 * error;
        if (twice >= dy) {
            error += dy;
            x0 += step_x;
        }
        if (twice <= dx) {
            error += dx;
            y0 += step_y;
        }
    }
}

/* ---- printing ---------------------------------------------------------------------------------- */

/* What a cell shows; blank: 0. */
static uint32_t shown(const canvas_cell *cell, bool utf8, int *ink)
{
    *ink = INK_PLAIN;
    if (cell->glyph != 0) {
        *ink = cell->glyph_ink;
        return cell->glyph != ' ' ? cell->glyph : 0;
    }
    if (cell->dots != 0) {
        *ink = cell->dots_ink;
        return utf8 ? BRAILLE + cell->dots : (uint32_t)'*';
    }
    if (cell->rule) {
        *ink = INK_RULE;
        return utf8 ? RULE : (uint32_t)':';
    }
    if (cell->shade != 0) {
        *ink = cell->shade_ink;
        return utf8 ? BRAILLE + cell->shade : (uint32_t)'.';
    }
    return 0;
}

static void put_utf8(uint32_t c, FILE *stream)
{
    if (c < 0x80) {
        fputc((int)c, stream);
    } else if (c < 0x800) {
        fprintf(stream, "%c%c", (int)(0xC0 | c >> 6), (int)(0x80 | (c & 0x3F)));
    } else {
        if (c < 0x10000)
            fputc((int)(0xE0 | c >> 12), stream);
        else
            fprintf(stream, "%c%c", (int)(0xF0 | c >> 18), (int)(0x80 | (c >> 12 & 0x3F)));
        fprintf(stream, "%c%c", (int)(0x80 | (c >> 6 & 0x3F)), (int)(0x80 | (c & 0x3F)));
    }
}

/* SGR of every ink: dim, bold, magenta; cyan, yellow, green, blue. */
static const char *const sgr[INK_COUNT] = {"0", "2", "1", "35", "36", "33", "32", "34"};

void canvas_print(const canvas *c, bool utf8, bool colour, FILE *stream)
{
    for (int row = 0; row < c->rows; row++) {
        const canvas_cell *line = c->cell + (size_t)row * (size_t)c->columns;
        int last = INK_PLAIN, blanks = 0, ink;
        for (int column = 0; column < c->columns; column++) {
            uint32_t glyph = shown(&line[column], utf8, &ink);
            if (glyph == 0) {
                blanks++;
                continue;
            }
            fprintf(stream, "%*s", blanks, "");
            blanks = 0;
            if (colour && ink != last)
                fprintf(stream, ink == INK_PLAIN ? "\033[%sm" : "\033[0;%sm", sgr[ink]);
            last = ink;
            put_utf8(glyph, stream);
        }
        fputs(colour && last != INK_PLAIN ? "\033[0m\n" : "\n", stream);
    }
}
