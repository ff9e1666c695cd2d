/* Reading back what the program wrote. */
#include "support/program.h"

#include "base/base.h"
#include "base/safetensors.h"

#include <ctype.h>
#include <dirent.h>

cJSON *parse_json(const char *text)
{
    const char *end = NULL;
    cJSON *root = cJSON_ParseWithOpts(text, &end, false);
    cr_assert_not_null(root, "not JSON: %s", text);
    cr_expect_eq(strspn(end, "\n"), strlen(end), "more than JSON: %s", end);
    return root;
}

const cJSON *json_item(const cJSON *root, const char *path)
{
    char copy[128], *rest = copy;
    (void)snprintf(copy, sizeof copy, "%s", path);
    const cJSON *item = root;
    for (char *key; item != NULL && (key = strsep(&rest, ".")) != NULL;)
        item = isdigit((unsigned char)*key) ? cJSON_GetArrayItem(item, atoi(key))
                                            : cJSON_GetObjectItemCaseSensitive(item, key);
    cr_assert_not_null(item, "no '%s' in the JSON", path);
    return item;
}

double json_value(const cJSON *root, const char *path)
{
    const cJSON *item = json_item(root, path);
    cr_assert(cJSON_IsNumber(item), "'%s' is no number", path);
    return item->valuedouble;
}

void expect_json_items(const cJSON *root, const char *paths)
{
    char *copy = strdup(paths), *rest = copy;
    for (char *path; (path = strsep(&rest, " ")) != NULL;)
        (void)json_item(root, path);
    free(copy);
}

char *file_text(const test_folder *folder, const char *name)
{
    char *text;
    size_t size;
    am_error err = {0};
    cr_assert_eq(am_read_file(in_folder(folder, name), &text, &size, &err), AM_OK, "%s",
                 err.message);
    return text;
}

void expect_csv(const test_folder *folder, const char *name, const char *header, int rows)
{
    char *text = file_text(folder, name), *rest = text;
    cr_expect_eq(lines_of(text), rows + 1, "%s: %s", name, text);
    const char *line = strsep(&rest, "\n");
    cr_expect_str_eq(line, header, "%s begins with %s", name, line);
    int columns = 1;
    for (const char *c = header; *c != '\0'; c++)
        columns += *c == ',';
    for (int i = 0; i < rows && rest != NULL; i++) {
        char *fields = strsep(&rest, "\n");
        for (int j = 0; j < columns; j++) {
            const char *field = strsep(&fields, ",");
            double value;
            cr_assert_not_null(field, "%s: line %d", name, i + 2);
            cr_expect(*field == '\0' || am_parse_double(field, &value), "%s: '%s'", name, field);
        }
        cr_expect_null(fields, "%s: line %d has too many fields", name, i + 2);
    }
    free(text);
}

void expect_svg(const test_folder *folder, const char *name)
{
    enum { DEEPEST = 64 };
    char *text = file_text(folder, name), open[DEEPEST][32];
    int depth = 0, elements = 0;
    for (const char *c = text; (c = strchr(c, '<')) != NULL; c++) {
        const char *end = strchr(c, '>');
        cr_assert_not_null(end, "%s: %.40s", name, c);
        if (c[1] == '?' || c[1] == '!')
            continue;
        char tag[32] = "";
        (void)snprintf(tag, sizeof tag, "%.*s", (int)strcspn(c + 1 + (c[1] == '/'), " />\n"),
                       c + 1 + (c[1] == '/'));
        if (c[1] == '/') {
            cr_assert(depth > 0 && strcmp(open[depth - 1], tag) == 0, "%s: %.40s", name, c);
            depth--;
        } else if (end[-1] != '/') {
            cr_assert_lt(depth, DEEPEST);
            (void)snprintf(open[depth++], sizeof open[0], "%s", tag);
        }
        cr_expect(elements++ > 0 || strcmp(tag, "svg") == 0, "%s begins with %s", name, tag);
    }
    cr_expect(depth == 0 && elements > 5, "%s: %d elements, %d left open", name, elements, depth);
    free(text);
}

void expect_tensor(const test_folder *folder, const char *name, const char *tensor, int64_t rows,
                   int64_t columns)
{
    am_safetensors *file;
    am_error err = {0};
    const int64_t shape[2] = {rows, columns};
    const am_tensor *found;
    cr_assert_eq(am_safetensors_read(in_folder(folder, name), &file, &err), AM_OK, "%s",
                 err.message);
    cr_expect_eq(
        am_safetensors_need(file, tensor, AM_DTYPE_F32, columns > 0 ? 2 : 1, shape, &found, &err),
        AM_OK, "%s", err.message);
    am_safetensors_free(file);
}

bool same_files(const test_folder *folder, const char *a, const char *b)
{
    size_t size_a, size_b;
    uint8_t *x = get_stored(in_folder(folder, a), &size_a);
    uint8_t *y = get_stored(in_folder(folder, b), &size_b);
    bool same = size_a == size_b && memcmp(x, y, size_a) == 0;
    free(x);
    free(y);
    return same;
}

int count_entries(const test_folder *folder)
{
    DIR *stream = opendir(folder->path);
    cr_assert_not_null(stream);
    int count = 0;
    for (struct dirent *entry; (entry = readdir(stream)) != NULL;)
        count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    closedir(stream);
    return count;
}

cJSON *summary_of(const test_folder *folder, const char *name, char *printed)
{
    char *text = file_text(folder, name);
    cJSON *o = parse_json(printed), *written = parse_json(text);
    cr_expect(cJSON_Compare(o, written, true));
    cJSON_Delete(written);
    free(text);
    free(printed);
    return o;
}
