#include "data_files.h"

#include <sys/stat.h>

static void make_set(const test_folder *folder, const char *name)
{
    char file[128];
    cr_assert_eq(mkdir(in_folder(folder, name), 0755), 0);
    (void)snprintf(file, sizeof file, "%s/train-images-idx3-ubyte", name);
    put_text(in_folder(folder, file), "x");
}

static char *found(const char *source)
{
    char *path;
    am_error err;
    cr_assert_eq(data_find(source, &path, &err), AM_OK, "%s", err.message);
    return path;
}

Test(find, takes_an_existing_path_as_given)
{
    test_folder folder = make_folder();
    put_text(in_folder(&folder, "a.csv"), "a,y\n");
    char *file = found(in_folder(&folder, "a.csv")), *set = found(folder.path);
    cr_expect_str_eq(file, in_folder(&folder, "a.csv"));
    cr_expect_str_eq(set, folder.path);
    free(file);
    free(set);
    remove_folder(&folder);
}

/* Each test runs in a process of its own, so that folder and environment may be changed. */
Test(find, looks_in_the_environment_then_in_datasets)
{
    test_folder own = make_folder(), here = make_folder();
    cr_assert_eq(chdir(here.path), 0);
    cr_assert_eq(mkdir("datasets", 0755), 0);
    cr_assert_eq(setenv("AMORTUNE_DATA", own.path, 1), 0);
    make_set(&here, "datasets/mnist");
    char *path = found("mnist");
    cr_expect_str_eq(path, "datasets/mnist");
    free(path);
    make_set(&own, "mnist");
    path = found("mnist");
    cr_expect_str_eq(path, in_folder(&own, "mnist"));
    free(path);
    cr_assert_eq(setenv("AMORTUNE_DATA", "", 1), 0); /* as good as unset */
    path = found("mnist");
    cr_expect_str_eq(path, "datasets/mnist");
    free(path);
    remove_folder(&own);
    remove_folder(&here);
}

Test(find, passes_over_a_download_that_has_only_begun)
{
    test_folder own = make_folder(), here = make_folder();
    cr_assert_eq(chdir(here.path), 0);
    cr_assert_eq(mkdir("datasets", 0755), 0);
    cr_assert_eq(setenv("AMORTUNE_DATA", own.path, 1), 0);
    cr_assert_eq(mkdir(in_folder(&own, "mnist"), 0755), 0);
    put_text(in_folder(&own, "mnist/train-images-idx3-ubyte.gz.part"), "x");
    make_set(&here, "datasets/mnist");
    char *path = found("mnist");
    cr_expect_str_eq(path, "datasets/mnist");
    free(path);
    remove_folder(&own);
    remove_folder(&here);
}

Test(find, finds_own_sets_and_tables_by_name)
{
    test_folder own = make_folder();
    cr_assert_eq(setenv("AMORTUNE_DATA", own.path, 1), 0);
    make_set(&own, "letters");
    put_text(in_folder(&own, "prices.csv"), "a,y\n");
    char *set = found("letters"), *table = found("prices.csv");
    cr_expect_str_eq(set, in_folder(&own, "letters"));
    cr_expect_str_eq(table, in_folder(&own, "prices.csv"));
    free(set);
    free(table);
    remove_folder(&own);
}

Test(find, says_where_it_looked_and_how_to_get_the_data)
{
    test_folder own = make_folder();
    char *path;
    am_error err;
    cr_assert_eq(chdir(own.path), 0);
    cr_assert_eq(setenv("AMORTUNE_DATA", own.path, 1), 0);
    cr_expect_eq(data_find("no-such-set", &path, &err), AM_ERR_INPUT);
    cr_expect_null(path);
    expect_message(&err, in_folder(&own, "no-such-set"));
    expect_message(&err, "datasets/no-such-set");
    cr_expect_eq(data_find("no/such/set", &path, &err), AM_ERR_INPUT);
    expect_message(&err, "no/such/set: no such file or folder");
    cr_expect_eq(data_find("", &path, &err), AM_ERR_USAGE);
    cr_expect_eq(data_find(NULL, &path, &err), AM_ERR_USAGE);
    am_status status = data_find("mnist", &path, &err);
    if (status == AM_OK) /* it stands beside the program's source */
        cr_expect_str_eq(path + strlen(path) - 15, "/datasets/mnist");
    else
        expect_message(&err, "get it with: datasets/get mnist");
    free(path);
    remove_folder(&own);
}

Test(find, falls_back_on_the_distributions_fashion_mnist)
{
    test_folder here = make_folder();
    char *path;
    am_error err;
    cr_assert_eq(chdir(here.path), 0);
    cr_assert_eq(unsetenv("AMORTUNE_DATA"), 0);
    am_status status = data_find("fashion-mnist", &path, &err);
    if (status == AM_OK)
        cr_expect_str_eq(path + strlen(path) - 23, "/datasets/fashion-mnist");
    else
        expect_message(&err, "/usr/share/datasets/fashion-mnist");
    cr_expect(am_path_exists("/usr/share/datasets/fashion-mnist") ? status == AM_OK : true);
    free(path);
    remove_folder(&here);
}
