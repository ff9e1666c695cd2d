#include "report/svg.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void svg_number(FILE *stream, double value)
{
    long long hundredths = llround(value * 100.0), size = llabs(hundredths);
    fprintf(stream, "%s%lld", hundredths < 0 ? "-" : "", size / 100);
    if (size % 100 == 0)
        return;
    fprintf(stream, size % 10 == 0 ? ".%lld" : ".%02lld",
            size % 10 == 0 ? size % 100 / 10 : size % 100);
}

void svg_attribute(FILE *stream, const char *name, double value)
{
    fprintf(stream, " %s=\"", name);
    svg_number(stream, value);
    fputc('"', stream);
}

/* XML 1.0, production 2 (Char). */
static bool is_xml_character(uint32_t code)
{
    return code == '\t' || code == '\n' || code == '\r' ||
           (code >= 0x20 && code != 0xFFFE && code != 0xFFFF);
}

static void put_character(FILE *stream, uint32_t code, const char *bytes, int length)
{
    switch (code) {
    case '&':
        fputs("&amp;", stream);
        break;
    case '<':
        fputs("&lt;", stream);
        break;
    case '>':
        fputs("&gt;", stream);
        break;
    case '"':
        fputs("&quot;", stream);
        break;
    case '\'':
        fputs("&#39;", stream);
        break;
    default:
        fwrite(bytes, 1, (size_t)length, stream);
    }
}

void svg_text(FILE *stream, const char *text)
{
    size_t left = strlen(text);
    while (left > 0) {
        uint32_t code;
        int length = am_utf8_decode(text, left, &code);
        if (length == 0 || !is_xml_character(code))
            fputs("\xEF\xBF\xBD", stream);
        else
            put_character(stream, code, text, length);
        length = length ? length : 1;
        text += length;
        left -= (size_t)length;
    }
}

/* In em, after DejaVu Sans, the widest of the fonts that the figures ask for. */
static double character_width(uint32_t code)
{
    if (code < 0x80 && strchr(" iljI.,:;'|!()[]/", (int)code))
        return 0.36;
    if (code < 0x80 && strchr("tfr-\"", (int)code))
        return 0.42;
    if ((code < 0x80 && strchr("mwMW%@=+<>~", (int)code)) || code == 0x2212 || code == 0xD7 ||
        code == 0xB1)
        return 0.9;
    if (code >= 'A' && code <= 'Z')
        return 0.72;
    return code >= 0x1100 && !(code >= 0x2000 && code < 0x2190) ? 1.0 : 0.64;
}

double svg_text_width(const char *text, double size, bool bold)
{
    double width = 0.0, em = bold ? 1.12 * size : size;
    size_t left = strlen(text);
    while (left > 0) {
        uint32_t code = '?';
        int length = am_utf8_decode(text, left, &code);
        length = length ? length : 1;
        width += em * character_width(code);
        text += length;
        left -= (size_t)length;
    }
    return width;
}

void svg_line_of_text(FILE *stream, svg_font font, double x, double y, const char *text)
{
    fprintf(stream, "<text class=\"%s\" text-anchor=\"%s\"", font.class, font.anchor);
    svg_attribute(stream, "x", x);
    svg_attribute(stream, "y", y);
    double width = svg_text_width(text, font.size, font.bold);
    if (width > font.room) {
        fputs(" style=\"font-size:", stream);
        svg_number(stream, font.size * font.room / width);
        fputs("px\"", stream);
    }
    fputc('>', stream);
    svg_text(stream, text);
    fputs("</text>\n", stream);
}
