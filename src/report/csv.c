#include "report/csv_text.h"
#include "report/report.h"

#include <math.h>
#include <string.h>

void csv_put_text(FILE *stream, const char *text)
{
    if (!strpbrk(text, ",\"\r\n")) {
        fputs(text, stream);
        return;
    }
    fputc('"', stream);
    for (const char *c = text; *c; c++) {
        if (*c == '"')
            fputc('"', stream);
        fputc(*c, stream);
    }
    fputc('"', stream);
}

static void put_number(FILE *stream, double value)
{
    char text[AM_NUMBER_TEXT];
    if (isnan(value))
        return;
    am_number_text(value, text);
    fputs(text, stream);
}

am_status csv_write(const char *path, const csv_column *column, int columns, int64_t rows,
                    am_error *err)
{
    am_output out;
    AM_TRY(am_output_open(&out, path, err));
    for (int j = 0; j < columns; j++) {
        csv_put_text(out.stream, column[j].name);
        fputc(j + 1 < columns ? ',' : '\n', out.stream);
    }
    for (int64_t i = 0; i < rows && !ferror(out.stream); i++) {
        for (int j = 0; j < columns; j++) {
            put_number(out.stream, column[j].value[i]);
            fputc(j + 1 < columns ? ',' : '\n', out.stream);
        }
    }
    return am_output_commit(&out, err);
}
