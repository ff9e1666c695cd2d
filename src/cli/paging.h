/* paging — the page report.html, of the command and of the experiments, and what it tells of the run. */
#ifndef AM_CLI_PAGING_H
#define AM_CLI_PAGING_H

#include "api/reporting.h"
#include "cli/cli.h"

/* The request for a folder or model, on the device that the settings name. */
report_request paging_request(const settings *set, const char *results);
/* The command line that repeats the run: what the user set, quoted for a shell. Fresh; NULL without
 * memory. */
char *paging_command(const settings *set, const char *command_name);
/* FOLDER/run.json — {command, settings, environment} — and FOLDER/report.html. A build without the
 * chart library says so in one line and writes no page. */
am_status paging_write(const settings *set, const command *cmd, const char *folder, am_error *err);

#endif
