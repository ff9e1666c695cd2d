/* Progress of a run, and stopping it. */
#include "cli/cli.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* Between lines in a log; the share a rounding error short of a tenth. */
static const double SHARE_STEP = 0.1 - 1e-9, SECONDS_STEP = 10;
enum { LINE = 160 };
static const int STOP_SIGNAL[2] = {SIGINT, SIGTERM};

/* The one variable of the program that outlives a call: a signal handler is handed no context. Once
 * set it stays set, so that a stop asked for between two loops ends the second one. */
static volatile sig_atomic_t stop_requested;

static void request_stop(int signal_number)
{
    (void)signal_number;
    stop_requested = 1;
}

/* The loop looks only between chunks of steps: without a word at once the user would press again.
 */
static void request_stop_aloud(int signal_number)
{
    static const char note[] = "\nstopping after these steps; once more stops at once\n";
    int before = errno;
    request_stop(signal_number);
    ssize_t written = write(STDERR_FILENO, note, sizeof note - 1);
    (void)written;
    errno = before;
}

/* SA_RESETHAND: the second signal finds the default action and kills. */
static void catch_signals(progress *p)
{
    bool aloud = p->terminal && !p->quiet;
    struct sigaction action = {.sa_handler = aloud ? request_stop_aloud : request_stop,
                               .sa_flags = (int)SA_RESETHAND};
    sigemptyset(&action.sa_mask);
    for (int i = 0; i < 2; i++) {
        if (stop_requested || sigaction(STOP_SIGNAL[i], NULL, &p->before[i]) != 0)
            continue;
        if (p->before[i].sa_handler ==
            SIG_IGN) /* as under nohup or in the background of a script */
            continue;
        p->caught[i] = sigaction(STOP_SIGNAL[i], &action, NULL) == 0;
    }
}

static bool stop_wanted(void *context)
{
    (void)context;
    return stop_requested != 0;
}

/* ---- the line -----------------------------------------------------------------------------------
 */

/* 1234567 → "1,234,567"; below ten with one decimal. */
static void rate_text(double rate, char text[32])
{
    if (!(rate >= 10.0)) {
        snprintf(text, 32, "%.1f", rate > 0 ? rate : 0.0);
        return;
    }
    char digits[24];
    int length = snprintf(digits, sizeof digits, "%.0f", AM_MIN(rate, 1e15));
    char *out = text;
    for (int i = 0; i < length; i++) {
        if (i > 0 && (length - i) % 3 == 0)
            *out++ = ',';
        *out++ = digits[i];
    }
    *out = '\0';
}

/* 7.2 → "0:07", 3723 → "1:02:03" */
static void clock_text(double seconds, char text[32])
{
    long long s = (long long)(AM_MIN(AM_MAX(seconds, 0.0), 1e12) + 0.5);
    if (s < 3600)
        snprintf(text, 32, "%lld:%02lld", s / 60, s % 60);
    else
        snprintf(text, 32, "%lld:%02lld:%02lld", s / 3600, s / 60 % 60, s % 60);
}

static double share_done(const train_progress *report)
{
    return report->total > 0 ? (double)report->step / (double)report->total : 1.0;
}

/* "fit   42 %  820/1953  loss 0.2841  1,640 steps/s  ETA 0:07" */
static void compose(const train_progress *report, double rate, char line[LINE])
{
    char speed[32], when[32];
    bool done = report->step >= report->total;
    rate_text(rate, speed);
    clock_text(done ? report->seconds : report->seconds_left, when);
    snprintf(line, LINE, "%s %3.0f %%  %lld/%lld  loss %.4g  %s steps/s  %s %s", report->task,
             floor(100.0 * share_done(report)), (long long)report->step, (long long)report->total,
             report->loss, speed, done ? "in" : "ETA",
             done || isfinite(report->seconds_left) ? when : "?");
}

/* ---- where it goes ------------------------------------------------------------------------------
 */

/* Leaves the last column free: some terminals wrap when it is written. */
static void cut_to_terminal(const progress *p, char *line)
{
    struct winsize size;
    if (ioctl(fileno(p->stream), TIOCGWINSZ, &size) == 0 && size.ws_col > 1 &&
        strlen(line) >= size.ws_col)
        line[size.ws_col - 1] = '\0';
}

static void rewrite_line(progress *p, const char *task, char *line)
{
    cut_to_terminal(p, line);
    int width = (int)strlen(line), name = (int)AM_MIN(strlen(task), strlen(line));
    int rest = AM_MAX(p->width - width, 0); /* blanks over what the last line leaves */
    fprintf(p->stream, "\r%s%.*s%s%s%*s", p->colour ? "\033[1;36m" : "", name, line,
            p->colour ? "\033[0m" : "", line + name, rest, "");
    fflush(p->stream);
    p->width = width;
}

static void finish_line(progress *p)
{
    if (p->width > 0)
        fputc('\n', p->stream);
    p->width = 0;
}

static void log_line(progress *p, const train_progress *report, const char *line)
{
    double share = share_done(report);
    if (share < p->shown_share + SHARE_STEP || report->seconds < p->shown_seconds + SECONDS_STEP)
        return;
    p->shown_share = share;
    p->shown_seconds = report->seconds;
    fprintf(p->stream, "%s\n", line);
    fflush(p->stream);
}

/* Another loop than the one of the last report. */
static void begin_task(progress *p, const train_progress *report)
{
    finish_line(p);
    p->task = report->task;
    p->shown_share = p->shown_seconds = p->rate = 0.0;
}

static void show(void *context, const train_progress *report)
{
    progress *p = context;
    if (p->quiet)
        return;
    bool again = report->step == p->step && report->step >= report->total;
    if (p->task == NULL || strcmp(p->task, report->task) != 0 || report->step < p->step || again)
        begin_task(p, report);
    p->step = report->step;
    /* steps of this run over its seconds, from the estimate; at the end the last rate stands */
    if (report->seconds_left > 0)
        p->rate = (double)(report->total - report->step) / report->seconds_left;
    else if (p->rate <= 0 && report->seconds > 0)
        p->rate = (double)report->step / report->seconds;
    char line[LINE];
    compose(report, p->rate, line);
    if (p->terminal)
        rewrite_line(p, report->task, line);
    else
        log_line(p, report, line);
}

static bool wants_colour(void)
{
    const char *none = getenv("NO_COLOR"), *term = getenv("TERM");
    return (none == NULL || *none == '\0') && term != NULL && strcmp(term, "dumb") != 0;
}

train_hooks progress_hooks(progress *p, const settings *s, const char *checkpoint)
{
    bool terminal = isatty(STDERR_FILENO) != 0;
    *p = (progress){
        .quiet = s->quiet,
        .terminal = terminal,
        .colour = terminal && wants_colour(),
        .stream = stderr,
    };
    catch_signals(p);
    return (train_hooks){
        .context = p,
        .progress = show,
        .stop = stop_wanted,
        .checkpoint = checkpoint,
        .checkpoint_seconds = s->checkpoint_seconds,
    };
}

void progress_end(progress *p)
{
    if (p->stream != NULL)
        finish_line(p);
    for (int i = 0; i < 2; i++)
        if (p->caught[i])
            sigaction(STOP_SIGNAL[i], &p->before[i], NULL);
    *p = (progress){0};
}

void progress_note(const settings *s, const char *format, ...)
{
    if (s->quiet)
        return;
    va_list args;
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
}
