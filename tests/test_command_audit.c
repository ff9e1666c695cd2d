/* amortune audit and experiment mnist --audit as a user types them: what they print, write, keep, and
 * how they go on. */
#include "support/program.h"
#include "support/samples.h"

#include <glob.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

static const char KEYS[] =
    "verdict verdicts.0.property verdicts.0.verdict verdicts.0.value verdicts.0.rule "
    "curve.mean_acc_gap curve.mean_acc_gap_se curve.worst_acc_gap curve.criterion_gap_mean "
    "curve.criterion_gap_worst curve.criterion_gap_worst_se curve.rank_correlation curve.regret "
    "curve.regret_se curve.nll_gap_mean posterior.0.lambda posterior.0.spread_ratio "
    "posterior.0.spread_ratio_se posterior.0.captured_signal posterior.0.captured_signal_se "
    "posterior.0.fidelity posterior.0.fidelity_se posterior.0.reproducible_share "
    "posterior.0.predictive_nll posterior.0.refits_nll posterior.0.predictive_ece "
    "posterior.3.lambda rates.0.rate rates.3.val_nll refit_rate refits.count refits.from_cache "
    "posterior_method draws rows";

static const char CURVE_HEADER[] =
    "lambda,val_nll,val_acc,refit_nll,refit_acc,nll_gap,nll_gap_se,acc_gap,acc_gap_se,criterion,"
    "refit_criterion,criterion_gap,criterion_gap_se";
static const char POSTERIOR_HEADER[] =
    "lambda,spread_ratio,spread_ratio_se,captured_signal,captured_signal_se,fidelity,fidelity_se,"
    "reproducible_share,reproducible_share_se,signal,total,generator,predictive_nll,refits_nll,"
    "predictive_ece,refits_ece";

/* A folder with a model m.st of 60 steps whose generator sees ω. */
static test_folder classes_folder(void)
{
    test_folder folder = make_folder();
    put_classes(&folder, "rows.csv");
    free(succeeds(&folder, "fit --data rows.csv --label kind --target 2-4-2 --weights dirichlet "
                           "--blocks 8 --steps 60 --out m.st"));
    return folder;
}

static const char AUDIT[] = "audit m.st --points 3 --draws 4 --repeats 2";

static void expect_files(const test_folder *folder, int points, int lambdas)
{
    expect_csv(folder, "out/audit_curve.csv", CURVE_HEADER, points);
    expect_csv(folder, "out/audit_posterior.csv", POSTERIOR_HEADER, lambdas);
    expect_svg(folder, "out/audit_curve.svg");
    expect_svg(folder, "out/audit_gap.svg");
    expect_svg(folder, "out/audit_draws.svg");
    expect_svg(folder, "out/audit_spread.svg");
    char *rates = file_text(folder, "out/audit_rates.csv");
    cr_expect_eq(strncmp(rates, "rate,lambda,val_nll,val_acc\n", 28), 0);
    cr_expect_geq(lines_of(rates), 1 + 4 * 5);
    free(rates);
}

Test(command_audit, prints_and_writes_all)
{
    test_folder folder = classes_folder();
    char *out = succeeds(&folder, "%s --cache none --out out --json", AUDIT);
    char *text = file_text(&folder, "out/audit.json");
    cJSON *o = parse_json(out), *written = parse_json(text);
    cr_expect(cJSON_Compare(o, written, true));
    expect_json_items(o, KEYS);
    const char *verdict = json_item(o, "verdict")->valuestring;
    cr_expect(strcmp(verdict, "PASS") == 0 || strcmp(verdict, "WARN") == 0 ||
              strcmp(verdict, "FAIL") == 0);
    cr_expect_str_eq(json_item(o, "posterior_method")->valuestring, "generator");
    cr_expect_eq(json_value(o, "draws"), 4);
    cr_expect_eq(json_value(o, "curve.refits_per_point"), 2);
    cr_expect_eq(json_value(o, "refits.from_cache"), 0);
    cr_expect_float_eq(json_value(o, "posterior.0.lambda"), 1e-5, 1e-12);
    cr_expect_float_eq(json_value(o, "posterior.1.lambda"), 4.3e-5, 0.05e-5);
    cr_expect_float_eq(json_value(o, "posterior.2.lambda"), 1.3e-3, 0.05e-3);
    cr_expect_float_eq(json_value(o, "posterior.3.lambda"), 2e-2, 0.05e-2);
    expect_files(&folder, 3, 4);
    cJSON_Delete(o);
    cJSON_Delete(written);
    free(text);
    free(out);
    remove_folder(&folder);
}

