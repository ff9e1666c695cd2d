/* commands — the commands' run functions, each in its own cmd_NAME.c, and their bits in the option
 * table's sets of commands. */
#ifndef AM_COMMANDS_H
#define AM_COMMANDS_H

#include "cli/cli.h"

enum {
    CMD_FIT = 1 << 0,
    CMD_CURVE = 1 << 1,
    CMD_TUNE = 1 << 2,
    CMD_SAMPLE = 1 << 3,
    CMD_REFIT = 1 << 4,
    CMD_EXPORT = 1 << 5,
    CMD_INFO = 1 << 6,
    CMD_EXPERIMENT = 1 << 7,
    CMD_AUDIT = 1 << 8,
    CMD_POLISH = 1 << 9,
    CMD_MEST = 1 << 10,
    CMD_REPORT = 1 << 11,
    CMD_ALL = (1 << 12) - 1
};

am_status command_fit(const settings *s, am_error *err);
am_status command_curve(const settings *s, am_error *err);
am_status command_tune(const settings *s, am_error *err);
am_status command_sample(const settings *s, am_error *err);
am_status command_refit(const settings *s, am_error *err);
am_status command_export(const settings *s, am_error *err);
am_status command_info(const settings *s, am_error *err);
am_status command_experiment(const settings *s, am_error *err);
am_status command_audit(const settings *s, am_error *err);
am_status command_polish(const settings *s, am_error *err);
am_status command_mest(const settings *s, am_error *err);
am_status command_report(const settings *s, am_error *err);
/* Whether the experiment that s names takes this option. */
bool experiment_uses(const settings *s, const char *option);

#endif
