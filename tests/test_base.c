/* base: errors, memory, clock, numbers as text, UTF-8. */
#include "base/base.h"

#include <criterion/criterion.h>

#include <float.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void cr_says(const am_error *err, am_status status, const char *part)
{
    cr_assert(err->status == status, "status %s: %s", am_status_name(err->status), err->message);
    cr_assert(strstr(err->message, part) != NULL, "'%s' is not in: %s", part, err->message);
    cr_assert(strchr(err->message, '\n') == NULL);
}

/* ---- errors ---------------------------------------------------------------------------------- */

Test(error, fail_writes_status_and_message)
{
    am_error err = {0};
    cr_assert(am_fail(&err, AM_ERR_INPUT, "%s: row %d; fix it", "a.csv", 7) == AM_ERR_INPUT);
    cr_assert(err.status == AM_ERR_INPUT);
    cr_assert_str_eq(err.message, "a.csv: row 7; fix it");
}

Test(error, message_is_one_clean_line)
{
    am_error err = {0};
    am_fail(&err, AM_ERR_IO, "a\nb\x1b[31m\xff λ");
    cr_assert_str_eq(err.message, "a?b?[31m? λ");
}

Test(error, long_message_keeps_head_and_tail)
{
    char path[3000];
    memset(path, 'x', sizeof path - 1);
    path[sizeof path - 1] = '\0';
    memcpy(path, "/start", 6);
    am_error err = {0};
    am_fail(&err, AM_ERR_IO, "%s: the fault; the remedy", path);
    cr_assert(strlen(err.message) == sizeof err.message - 1);
    cr_assert(strncmp(err.message, "/start", 6) == 0);
    cr_says(&err, AM_ERR_IO, " ... ");
    cr_says(&err, AM_ERR_IO, "xx: the fault; the remedy");
}

Test(error, long_message_is_cut_between_characters)
{
    char text[2000] = "";
    for (int i = 0; i < 600; i++)
        strcat(text, "λ");
    for (int shift = 0; shift < 4; shift++) {
        am_error err = {0};
        am_fail(&err, AM_ERR_IO, "%s%s", &"abc"[3 - shift], text);
        cr_assert(strchr(err.message, '?') == NULL);
        char copy[sizeof err.message];
        strcpy(copy, err.message);
        am_utf8_repair(copy);
        cr_assert_str_eq(copy, err.message);
    }
}

Test(error, message_may_quote_itself)
{
    am_error err = {0};
    am_fail(&err, AM_ERR_IO, "inner");
    am_fail(&err, AM_ERR_IO, "outer (%s)", err.message);
    cr_assert_str_eq(err.message, "outer (inner)");
}

Test(version, names)
{
    cr_assert_str_eq(am_version(), AM_VERSION);
    cr_assert_str_eq(am_status_name(AM_OK), "ok");
    cr_assert_str_eq(am_status_name(AM_ERR_INPUT), "input");
    cr_assert_str_eq(am_status_name((am_status)99), "unknown");
    for (int a = AM_OK; a <= AM_ERR_INTERNAL; a++)
        for (int b = a + 1; b <= AM_ERR_INTERNAL; b++)
            cr_assert(strcmp(am_status_name((am_status)a), am_status_name((am_status)b)) != 0);
}

/* ---- memory and clock ------------------------------------------------------------------------ */

const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "allocator_may_return_null=1";
}

Test(memory, alloc_is_zeroed_even_when_empty)
{
    am_error err = {0};
    char *bytes = am_alloc(100, 3, "test", &err), *none = am_alloc(0, 8, "test", &err);
    cr_assert(bytes && none && err.status == AM_OK);
    for (int i = 0; i < 300; i++)
        cr_assert(bytes[i] == 0);
    free(bytes);
    free(none);
}

Test(memory, alloc_refuses_overflow_and_too_much)
{
    am_error err = {0};
    cr_assert(am_alloc(SIZE_MAX / 2, 4, "head", &err) == NULL);
    cr_says(&err, AM_ERR_MEMORY, "head: ");
    err = (am_error){0};
    cr_assert(am_alloc((size_t)1 << 60, 2, "head", &err) == NULL);
    cr_says(&err, AM_ERR_MEMORY, "head: out of memory");
}

Test(memory, text_copies)
{
    am_error err = {0};
    char *copy = am_strdup("λ", &err), *made = am_format("%s=%d", "K", 16);
    cr_assert_str_eq(copy, "λ");
    cr_assert_str_eq(made, "K=16");
    free(copy);
    free(made);
}

Test(clock, seconds_grow)
{
    double before = am_seconds();
    usleep(2000);
    double passed = am_seconds() - before;
    cr_assert(passed >= 0.002 && passed < 10.0);
}

/* ---- numbers as text ------------------------------------------------------------------------- */