Test(command_audit, prints_tables)
{
    test_folder folder = classes_folder();
    char *out = succeeds(&folder, "%s --cache none --lambda-points 1e-4,1e-2", AUDIT);
    static const char *const parts[] = {"step size of the refits",
                                        "<- chosen",
                                        "curve: generator against 2 refits at each λ",
                                        "acc gap",
                                        "posterior: 4 draws of ω, two refits of each",
                                        "spread ratio",
                                        "captured",
                                        "1.00e-04",
                                        "accuracy, worst λ",
                                        "fails < -1",
                                        "\naudit: ",
                                        "0 of them from the cache"};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        expect_holds(out, parts[i]);
    expect_lacks(out, "nan");
    free(out);
    remove_folder(&folder);
}

/* Without ω in the generator, what `sample` would draw is judged, and said to be. */
Test(command_audit, of_a_generator_that_does_not_see_omega)
{
    test_folder folder = make_folder();
    put_images(&folder, "images");
    free(succeeds(&folder, "fit --data images --target 64-4-3 --steps 60 --out m.st"));
    char *out = succeeds(&folder, "%s --cache none", AUDIT);
    expect_holds(out, "the generator does not see ω");
    expect_holds(out, "posterior fidelity");
    free(out);
    remove_folder(&folder);
}

/* Several networks behind one answer, and a λ for every layer: the λ of the audit are for all. */
Test(command_audit, of_networks_and_layers)
{
    test_folder folder = make_folder();
    put_classes(&folder, "rows.csv");
    static const char *const options[] = {"--networks 2", "--penalty layer",
                                          "--weights multinomial --blocks n"};
    for (int i = 0; i < 3; i++) {
        free(succeeds(&folder,
                      "fit --data rows.csv --label kind --target 2-4-2 --steps 60 %s "
                      "--out m.st",
                      options[i]));
        char *out = succeeds(&folder, "%s --cache none --json", AUDIT);
        cJSON *o = parse_json(out);
        expect_json_items(o, KEYS);
        cJSON_Delete(o);
        free(out);
    }
    remove_folder(&folder);
}

/* Regression: squared errors, no accuracy, no predictive mean. */
Test(command_audit, of_a_regression)
{
    test_folder folder = make_folder();
    put_numbers(&folder, "rows.csv");
    free(succeeds(&folder, "fit --data rows.csv --label y --target 2-4-1 --weights exponential "
                           "--omega0 --blocks 4 --steps 60 --out m.st"));
    char *out = succeeds(&folder, "%s --cache none --out out --json", AUDIT);
    cJSON *o = parse_json(out);
    cr_expect(cJSON_IsNull(json_item(o, "curve.mean_acc_gap")));
    cr_expect(cJSON_IsNull(json_item(o, "posterior.0.predictive_nll")));
    cr_expect(cJSON_IsNumber(json_item(o, "posterior.0.signal")));
    expect_files(&folder, 3, 4);
    cJSON_Delete(o);
    free(out);
    out = succeeds(&folder, "%s --cache none", AUDIT);
    expect_holds(out, "squared error, worst λ");
    expect_lacks(out, "accuracy, worst λ");
    free(out);
    remove_folder(&folder);
}

/* ---- the cache ------------------------------------------------------------------------------- */

/* The document without what time and cache decide. */
static cJSON *numbers_of(const char *text)
{
    cJSON *o = parse_json(text);
    cJSON_DeleteItemFromObject(o, "seconds");
    cJSON_DeleteItemFromObject(cJSON_GetObjectItem(o, "refits"), "seconds");
    cJSON_DeleteItemFromObject(cJSON_GetObjectItem(o, "refits"), "from_cache");
    return o;
}

