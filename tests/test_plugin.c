/* The plugin's interface: only a plugin of the same build is opened. */
#include "backend/abi.h"
#include "backend/plugin.h"
#include "support/scratch.h"

#include <criterion/criterion.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

TestSuite(plugin, .init = scratch_make, .fini = scratch_remove);

Test(plugin, of_another_build_is_refused)
{
    am_error err = {0};
    backend *be;
    cr_assert_eq(symlink(AMORTUNE_OTHER_PLUGIN, scratch("libamortune_cuda.so")), 0);
    cr_assert_eq(backend_open_plugin(&be, scratch_folder(), 0, &err), AM_ERR_DEVICE);
    cr_assert_null(be);
    cr_expect_not_null(strstr(err.message, scratch("libamortune_cuda.so")), "%s", err.message);
    cr_expect_not_null(strstr(err.message, "another build"), "%s", err.message);
    cr_expect_not_null(strstr(err.message, "0123456789abcdef"), "%s", err.message);
    cr_expect_not_null(strstr(err.message, backend_abi()), "%s", err.message);
    cr_expect_not_null(strstr(err.message, "--device cpu"), "%s", err.message);
}

/* From lib, where the library is installed: lib/amortune. */
Test(plugin, in_the_folder_of_the_installation)
{
    am_error err = {0};
    backend *be;
    cr_assert_eq(mkdir(scratch("lib"), 0777), 0);
    cr_assert_eq(backend_open_plugin(&be, scratch("lib"), 0, &err), AM_ERR_DEVICE);
    cr_expect_not_null(strstr(err.message, "no libamortune_cuda.so in "), "%s", err.message);
    cr_assert_eq(mkdir(scratch("lib/amortune"), 0777), 0);
    cr_assert_eq(symlink(AMORTUNE_OTHER_PLUGIN, scratch("lib/amortune/libamortune_cuda.so")), 0);
    err = (am_error){0};
    cr_assert_eq(backend_open_plugin(&be, scratch("lib"), 0, &err), AM_ERR_DEVICE);
    cr_expect_not_null(strstr(err.message, "another build"), "%s", err.message);
}

Test(plugin, digest_is_16_hexadecimal_digits)
{
    cr_expect_eq(strlen(backend_abi()), 16);
    cr_expect_eq(strspn(backend_abi(), "0123456789abcdef"), 16);
}
