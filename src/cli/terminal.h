/* terminal — figures where they are asked for: in a file, or in the terminal with --plot. */
#ifndef AM_TERMINAL_H
#define AM_TERMINAL_H

#include "cli/cli.h"
#include "report/report.h"

/* What stdout shows: as wide as COLUMNS says, else as the terminal is, else 80; braille where the
 * locale is UTF-8; colours on a terminal without NO_COLOR. */
chart_terminal terminal_of_stdout(void);
/* The panels as an SVG at path; NULL: on stdout, in characters. */
am_status terminal_chart(const char *path, const char *title, const chart_panel *panel,
                         int panel_count, am_error *err);
/* AM_ERR_USAGE for --plot with --json, before any work. */
am_status terminal_check(const settings *set, am_error *err);

#endif
