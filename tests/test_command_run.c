/* ./run in a copy of its folder: cmake, apt-get and the program are stand-ins that say how they
 * were called, so that nothing is built, installed or fetched. */
#include "support/program.h"

#include <sys/stat.h>
#include <unistd.h>

static void put_program(const test_folder *folder, const char *name, const char *text)
{
    put_text(in_folder(folder, name), text);
    cr_assert_eq(chmod(in_folder(folder, name), 0755), 0);
}

/* A folder with run, a built program, and bin/ with the only commands that ./run can find. */
static test_folder run_folder(void)
{
    test_folder folder = make_folder();
    outcome o = script(&folder,
                       "cp '%s/run' run; mkdir -p bin build/release datasets/mnist\n"
                       "for c in bash dirname mkdir tail nproc env grep cat sh chmod; do\n"
                       "  ln -s \"$(command -v $c)\" bin/$c; done",
                       AMORTUNE_ROOT);
    cr_assert_eq(o.code, 0, "%s", o.err);
    outcome_free(&o);
    put_program(&folder, "build/release/amortune",
                "#!/bin/bash\necho \"amortune($#) $*\"\nexit 3\n");
    put_program(&folder, "build/release/amortune_tests", "#!/bin/bash\necho \"tests $*\"\n");
    put_program(&folder, "bin/cmake", "#!/bin/bash\necho \"cmake $*\" >>cmake.log\n");
    put_program(&folder, "build/release/amortune_cuda_tests", "#!/bin/bash\necho \"kernels $*\"\n");
    put_program(&folder, "bin/cc", "#!/bin/bash\ncat >/dev/null\n");
    put_program(&folder, "bin/c++", "#!/bin/bash\n");
    put_program(&folder, "bin/pkg-config", "#!/bin/bash\n");
    put_program(&folder, "bin/id", "#!/bin/bash\necho 1000\n");
    return folder;
}

static outcome run(const test_folder *folder, const char *arguments)
{
    return script(folder, "PATH=$PWD/bin AMORTUNE_DATA= ./run %s", arguments);
}

Test(command_run, is_sound_bash)
{
    test_folder folder = make_folder();
    static const char *const scripts[] = {"run", ".ci/run", "datasets/get"};
    for (int i = 0; i < 3; i++) {
        outcome o = script(&folder, "bash -n '%s/%s'; test -x '%s/%s'", AMORTUNE_ROOT, scripts[i],
                           AMORTUNE_ROOT, scripts[i]);
        cr_expect_eq(o.code, 0, "%s: %s", scripts[i], o.err);
        outcome_free(&o);
    }
    remove_folder(&folder);
}

/* Everything behind ./run goes to the program, word by word, and its exit code comes back. */
Test(command_run, passes_commands_through)
{
    test_folder folder = run_folder();
    outcome o = run(&folder, "help 'two words' --quiet");
    cr_expect_eq(o.code, 3, "%d: %s", o.code, o.err);
    cr_expect_str_eq(o.out, "amortune(3) help two words --quiet\n");
    if (access("/usr/share/javascript/chart.js/chart.min.js", F_OK) == 0)
        cr_expect_str_empty(o.err);
    else /* it cannot be fetched here */
        expect_holds(o.err, "without the chart library no reports are written");
    outcome_free(&o);
    char *built = file_text(&folder, "cmake.log");
    expect_holds(built, "cmake --preset release");
    expect_holds(built, "\ncmake --build build/release -j ");
    free(built);
    remove_folder(&folder);
}

Test(command_run, without_arguments_runs_the_experiment)
{
    test_folder folder = run_folder();
    outcome o = run(&folder, "");
    cr_expect_str_eq(o.out, "amortune(2) experiment mnist\n");
    outcome_free(&o);
    remove_folder(&folder);
}

Test(command_run, test_runs_the_tests)
{
    test_folder folder = run_folder();
    outcome o = run(&folder, "test");
    cr_expect_eq(o.code, 0, "%s", o.err);
    cr_expect_str_eq(o.out, "tests --timeout 900\nkernels --timeout 900\n");
    outcome_free(&o);
    o = run(&folder, "test --filter 'a/*'");
    cr_expect_eq(o.code, 0, "%s", o.err);
    expect_holds(o.out, "tests --timeout 900 --filter a/*\n");
    outcome_free(&o);
    char *built = file_text(&folder, "cmake.log");
    expect_holds(built, "cmake --preset test");
    free(built);
    put_program(&folder, "build/release/amortune_tests", "#!/bin/bash\nexit 1\n");
    o = run(&folder, "test");
    cr_expect_eq(o.code, 1, "failing tests must fail the command");
    outcome_free(&o);
    remove_folder(&folder);
}

