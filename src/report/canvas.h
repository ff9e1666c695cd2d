/* canvas — a grid of characters with dots inside them: braille cells have 2 × 4 dots. Private to the
 * report room.
 *
 * A cell shows the first of: its glyph, its dots, its rule, its shade. Whatever falls outside the grid
 * is left out. */
#ifndef AM_CANVAS_H
#define AM_CANVAS_H

#include "base/base.h"

/* How something is coloured, where there are colours. */
typedef enum {
    INK_PLAIN,
    INK_DIM,
    INK_BOLD,
    INK_RULE,
    INK_SERIES, /* + the number of the series */
    INK_COUNT = INK_SERIES + 4
} canvas_ink;

typedef struct {
    uint32_t glyph;      /* a code point; 0: none */
    uint8_t dots, shade; /* bits of a braille character */
    uint8_t glyph_ink, dots_ink, shade_ink;
    bool rule;
} canvas_cell;

typedef struct {
    int columns, rows;
    canvas_cell *cell; /* (rows, columns), owned */
} canvas;

enum { CANVAS_DOTS_ACROSS = 2, CANVAS_DOTS_DOWN = 4 };

am_status canvas_open(int columns, int rows, canvas *c, am_error *err);
void canvas_close(canvas *c); /* safe on a zeroed one */

void canvas_glyph(canvas *c, int column, int row, uint32_t glyph, int ink);
/* The characters of a UTF-8 text, one a column; returns how many. */
int canvas_text(canvas *c, int column, int row, const char *text, int ink);
void canvas_rule(canvas *c, int column, int row);
/* Dots count from the upper left corner: x in 0..2·columns−1, y in 0..4·rows−1. */
void canvas_dot(canvas *c, int x, int y, int ink);
void canvas_shade(canvas *c, int x, int y, int ink);
/* A straight line of dots, both ends included. */
void canvas_line(canvas *c, int x0, int y0, int x1, int y1, int ink);

/* Lines without blanks at their ends. utf8 false: dots are '*', shades '.', rules ':', and glyphs
 * should be ASCII. */
void canvas_print(const canvas *c, bool utf8, bool colour, FILE *stream);

#endif
