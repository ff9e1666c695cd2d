#include "data_files.h"

static csv_table read_text(const test_folder *folder, const char *text, const char *label)
{
    csv_table table;
    am_error err;
    put_text(in_folder(folder, "t.csv"), text);
    cr_assert_eq(csv_read(in_folder(folder, "t.csv"), label, &table, &err), AM_OK, "%s",
                 err.message);
    return table;
}

Test(csv, reads_numbers_under_their_names)
{
    test_folder folder = make_folder();
    csv_table t = read_text(&folder, "a,b,y\n1,-2.5,3e2\n .5 ,+4,\t-0\n", NULL);
    const double expected[6] = {1, -2.5, 300, 0.5, 4, 0};
    cr_assert_eq(t.rows, 2);
    cr_assert_eq(t.columns, 3);
    cr_expect_str_eq(t.name[0], "a");
    cr_expect_str_eq(t.name[2], "y");
    cr_expect_eq(t.text_column, -1);
    cr_expect_eq(t.class_count, 0);
    for (int i = 0; i < 6; i++)
        cr_expect_eq(t.value[i], expected[i], "value %d is %g", i, t.value[i]);
    csv_free(&t);
    csv_free(&t); /* safe twice */
    remove_folder(&folder);
}

Test(csv, takes_marks_line_ends_quotes_and_blank_last_lines)
{
    static const char *const same[] = {
        "a,y\n1,2\n3,4\n",
        "a,y\n1,2\n3,4",
        "a,y\r\n1,2\r\n3,4\r\n",
        "\xEF\xBB\xBF"
        "a,y\n1,2\n3,4\n",
        "\"a\",\"y\"\n\"1\",\"2\"\n\"3\" , \"4\"\n",
        "\xEF\xBB\xBF\"a\" ,y\r\n1,\"2\"\r\n3,4\r\n\r\n",
        "a,y\n1,2\n3,4\n\n\n  \n",
    };
    test_folder folder = make_folder();
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        csv_table t = read_text(&folder, same[i], "y");
        cr_assert_eq(t.rows, 2, "text %zu", i);
        cr_assert_eq(t.columns, 2, "text %zu", i);
        cr_expect_str_eq(t.name[0], "a", "text %zu", i);
        cr_expect_str_eq(t.name[1], "y", "text %zu", i);
        for (int v = 0; v < 4; v++)
            cr_expect_eq(t.value[v], v + 1, "text %zu", i);
        csv_free(&t);
    }
    remove_folder(&folder);
}

Test(csv, numbers_text_labels_in_sorted_order)
{
    test_folder folder = make_folder();
    csv_table t = read_text(&folder,
                            "kind,x\n"
                            "\"rose, \"\"red\"\"\",1\n"
                            "aster,2\n"
                            "\"two\nlines\",3\n"
                            " aster ,4\n",
                            "kind");
    cr_assert_eq(t.rows, 4);
    cr_assert_eq(t.text_column, 0);
    cr_assert_eq(t.class_count, 3);
    cr_expect_str_eq(t.class_name[0], "aster");
    cr_expect_str_eq(t.class_name[1], "rose, \"red\"");
    cr_expect_str_eq(t.class_name[2], "two lines");
    const double label[4] = {1, 0, 2, 0};
    for (int i = 0; i < 4; i++) {
        cr_expect_eq(t.value[2 * i], label[i]);
        cr_expect_eq(t.value[2 * i + 1], i + 1);
    }
    csv_free(&t);
    remove_folder(&folder);
}

/* Longer than any buffer, so that fields straddle reads; gzip too. */
Test(csv, reads_long_files)
{
    enum { ROWS = 30000 };
    test_folder folder = make_folder();
    char *text = malloc(ROWS * 32), *at = text;
    cr_assert_not_null(text);
    at += sprintf(at, "i,\"half, of it\",kind\n");
    for (int i = 0; i < ROWS; i++)
        at += sprintf(at, "%d,\"%.1f\",%s\n", i, i / 2.0, i % 3 == 0 ? "\"k,0\"" : "k1");
    for (int gz = 0; gz < 2; gz++) {
        csv_table t;
        am_error err;
        const char *path = in_folder(&folder, gz ? "long.csv.gz" : "long.csv");
        put_bytes(path, text, (size_t)(at - text));
        cr_assert_eq(csv_read(path, "kind", &t, &err), AM_OK, "%s", err.message);
        cr_assert_eq(t.rows, ROWS);
        cr_assert_eq(t.class_count, 2);
        for (int i = 0; i < ROWS; i++) {
            cr_assert_eq(t.value[3 * i], i);
            cr_assert_eq(t.value[3 * i + 1], i / 2.0);
            cr_assert_eq(t.value[3 * i + 2], i % 3 == 0 ? 0 : 1); /* "k,0" < "k1" */
        }
        csv_free(&t);
    }
    free(text);
    remove_folder(&folder);
}