/* With the programs that it needs, and not without Python. */
Test(command_run, bench_builds_its_programs_and_hands_over_its_words)
{
    test_folder folder = run_folder();
    outcome o = run(&folder, "bench cpu --quick");
    cr_expect_eq(o.code, 1);
    expect_holds(o.err, "run: the bench needs python3; install it, then try again");
    outcome_free(&o);
    put_program(&folder, "bin/python3", "#!/bin/bash\n");
    o = script(&folder, "mkdir bench");
    outcome_free(&o);
    put_program(&folder, "bench/run", "#!/bin/bash\necho \"bench($#) $*\"\n");
    o = run(&folder, "bench cpu --quick");
    cr_expect_eq(o.code, 0, "%s", o.err);
    cr_expect_str_eq(o.out, "bench(2) cpu --quick\n");
    outcome_free(&o);
    char *built = file_text(&folder, "cmake.log");
    expect_holds(built, "cmake --preset release -DAMORTUNE_BENCH=ON");
    free(built);
    remove_folder(&folder);
}

Test(command_run, a_build_that_fails_shows_why)
{
    test_folder folder = run_folder();
    put_program(&folder, "bin/cmake", "#!/bin/bash\necho 'error: no compiler'\nexit 1\n");
    outcome o = run(&folder, "help");
    cr_expect_eq(o.code, 1);
    cr_expect_str_empty(o.out);
    expect_holds(o.err, "error: no compiler");
    expect_holds(o.err, "run: the build failed; the whole log is in build/build.log");
    outcome_free(&o);
    remove_folder(&folder);
}

/* ---- packages
 * ------------------------------------------------------------------------------------ */

/* Without cmake something must be installed; dpkg-query knows gcc and make only. */
static test_folder bare_folder(const char *user)
{
    test_folder folder = run_folder();
    cr_assert_eq(remove(in_folder(&folder, "bin/cmake")), 0);
    char id[64];
    (void)snprintf(id, sizeof id, "#!/bin/bash\necho %s\n", user);
    put_program(&folder, "bin/id", id);
    put_program(
        &folder, "bin/apt-get",
        "#!/bin/bash\necho \"apt-get $*\" >>apt.log\n"
        "[ \"$1\" = update ] || { printf '#!/bin/bash\\n' >bin/cmake; chmod 755 bin/cmake; }\n");
    put_program(&folder, "bin/dpkg-query",
                "#!/bin/bash\n[ \"${!#}\" = gcc ] || [ \"${!#}\" = make ] && printf installed\n");
    return folder;
}

static const char INSTALL[] = "cmake pkg-config zlib1g-dev libcjson-dev libopenblas-dev";

Test(command_run, root_installs_what_is_missing)
{
    test_folder folder = bare_folder("0");
    outcome o = run(&folder, "help");
    cr_expect_eq(o.code, 3, "%d: %s", o.code, o.err);
    cr_expect_str_eq(o.out, "amortune(1) help\n");
    expect_holds(o.err, INSTALL);
    char *log = file_text(&folder, "apt.log");
    expect_holds(log, "install -y");
    expect_holds(log, INSTALL);
    expect_lacks(log, "gcc");
    free(log);
    outcome_free(&o);
    remove_folder(&folder);
}

Test(command_run, others_are_told_the_one_command)
{
    test_folder folder = bare_folder("1000");
    outcome o = run(&folder, "help");
    cr_expect_eq(o.code, 1);
    cr_expect_str_empty(o.out);
    expect_holds(o.err, "sudo apt-get install -y cmake pkg-config zlib1g-dev");
    cr_expect_not(am_path_exists(in_folder(&folder, "apt.log")), "something was installed");
    outcome_free(&o);
    remove_folder(&folder);
}

Test(command_run, an_installation_that_fails)
{
    test_folder folder = bare_folder("0");
    put_program(&folder, "bin/apt-get", "#!/bin/bash\nexit 100\n");
    outcome o = run(&folder, "help");
    cr_expect_eq(o.code, 1);
    expect_holds(o.err, "run: the installation failed; type this to see why:");
    outcome_free(&o);
    remove_folder(&folder);
}

/* ---- data
 * ---------------------------------------------------------------------------------------- */

Test(command_run, fetches_mnist_once)
{
    test_folder folder = run_folder();
    put_program(&folder, "datasets/get",
                "#!/bin/bash\necho \"get $*\" >>get.log\nmkdir datasets/$1\n");
    cr_assert_eq(rmdir(in_folder(&folder, "datasets/mnist")), 0);
    for (int i = 0; i < 2; i++) {
        outcome o = run(&folder, "");
        cr_expect_str_eq(o.out, "amortune(2) experiment mnist\n", "%s", o.err);
        outcome_free(&o);
    }
    char *log = file_text(&folder, "get.log");
    cr_expect_str_eq(log, "get mnist\n");
    free(log);
    remove_folder(&folder);
}

/* The script says which mirrors it tried, and what to do by hand. */
Test(command_run, no_mirror_answers)
{
    test_folder folder = make_folder();
    outcome o = script(&folder, "AMORTUNE_MIRRORS=file:///nonexistent '%s/datasets/get' mnist here",
                       AMORTUNE_ROOT);
    cr_expect_eq(o.code, 1);
    expect_holds(o.err, "datasets/get: no mirror gave a right train-images-idx3-ubyte.gz; tried:\n"
                        "    file:///nonexistent/train-images-idx3-ubyte.gz\n");
    expect_holds(o.err, "By hand: put these files into here");
    expect_holds(o.err, "--check here mnist");
    outcome_free(&o);
    remove_folder(&folder);
}
