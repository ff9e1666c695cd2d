/* bench/gpu and its helpers as far as they go without a GPU: what they refuse, that a part which fails
 * loses nothing, and that the results file judges what was measured. */
#include "support/program.h"

#include <sys/stat.h>

static void need_python(const test_folder *folder)
{
    outcome o = script(folder, "command -v python3");
    bool found = o.code == 0;
    outcome_free(&o);
    if (!found) {
        remove_folder(folder);
        cr_skip_test("python3 is not installed");
    }
}

Test(bench_gpu, scripts_are_sound)
{
    test_folder folder = make_folder();
    need_python(&folder);
    outcome o =
        script(&folder,
               "cd '%s/bench'; bash -n gpu_deps\n"
               "for f in gpu gpu_support/*.py peers/*.py; do\n"
               "  python3 -c 'import ast, sys; ast.parse(open(sys.argv[1]).read())' $f; done",
               AMORTUNE_ROOT);
    cr_expect_eq(o.code, 0, "%s", o.err);
    outcome_free(&o);
    remove_folder(&folder);
}

Test(bench_gpu, refuses_what_it_does_not_know)
{
    test_folder folder = make_folder();
    need_python(&folder);
    outcome o = script(&folder, "'%s/bench/gpu' --out out nonsense", AMORTUNE_ROOT);
    cr_expect_eq(o.code, 2);
    expect_holds(o.err, "nonsense: no such part; give build, tests,");
    outcome_free(&o);
    o = script(&folder, "'%s/bench/gpu_deps' pock x", AMORTUNE_ROOT);
    cr_expect_eq(o.code, 2);
    expect_holds(o.err, "bench/gpu_deps pack FOLDER");
    outcome_free(&o);
    remove_folder(&folder);
}

/* No program is built there: the part fails, says so, and what was known before stays. */
Test(bench_gpu, a_part_that_fails_is_reported_and_loses_nothing)
{
    test_folder folder = make_folder();
    need_python(&folder);
    outcome o =
        script(&folder,
               "mkdir out; echo '{\"build\": {\"built\": [], \"seconds\": 7}}' >out/results.json\n"
               "'%s/bench/gpu' --device cpu --out out --build nowhere --deps nowhere sanitizer",
               AMORTUNE_ROOT);
    cr_expect_eq(o.code, 1, "%s", o.err);
    expect_holds(o.out, "no figure here is a GPU's");
    expect_holds(o.out, "- build: done (7 s)");
    expect_holds(o.out, "- sanitizer: FAILED: compute-sanitizer and a GPU are needed");
    expect_holds(o.out, "| default MNIST fit, 5 epochs | ≤ 0.2 s | | not run |");
    char *text = file_text(&folder, "out/gpu-rehearsal-on-cpu.md");
    cr_expect_str_eq(text, o.out);
    free(text);
    outcome_free(&o);
    remove_folder(&folder);
}

static void put_program(const test_folder *folder, const char *name, const char *text)
{
    put_text(in_folder(folder, name), text);
    cr_assert_eq(chmod(in_folder(folder, name), 0755), 0);
}

/* With all that it has started; what it had found before stays. */
Test(bench_gpu, a_part_that_takes_too_long_is_ended)
{
    test_folder folder = make_folder();
    need_python(&folder);
    put_program(&folder, "amortune_cuda_tests",
                "#!/bin/sh\necho 'Tested: 5 | Passing: 5 | Failing: 0 | Crashing: 0'\n");
    put_program(&folder, "amortune_tests",
                "#!/bin/sh\nsleep 50 & echo $! >\"$(dirname \"$0\")\"/child; wait\n");
    outcome o = script(&folder, "'%s/bench/gpu' --device cpu --out out --build . --limit 1 tests",
                       AMORTUNE_ROOT);
    cr_expect_eq(o.code, 1, "%s", o.err);
    expect_holds(o.out, "| all pass | 5 of 5 | no GPU |");
    expect_holds(o.out, "- tests: FAILED: amortune_tests ran past the limit of 1 s");
    outcome_free(&o);
    o = script(&folder, "! ps -o stat= -p \"$(cat child)\" | grep -v Z");
    cr_expect_eq(o.code, 0, "its child lives on: %s", o.out);
    outcome_free(&o);
    remove_folder(&folder);
}

/* --missing: what another call did not get to, or was cut off in by --within. */
Test(bench_gpu, a_later_call_does_what_is_missing)
{
    static const char rest[] =
        "'ops': {'seconds': 1}, 'fit': {'seconds': 1, 'failed': 'x'}, 'mnist': "
        "{'seconds': 1}, 'posterior': {'seconds': 1}, 'peers': {'seconds': 1}";
    test_folder folder = make_folder();
    need_python(&folder);
    outcome o =
        script(&folder,
               "mkdir out; echo \"{'build': {'seconds': 1}, 'tests': {'seconds': 1, 'failed': "
               "'x', 'cut': 1}, %s}\" | tr \\' '\"' >out/results.json\n"
               "'%s/bench/gpu' --device cpu --out out --missing --within 1",
               rest, AMORTUNE_ROOT);
    cr_expect_eq(o.code, 1, "%s", o.err);
    expect_holds(o.err, "no time was left for build, tests, sanitizer:");
    outcome_free(&o);
    o = script(
        &folder,
        "echo \"{'build': {'seconds': 1}, 'tests': {'seconds': 1}, 'sanitizer': {'seconds': 1}, "
        "%s}\" | tr \\' '\"' >out/results.json\n"
        "'%s/bench/gpu' --device cpu --out out --missing --within 1",
        rest, AMORTUNE_ROOT);
    cr_expect_eq(o.code, 0, "%s", o.err);
    expect_holds(o.err, "nothing is missing");
    outcome_free(&o);
    remove_folder(&folder);
}

