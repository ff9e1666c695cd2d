/* options: the table, parsing, validation. */
#include "cli_words.h"

#include "cli/option.h"

#include <math.h>
#include <stdlib.h>

static bool takes(const command *cmd, const option *o)
{
    return (o->commands & cmd->bit) != 0;
}

/* ---- the table --------------------------------------------------------------------------------
 */

Test(option_table, no_command_has_two_rows_of_one_name)
{
    for (const command *c = command_table; c->name; c++)
        for (int i = 0; i < option_count; i++)
            for (int j = 0; j < i; j++)
                cr_assert(!takes(c, &option_table[i]) || !takes(c, &option_table[j]) ||
                              strcmp(option_table[i].name, option_table[j].name) != 0,
                          "%s: --%s", c->name, option_table[i].name);
}

Test(option_table, commands_have_bits_of_their_own_and_room_for_arguments)
{
    unsigned seen = 0;
    for (const command *c = command_table; c->name; c++) {
        cr_assert(c->bit != 0 && (c->bit & (c->bit - 1)) == 0 && !(seen & c->bit));
        seen |= c->bit;
        cr_assert(c->least <= c->most && c->most <= 4);
    }
    for (int i = 0; i < option_count; i++) {
        const option *o = &option_table[i];
        cr_assert(o->commands != 0 && !(o->commands & ~seen), "--%s", o->name);
        cr_assert(!(o->required & ~o->commands), "--%s is required where it is not taken", o->name);
        cr_assert((o->metavar == NULL) == (o->kind == OPTION_FLAG), "--%s", o->name);
    }
}

Test(option_table, every_default_lies_within_its_own_limits)
{
    for (int i = 0; i < option_count; i++) {
        const option *o = &option_table[i];
        settings s = {0};
        am_error err = {0};
        if (o->fallback != NULL)
            cr_assert(option_set(&s, o, NULL, o->fallback, &err) == AM_OK, "%s", err.message);
        settings_free(&s);
    }
}

static bool sets(const option *o, const char *text)
{
    settings s = {0};
    am_error err = {0};
    bool ok = option_set(&s, o, NULL, text, &err) == AM_OK;
    cr_assert(ok || err.status == AM_ERR_USAGE);
    settings_free(&s);
    return ok;
}

Test(option_table, whole_numbers_are_accepted_exactly_within_their_limits)
{
    for (int i = 0; i < option_count; i++) {
        const option *o = &option_table[i];
        if (o->kind != OPTION_INT)
            continue;
        int64_t low = o->limit.integer.low, high = o->limit.integer.high;
        char text[32];
        for (int outside = 0; outside <= 1; outside++) {
            snprintf(text, sizeof text, "%lld", (long long)(low - outside));
            cr_assert(sets(o, text) == !outside, "--%s %s", o->name, text);
            if (outside && high == INT64_MAX)
                continue;
            snprintf(text, sizeof text, "%lld", (long long)(high + outside));
            cr_assert(sets(o, text) == !outside, "--%s %s", o->name, text);
        }
    }
}

Test(option_table, exactly_the_listed_choices_are_accepted)
{
    for (int i = 0; i < option_count; i++) {
        const option *o = &option_table[i];
        if (o->kind != OPTION_CHOICE)
            continue;
        char list[128], *rest = list;
        strcpy(list, o->limit.choices);
        for (char *choice; (choice = strsep(&rest, "|")) != NULL;)
            cr_assert(sets(o, choice), "--%s %s", o->name, choice);
        cr_assert(!sets(o, "") && !sets(o, "|") && !sets(o, "other"), "--%s", o->name);
        list[0] = o->limit.choices[0];
        list[1] = '\0';
        cr_assert(!sets(o, list), "--%s takes the beginning of a choice", o->name);
        cr_assert(!strchr(o->limit.choices, '|') || !sets(o, o->limit.choices), "--%s", o->name);
    }
}

/* ---- values -----------------------------------------------------------------------------------
 */

