/* bench/run and its helpers: what they refuse, that contenders take turns and one that fails costs nobody
 * else anything, that floors are counted as stated, and what the report makes of the numbers. */
#include "support/program.h"

#include <stdlib.h>

static test_folder python_folder(void)
{
    test_folder folder = make_folder();
    outcome o = script(&folder, "command -v python3");
    bool found = o.code == 0;
    outcome_free(&o);
    if (!found) {
        remove_folder(&folder);
        cr_skip_test("python3 is not installed");
    }
    return folder;
}

/* Runs a Python text that finds the bench's modules, and expects these lines in order. */
static void expect_python(const char *text, const char *lines)
{
    test_folder folder = python_folder();
    put_text(in_folder(&folder, "check.py"), text);
    outcome o = script(&folder, "PYTHONDONTWRITEBYTECODE=1 PYTHONPATH='%s/bench' python3 check.py",
                       AMORTUNE_ROOT);
    cr_expect_eq(o.code, 0, "%s", o.err);
    cr_expect_str_eq(o.out, lines);
    outcome_free(&o);
    remove_folder(&folder);
}

Test(bench_run, scripts_are_sound)
{
    test_folder folder = python_folder();
    outcome o =
        script(&folder,
               "cd '%s/bench'\n"
               "for f in run side_by_side/*.py peers/*.py; do\n"
               "  python3 -c 'import ast, sys; ast.parse(open(sys.argv[1]).read())' $f; done",
               AMORTUNE_ROOT);
    cr_expect_eq(o.code, 0, "%s", o.err);
    outcome_free(&o);
    remove_folder(&folder);
}

Test(bench_run, refuses_what_it_does_not_know)
{
    test_folder folder = python_folder();
    static const struct {
        const char *words, *says;
        int code;
    } table[] = {
        {"--parts fits,nonsense", "--parts: 'nonsense': give some of fits,refits,response", 2},
        {"--cases nonsense", "--cases: 'nonsense': give some of default,collocation", 2},
        {"tpu", "invalid choice: 'tpu'", 2},
        {"--build nowhere", "nowhere/bench_case: not built; say ./run bench, or give --build", 1},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        outcome o = script(&folder, "PYTHONDONTWRITEBYTECODE=1 '%s/bench/run' %s", AMORTUNE_ROOT,
                           table[i].words);
        cr_expect_eq(o.code, table[i].code, "%s: %d", table[i].words, o.code);
        expect_holds(o.err, table[i].says);
        outcome_free(&o);
    }
    remove_folder(&folder);
}

/* P of 4–3–2 is 4·3+3+3·2+2 = 23, W 18, W₁ 12, P' = P − 12 − 3 = 8. By hand for R = 5, M = 2, B = 10:
 * direct 4·10·12·2 + 6·10·6·2 + 6·5·2·23 = 960 + 720 + 1380; factored 4·10·12·5 + 720 + 3·25·23 +
 * 6·5·2·(10·3 + 8) = 2400 + 720 + 1725 + 2280; bytes 28·5·23 = 3220 of a state of 12·5·23 = 1380. */
