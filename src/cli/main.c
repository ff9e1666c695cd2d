/* amortune — parses the command line, runs the command, reports; the only place that exits. */
#include "backend/cpu/blas.h"
#include "cli/help.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

/* A closed stdin, stdout or stderr would give its number to the next file that is opened, and what
 * is printed would end up in a model. The stand-in cannot be written, so that a result that had
 * nowhere to go is still an error. */
static void open_standard_streams(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) == -1)
            (void)!open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
}

/* Two libraries read their settings while they are being loaded, before main, and cannot be told
 * otherwise afterwards: to choose better ones the program is started again with their variables set.
 * The variables are also what keeps it from happening twice, and a choice of the user's stands.
 *   OpenBLAS takes old kernels on processors it does not know.
 *   OpenMP's threads spin for milliseconds at the end of every parallel region; where others want the
 *   cores a step then takes 4 to 20 times as long. 2,000 turns are as fast on free cores. */
static void choose_library_settings(char **argv)
{
    static const char blas[] = "OPENBLAS_CORETYPE", spin[] = "GOMP_SPINCOUNT";
    const char *kernels;
    bool changed = false;
    if (getenv(blas) == NULL && cpu_blas_wants_coretype(&kernels))
        changed = setenv(blas, kernels, 1) == 0;
    if (getenv(spin) == NULL && getenv("OMP_WAIT_POLICY") == NULL)
        changed |= setenv(spin, "2000", 1) == 0;
    if (changed)
        execv("/proc/self/exe", argv);
    /* Still here: it works all the same, only slower. */
}

/* Whether the reader of stdout has gone, as in `amortune help | head -1`. */
static bool reader_is_gone(void)
{
    struct pollfd out = {.fd = STDOUT_FILENO, .events = POLLOUT};
    return poll(&out, 1, 0) == 1 && (out.revents & POLLERR) != 0;
}

/* Results that could not be printed are a failure, unless nobody wanted to read on. */
static am_status flush_results(am_error *err)
{
    errno = 0;
    bool failed = ferror(stdout) != 0;
    if (fflush(stdout) == 0 && !failed)
        return AM_OK;
    if (reader_is_gone())
        return AM_OK;
    if (errno == 0) /* an earlier write failed */
        return am_fail(err, AM_ERR_IO,
                       "standard output: not everything could be written; check the disk");
    return am_fail_errno(err, "standard output", "write", errno);
}

static am_status perform(cli_request request, const settings *s, const command *cmd, char **argv,
                         am_error *err)
{
    switch (request) {
    case ASK_HELP:
        help_print(cmd, stdout);
        return AM_OK;
    case ASK_MAN:
        help_man(stdout);
        return AM_OK;
    case ASK_COMPLETION:
        help_completion_bash(stdout);
        return AM_OK;
    case ASK_VERSION:
        printf("amortune %s\n", am_version());
        return AM_OK;
    case ASK_RUN:
        choose_library_settings(argv);
        if (cmd->announces)
            settings_print(s, cmd, stderr);
        return cmd->run(s, err);
    }
    return AM_OK;
}

static int exit_code(am_status status)
{
    switch (status) {
    case AM_OK:
        return 0;
    case AM_ERR_USAGE:
    case AM_ERR_INPUT:
        return 2;
    case AM_ERR_INTERRUPT:
        return 130; /* 128 + SIGINT, as a shell reports it */
    default:
        return 1;
    }
}

int main(int argc, char **argv)
{
    open_standard_streams();
    signal(SIGPIPE, SIG_IGN); /* a reader that leaves early must not cost the files being written */
    signal(SIGXFSZ, SIG_IGN); /* a file beyond `ulimit -f` is an error like a full disk */
    prctl(PR_SET_NAME, "amortune"); /* after a restart the process would be called "exe" */

    settings s;
    const command *cmd;
    cli_request request;
    am_error err = {0}, output = {0};
    am_status status = settings_parse(argc, argv, &s, &cmd, &request, &err);
    if (status == AM_OK)
        status = perform(request, &s, cmd, argv, &err);
    settings_free(&s);
    am_status printed = flush_results(&output);
    if (status == AM_OK)
        status = printed;
    if (status != AM_OK)
        fprintf(stderr, "amortune: %s\n", err.status != AM_OK ? err.message : output.message);
    return exit_code(status);
}
