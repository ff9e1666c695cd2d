#include "data/csv_scan.h"

#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum {
    CSV_BLOCK = 1 << 18,
    CSV_MAX_RECORD = 1 << 26, /* bytes; ends the search for a quote that is never closed */
    END_OF_FILE = -1
};

void csv_scan_close(csv_scan *scan)
{
    gz_close(&scan->in);
    free(scan->block);
    free(scan->text);
    free(scan->start);
    *scan = (csv_scan){0};
}

/* *byte is the next one, not yet consumed, or END_OF_FILE. */
static am_status peek(csv_scan *scan, int *byte, am_error *err)
{
    if (scan->at == scan->end) {
        scan->at = 0;
        AM_TRY(gz_fill(&scan->in, scan->block, CSV_BLOCK, &scan->end, err));
    }
    *byte = scan->at < scan->end ? (unsigned char)scan->block[scan->at] : END_OF_FILE;
    return AM_OK;
}

/* A UTF-8 byte order mark may precede the first record. */
static am_status skip_mark(csv_scan *scan, am_error *err)
{
    int byte;
    AM_TRY(peek(scan, &byte, err)); /* fills the block */
    if (scan->end >= 3 && memcmp(scan->block, "\xEF\xBB\xBF", 3) == 0)
        scan->at = 3;
    return AM_OK;
}

am_status csv_scan_open(csv_scan *scan, const char *path, am_error *err)
{
    *scan = (csv_scan){.next_line = 1};
    AM_TRY(gz_open(&scan->in, path, err));
    scan->block = am_alloc(CSV_BLOCK, 1, path, err);
    if (scan->block == NULL)
        return err->status;
    return skip_mark(scan, err);
}

/* Room for `more` bytes of text. */
static am_status reserve(csv_scan *scan, size_t more, am_error *err)
{
    if (scan->used + more <= scan->room)
        return AM_OK;
    if (scan->used + more > CSV_MAX_RECORD)
        return am_fail(err, AM_ERR_INPUT,
                       "%s:%" PRId64 ": this record is longer than %d MiB; close its quotes",
                       scan->in.path, scan->line, CSV_MAX_RECORD >> 20);
    const size_t room = AM_MAX(2 * scan->room, scan->used + more + 4096);
    char *text = realloc(scan->text, room);
    if (text == NULL)
        return am_fail(err, AM_ERR_MEMORY, "%s: no memory for a record of %zu bytes", scan->in.path,
                       room);
    scan->text = text;
    scan->room = room;
    return AM_OK;
}

static am_status begin_field(csv_scan *scan, am_error *err)
{
    if (scan->fields == scan->start_room) {
        if (scan->start_room > INT_MAX / 2)
            return am_fail(err, AM_ERR_INPUT, "%s:%" PRId64 ": too many fields", scan->in.path,
                           scan->line);
        const int room = AM_MAX(64, 2 * scan->start_room);
        size_t *start = realloc(scan->start, (size_t)room * sizeof *start);
        if (start == NULL)
            return am_fail(err, AM_ERR_MEMORY, "%s: no memory for %d fields", scan->in.path, room);
        scan->start = start;
        scan->start_room = room;
    }
    scan->start[scan->fields++] = scan->used;
    return AM_OK;
}

static am_status bad_byte(const csv_scan *scan, int byte, am_error *err)
{
    return am_fail(err, AM_ERR_INPUT,
                   "%s:%" PRId64 ": byte 0x%02x is no text; save the file as plain CSV in UTF-8",
                   scan->in.path, scan->next_line, (unsigned)byte);
}

static bool is_blank(int byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r'; /* CR: the first half of a CRLF */
}

static am_status skip_blanks(csv_scan *scan, int *byte, am_error *err)
{
    AM_TRY(peek(scan, byte, err));
    while (is_blank(*byte)) {
        scan->at++;
        AM_TRY(peek(scan, byte, err));
    }
    return AM_OK;
}