Test(bench_run, floors_are_counted_as_stated)
{
    expect_python(
        "from side_by_side.floors import *\n"
        "s = Shape(sizes=(4, 3, 2), features=5, draws=2, batch=10, collocation=False, "
        "learned=True)\n"
        "print(s.params, step_flops(s, 'direct'), step_flops(s, 'factored'), step_flops(s))\n"
        "print(*step_bytes(s))\n"
        "c = Ceilings(rate=1e3, update={1000: 100.0, 4000: 50.0})\n"
        "print(c.bandwidth(1), c.bandwidth(2000), c.bandwidth(9999))\n"
        "print(step_floor(s, Ceilings(1e3, {1380: 1e6})), step_floor(s, Ceilings(1e9, {1380: "
        "10})))\n"
        "s = Shape(sizes=(4, 3, 2), features=5, draws=2, batch=10)\n"
        "print(step_flops(s), *step_bytes(s))\n"
        /* 2·100·18·2 + 2·5·2·23 = 7660 against 2·100·(12·5 + 3·5·2 + 6·2) = 20400 */
        "print(models_floor((4, 3, 2), 5, 2, 100, c))\n"
        /* (4·12 + 6·6)·10·3 = 2520 FLOPs, 24·3·23 = 1656 bytes */
        "print(refit_floor((4, 3, 2), 3, 10, Ceilings(1e3, {1: 1e6})))\n"
        /* one node, two snapshots, two iterations, one block, 10 rows, 5 components: products
         * 10·(4·5·3 + 8·6) = 1080 five times, factors 4·(3·25 + 9·5 + 2·16 + 4·4) = 672 four times,
         * gradients 100·(4·12 + 6·6) = 8400 twice, inputs 10·25 */
        "print(response_floor(Response(1, 2, 10, 99, 99, 2, 1), 100, c, (4, 3, 2)))\n",
        "23 3060 7125 3060\n"
        "3220 1380\n"
        "100.0 75.0 50.0\n"
        "3.06 322.0\n"
        "2600 2668 1104\n"
        "7.66\n"
        "2.52\n"
        "25.138\n");
}

/* Contenders that answer from a list; the second ends at its third line. */
static const char turns[] =
    "import pathlib, sys\n"
    "from side_by_side.bench import Bench, take_turns\n"
    "from side_by_side.parts import attempt\n"
    "from side_by_side.record import Record\n"
    "from side_by_side.worker import Failed, Worker\n"
    "here = pathlib.Path('.')\n"
    "(here / 'one.py').write_text('''\n"
    "import sys\n"
    "print('{\"name\": \"one\", \"version\": \"1\"}', flush=True)\n"
    "for i, line in enumerate(sys.stdin):\n"
    "    if i == int(sys.argv[1]): sys.exit('enough')\n"
    "    print('{\"seconds\": %s}' % line.split()[1], flush=True)\n"
    "''')\n"
    "b = Bench('cpu', here, here, Record(here / 'out.csv'), 3, False, 0, [], {})\n"
    "workers = {name: Worker(name, [sys.executable, 'one.py', end], None, 'log')\n"
    "           for name, end in (('amortune', 99), ('peer', 2))}\n"
    "def turn(name, value):\n"
    "    def run():\n"
    "        found = attempt(b, workers, name, 'fit', value) if name in workers else None\n"
    "        if found: b.add('fits', 'x', name, 'seconds', value=found['seconds'])\n"
    "    return run\n"
    "take_turns(4, [turn('amortune', 1.5), turn('peer', 2.5)])\n"
    "print(b.record.get('fits', 'x', 'amortune', 'seconds'), list(workers))\n"
    "print([key[2] for key in b.record.values], b.notes[0].split(';')[0])\n"
    "print(workers['amortune'].peak_bytes() > 1000000)\n"
    "workers['amortune'].close(); b.record.close()\n"
    "print((here / 'out.csv').read_text(), end='')\n"
    "try: Worker('none', [sys.executable, '-c', ''], None, 'log')\n"
    "except Failed as failed: print(failed)\n";

Test(bench_run, contenders_take_turns_and_one_may_fail)
{
    expect_python(turns, "[1.5, 1.5, 1.5, 1.5] ['amortune']\n"
                         "['amortune', 'peer'] left out: peer: ended with 1\n"
                         "True\n"
                         "part,case,contender,quantity,setting,turn,value\n"
                         "fits,x,amortune,seconds,,1,1.5\n"
                         "fits,x,peer,seconds,,1,2.5\n"
                         "fits,x,amortune,seconds,,2,1.5\n"
                         "fits,x,peer,seconds,,2,2.5\n"
                         "fits,x,amortune,seconds,,3,1.5\n"
                         "fits,x,amortune,seconds,,4,1.5\n"
                         "none: ended with 0; see log\n");
}

