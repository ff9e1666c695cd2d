#include "base/base.h"

#include <string.h>

/* Well-formed sequences: The Unicode Standard, table 3-7. */
int am_utf8_decode(const char *text, size_t size, uint32_t *codepoint)
{
    const unsigned char *byte = (const unsigned char *)text;
    if (size == 0)
        return 0;
    if (byte[0] < 0x80) {
        *codepoint = byte[0];
        return 1;
    }
    int length = byte[0] >= 0xF0 ? 4 : byte[0] >= 0xE0 ? 3 : 2;
    if (byte[0] < 0xC2 || byte[0] > 0xF4 || size < (size_t)length)
        return 0;
    uint32_t code = byte[0] & (0x7Fu >> length);
    for (int i = 1; i < length; i++) {
        if ((byte[i] & 0xC0) != 0x80)
            return 0;
        code = code << 6 | (byte[i] & 0x3Fu);
    }
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    if (code < smallest[length] || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF))
        return 0;
    *codepoint = code;
    return length;
}

void am_utf8_repair(char *text)
{
    size_t left = strlen(text);
    while (left > 0) {
        uint32_t code;
        int length = am_utf8_decode(text, left, &code);
        if (length == 0) {
            *text = '?';
            length = 1;
        }
        text += length;
        left -= (size_t)length;
    }
}