Test(command_audit, a_second_audit_finds_its_refits_and_the_same_numbers)
{
    test_folder folder = classes_folder();
    static const char *const caches[] = {"kept", "kept", "none"};
    cJSON *first = NULL;
    for (int i = 0; i < 3; i++) {
        char *out = succeeds(&folder, "%s --cache %s --json", AUDIT, caches[i]);
        cJSON *o = parse_json(out), *numbers = numbers_of(out);
        double all = json_value(o, "refits.count"), found = json_value(o, "refits.from_cache");
        cr_expect_eq(found, i == 1 ? all : 0, "%g of %g", found, all);
        if (first == NULL)
            first = numbers;
        else
            cr_expect(cJSON_Compare(first, numbers, true), "run %d: %s", i, out);
        if (numbers != first)
            cJSON_Delete(numbers);
        cJSON_Delete(o);
        free(out);
    }
    cJSON_Delete(first);
    remove_folder(&folder);
}

/* A file in the cache that something has damaged: said, and replaced. */
Test(command_audit, a_damaged_file_of_the_cache_is_said_and_replaced)
{
    test_folder folder = classes_folder();
    free(succeeds(&folder, "%s --cache kept", AUDIT));
    outcome o = script(&folder,
                       "for f in kept/*; do echo junk > $f; done\n"
                       "\"$AMORTUNE\" %s --cache kept --json",
                       AUDIT);
    cr_expect_eq(o.code, 0, "%s", o.err);
    expect_holds(o.err, "trained again");
    cJSON *document = parse_json(o.out);
    cr_expect_eq(json_value(document, "refits.from_cache"), 0);
    cJSON_Delete(document);
    outcome_free(&o);
    char *out = succeeds(&folder, "%s --cache kept --json", AUDIT);
    document = parse_json(out);
    cr_expect_eq(json_value(document, "refits.from_cache"), json_value(document, "refits.count"));
    cJSON_Delete(document);
    free(out);
    remove_folder(&folder);
}

Test(command_audit, keeps_refits_in_the_users_cache_folder)
{
    test_folder folder = classes_folder();
    outcome o = script(&folder,
                       "XDG_CACHE_HOME=$PWD/own \"$AMORTUNE\" %s --quiet\n"
                       "ls own/amortune/refits-*.safetensors > listed\n"
                       "HOME=$PWD/home XDG_CACHE_HOME= \"$AMORTUNE\" %s --quiet\n"
                       "ls home/.cache/amortune/refits-*.safetensors >> listed\n"
                       "env -u HOME -u XDG_CACHE_HOME \"$AMORTUNE\" %s",
                       AUDIT, AUDIT, AUDIT);
    cr_expect_eq(o.code, 0, "%s", o.err);
    expect_holds(o.err, "HOME is not set; refits are not kept");
    outcome_free(&o);
    char *listed = file_text(&folder, "listed");
    cr_expect_geq(lines_of(listed), 8);
    free(listed);
    remove_folder(&folder);
}

/* ---- stopping and going on ------------------------------------------------------------------- */

static bool cache_has_files(const test_folder *folder)
{
    glob_t found;
    bool any = glob(in_folder(folder, "kept/refits-*.safetensors"), 0, NULL, &found) == 0;
    if (any)
        globfree(&found);
    return any;
}

/* Sends SIGINT once a first batch is kept. */
static outcome interrupted(const test_folder *folder, const char *words)
{
    const struct timespec moment = {.tv_nsec = 500000};
    siginfo_t info = {0};
    running r = start_script(folder, "exec \"$AMORTUNE\" %s --quiet", words);
    while (info.si_pid == 0 && !cache_has_files(folder)) {
        cr_assert_eq(waitid(P_PID, (id_t)r.pid, &info, WEXITED | WNOHANG | WNOWAIT), 0);
        (void)nanosleep(&moment, NULL);
    }
    kill(r.pid, SIGINT);
    return finish_script(&r);
}

