/* Model files that are damaged: every command says so in one line, exit code 2, and writes nothing.
 */
#include "support/program.h"
#include "support/samples.h"

typedef struct {
    test_folder folder;
    uint8_t *bytes; /* of a sound model */
    size_t size;
} sound;

static sound sound_model(void)
{
    sound m = {.folder = make_folder()};
    put_classes(&m.folder, "sample");
    free(succeeds(&m.folder, "fit --data sample --target 2-4-2 --steps 5 --weights dirichlet "
                             "--features split:4,2 --draws 10 --out m.st"));
    m.bytes = get_stored(in_folder(&m.folder, "m.st"), &m.size);
    put_text(in_folder(&m.folder, "old"), "an older file");
    return m;
}

static void close_model(sound *m)
{
    free(m->bytes);
    remove_folder(&m->folder);
}

static void expect_refused(const test_folder *folder, const char *parts)
{
    static const char *const commands[] = {"info bad.st --out old", "curve bad.st --out new",
                                           "tune bad.st --out new", "sample bad.st --out new",
                                           "export bad.st --out old --lambda 1e-3"};
    int entries = count_entries(folder);
    for (int i = 0; i < 5; i++) {
        refuses(folder, 2, parts, "%s", commands[i]);
        if (strstr(commands[i], "new") != NULL && am_path_exists(in_folder(folder, "new")))
            cr_expect_eq(rmdir(in_folder(folder, "new")), 0, "%s wrote something", commands[i]);
    }
    char *text = file_text(folder, "old");
    cr_expect_str_eq(text, "an older file");
    free(text);
    cr_expect_eq(count_entries(folder), entries);
}

/* info reads every byte: at many places by it alone, at a few by all commands. */
Test(command_model_file, truncated_anywhere)
{
    sound m = sound_model();
    const size_t cuts[] = {0, 7, 8, m.size / 2, m.size - 1};
    for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++) {
        put_stored(in_folder(&m.folder, "bad.st"), m.bytes, cuts[i]);
        expect_refused(&m.folder, "bad.st: ");
    }
    enum { PLACES = 40 };
    for (size_t i = 0; i < PLACES; i++) {
        put_stored(in_folder(&m.folder, "bad.st"), m.bytes, i * m.size / PLACES);
        refuses(&m.folder, 2, "bad.st: ", "info bad.st");
    }
    close_model(&m);
}

Test(command_model_file, longer_than_it_says)
{
    sound m = sound_model();
    uint8_t *more = calloc(m.size + 1, 1);
    cr_assert_not_null(more);
    memcpy(more, m.bytes, m.size);
    put_stored(in_folder(&m.folder, "bad.st"), more, m.size + 1);
    expect_refused(&m.folder, "bad.st: ");
    free(more);
    close_model(&m);
}

/* ---- headers that lie
 * ---------------------------------------------------------------------------- */

/* Replaces the first `from` by `to`, of the same length. */
static void put_lie(const sound *m, const char *from, const char *to)
{
    size_t length = strlen(from);
    cr_assert_eq(length, strlen(to), "%s", to);
    uint8_t *copy = malloc(m->size);
    cr_assert_not_null(copy);
    memcpy(copy, m->bytes, m->size);
    uint8_t *at = memmem(copy, m->size, from, length);
    cr_assert_not_null(at, "%s is not in the model", from);
    memcpy(at, to, length);
    put_stored(in_folder(&m->folder, "bad.st"), copy, m->size);
    free(copy);
}

Test(command_model_file, lying_header)
{
    static const struct {
        const char *from, *to, *part;
    } lies[] = {
        {"\"target\":\"2-4-2\"", "\"target\":\"2-5-2\"", "bad.st: "},
        {"\"target\":\"2-4-2\"", "\"target\":\"2-0-2\"", "damaged model"},
        {"\"target\":\"2-4-2\"", "\"tarred\":\"2-4-2\"", "metadata 'target' is missing"},
        {"\"format\":\"amortune-model-1\"", "\"format\":\"amortune-model-9\"",
         "not an amortune model"},
        {"\"weights\":\"dirichlet\"", "\"weights\":\"dirichlot\"",
         "metadata 'weights' is not valid"},
        {"\"features\":\"split:4,2\"", "\"features\":\"split:4,3\"", "bad.st: "},
        {"\"features\":\"split:4,2\"", "\"features\":\"splat:4,2\"", "damaged model"},
        {"\"lambda_high\":\"0.1", "\"lambda_high\":\"0.0", "bad.st: "},
        {"\"lambda_low\":\"1", "\"lambda_low\":\"-", "bad.st: "},
        {"\"blocks\":\"16\"", "\"blocks\":\"99\"", "bad.st: "},
        {"\"inputs\":\"2\"", "\"inputs\":\"3\"", "bad.st: "},
        {"\"draws\":\"10\"", "\"draws\":\"00\"", "bad.st: "},
        {"\"dtype\":\"F32\"", "\"dtype\":\"F64\"", "bad.st: "},
        {"\"dtype\":\"F32\"", "\"dtype\":\"X32\"", "bad.st: "},
        {"\"shape\":[", "\"shape\":{", "bad.st: "},
        {"\"data_offsets\":[0", "\"data_offsets\":[1", "bad.st: "},
        {"__metadata__", "__metadatb__", "bad.st: "},
    };
    sound m = sound_model();
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
        put_lie(&m, lies[i].from, lies[i].to);
        expect_refused(&m.folder, lies[i].part);
    }
    close_model(&m);
}

Test(command_model_file, lying_header_length)
{
    static const uint8_t lengths[][8] = {
        {0}, {1}, {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF}, {0, 0, 0, 0, 0, 0, 0, 0x80}};
    sound m = sound_model();
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        memcpy(m.bytes, lengths[i], 8);
        put_stored(in_folder(&m.folder, "bad.st"), m.bytes, m.size);
        expect_refused(&m.folder, "bad.st: ");
    }
    close_model(&m);
}

/* Parameters that are no numbers would give a curve of nothing. */
Test(command_model_file, parameters_that_are_not_finite)
{
    static const uint8_t nan_bytes[4] = {0, 0, 0xC0, 0x7F};
    sound m = sound_model();
    int64_t header;
    memcpy(&header, m.bytes, sizeof header);
    const size_t places[] = {8 + (size_t)header, m.size - 4}; /* the first tensor, the last */
    for (int i = 0; i < 2; i++) {
        uint8_t kept[4];
        memcpy(kept, m.bytes + places[i], 4);
        memcpy(m.bytes + places[i], nan_bytes, 4);
        put_stored(in_folder(&m.folder, "bad.st"), m.bytes, m.size);
        expect_refused(&m.folder, "bad.st: |not finite");
        memcpy(m.bytes + places[i], kept, 4);
    }
    close_model(&m);
}

/* ---- files of other kinds
 * -------------------------------------------------------------------------- */

Test(command_model_file, not_a_model)
{
    sound m = sound_model();
    refuses(&m.folder, 2, "none.st: no such file; check the path", "curve none.st");
    refuses(&m.folder, 2, ".: is a folder; name a file", "curve .");
    refuses(&m.folder, 2, "sample: ", "curve sample");
    free(succeeds(&m.folder, "export m.st --lambda 1e-3 --out bad.st"));
    expect_refused(&m.folder, "bad.st: not an amortune model|give a file that amortune fit wrote");
    close_model(&m);
}