/* A peer whose models are worse is no yardstick. */
Test(bench_run, peers_must_be_as_good_before_they_are_timed)
{
    expect_python(
        "import pathlib\n"
        "from side_by_side.bench import Bench, agree\n"
        "from side_by_side.record import Record\n"
        "b = Bench('cpu', None, None, Record(pathlib.Path('out.csv')), 3, False, 0, [], {})\n"
        "good = {'val_acc': [0.95, 0.97], 'val_nll': [0.2, 0.1]}\n"
        "bad = {'val_acc': [0.94, 0.97], 'val_nll': [0.2, 0.13]}\n"
        "print(agree(b, 'x', 'p', good, good, 0.4, 0.05), agree(b, 'x', 'p', good, bad, 0.4, "
        "None))\n"
        "print(agree(b, 'x', 'p', good, bad, 0.6, None), agree(b, 'x', 'p', good, bad, 0.6, "
        "0.05))\n"
        "print(b.notes[1])\n",
        "True False\n"
        "True False\n"
        "left out: x, p: its models differ from ours by -0.50 points (at most 0.6) and +10.0 % of "
        "the "
        "NLL (at most 5 %)\n");
}

static const char judged[] =
    "import pathlib\n"
    "from side_by_side import report\n"
    "from side_by_side.bench import Bench\n"
    "from side_by_side.record import Record\n"
    "b = Bench('cpu', None, None, Record(pathlib.Path('out.csv')), 3, False, 0, ['mlp'], {})\n"
    "b.steps, b.threads_used = 1000, 2\n"
    "b.add('ceilings', 'layer products', 'amortune', 'FLOP/s', value=5e11)\n"
    "b.add('ceilings', 'update', 'amortune', 'B/s', value=1e11, setting=1 << 24)\n"
    "for name, values in (('amortune', [1.7, 1.6, 1.5]), ('PyTorch', [6.5]), ('JAX', [6.3])):\n"
    "    b.add('fits', 'mlp', name, 'seconds of the first fit', value=9)\n"
    "    for what, value in (('NLL', 0.2), ('accuracy', 0.9)):\n"
    "        b.add('check', 'mlp', name, f'mean validation {what}', value=value)\n"
    "    for value in values:\n"
    "        b.add('fits', 'mlp', name, 'seconds of 1,000 steps', value=value)\n"
    "        if name != 'JAX': b.add('fits', 'mlp', name, 'seconds of the fit', value=value)\n"
    "b.add('fits', 'default', 'amortune', 'seconds of 1,000 steps', value=2.0)\n"
    "for what, value in (('NLL', 0.2), ('accuracy', 0.9)):\n"
    "    b.add('check', 'default', 'amortune', f'mean validation {what}', value=value)\n"
    "b.add('models', 'default', 'amortune', 'seconds of the curve', value=0.2)\n"
    "b.add('refits', 'refits', 'amortune', 'seconds of one', value=0.5)\n"
    "for seed, (refit, *own) in enumerate(((0.2, 0.21, 0.19), (0.2, 0.2, 0.21), (0.3, 0.31, "
    "0.2))):\n"
    "    b.add('quality', 'refits', 'amortune', 'mean validation NLL', value=refit, setting=5)\n"
    "    b.add('quality', 'refits', 'amortune', 'mean validation accuracy', value=0.9, setting=5)\n"
    "    for epochs, nll in zip((4, 5), own):\n"
    "        b.add('quality', 'default', 'amortune', 'mean validation NLL', value=nll, "
    "setting=epochs)\n"
    "        b.add('quality', 'default', 'amortune', 'seconds', value=epochs + seed, "
    "setting=epochs)\n"
    "    b.add('quality', 'default', 'amortune', 'mean validation accuracy', value=0.901, "
    "setting=5)\n"
    "for m, seconds in ((1, 1e-3), (64, 1.7e-3)):\n"
    "    b.add('scaling', 'M', 'direct', 'seconds of a step', value=seconds, setting=m)\n"
    "    b.add('scaling', 'M', 'factored', 'seconds of a step', value=seconds, setting=m)\n"
    "own = 'quality', 'default', 'amortune', 'mean validation accuracy', '5'\n"
    "held = b.record.values.pop(own)\n"
    "print([line for line in report.requirements(report.Results(b)) if 'break-even' in line])\n"
    "b.record.values[own] = held\n"
    "b.note('left out: nobody')\n"
    "print(report.render(b, 'bench/run', 'a machine', 7))\n"
    "b.quick = True\n"
    "print(report.render(b, 'bench/run', 'a machine', 7).count('| rehearsal |'))\n";