Test(command_audit, goes_on_after_an_interrupt)
{
    static const char words[] = "audit m.st --points 4 --draws 6 --repeats 2 --cache kept --json";
    test_folder folder = make_folder();
    put_classes(&folder, "rows.csv");
    free(succeeds(&folder, "fit --data rows.csv --label kind --target 2-8-2 --steps 3000 "
                           "--out m.st"));
    outcome o = interrupted(&folder, words);
    cr_expect_eq(o.code, 130, "%d: %s", o.code, o.err);
    expect_holds(o.err, "amortune: audit stopped after ");
    expect_holds(o.err, "the same command goes on from those kept in kept");
    cr_expect_str_eq(o.out, "");
    outcome_free(&o);
    char *out = succeeds(&folder, "%s", words);
    cJSON *document = parse_json(out);
    cr_expect(json_value(document, "refits.from_cache") >= 20);
    cJSON_Delete(document);
    free(out);
    remove_folder(&folder);
}

/* ---- faults ---------------------------------------------------------------------------------- */

Test(command_audit, refuses_what_is_wrong)
{
    test_folder folder = classes_folder();
    static const struct {
        int code;
        const char *words, *parts;
    } list[] = {
        {2, "--lambda-points 1e-3,x", "--lambda-points 1e-3,x: 'x' is no positive number"},
        {2, "--lambda-points ,", "--lambda-points ,: '' is no positive number"},
        {2, "--lambda-points -1", "'-1' is no positive number"},
        {2, "--lambda-points 1e-3,9", "--lambda-points 9: outside the range 1e-05:0.1"},
        {2, "--lambda-points 1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1", "more than 16; give fewer"},
        {2, "--draws 2", "--draws 2"},
        {2, "--points 1", "--points 1"},
        {2, "--repeats 0", "--repeats 0"},
        {1, "--cache rows.csv/below", "rows.csv"},
        {1, "--out rows.csv/below", "rows.csv"},
    };
    for (size_t i = 0; i < sizeof list / sizeof *list; i++)
        refuses(&folder, list[i].code, list[i].parts, "audit m.st %s%s", list[i].words,
                list[i].code == 2 ? " --cache none" : "");
    refuses(&folder, 2, "missing.st", "audit missing.st --cache none");
    cr_expect_eq(count_entries(&folder), 2, "a file was left");
    remove_folder(&folder);
}

/* ---- the experiment -------------------------------------------------------------------------- */

Test(command_audit, of_the_experiment)
{
    test_folder folder = make_folder();
    put_images(&folder, "images");
    char *out = succeeds(&folder, "experiment mnist --dataset images --protocol paper --epochs 20 "
                                  "--points 3 --draws 3 --audit --cache none --repeats 2 "
                                  "--lambda-points 1e-3 --out out --json");
    cJSON *o = parse_json(out);
    const cJSON *audit = json_item(o, "audit");
    expect_json_items(audit, "verdict verdicts.0.verdict curve.mean_acc_gap curve.worst_acc_gap "
                             "curve.criterion_gap_mean curve.criterion_gap_worst "
                             "curve.rank_correlation curve.regret posterior.0.lambda "
                             "posterior.0.spread_ratio posterior.0.captured_signal "
                             "posterior.0.fidelity posterior.0.reproducible_share");
    cr_expect_eq(json_value(audit, "posterior.0.lambda"), 1e-3);
    cr_expect_eq(json_value(audit, "draws"), 20);
    cr_expect(cJSON_IsTrue(json_item(o, "test.posterior_audited")));
    expect_files(&folder, 3, 1);
    cJSON_Delete(o);
    free(out);
    out = succeeds(&folder, "experiment mnist --dataset images --epochs 3 --points 2 --draws 2 "
                            "--audit --cache none --repeats 1 --lambda-points 1e-3 --out out");
    expect_holds(out, "\naudit: ");
    expect_lacks(out, "unaudited");
    free(out);
    remove_folder(&folder);
}
