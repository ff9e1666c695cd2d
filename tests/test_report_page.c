/* The page's pieces: numbers, escapes, arrays, tables. */
#include "report/html.h"
#include "support/scratch.h"

#include <criterion/criterion.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

TestSuite(report_page, .init = scratch_make, .fini = scratch_remove);

/* What a piece writes, fresh. */
#define WRITTEN(text, call)                                                                        \
    do {                                                                                           \
        size_t size_ = 0;                                                                          \
        FILE *stream = open_memstream(&(text), &size_);                                            \
        cr_assert_not_null(stream);                                                                \
        call;                                                                                      \
        cr_assert_eq(fclose(stream), 0);                                                           \
    } while (0)

static void expect_written(char *text, const char *want)
{
    cr_expect_str_eq(text, want);
    free(text);
}

Test(report_page, base64_as_in_rfc_4648)
{
    static const char *const pairs[][2] = {
        {"", ""},        {"f", "Zg=="},        {"fo", "Zm8="},
        {"foo", "Zm9v"}, {"foob", "Zm9vYg=="}, {"foobar", "Zm9vYmFy"}};
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        char *text = NULL;
        WRITTEN(text, html_base64(stream, pairs[i][0], strlen(pairs[i][0])));
        expect_written(text, pairs[i][1]);
    }
}

Test(report_page, arrays_in_their_encodings)
{
    const int16_t wide[] = {1, -2}, narrow[] = {0, 2047, -2047, 1};
    const float one = 1.0F; /* 3F800000 */
    const html_array int16 = {"a", HTML_INT16, wide, 2}, int12 = {"b", HTML_INT12, narrow, 4},
                     real = {"c", HTML_FLOAT, &one, 1};
    char *text = NULL;
    WRITTEN(text, html_array_text(stream, &int16));
    expect_written(text, "AQD+/w=="); /* 01 00 FE FF */
    WRITTEN(text, html_array_text(stream, &int12));
    expect_written(text, "gA//ABgB"); /* 2048 = 32·64, 4095, 1, 2049 */
    WRITTEN(text, html_array_text(stream, &real));
    expect_written(text, "AACAPw==");
}

Test(report_page, no_text_ends_its_script)
{
    char *text = NULL;
    WRITTEN(text, html_json(stream, "{\"a\":\"</script><!--\"}"));
    expect_written(text, "{\"a\":\"\\u003c/script>\\u003c!--\"}");
}

Test(report_page, numbers_for_people)
{
    static const struct {
        double value;
        const char *text;
    } number[] = {{0, "0"},
                  {12345, "12,345"},
                  {-1234567, "−1,234,567"},
                  {1953, "1953"},
                  {0.07342, "0.07342"},
                  {-0.5, "−0.5"},
                  {1.5e-7, "1.5 × 10<sup>−7</sup>"},
                  {NAN, "–"}},
      lambda[] = {{1e-5, "1.00 × 10<sup>−5</sup>"},
                  {2.976e-4, "2.98 × 10<sup>−4</sup>"},
                  {0.1, "0.1"},
                  {0.02336, "0.0234"},
                  {NAN, "–"}};
    for (size_t i = 0; i < sizeof number / sizeof *number; i++) {
        char *text = NULL;
        WRITTEN(text, html_number(stream, number[i].value));
        expect_written(text, number[i].text);
    }
    for (size_t i = 0; i < sizeof lambda / sizeof *lambda; i++) {
        char *text = NULL;
        WRITTEN(text, html_lambda(stream, lambda[i].value));
        expect_written(text, lambda[i].text);
    }
}

static char *tables_of(const char *json)
{
    cJSON *o = cJSON_Parse(json);
    char *text = NULL;
    cr_assert_not_null(o);
    WRITTEN(text, html_tables(stream, o, 3));
    cJSON_Delete(o);
    return text;
}

static void expect_part(const char *text, const char *part)
{
    cr_expect(strstr(text, part) != NULL, "'%s' is not in: %s", part, text);
}

