#include "cli/terminal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { DEFAULT_COLUMNS = 80, MOST_COLUMNS = 200, PLOT_ROWS = 12 };

static const char *variable(const char *name)
{
    const char *text = getenv(name);
    return text != NULL && *text != '\0' ? text : NULL;
}

static int columns_of(int fd)
{
    const char *text = variable("COLUMNS");
    struct winsize size = {0};
    int64_t columns = 0;
    if (text == NULL || !am_parse_int(text, &columns) || columns < 1)
        columns =
            ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : DEFAULT_COLUMNS;
    return (int)AM_MAX(AM_MIN(columns, (int64_t)MOST_COLUMNS), (int64_t)CHART_LEAST_COLUMNS);
}

/* The first of these that is set rules, as for setlocale. */
static bool locale_is_utf8(void)
{
    static const char *const name[] = {"LC_ALL", "LC_CTYPE", "LANG"};
    for (size_t i = 0; i < sizeof name / sizeof *name; i++) {
        const char *locale = variable(name[i]);
        if (locale != NULL)
            return strcasestr(locale, "UTF-8") != NULL || strcasestr(locale, "UTF8") != NULL;
    }
    return false;
}

chart_terminal terminal_of_stdout(void)
{
    const char *term = variable("TERM");
    bool colour = isatty(STDOUT_FILENO) != 0 && variable("NO_COLOR") == NULL && term != NULL &&
                  strcmp(term, "dumb") != 0;
    return (chart_terminal){.columns = columns_of(STDOUT_FILENO),
                            .rows = PLOT_ROWS,
                            .utf8 = locale_is_utf8(),
                            .colour = colour};
}

am_status terminal_chart(const char *path, const char *title, const chart_panel *panel,
                         int panel_count, am_error *err)
{
    if (path != NULL)
        return chart_write_svg(path, title, panel, panel_count, err);
    chart_terminal terminal = terminal_of_stdout();
    fputc('\n', stdout);
    AM_TRY(chart_print(title, panel, panel_count, &terminal, stdout, err));
    fflush(stdout); /* no message on stderr is to fall into it */
    return AM_OK;
}

am_status terminal_check(const settings *set, am_error *err)
{
    if (set->plot && set->json)
        return am_fail(err, AM_ERR_USAGE,
                       "--plot: --json prints for programs; leave one of the two out");
    return AM_OK;
}