Test(options, defaults_of_fit)
{
    parsed p = parse_good("fit --data mnist");
    const settings *s = &p.s;
    cr_assert(p.request == ASK_RUN && strcmp(p.cmd->name, "fit") == 0);
    cr_assert_str_eq(s->data, "mnist");
    cr_assert(s->seed == 1 && s->threads == 0 && s->draws == 0 && s->batch == 128);
    cr_assert(s->steps == 0 && s->warmup == -1 && s->blocks == 16 && s->embedding == 0);
    cr_assert(s->lambda_low == 1e-5 && s->lambda_high == 1e-1);
    cr_assert(s->epochs == 5 && s->rate == 0 && s->ridge == 1e-3 && s->clip == 0);
    cr_assert(s->alpha == 1 && s->checkpoint_seconds == 30 &&
              fabs(s->validation - 1.0 / 6) < 1e-16);
    cr_assert(!s->json && !s->quiet && !s->resume && !s->omega0);
    cr_assert_str_eq(s->device, "auto");
    cr_assert_str_eq(s->precision, "fp32");
    cr_assert_str_eq(s->weights, "ones");
    cr_assert_str_eq(s->schedule, "cosine");
    cr_assert_str_eq(s->out, "model.safetensors");
    cr_assert(s->target == NULL && s->label == NULL && s->test == NULL && s->config == NULL);
    settings_free(&p.s);
}

Test(options, one_name_means_what_the_command_says)
{
    parsed p = parse_good("experiment mnist --draws 7 --epochs 2.5");
    cr_assert(p.s.posterior_draws == 7 && p.s.draws == 0); /* draws of fit: its default */
    cr_assert(p.s.epochs == 2.5 && p.s.lambda_low == 1e-5 && p.s.lambda_high == 1e-1);
    cr_assert(p.s.out == NULL && p.s.metric == NULL);
    settings_free(&p.s);
    p = parse_good("sample model --draws 2");
    cr_assert(p.s.posterior_draws == 2);
    cr_assert(p.s.lambda_low == 0 && p.s.lambda_high == 0 && !settings_given(&p.s, "lambda"));
    settings_free(&p.s);
    p = parse_good("sample model --lambda 1e-3");
    cr_assert(p.s.lambda_low == 1e-3 && p.s.lambda_high == 1e-3 && settings_given(&p.s, "lambda"));
    settings_free(&p.s);
    p = parse_good("curve model --draws 0");
    cr_assert(p.s.posterior_draws == 0 && p.s.points == 20);
    settings_free(&p.s);
}

Test(options, values_follow_a_blank_or_an_equals_sign)
{
    parsed p = parse_good("fit --data=a=b --out x --lambda=1e-4:2 --rate=.5 --blocks n --json "
                          "--resume=true --omega0=false --seed=9223372036854775807");
    cr_assert_str_eq(p.s.data, "a=b");
    cr_assert_str_eq(p.s.out, "x");
    cr_assert(p.s.lambda_low == 1e-4 && p.s.lambda_high == 2 && p.s.rate == 0.5);
    cr_assert(p.s.blocks == 0 && p.s.json && p.s.resume && !p.s.omega0);
    cr_assert(p.s.seed == INT64_MAX);
    settings_free(&p.s);
}

Test(options, the_last_of_duplicates_wins)
{
    parsed p = parse_good("fit --data a --seed 1 --data b --seed 2 --json --json=false");
    cr_assert_str_eq(p.s.data, "b");
    cr_assert(p.s.seed == 2 && !p.s.json);
    settings_free(&p.s);
}

Test(options, a_negative_number_is_a_value)
{
    parsed p = parse_good("refit --data a --lambda 1 --weights-seed -1");
    cr_assert(p.s.weights_seed == -1 && settings_given(&p.s, "weights-seed"));
    settings_free(&p.s);
    p = parse_good("info -");
    cr_assert_str_eq(p.s.argument[0], "-");
    settings_free(&p.s);
}

