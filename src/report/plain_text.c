#include "report/plain_text.h"

#include "base/base.h"

#include <string.h>

static const struct {
    uint32_t character;
    const char *spelling;
} spellings[] = {{0x00A0, " "},  {0x00B1, "+-"},   {0x00B2, "^2"},    {0x00B7, "."},
                 {0x00D7, "x"},  {0x03B2, "beta"}, {0x03B8, "theta"}, {0x03BB, "lambda"},
                 {0x03BC, "mu"}, {0x03BD, "nu"},   {0x03C3, "sigma"}, {0x03C9, "omega"},
                 {0x2013, "-"},  {0x2014, "-"},    {0x2026, "..."},   {0x2212, "-"},
                 {0x2192, "->"}};

static const char *spelling_of(uint32_t character)
{
    for (size_t i = 0; i < sizeof spellings / sizeof *spellings; i++)
        if (spellings[i].character == character)
            return spellings[i].spelling;
    return "?";
}

void plain_text(const char *text, char *out, size_t size)
{
    size_t used = 0;
    out[0] = '\0';
    while (*text != '\0' && used + 1 < size) {
        uint32_t character;
        int bytes = am_utf8_decode(text, strlen(text), &character);
        char own[2] = {*text, '\0'};
        used += (size_t)snprintf(out + used, size - used, "%s",
                                 bytes == 1 ? own : spelling_of(bytes > 1 ? character : 0));
        text += AM_MAX(bytes, 1);
    }
}