Test(report_page, plain_values_are_a_list)
{
    char *text =
        tables_of("{\"data_name\":\"a<b>&c\",\"lambda\":1e-5,\"done\":true,\"none\":null}");
    expect_part(text, "<dt>data name</dt><dd>a&lt;b&gt;&amp;c</dd>");
    expect_part(text, "<dt>lambda</dt><dd>1.00 × 10<sup>−5</sup></dd>");
    expect_part(text, "<dt>done</dt><dd>yes</dd>");
    cr_expect_null(strstr(text, "none"));
    free(text);
}

Test(report_page, objects_that_share_keys_are_a_table)
{
    char *text =
        tables_of("{\"gcv\":{\"mse\":1.5},\"cv\":{\"mse\":2,\"gap\":3},\"other\":{\"x\":4}}");
    expect_part(text, "<th scope=col>mse</th><th scope=col>gap</th>");
    expect_part(text, "<th scope=row>gcv</th><td>1.5</td><td></td>");
    expect_part(text, "<th scope=row>cv</th><td>2</td><td>3</td>");
    expect_part(text, "<h3>other</h3>"); /* shares none: a list of its own */
    expect_part(text, "<dt>x</dt><dd>4</dd>");
    free(text);
}

Test(report_page, arrays_of_objects_are_tables_with_nested_columns)
{
    char *text = tables_of("{\"curve\":[{\"nu\":1,\"mle\":{\"mu\":2}},{\"nu\":3,\"note\":\"n\"}]}");
    expect_part(text, "<caption>curve</caption>");
    expect_part(text,
                "<th scope=col>nu</th><th scope=col>mle mu</th><th scope=col class=text>note");
    expect_part(text, "<tr><td>1</td><td>2</td><td></td></tr>");
    expect_part(text, "<tr><td>3</td><td></td><td class=text>n</td></tr>");
    free(text);
}

/* ---- the page ---------------------------------------------------------------------------------- */

Test(report_page, is_whole_and_escapes_what_it_is_given)
{
    if (!html_available())
        cr_skip_test("built without the chart library");
    const html_file file = {"x\"<y>.csv", "a,b\n", 4};
    const int8_t byte = 77;
    const html_array array = {"rows", HTML_BYTES, &byte, 1};
    cJSON *explorer = cJSON_Parse("{\"name\":\"</script>\"}");
    cJSON *verdict = cJSON_Parse("{\"cards\":[{\"label\":\"chosen λ\",\"lambda\":1e-3}],"
                                 "\"alarms\":[{\"level\":\"warn\",\"text\":\"Edge & more\"}]}");
    const html_page page = {.title = "<b>",
                            .subtitle = "s",
                            .verdict = verdict,
                            .explorer = explorer,
                            .notice = "no <data>",
                            .file = &file,
                            .files = 1,
                            .array = &array,
                            .arrays = 1};
    am_error err = {0};
    cr_assert_eq(html_write(scratch("p.html"), &page, &err), AM_OK, "%s", err.message);
    char *text = scratch_text(scratch("p.html"));
    static const char *const parts[] = {"<!doctype html>",
                                        "default-src 'none'",
                                        "<title>&lt;b&gt; – amortune</title>",
                                        "<dd>1.00 × 10<sup>−3</sup>",
                                        "<span class=\"badge warn\">warn</span>",
                                        "Edge &amp; more",
                                        "no &lt;data&gt;",
                                        "download=\"x&quot;&lt;y&gt;.csv\"",
                                        "id=\"file-0\">YSxiCg==</script>",
                                        "id=\"array-rows\">TQ==</script>",
                                        "{\"name\":\"\\u003c/script>\"}",
                                        "Chart.js v3",
                                        "The MIT License (MIT)",
                                        "</html>"};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        cr_expect(strstr(text, parts[i]) != NULL, "'%s' is missing", parts[i]);
    free(text);
    cJSON_Delete(explorer);
    cJSON_Delete(verdict);
}

Test(report_page, a_build_without_the_chart_library_refuses)
{
    if (html_available())
        cr_skip_test("this build carries the chart library");
    am_error err = {0};
    cr_expect_eq(html_write(scratch("p.html"), &(html_page){0}, &err), AM_ERR_IO);
    expect_part(err.message, "libjs-chart.js");
    cr_expect_eq(scratch_files(), 0);
}
