/* Texts and arrays as a page carries them. */
#include "report/html.h"
#include "report/svg.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char DIGITS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void html_json(FILE *stream, const char *json)
{
    for (const char *c = json; *c != '\0'; c++)
        if (*c == '<')
            fputs("\\u003c", stream); /* no "</script" and no "<!--" */
        else
            fputc(*c, stream);
}

void html_base64(FILE *stream, const void *bytes, size_t size)
{
    const unsigned char *b = bytes;
    for (size_t i = 0; i < size; i += 3) {
        unsigned left = (unsigned)AM_MIN(size - i, (size_t)3);
        unsigned group = (unsigned)b[i] << 16 | (left > 1 ? (unsigned)b[i + 1] << 8 : 0) |
                         (left > 2 ? b[i + 2] : 0);
        char text[4] = {DIGITS[group >> 18], DIGITS[group >> 12 & 63],
                        left > 1 ? DIGITS[group >> 6 & 63] : '=',
                        left > 2 ? DIGITS[group & 63] : '='};
        fwrite(text, 1, sizeof text, stream);
    }
}

void html_array_text(FILE *stream, const html_array *array)
{
    static const size_t size[] = {[HTML_BYTES] = 1, [HTML_INT16] = 2, [HTML_FLOAT] = 4};
    if (array->encoding != HTML_INT12) {
        html_base64(stream, array->value, size[array->encoding] * (size_t)array->count);
        return;
    }
    const int16_t *value = array->value;
    for (int64_t i = 0; i < array->count; i++) {
        unsigned code = (unsigned)(value[i] + 2048) & 4095U;
        fputc(DIGITS[code >> 6], stream);
        fputc(DIGITS[code & 63], stream);
    }
}

/* ---- for people -------------------------------------------------------------------------------- */

void html_lambda(FILE *stream, double lambda)
{
    if (!isfinite(lambda)) {
        fputs("–", stream);
        return;
    }
    int power = lambda > 0 ? (int)floor(log10(lambda) + 1e-12) : 0;
    if (power > -3 && power < 4)
        fprintf(stream, "%.3g", lambda);
    else
        fprintf(stream, "%.2f × 10<sup>%s%d</sup>", lambda / pow(10.0, power), power < 0 ? "−" : "",
                abs(power));
}

/* 50890 → "50,890" */
static void put_whole(FILE *stream, double value)
{
    char digits[32];
    int length = snprintf(digits, sizeof digits, "%.0f", fabs(value));
    if (value < 0)
        fputs("−", stream);
    for (int i = 0; i < length; i++) {
        if (i > 0 && length > 4 && (length - i) % 3 == 0)
            fputc(',', stream);
        fputc(digits[i], stream);
    }
}

void html_number(FILE *stream, double value)
{
    char text[40];
    if (!isfinite(value)) {
        fputs("–", stream);
        return;
    }
    if (value == floor(value) && fabs(value) < 1e9) {
        put_whole(stream, value);
        return;
    }
    (void)snprintf(text, sizeof text, "%.4g", fabs(value));
    char *exponent = strchr(text, 'e');
    if (value < 0)
        fputs("−", stream);
    if (exponent == NULL) {
        fputs(text, stream);
        return;
    }
    *exponent = '\0';
    int power = atoi(exponent + 1);
    fprintf(stream, "%s × 10<sup>%s%d</sup>", text, power < 0 ? "−" : "", abs(power));
}

void html_key(FILE *stream, const char *key)
{
    char *text = am_format("%s", key);
    for (char *c = text; c != NULL && *c != '\0'; c++)
        if (*c == '_' || *c == '.')
            *c = ' ';
    svg_text(stream, text != NULL ? text : key);
    free(text);
}

double json_value_of(const cJSON *object, const char *key)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);
    return cJSON_IsNumber(item) ? item->valuedouble : NAN;
}
