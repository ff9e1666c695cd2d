/* progress: lines on a terminal and in a log; signals. */
#include "cli/cli.h"

#include <criterion/criterion.h>

#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

/* Whoever runs the tests in the background may have had SIGINT ignored. */
static void signals_as_in_a_shell(void)
{
    cr_assert(signal(SIGINT, SIG_DFL) != SIG_ERR);
    cr_assert(signal(SIGTERM, SIG_DFL) != SIG_ERR);
}

TestSuite(progress, .init = signals_as_in_a_shell);

typedef struct {
    progress shown;
    train_hooks hooks;
    char *text;
    size_t size;
} display;

/* A display that writes to memory, as on a terminal or in a log. */
static void display_open(display *d, bool terminal, bool quiet)
{
    settings s = {.quiet = quiet, .checkpoint_seconds = 7};
    d->hooks = progress_hooks(&d->shown, &s, "run.checkpoint");
    d->shown.stream = open_memstream(&d->text, &d->size);
    d->shown.terminal = terminal;
    d->shown.colour = false;
    cr_assert(d->shown.stream != NULL);
}

static void report(display *d, int64_t step, int64_t total, double seconds, double left)
{
    train_progress now = {.task = "fit",
                          .step = step,
                          .total = total,
                          .loss = 0.28414,
                          .seconds = seconds,
                          .seconds_left = left};
    d->hooks.progress(d->hooks.context, &now);
}

static void display_close(display *d)
{
    FILE *stream = d->shown.stream;
    progress_end(&d->shown);
    fclose(stream);
}

Test(progress, hooks_carry_the_checkpoint)
{
    display d;
    display_open(&d, true, false);
    cr_assert_str_eq(d.hooks.checkpoint, "run.checkpoint");
    cr_assert(d.hooks.checkpoint_seconds == 7 && d.hooks.context == &d.shown);
    cr_assert(!d.hooks.stop(d.hooks.context));
    display_close(&d);
    cr_assert_str_empty(d.text);
    free(d.text);
}

Test(progress, a_terminal_gets_one_line_rewritten)
{
    display d;
    display_open(&d, true, false);
    report(&d, 820, 1953, 0.5, 0.6908536585); /* 1133 steps in 0.69 s: 1,640 a second */
    report(&d, 1953, 1953, 3723.4, 0);
    display_close(&d);
    cr_assert_str_eq(d.text, "\rfit  41 %  820/1953  loss 0.2841  1,640 steps/s  ETA 0:01"
                             "\rfit 100 %  1953/1953  loss 0.2841  1,640 steps/s  in 1:02:03\n");
    free(d.text);
}

Test(progress, a_shorter_line_covers_the_longer_one_before)
{
    display d;
    display_open(&d, true, false);
    report(&d, 1, 100, 1, 99);
    report(&d, 2, 100, 1, NAN);
    display_close(&d);
    cr_assert_str_eq(d.text, "\rfit   1 %  1/100  loss 0.2841  1.0 steps/s  ETA 1:39"
                             "\rfit   2 %  2/100  loss 0.2841  1.0 steps/s  ETA ?   \n");
    free(d.text);
}

Test(progress, another_loop_begins_another_line)
{
    display d;
    display_open(&d, true, false);
    report(&d, 10, 10, 1, 0);
    report(&d, 5, 10, 1, 1);
    display_close(&d);
    cr_assert_str_eq(d.text, "\rfit 100 %  10/10  loss 0.2841  10 steps/s  in 0:01\n"
                             "\rfit  50 %  5/10  loss 0.2841  5.0 steps/s  ETA 0:01\n");
    free(d.text);
}

/* Times at which a log of 50 reports has lines, as the numbers of the reports. */
static void cr_logs(double seconds_each, const char *expected)
{
    display d;
    display_open(&d, false, false);
    for (int i = 1; i <= 50; i++)
        report(&d, i, 50, i * seconds_each, (50 - i) * seconds_each);
    display_close(&d);
    char steps[512] = "";
    for (char *line = d.text; (line = strstr(line, "  ")) != NULL; line++) {
        int step, length = 0;
        if (sscanf(line, "  %d/50%n", &step, &length) == 1 && length > 0)
            sprintf(steps + strlen(steps), "%d ", step);
    }
    cr_assert_str_eq(steps, expected);
    free(d.text);
}

Test(progress, a_log_gets_a_line_per_tenth_or_ten_seconds_whichever_is_rarer)
{
    cr_logs(60.0, "5 10 15 20 25 30 35 40 45 50 "); /* slow: every tenth */
    cr_logs(1.0, "10 20 30 40 50 ");                /* 10 s are a fifth */
    cr_logs(0.1, "");                               /* over in 5 s */
}

Test(progress, is_silent_when_quiet)
{
    display d;
    display_open(&d, true, true);
    report(&d, 1, 10, 100, 900);
    display_close(&d);
    cr_assert_str_empty(d.text);
    free(d.text);
}

Test(progress, the_first_signal_asks_to_stop_and_later_loops_stop_too)
{
    display d;
    display_open(&d, false, true);
    cr_assert(raise(SIGTERM) == 0);
    cr_assert(d.hooks.stop(d.hooks.context));
    display_close(&d);
    free(d.text);
    display_open(&d, false, true);
    cr_assert(d.hooks.stop(d.hooks.context));
    display_close(&d);
    free(d.text);
}

Test(progress, the_second_signal_kills, .signal = SIGINT)
{
    display d;
    display_open(&d, false, true);
    raise(SIGINT);
    cr_assert(d.hooks.stop(d.hooks.context));
    raise(SIGINT);
}

Test(progress, the_end_gives_the_signals_back, .signal = SIGINT)
{
    display d;
    display_open(&d, false, true);
    display_close(&d);
    raise(SIGINT);
}

Test(progress, an_ignored_signal_stays_ignored)
{
    cr_assert(signal(SIGINT, SIG_IGN) != SIG_ERR);
    display d;
    display_open(&d, false, true);
    raise(SIGINT);
    cr_assert(!d.hooks.stop(d.hooks.context));
    display_close(&d);
    free(d.text);
}