/* The floor of a step of the MLP fit is 541,… MFLOP at 500 GFLOP/s: 1.08 s for 1,000. */
Test(bench_run, report_judges_what_was_measured)
{
    test_folder folder = python_folder();
    put_text(in_folder(&folder, "check.py"), judged);
    outcome o = script(&folder, "PYTHONDONTWRITEBYTECODE=1 PYTHONPATH='%s/bench' python3 check.py",
                       AMORTUNE_ROOT);
    cr_expect_eq(o.code, 0, "%s", o.err);
    static const char *const lines[] = {
        "| break-even, the generator's training counted | ≤ 4 refits at no loss | | not run |",
        "Machine: a machine; 2 threads.",
        "| protocol paper fit: against its floor | ≤ 1.5 times | | not run |",
        "| MLP-feature fit: against its floor | ≤ 1.5 times | 1.60 s, floor 1.08 s: 1.48 times | "
        "PASS |",
        "| MLP-feature fit: faster than PyTorch | ≥ 4 times | 6.50 s: 4.1 times | PASS |",
        "| MLP-feature fit: faster than JAX | ≥ 4 times | 6.30 s: 3.9 times | MISSED |",
        "| 20-λ curve on 10,000 images | ≤ 0.15 s | 0.200 s | MISSED |",
        "| time to quality of the default | ≤ 6 s | 6.00 s, 5 epochs | PASS |",
        "| 4.40 refits at +0.10 points | MISSED |",
        "| a step with M = 64 against M = 1, factored plan | ≤ 1.6 times | 1.70 times | MISSED |",
        "| 4 | 5.000 (4.000 … 6.000) | 0.0100 (0.0000 … 0.0100) |",
        "- left out: nobody",
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        expect_holds(o.out, lines[i]);
    expect_holds(o.out, "\n7\n"); /* verdicts of a rehearsal */
    outcome_free(&o);
    remove_folder(&folder);
}

/* The folder that holds mnist, or NULL: AMORTUNE_DATA is read before the scripts hide it. */
static const char *folder_with_mnist(void)
{
    static char path[4096];
    const char *folders[] = {getenv("AMORTUNE_DATA"), AMORTUNE_ROOT "/datasets"};
    for (int i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "%s/mnist", folders[i] != NULL ? folders[i] : "");
        if (folders[i] != NULL && am_path_exists(path))
            return folders[i];
    }
    return NULL;
}

/* The program's side, alone, some steps. */
Test(bench_run, a_rehearsal_runs_to_its_end)
{
    const char *data = folder_with_mnist();
    if (data == NULL)
        cr_skip_test("no MNIST in $AMORTUNE_DATA or datasets");
    test_folder folder = python_folder();
    outcome o =
        script(&folder,
               "PYTHONDONTWRITEBYTECODE=1 AMORTUNE_DATA='%s' '%s/bench/run' --quick --no-peers "
               "--cases default --parts fits,refits --threads 1 --out out "
               "--build \"$(dirname \"$AMORTUNE\")\"",
               data, AMORTUNE_ROOT);
    cr_expect_eq(o.code, 0, "%s", o.err);
    expect_holds(o.out, "A rehearsal of a few steps: no figure here means anything.");
    expect_holds(o.out, "### the default fit");
    char *text = file_text(&folder, "out/bench-cpu.csv");
    expect_holds(text, "fits,default,amortune,\"seconds of 1,000 steps\",,1,");
    expect_holds(text, "refits,refits,amortune,seconds of 20 in one batch,,1,");
    free(text);
    outcome_free(&o);
    remove_folder(&folder);
}