static const char measured[] =
    "import json, sys; sys.path.insert(0, sys.argv[1])\n"
    "from gpu_support import report\n"
    "machine = {'device': 'cuda', 'gpu': 'NVIDIA X1, 5, 6', 'nvcc': '13.0', 'cpu': 'c', 'cores': "
    "2,\n"
    "           'commit': 'abc'}\n"
    "fit = {'fit_seconds': 0.19, 'steps': 1000, 'steps_with_same_draws': 999, 'same_length': "
    "True,\n"
    "       'loss_worst_relative': 2e-4, 'val_acc_difference': 0.001, 'val_nll_relative': -0.02,\n"
    "       'same_bits_every_time': True}\n"
    "row = lambda s, o, shape, t, f: {'scenario': s, 'op': o, 'shape': shape, 'seconds': t,\n"
    "                                 'floor_seconds': f}\n"
    "ops = {'precision': {'fp32': {'worst_error': 3e-6, 'ops': 9}}, 'rows': [\n"
    "    row('paper', 'adam_outer', 'M=1', '1e-4', '8e-5'), row('models', 'step', '', '0.009', "
    "'1e-3'),\n"
    "    row('large', 'step', '', '2e-3', '1e-3'), row('scaling', 'factored', 'M=1', '1e-4', ''),\n"
    "    row('scaling', 'factored', 'M=64', '1.5e-4', '')], 'table': 't'}\n"
    "peers = {'collocation': {'us_per_step': 760.0, 'variant': 'eager', 'steps': 5,\n"
    "                         'fit_seconds': 1, 'val_acc': [1, 0], 'val_nll': [0.1, 0.3]}}\n"
    "at = lambda c, f: {'lambda': 1e-5, 'captured_signal': c, 'spread_ratio': 1, 'fidelity': f}\n"
    "share = {'response_share': 0.5, 'response_seconds': 0.25, 'whole_share': 0.3}\n"
    "posterior = {'networks 1': {'posterior': [at(0.9, 0.6), at(0.8, 0.7)], **share},\n"
    "             'networks 4': {'posterior': [at(0.9, 0.7)], **share}, 'tables': ['# T']}\n"
    "mnist = {'rows': {'break-even (refits)': '1.90 (1.80 … 2.10)'}, 'table': 'a\\nb\\nc'}\n"
    "print(report.render({'machine': machine, 'fit': {'default': fit}, 'ops': ops, 'peers': "
    "peers,\n"
    "                     'mnist': mnist, 'posterior': posterior}))\n"
    "print(report.name_of(machine))\n";

/* Every kind of row, each reached or missed by what stands in `measured`. */
Test(bench_gpu, results_are_judged_by_their_numbers)
{
    test_folder folder = make_folder();
    need_python(&folder);
    put_text(in_folder(&folder, "render.py"), measured);
    outcome o = script(&folder, "python3 render.py '%s/bench'", AMORTUNE_ROOT);
    cr_expect_eq(o.code, 0, "%s", o.err);
    static const char *const lines[] = {
        "# The CUDA backend on NVIDIA X1",
        "| 3.0e-06 at worst of 9 ops | MISSED |",
        "| default fit against the CPU: draws and minibatches | bit for bit | 999 of 1000 steps | "
        "MISSED |",
        "| within 1e-3 | 2.0e-04 | PASS |",
        "| +0.100 points, -2.00 % | MISSED |",
        "| identical bits | identical | PASS |",
        "| ≤ 0.2 s | 0.190 s (median of 5) | PASS |",
        "| 190 µs against 760 µs: 4.0 times | PASS |",
        "| ≥ 70 % of copy bandwidth | 80 % | PASS |",
        "| ≤ 10 ms | 9.00 ms | PASS |",
        "| ≤ 2 times | 1.50 times | PASS |",
        "| ≤ 1.5 times | 2.00 ms, 2.00 times | MISSED |",
        "| ≤ 2 refits | 1.90 (1.80 … 2.10) refits | PASS |",
        "| protocol paper fit, 5 epochs | ≤ 0.25 s | | not run |",
        "| collocation | eager | 5 | 1.000 | 760 | 0.5000 | 0.2000 |",
        "≥ 0.75, ≥ 0.55 | 0.80, 0.60 at worst | PASS |",
        "≥ 0.8, ≥ 0.75 | 0.90, 0.70 at worst | MISSED |",
        "| ≤ 1 times | 0.50 times, 0.250 s | PASS |",
        "| ≤ ¼ | 0.30 | MISSED |",
        "\n## T\n",
        "nvidia-x1",
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        expect_holds(o.out, lines[i]);
    outcome_free(&o);
    remove_folder(&folder);
}
