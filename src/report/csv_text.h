/* csv_text — one field of a CSV file. Private to the report room. */
#ifndef AM_CSV_TEXT_H
#define AM_CSV_TEXT_H

#include <stdio.h>

/* Quoted as in RFC 4180 when the text holds a comma, a quote or a line break. */
void csv_put_text(FILE *stream, const char *text);

#endif