Test(options, two_dashes_end_the_options)
{
    parsed p = parse_good("info --json -- --help");
    cr_assert(p.request == ASK_RUN && p.s.argument_count == 1 && p.s.json);
    cr_assert_str_eq(p.s.argument[0], "--help");
    settings_free(&p.s);
    p = parse_good("info --out=--json model");
    cr_assert_str_eq(p.s.out, "--json");
    cr_assert(!p.s.json);
    settings_free(&p.s);
}

Test(options, given_tells_what_the_user_set)
{
    parsed p = parse_good("fit --data a --draws 10 --quiet=false");
    cr_assert(settings_given(&p.s, "data") && settings_given(&p.s, "draws"));
    cr_assert(settings_given(&p.s, "quiet") && !settings_given(&p.s, "json"));
    cr_assert(!settings_given(&p.s, "lambda") && !settings_given(&p.s, "no-such-option"));
    int bits = 0;
    for (int i = 0; i < option_count; i++)
        bits += p.s.given[i];
    cr_assert(bits == 3);
    settings_free(&p.s);
}

/* ---- requests ---------------------------------------------------------------------------------
 */

Test(options, help_and_version_are_requests)
{
    static const struct {
        const char *words;
        cli_request request;
        const char *command;
    } rows[] = {
        {"", ASK_HELP, NULL},
        {"--help", ASK_HELP, NULL},
        {"-h", ASK_HELP, NULL},
        {"help", ASK_HELP, NULL},
        {"help fit", ASK_HELP, "fit"},
        {"--version", ASK_VERSION, NULL},
        {"fit --help", ASK_HELP, "fit"},
        {"curve -h", ASK_HELP, "curve"},
        {"fit --bad --draws x --help", ASK_HELP, "fit"},
        {"info -- --help", ASK_RUN, "info"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        parsed p = parse_good(rows[i].words);
        cr_assert(p.request == rows[i].request, "%s", rows[i].words);
        cr_assert((p.cmd == NULL) == (rows[i].command == NULL), "%s", rows[i].words);
        cr_assert(p.cmd == NULL || strcmp(p.cmd->name, rows[i].command) == 0);
        settings_free(&p.s);
    }
}

/* ---- faults ------------------------------------------------------------------------------------
 */

/* Every message as a whole: option, fault, remedy. */
#define RANGE "give LOW:HIGH with 1e-30 <= LOW < HIGH <= 1e+30"
#define FIT_USAGE "usage: amortune fit --data D [--out MODEL] [options]"
static const struct {
    const char *words, *message;
} faults[] = {
    {"curv m", "unknown command 'curv'; did you mean curve?"},
    {"frobnicate", "unknown command 'frobnicate'; amortune --help lists them"},
    {"help frobnicate", "unknown command 'frobnicate'; amortune --help lists them"},
    {"help fit curve", "help takes one command; usage: amortune help [COMMAND]"},
    {"--seed 1 fit", "--seed: the command comes first; usage: amortune COMMAND [options]"},
    {"fit --lambada 1:2", "unknown option --lambada; did you mean --lambda?"},
    {"fit --checkpoint 1", "unknown option --checkpoint; did you mean --checkpoint-seconds?"},
    {"fit --xyzzy 1", "unknown option --xyzzy; amortune fit --help lists them"},
    {"fit --=1", "unknown option --; amortune fit --help lists them"},
    {"fit -x", "unknown option -x; options begin with two dashes, amortune fit --help lists them"},
    {"curve m --epochs 3",
     "--epochs is no option of curve; only fit, refit and experiment take it"},
    {"curve m --resume", "--resume is no option of curve; only fit and experiment take it"},
    {"fit --data", "--data needs a value; give --data D"},
    {"fit --data --json", "--data needs a value; give --data D"},
    {"fit --out -- x", "--out needs a value; give --out MODEL"},
    {"fit --data a --json=maybe",
     "--json maybe: not a truth value; give true or false, or nothing for true"},
    {"fit --data a --draws ten", "--draws ten: not a whole number; give a whole number in 0..4096"},
    {"fit --data a --draws 1.5", "--draws 1.5: not a whole number; give a whole number in 0..4096"},
    {"fit --data a --draws=", "--draws '': not a whole number; give a whole number in 0..4096"},
    {"fit --data a --draws -1", "--draws -1: out of range; give a whole number in 0..4096"},
    {"fit --data a --seed 9223372036854775808",
     "--seed 9223372036854775808: out of range; give a whole number in 0..9223372036854775807"},
    {"fit --data a --blocks 0",
     "--blocks 0: out of range; give a whole number in 1..2147483647, or n"},
    {"fit --data a --rate fast", "--rate fast: not a number; give a number in 0..1000"},
    {"fit --data a --rate nan", "--rate nan: not a number; give a number in 0..1000"},
    {"fit --data a --rate 1001", "--rate 1001: out of range; give a number in 0..1000"},
    {"fit --data a --rate -1", "--rate -1: out of range; give a number in 0..1000"},
    {"fit --data a --alpha 1e9", "--alpha 1e9: out of range; give a number in 0.05..1000000"},
    {"fit --data a --plan fast", "--plan fast: no such choice; give auto, direct or factored"},
    {"fit --data=", "--data '': empty; give D"},
    {"fit --data a --lambda 1e-1:1e-5", "--lambda 1e-1:1e-5: the range is reversed; " RANGE},
    {"fit --data a --lambda 0:1", "--lambda 0:1: the range must be positive; " RANGE},
    {"fit --data a --lambda -2:-1", "--lambda -2:-1: the range must be positive; " RANGE},
    {"fit --data a --lambda 1:1", "--lambda 1:1: the range is empty; " RANGE},
    {"fit --data a --lambda 1e-40:1", "--lambda 1e-40:1: out of range; " RANGE},
    {"fit --data a --lambda 1e-3", "--lambda 1e-3: not a range; " RANGE},
    {"fit --data a --lambda 1:2:3", "--lambda 1:2:3: not a range; " RANGE},
    {"fit --data a --lambda :", "--lambda :: not a range; " RANGE},
    {"sample m --lambda 1:2", "--lambda 1:2: not a number; give a number in 1e-30..1e+30"},
    {"sample m --lambda 0", "--lambda 0: not positive; give a number in 1e-30..1e+30"},
    {"fit", "fit needs --data D; " FIT_USAGE},
    {"fit --data a b", "'b' is one argument too many for fit; " FIT_USAGE},
    {"refit --data a",
     "refit needs --lambda L; usage: amortune refit --data D --lambda L [options]"},
    {"curve", "curve needs MODEL; usage: amortune curve MODEL [options]"},
    {"curve a b", "'b' is one argument too many for curve; usage: amortune curve MODEL [options]"},
};

Test(options, every_fault_names_option_fault_and_remedy)
{
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        parsed p = parse_words(faults[i].words);
        cr_expect(p.status == AM_ERR_USAGE && p.err.status == AM_ERR_USAGE, "%s", faults[i].words);
        cr_expect_str_eq(p.err.message, faults[i].message);
        settings_free(&p.s);
        settings_free(&p.s); /* safe twice */
    }
}

Test(options, edit_distance_of_hand_worked_pairs)
{
    cr_assert(edit_distance("lambda", 6, "lambda") == 0);
    cr_assert(edit_distance("lambada", 7, "lambda") == 1); /* one insertion */
    cr_assert(edit_distance("rtae", 4, "rate") == 1);      /* neighbours swapped */
    cr_assert(edit_distance("kitten", 6, "sitting") == 3);
    cr_assert(edit_distance("seed=1", 4, "seed") == 0); /* only the first four bytes count */
    cr_assert(edit_distance("", 0, "out") == 3);
    char endless[300];
    memset(endless, 'x', sizeof endless);
    cr_assert(edit_distance(endless, sizeof endless, "out") == 300);
}
