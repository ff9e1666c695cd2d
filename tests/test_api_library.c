/* The library as others get it: its exports, its example, its defaults. */
#include "cli/session.h"
#include "support/api_problem.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Runs a command line; its output, at most size − 1 bytes, and its exit status. */
static int run(const char *line, char *output, size_t size)
{
    FILE *pipe = popen(line, "r");
    cr_assert(pipe != NULL);
    output[fread(output, 1, size - 1, pipe)] = '\0';
    return pclose(pipe);
}

Test(api_library, exports_the_header_and_nothing_else)
{
    char output[4096];
    int status = run("'" AMORTUNE_ROOT "/tests/exported_symbols.sh' '" AMORTUNE_LIBRARY
                     "' '" AMORTUNE_ROOT "/include/amortune.h' 2>&1",
                     output, sizeof output);
    cr_expect_eq(status, 0, "%s", output);
    cr_expect(strstr(output, "functions exported") != NULL, "%s", output);
}

Test(api_library, the_example_prints_a_curve_and_its_choice)
{
    static api_rows rows;
    char folder[] = "/tmp/amortune-example-XXXXXX", table[128], weights[128], line[512];
    char output[4096];
    cr_assert(mkdtemp(folder) != NULL);
    snprintf(table, sizeof table, "%s/table.csv", folder);
    snprintf(weights, sizeof weights, "%s/weights.safetensors", folder);
    FILE *f = fopen(table, "w");
    cr_assert(f != NULL);
    api_rows_fill(&rows, 1);
    fprintf(f, "a,b,c,y\n");
    for (int i = 0; i < API_ROWS; i++)
        fprintf(f, "%g,%g,%g,%d\n", (double)rows.x[i][0], (double)rows.x[i][1],
                (double)rows.x[i][2], (int)rows.label[i]);
    fclose(f);
    snprintf(line, sizeof line, "'" AMORTUNE_EXAMPLE "' %s %s 2>&1", table, weights);
    cr_expect_eq(run(line, output, sizeof output), 0, "%s", output);
    cr_expect(strstr(output, "lambda 1.00e-05") != NULL, "%s", output);
    cr_expect(strstr(output, "chosen lambda ") != NULL, "%s", output);
    cr_expect_eq(unlink(weights), 0, "the weights were not written");
    snprintf(line, sizeof line, "'" AMORTUNE_EXAMPLE "' %s/absent.csv 2>&1", folder);
    cr_expect_neq(run(line, output, sizeof output), 0);
    cr_expect(strstr(output, "absent.csv") != NULL, "%s", output);
    unlink(table);
    cr_expect_eq(rmdir(folder), 0);
}

/* ---- defaults: the same as on the command line ----------------------------------------------- */

static void same_text(const char *name, const char *api, const char *cli)
{
    bool same = api == NULL || cli == NULL ? api == cli : strcmp(api, cli) == 0;
    cr_expect(same, "%s: %s, on the command line %s", name, api ? api : "none", cli ? cli : "none");
}

#define SAME_TEXT(member) same_text(#member, api.member, cli.member)
#define SAME_NUMBER(member)                                                                        \
    cr_expect_eq(api.member, cli.member, "%s: %g, on the command line %g", #member,                \
                 (double)api.member, (double)cli.member)

Test(api_library, defaults_are_those_of_the_command_line)
{
    char *words[] = {"amortune", "fit", "--data", "x", NULL};
    settings set;
    const command *cmd;
    cli_request request;
    am_error err = {0};
    cr_assert_eq(settings_parse(4, words, &set, &cmd, &request, &err), AM_OK, "%s", err.message);
    am_fit_options api, cli = request_options(&set, 1000);
    am_fit_options_default(&api, sizeof api);
    SAME_TEXT(target);
    SAME_TEXT(activation);
    SAME_TEXT(penalty);
    SAME_TEXT(features);
    SAME_TEXT(init);
    SAME_TEXT(weights);
    SAME_TEXT(mode);
    SAME_TEXT(path);
    SAME_TEXT(descent);
    SAME_TEXT(plan);
    SAME_TEXT(nodes);
    SAME_TEXT(schedule);
    SAME_NUMBER(lambda_low);
    SAME_NUMBER(lambda_high);
    SAME_NUMBER(lambda_knee);
    SAME_NUMBER(alpha);
    SAME_NUMBER(embedding);
    SAME_NUMBER(omega0);
    SAME_NUMBER(draws);
    SAME_NUMBER(minibatches);
    SAME_NUMBER(batch);
    SAME_NUMBER(epochs);
    SAME_NUMBER(steps);
    SAME_NUMBER(rate);
    SAME_NUMBER(warmup);
    SAME_NUMBER(beta1);
    SAME_NUMBER(beta2);
    SAME_NUMBER(clip);
    SAME_NUMBER(ridge);
    SAME_NUMBER(stretch);
    SAME_NUMBER(tilt);
    SAME_NUMBER(seed);
    SAME_NUMBER(resume);
    SAME_NUMBER(checkpoint_seconds);
    cr_expect_eq(options_blocks(&api, 1000), cli.blocks);
    am_data_options data;
    am_data_options_default(&data, sizeof data);
    cr_expect_float_eq(data.validation, set.validation, 1e-12);
    cr_expect_eq(data.seed, set.seed);
    same_text("task", data.task, set.task);
    settings_free(&set);
}
