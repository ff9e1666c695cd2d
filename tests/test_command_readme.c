/* The commands that README.md shows: every block of shell code below a line "<!-- tested -->" runs
 * as it stands, one after the other, in a folder where ./run is the program. What cannot run there says
 * "<!-- tested by FILE -->", and no other block of shell code is left. */
#include "support/program.h"

#include <sys/stat.h>

static const char MARK[] = "\n<!-- tested -->\n", OPEN[] = "```sh\n", CLOSE[] = "\n```\n";

/* The next block's text (free), or NULL; *at moves behind it. */
static char *next_block(const char **at)
{
    const char *mark = strstr(*at, MARK);
    if (mark == NULL)
        return NULL;
    const char *open = mark + strlen(MARK);
    cr_assert_eq(strncmp(open, OPEN, strlen(OPEN)), 0, "no ```sh below <!-- tested -->: %.60s",
                 open);
    open += strlen(OPEN);
    const char *close = strstr(open, CLOSE);
    cr_assert_not_null(close, "a block of README.md is not closed: %.60s", open);
    *at = close + strlen(CLOSE) - 1;
    return am_format("%.*s\n", (int)(close - open), open);
}

static void run_block(const test_folder *folder, const char *text)
{
    put_text(in_folder(folder, "block.sh"), text);
    outcome o = script(folder, "XDG_CACHE_HOME=cache bash -euo pipefail block.sh");
    cr_expect_eq(o.code, 0, "exit code %d of README.md's\n%s\n%s", o.code, text, o.err);
    outcome_free(&o);
}

Test(command_readme, the_commands_of_the_readme_run)
{
    char *text;
    size_t size;
    am_error err = {0};
    cr_assert_eq(am_read_file(AMORTUNE_ROOT "/README.md", &text, &size, &err), AM_OK, "%s",
                 err.message);
    const char *at = text;
    int blocks = 0;
    test_folder folder = make_folder();
    put_text(in_folder(&folder, "run"), "#!/bin/sh\nexec \"$AMORTUNE\" \"$@\"\n");
    cr_assert_eq(chmod(in_folder(&folder, "run"), 0755), 0);
    for (char *block; (block = next_block(&at)) != NULL; blocks++) {
        run_block(&folder, block);
        free(block);
    }
    remove_folder(&folder);
    cr_expect_gt(blocks, 0, "README.md marks no block of commands as tested");
    free(text);
}

/* The line before the block that begins at `open`. */
static char *line_before(const char *text, const char *open)
{
    const char *end = open - 1, *from = end;
    while (from > text && from[-1] != '\n')
        from--;
    return am_format("%.*s", (int)(end - from), from);
}

Test(command_readme, every_block_of_commands_is_tested_somewhere)
{
    static const char by[] = "<!-- tested by ";
    char *text;
    size_t size;
    am_error err = {0};
    cr_assert_eq(am_read_file(AMORTUNE_ROOT "/README.md", &text, &size, &err), AM_OK, "%s",
                 err.message);
    for (const char *at = text; (at = strstr(at, "\n```sh\n")) != NULL; at++) {
        char *mark = line_before(text, at + 1);
        if (strcmp(mark, "<!-- tested -->") != 0) {
            cr_expect_eq(strncmp(mark, by, strlen(by)), 0, "not marked: %.60s", at + 1);
            char *path = am_format("%s/%.*s", AMORTUNE_ROOT, (int)strcspn(mark + strlen(by), " "),
                                   mark + strlen(by));
            cr_expect(am_path_exists(path), "%s: no such test", path);
            free(path);
        }
        free(mark);
    }
    free(text);
}

/* What the text points at in the repository is there. */
Test(command_readme, links_lead_to_files)
{
    char *text;
    size_t size;
    am_error err = {0};
    cr_assert_eq(am_read_file(AMORTUNE_ROOT "/README.md", &text, &size, &err), AM_OK, "%s",
                 err.message);
    int links = 0;
    for (const char *at = text; (at = strstr(at, "](")) != NULL; at++) {
        size_t length = strcspn(at + 2, ")#\n ");
        if (length == 0 || strncmp(at + 2, "http", 4) == 0)
            continue;
        char *path = am_format("%s/%.*s", AMORTUNE_ROOT, (int)length, at + 2);
        cr_expect(am_path_exists(path), "%s: no such file", path);
        free(path);
        links++;
    }
    cr_expect_gt(links, 5);
    free(text);
}
