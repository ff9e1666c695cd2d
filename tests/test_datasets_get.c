/* datasets/get, driven as a user would, with file:// mirrors and without a network. */
#include "data_files.h"

#include <sys/wait.h>

static const char *const FILES[4] = {"train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz",
                                     "t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"};

#ifndef AM_SOURCE_FOLDER /* set by the build */
#define AM_SOURCE_FOLDER "."
#endif
static const char SCRIPT[] = AM_SOURCE_FOLDER "/datasets/get";

typedef struct {
    int code;
    char said[8192]; /* stdout and stderr */
} outcome;

static outcome get(const char *mirrors, const char *arguments)
{
    outcome o = {0};
    char command[1024];
    cr_assert(am_path_exists(SCRIPT), "%s: run the tests in the folder of the source", SCRIPT);
    (void)snprintf(command, sizeof command, "AMORTUNE_MIRRORS='%s' '%s' %s 2>&1", mirrors, SCRIPT,
                   arguments);
    FILE *pipe = popen(command, "r");
    cr_assert_not_null(pipe);
    o.said[fread(o.said, 1, sizeof o.said - 1, pipe)] = '\0';
    o.code = WEXITSTATUS(pclose(pipe));
    return o;
}

static void expect_said(const outcome *o, const char *part)
{
    cr_expect(strstr(o->said, part) != NULL, "'%s' is not in: %s", part, o->said);
}

static int count_entries(const char *folder)
{
    char command[128], text[16] = "";
    (void)snprintf(command, sizeof command, "ls -A '%s' | wc -l", folder);
    FILE *pipe = popen(command, "r");
    cr_assert_not_null(pipe);
    cr_assert_not_null(fgets(text, sizeof text, pipe));
    pclose(pipe);
    return atoi(text);
}

/* ---- without data ---------------------------------------------------------------------------- */

Test(datasets_get, explains_its_usage)
{
    outcome o = get("", "--help");
    cr_expect_eq(o.code, 0);
    expect_said(&o, "datasets/get NAME [FOLDER]");
    static const char *const wrong[] = {
        "", "cifar", "--fetch", "mnist /tmp/a /tmp/b", "--check /tmp", "--check /tmp cifar"};
    for (int i = 0; i < 6; i++) {
        o = get("", wrong[i]);
        cr_expect_eq(o.code, 2, "%s", wrong[i]);
        expect_said(&o, "Exit: 0");
    }
}

Test(datasets_get, removes_wrong_files_tries_every_mirror_and_says_so)
{
    test_folder folder = make_folder(), mirror = make_folder();
    char mirrors[256], arguments[256];
    for (int i = 0; i < 4; i++)
        put_text(in_folder(&mirror, FILES[i]), "not these");
    (void)snprintf(mirrors, sizeof mirrors, "file:///no/such/mirror file://%s", mirror.path);
    (void)snprintf(arguments, sizeof arguments, "mnist %s", in_folder(&folder, "new/mnist"));
    outcome o = get(mirrors, arguments);
    cr_expect_eq(o.code, 1);
    expect_said(&o, "not the right file");
    expect_said(&o, "tried:");
    expect_said(&o, "    file:///no/such/mirror/train-images-idx3-ubyte.gz");
    expect_said(&o, mirror.path);
    expect_said(&o, "By hand");
    expect_said(&o, "--check");
    cr_expect_eq(count_entries(in_folder(&folder, "new/mnist")), 0);
    remove_folder(&folder);
    remove_folder(&mirror);
}

Test(datasets_get, check_names_missing_and_damaged_files)
{
    test_folder folder = make_folder();
    char arguments[128];
    (void)snprintf(arguments, sizeof arguments, "--check %s mnist", folder.path);
    put_text(in_folder(&folder, FILES[0]), "junk");
    put_text(in_folder(&folder, "train-labels.idx1-ubyte"), "junk");
    outcome o = get("", arguments);
    cr_expect_eq(o.code, 1);
    expect_said(&o, "train-images-idx3-ubyte.gz: damaged");
    expect_said(&o, "train-labels.idx1-ubyte: damaged");
    expect_said(&o, "t10k-images-idx3-ubyte.gz: missing");
    expect_said(&o, "t10k-labels-idx1-ubyte.gz: missing");
    remove_folder(&folder);
}

/* ---- with data ------------------------------------------------------------------------------- */

/* A set that is on this machine, as a mirror; the tests that need one are skipped without it. */
static const char *find_mirror(const char **name)
{
    static char path[512];
    const char *own = getenv("AMORTUNE_DATA");
    *name = "mnist";
    (void)snprintf(path, sizeof path, "%s/mnist", own != NULL ? own : "");
    if (own != NULL && am_path_exists(path))
        return path;
    *name = "fashion-mnist";
    (void)snprintf(path, sizeof path, "/usr/share/datasets/fashion-mnist");
    return am_path_exists(path) ? path : NULL;
}

/* The first `size` bytes of the mirror's file. */
static void put_part(const char *path, const char *mirror, const char *file, size_t size)
{
    char from[640];
    uint8_t *bytes = malloc(size);
    (void)snprintf(from, sizeof from, "%s/%s", mirror, file);
    FILE *stream = fopen(from, "rb");
    cr_assert(bytes != NULL && stream != NULL);
    cr_assert_eq(fread(bytes, 1, size, stream), size);
    fclose(stream);
    put_stored(path, bytes, size);
    free(bytes);
}

Test(datasets_get, fetches_resumes_mends_and_keeps)
{
    const char *name, *mirror = find_mirror(&name);
    if (mirror == NULL)
        cr_skip_test("neither $AMORTUNE_DATA/mnist nor the package dataset-fashion-mnist is here");
    test_folder folder = make_folder();
    char mirrors[640], arguments[128];
    (void)snprintf(mirrors, sizeof mirrors, "file:///no/such/mirror file://%s", mirror);
    (void)snprintf(arguments, sizeof arguments, "%s %s", name, folder.path);
    put_part(in_folder(&folder, "train-images-idx3-ubyte.gz.part"), mirror, FILES[0], 1000000);
    put_text(in_folder(&folder, "train-labels-idx1-ubyte.gz.part"), "of another packing");
    put_text(in_folder(&folder, "t10k-labels-idx1-ubyte.gz"), "junk");
    outcome o = get(mirrors, arguments);
    cr_assert_eq(o.code, 0, "%s", o.said);
    expect_said(&o, "t10k-labels-idx1-ubyte.gz: not the file it should be, set aside");
    cr_expect(am_path_exists(in_folder(&folder, "damaged-t10k-labels-idx1-ubyte.gz")));
    cr_expect_eq(count_entries(folder.path), 5); /* no .part is left */

    o = get("file:///no/such/mirror", arguments);
    cr_expect_eq(o.code, 0, "%s", o.said);
    for (int i = 0; i < 4; i++)
        expect_said(&o, FILES[i]);
    expect_said(&o, "right, kept");
    cr_expect_null(strstr(o.said, "from file:"));

    (void)snprintf(arguments, sizeof arguments, "--check %s %s", folder.path, name);
    o = get("", arguments);
    cr_expect_eq(o.code, 0, "%s", o.said);
    remove_folder(&folder);
}
