#include "cli/option.h"

#include <string.h>

static bool starts_character(char byte)
{
    return ((unsigned char)byte & 0xC0) != 0x80;
}

int text_width(const char *text)
{
    int width = 0;
    for (; *text != '\0'; text++)
        width += starts_character(*text);
    return width;
}

void wrap_word(wrapper *w, const char *word)
{
    int width = text_width(word);
    if (w->column > w->indent && w->column + 1 + width > AM_COLUMNS) {
        fputc('\n', w->stream);
        w->column = 0;
    } else if (w->column >= w->indent && w->column > 0) {
        fputc(' ', w->stream);
        w->column++;
    }
    if (w->column < w->indent) {
        fprintf(w->stream, "%*s", w->indent - w->column, "");
        w->column = w->indent;
    }
    fputs(word, w->stream);
    w->column += width;
}

void wrap_text(wrapper *w, const char *text)
{
    char word[256];
    for (text += strspn(text, " "); *text != '\0'; text += strspn(text, " ")) {
        size_t length = strcspn(text, " ");
        snprintf(word, sizeof word, "%.*s", (int)AM_MIN(length, sizeof word - 1), text);
        wrap_word(w, word);
        text += length;
    }
}