static const struct {
    const char *text, *label, *place, *fault;
} BAD[] = {
    {"", NULL, "t.csv:1", "no header"},
    {"\n1,2\n", NULL, "t.csv:1", "no header"},
    {"a,y\n", NULL, "t.csv", "no rows"},
    {"a,y\n\n\n", NULL, "t.csv", "no rows"},
    {"a,a\n1,2\n", NULL, "t.csv:1", "two columns are named 'a'"},
    {"a,,y\n1,2,3\n", NULL, "t.csv:1", "column 2 has no name"},
    {"1,2\n3,4\n", NULL, "t.csv:1", "numbers where the header should be"},
    {"a,b,y\n1,2,3\n", "z", "t.csv", "no column 'z'"},
    {"a,b,y\n1,2,3\n", "z", "t.csv", "a, b, y"},
    {"a,y\n1,2\n3\n", NULL, "t.csv:3", "1 fields, the header names 2"},
    {"a,y\n1,2,3\n", NULL, "t.csv:2", "3 fields, the header names 2"},
    {"a,y\n1,2\n\n3,4\n", NULL, "t.csv:3", "blank line"},
    {"a,y\n,2\n", NULL, "t.csv:2", "column 'a' is empty"},
    {"a,y\n1,\n", NULL, "t.csv:2", "column 'y' is empty"},
    {"a,y\n1,\"\"\n", NULL, "t.csv:2", "column 'y' is empty"},
    {"a,y\n1,2\nNaN,4\n", NULL, "t.csv:3", "column 'a' holds 'NaN', which is not finite"},
    {"a,y\n-inf,2\n", NULL, "t.csv:2", "column 'a' holds '-inf', which is not finite"},
    {"a,y\n1e999,2\n", NULL, "t.csv:2", "column 'a' holds '1e999', which is not finite"},
    {"a,y\n1,nan\n", NULL, "t.csv:2", "column 'y' holds 'nan', which is not finite"},
    {"a,y\n1,2\nx1,4\n", NULL, "t.csv:3", "column 'a' holds 'x1', which is no number"},
    {"a,y\n0x10,4\n", NULL, "t.csv:2", "column 'a' holds '0x10', which is no number"},
    {"a,y\n1 2,4\n", NULL, "t.csv:2", "column 'a' holds '1 2', which is no number"},
    {"a,y\n1,2\n3,red\n", NULL, "t.csv:3", "column 'y' holds 'red' after rows of numbers"},
    {"a,y\n1,red\n3,7\n", NULL, "t.csv:3", "column 'y' holds '7' after rows of text"},
    {"a,y\n\"p\nq\",1\n2,\n", "a", "t.csv:4", "column 'a' holds '2'"},
    {"a,y\n\"1,2\n3,4\n", NULL, "t.csv:2", "never closed"},
    {"a,y\n\"1\"2,3\n", NULL, "t.csv:2", "after the closing quote of field 1"},
    {"a,y\n1,2\"3\n", NULL, "t.csv:2", "a quote inside field 2"},
    {"a,y\n1,\x01\n", NULL, "t.csv:2", "byte 0x01 is no text"},
    {"a,y\n1,2\r3,4\n", NULL, "t.csv:2", "3 fields"},
};

Test(csv, names_place_and_fault_of_what_is_wrong)
{
    test_folder folder = make_folder();
    const char *path = in_folder(&folder, "t.csv");
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        csv_table t;
        am_error err;
        put_text(path, BAD[i].text);
        cr_expect_eq(csv_read(path, BAD[i].label, &t, &err), AM_ERR_INPUT, "text %zu", i);
        expect_message(&err, folder.path);
        expect_message(&err, BAD[i].place);
        expect_message(&err, BAD[i].fault);
        cr_expect_null(t.value);
        cr_expect_null(t.name);
    }
    remove_folder(&folder);
}

Test(csv, lists_only_some_of_many_columns)
{
    test_folder folder = make_folder();
    char text[2048] = "", *at = text;
    for (int i = 0; i < 100; i++)
        at += sprintf(at, "column%d,", i);
    (void)sprintf(at, "y\n");
    csv_table t;
    am_error err;
    put_text(in_folder(&folder, "wide.csv"), text);
    cr_assert_eq(csv_read(in_folder(&folder, "wide.csv"), "z", &t, &err), AM_ERR_INPUT);
    expect_message(&err, "its 101 columns: column0, column1");
    expect_message(&err, "…");
    cr_expect_null(strstr(err.message, "column50"));
    remove_folder(&folder);
}

Test(csv, refuses_binary_and_damaged_files)
{
    test_folder folder = make_folder();
    csv_table t;
    am_error err;
    size_t size;
    const char *path = in_folder(&folder, "t.csv.gz");
    put_bytes(path, "a,\0y\n1,2\n", 10);
    cr_expect_eq(csv_read(path, NULL, &t, &err), AM_ERR_INPUT);
    expect_message(&err, "byte 0x00");
    put_text(path, "a,y\n1,2\n");
    uint8_t *stored = get_stored(path, &size);
    for (size_t length = 0; length < size; length++) {
        put_stored(path, stored, length);
        cr_expect_eq(csv_read(path, NULL, &t, &err), AM_ERR_INPUT, "%zu bytes", length);
    }
    expect_message(&err, "ends early");
    free(stored);
    cr_expect_eq(csv_read(in_folder(&folder, "none"), NULL, &t, &err), AM_ERR_INPUT);
    expect_message(&err, "No such file");
    remove_folder(&folder);
}