/* Up to, not including, the comma or line feed. Copies runs of plain bytes straight from the block:
 * this is the loop that large files spend their time in. */
static am_status read_plain(csv_scan *scan, am_error *err)
{
    const size_t begin = scan->used;
    for (;;) {
        int byte;
        AM_TRY(peek(scan, &byte, err));
        if (byte == END_OF_FILE || byte == ',' || byte == '\n')
            break;
        if (byte == '"')
            return am_fail(err, AM_ERR_INPUT,
                           "%s:%" PRId64 ": a quote inside field %d; quote the whole field and "
                           "double the quote",
                           scan->in.path, scan->line, scan->fields);
        if (byte < ' ' && !is_blank(byte))
            return bad_byte(scan, byte, err);
        size_t stop = scan->at + 1;
        while (stop < scan->end && (unsigned char)scan->block[stop] > ',')
            stop++; /* every byte with a meaning is ≤ ',' */
        AM_TRY(reserve(scan, stop - scan->at, err));
        memcpy(scan->text + scan->used, scan->block + scan->at, stop - scan->at);
        scan->used += stop - scan->at;
        scan->at = stop;
    }
    while (scan->used > begin && is_blank(scan->text[scan->used - 1]))
        scan->used--;
    return AM_OK;
}

/* After the opening quote, up to and including the closing one; "" stands for a quote. */
static am_status read_quoted(csv_scan *scan, am_error *err)
{
    const int64_t opened = scan->next_line;
    for (;;) {
        int byte;
        AM_TRY(peek(scan, &byte, err));
        if (byte == END_OF_FILE)
            return am_fail(err, AM_ERR_INPUT,
                           "%s:%" PRId64 ": a quote opened here is never closed; close it",
                           scan->in.path, opened);
        if (byte < ' ' && !is_blank(byte) && byte != '\n')
            return bad_byte(scan, byte, err);
        scan->at++;
        if (byte == '"') {
            int next;
            AM_TRY(peek(scan, &next, err));
            if (next != '"')
                return AM_OK;
            scan->at++;
        }
        scan->next_line += byte == '\n';
        AM_TRY(reserve(scan, 1, err));
        scan->text[scan->used++] = (char)(byte < ' ' ? ' ' : byte);
    }
}

/* One field and what follows it: *last is false after a comma. */
static am_status read_field(csv_scan *scan, bool *last, am_error *err)
{
    int byte;
    AM_TRY(begin_field(scan, err));
    AM_TRY(skip_blanks(scan, &byte, err));
    if (byte == '"') {
        scan->blank = false;
        scan->at++;
        AM_TRY(read_quoted(scan, err));
        AM_TRY(skip_blanks(scan, &byte, err));
        if (byte != ',' && byte != '\n' && byte != END_OF_FILE)
            return am_fail(err, AM_ERR_INPUT,
                           "%s:%" PRId64 ": text after the closing quote of field %d; put a comma "
                           "between them",
                           scan->in.path, scan->next_line, scan->fields);
    } else {
        AM_TRY(read_plain(scan, err));
        AM_TRY(peek(scan, &byte, err));
    }
    AM_TRY(reserve(scan, 1, err));
    scan->text[scan->used++] = '\0';
    if (byte != END_OF_FILE)
        scan->at++;
    scan->next_line += byte == '\n';
    *last = byte != ',';
    return AM_OK;
}

am_status csv_scan_next(csv_scan *scan, bool *more, am_error *err)
{
    int byte;
    bool last = false;
    AM_TRY(peek(scan, &byte, err));
    *more = byte != END_OF_FILE;
    if (!*more)
        return AM_OK;
    scan->line = scan->next_line;
    scan->fields = 0;
    scan->used = 0;
    scan->blank = true;
    while (!last)
        AM_TRY(read_field(scan, &last, err));
    scan->blank = scan->blank && scan->fields == 1 && csv_field(scan, 0)[0] == '\0';
    return AM_OK;
}
