/* --config: a file of options. */
#include "cli_words.h"

#include <stdlib.h>
#include <unistd.h>

static char config_path[64];

static void make_config(void)
{
    strcpy(config_path, "/tmp/amortune-config-XXXXXX");
    int fd = mkstemp(config_path);
    cr_assert(fd >= 0);
    close(fd);
}

static void remove_config(void)
{
    unlink(config_path);
}

static parsed with_config(const char *json, const char *words)
{
    char line[LONGEST_LINE];
    am_error err = {0};
    cr_assert(am_write_file(config_path, json, strlen(json), &err) == AM_OK, "%s", err.message);
    snprintf(line, sizeof line, "%s --config %s", words, config_path);
    return parse_words(line);
}

TestSuite(config, .init = make_config, .fini = remove_config);

Test(config, sets_every_kind_of_option)
{
    parsed p = with_config("\xEF\xBB\xBF{\"data\": \"mnist\", \"draws\": 12, \"rate\": 0.001,\n"
                           " \"lambda\": \"1e-4:1e-2\", \"json\": true, \"resume\": false,\n"
                           " \"plan\": \"direct\", \"blocks\": \"n\", \"seed\": "
                           "\"9223372036854775807\", \"warmup\": 1e2}\n",
                           "fit");
    cr_assert(p.status == AM_OK, "%s", p.err.message);
    cr_assert_str_eq(p.s.data, "mnist");
    cr_assert_str_eq(p.s.plan, "direct");
    cr_assert(p.s.draws == 12 && p.s.rate == 0.001 && p.s.blocks == 0 && p.s.warmup == 100);
    cr_assert(p.s.lambda_low == 1e-4 && p.s.lambda_high == 1e-2 && p.s.json && !p.s.resume);
    cr_assert(p.s.seed == INT64_MAX && p.s.epochs == 5);
    cr_assert(settings_given(&p.s, "draws") && settings_given(&p.s, "resume"));
    cr_assert(!settings_given(&p.s, "epochs"));
    settings_free(&p.s);
}

Test(config, numbers_keep_every_bit)
{
    parsed p = with_config("{\"rate\": 0.1000000014901161, \"lambda\": 0.10000000149011612}",
                           "refit --data a");
    cr_assert(p.status == AM_OK, "%s", p.err.message);
    cr_assert(p.s.rate == 0.1000000014901161 && p.s.lambda_low == (double)0.1f);
    settings_free(&p.s);
}

Test(config, the_command_line_overrides_it)
{
    parsed p = with_config("{\"draws\": 12, \"epochs\": 7, \"json\": true, \"data\": \"a\"}",
                           "fit --draws 3 --json=false");
    cr_assert(p.status == AM_OK, "%s", p.err.message);
    cr_assert(p.s.draws == 3 && p.s.epochs == 7 && !p.s.json);
    cr_assert_str_eq(p.s.data, "a");
    settings_free(&p.s);
}

Test(config, every_fault_names_file_key_and_remedy)
{
    static const struct {
        const char *json, *message; /* behind "PATH: " */
    } rows[] = {
        {"{\"lambada\": 1}", "unknown option lambada; did you mean lambda?"},
        {"{\"warm_up\": 1}", "unknown option warm_up; did you mean warmup?"},
        {"{\"points\": 5}",
         "points is no option of fit; only curve, tune, audit, mest and experiment take it"},
        {"{\"draws\": -1}", "draws -1: out of range; give a whole number in 0..4096"},
        {"{\"draws\": 1.5}", "draws 1.5: not a whole number; give a whole number in 0..4096"},
        {"{\"draws\": true}", "draws: give a number or a string"},
        {"{\"json\": \"true\"}", "json: give true or false"},
        {"{\"json\": 1}", "json: give true or false"},
        {"{\"seed\": 9007199254740993e3}",
         "seed: a number beyond 2^53 loses digits in JSON; write it as a string"},
        {"{\"plan\": \"fast\"}", "plan fast: no such choice; give auto, direct or factored"},
        {"{\"draws\": null}",
         "draws: not a value of an option; give a number, a string, true or false"},
        {"{\"draws\": [1]}",
         "draws: not a value of an option; give a number, a string, true or false"},
        {"{\"draws\": 1, \"draws\": 2}", "draws appears twice; keep one"},
        {"{\"config\": \"x\"}", "config names no further file; put its options in this one"},
        {"[1]", "no JSON object; write e.g. {\"epochs\": 5, \"features\": \"cheb:5\"}"},
        {"", "not valid JSON at line 1; check commas and quotes"},
        {"{\"draws\": 1,\n\n}", "not valid JSON at line 3; check commas and quotes"},
        {"{\"draws\": 1}\nx", "not valid JSON at line 2; check commas and quotes"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        parsed p = with_config(rows[i].json, "fit --data a");
        char message[256];
        snprintf(message, sizeof message, "%s: %s", config_path, rows[i].message);
        cr_expect(p.status == AM_ERR_USAGE || p.status == AM_ERR_INPUT, "%s", rows[i].json);
        cr_expect(p.status == p.err.status);
        cr_expect_str_eq(p.err.message, message);
        settings_free(&p.s);
    }
}

Test(config, a_file_that_is_not_there_is_bad_input)
{
    parsed p = parse_words("fit --data a --config /no/such/run.json");
    cr_assert(p.status == AM_ERR_INPUT && p.err.status == AM_ERR_INPUT);
    cr_assert(strstr(p.err.message, "/no/such/run.json") != NULL, "%s", p.err.message);
    settings_free(&p.s);
}