Test(text, parse_int)
{
    int64_t value;
    cr_assert(am_parse_int("0", &value) && value == 0);
    cr_assert(am_parse_int("+16", &value) && value == 16);
    cr_assert(am_parse_int("-9223372036854775808", &value) && value == INT64_MIN);
    cr_assert(am_parse_int("9223372036854775807", &value) && value == INT64_MAX);
    const char *wrong[] = {"",    "+",    " 1",  "1 ",  "1.0",
                           "1e3", "0x10", "--1", "12a", "9223372036854775808"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        cr_assert(!am_parse_int(wrong[i], &value), "'%s' was taken", wrong[i]);
}

Test(text, parse_double)
{
    double value;
    cr_assert(am_parse_double("1e-5", &value) && value == 1e-5);
    cr_assert(am_parse_double("-.5", &value) && value == -0.5);
    cr_assert(am_parse_double("2.", &value) && value == 2.0);
    cr_assert(am_parse_double("1E+2", &value) && value == 100.0);
    cr_assert(am_parse_double("5e-324", &value) && value == 5e-324);
    const char *wrong[] = {"",    ".",        "e5",    "1e", "1e+", "1e400", "-1e400", "nan",
                           "inf", "infinity", "0x1p3", " 1", "1 ",  "1,5",   "1.2.3",  "1-2"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        cr_assert(!am_parse_double(wrong[i], &value), "'%s' was taken", wrong[i]);
}

static void cr_reads(double value, const char *expected)
{
    char text[AM_NUMBER_TEXT];
    am_number_text(value, text);
    cr_assert_str_eq(text, expected);
}

Test(text, number_text_is_the_shortest)
{
    cr_reads(0.0, "0");
    cr_reads(-0.0, "-0");
    cr_reads(50000.0, "50000");
    cr_reads(1e15, "1e+15");
    cr_reads(0.1, "0.1");
    cr_reads(0.1f, "0.1"); /* a float reads back as that float */
    cr_reads(1.0 / 3.0, "0.3333333333333333");
    cr_reads(4.28e-5, "4.28e-05");
    cr_reads(123456.75, "123456.75");
    cr_reads(-DBL_MAX, "-1.7976931348623157e+308");
    cr_reads(5e-324, "5e-324");
    cr_reads(NAN, "nan");
    cr_reads(-INFINITY, "-inf");
}

Test(text, number_text_reads_back)
{
    uint64_t state = 1;
    for (int i = 0; i < 20000; i++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        double wide, back;
        float narrow;
        uint32_t half = (uint32_t)(state >> 32);
        memcpy(&wide, &state, sizeof wide);
        memcpy(&narrow, &half, sizeof narrow);
        char text[AM_NUMBER_TEXT];
        if (isfinite(wide)) {
            am_number_text(wide, text);
            cr_assert(am_parse_double(text, &back) && back == wide, "%s", text);
        }
        if (isfinite(narrow)) {
            am_number_text((double)narrow, text);
            cr_assert(strtof(text, NULL) == narrow, "%s", text);
            cr_assert(strlen(text) <= 16);
        }
    }
}

Test(text, numbers_ignore_the_locale)
{
    if (!setlocale(LC_ALL, "de_DE.UTF-8") && !setlocale(LC_ALL, "fr_FR.UTF-8"))
        cr_skip_test("no locale with a decimal comma is installed");
    double value;
    cr_assert(am_parse_double("1.5", &value) && value == 1.5);
    cr_assert(!am_parse_double("1,5", &value));
    cr_reads(1.5, "1.5");
}

/* ---- UTF-8 ----------------------------------------------------------------------------------- */

static void cr_decodes(const char *text, int length, uint32_t expected)
{
    uint32_t code = 0;
    cr_assert(am_utf8_decode(text, strlen(text), &code) == length && code == expected);
}

Test(utf8, decodes_every_length)
{
    cr_decodes("a", 1, 0x61);
    cr_decodes("λ", 2, 0x3BB);
    cr_decodes("−", 3, 0x2212);
    cr_decodes("\xF0\x9D\x9C\x86", 4, 0x1D706);
    cr_decodes("\xF4\x8F\xBF\xBF", 4, 0x10FFFF);
}

Test(utf8, refuses_what_is_not_well_formed)
{
    const char *wrong[] = {"\x80",             /* continuation alone */
                           "\xC0\xAF",         /* overlong */
                           "\xE0\x80\xAF",     /* overlong */
                           "\xF0\x80\x80\xAF", /* overlong */
                           "\xED\xA0\x80",     /* surrogate */
                           "\xF4\x90\x80\x80", /* above U+10FFFF */
                           "\xFF",
                           "\xCE",      /* cut */
                           "\xE2\x88"}; /* cut */
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        uint32_t code;
        cr_assert(am_utf8_decode(wrong[i], strlen(wrong[i]), &code) == 0, "case %zu", i);
    }
    uint32_t code;
    cr_assert(am_utf8_decode("λ", 1, &code) == 0);
    cr_assert(am_utf8_decode("", 0, &code) == 0);
}

Test(utf8, repair_replaces_bytes)
{
    char text[] = "a\xC0\xAF\xCE\xBB\xE2\x88";
    am_utf8_repair(text);
    cr_assert_str_eq(text, "a??λ??");
}
