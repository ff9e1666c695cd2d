#include "support/program.h"

#include "base/base.h"

#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

void outcome_free(outcome *o)
{
    free(o->out);
    free(o->err);
    *o = (outcome){0};
}

/* ---- starting and waiting ----------------------------------------------------------------------
 */

static char *vformat(const char *format, va_list args)
{
    char *text = NULL;
    cr_assert_geq(vasprintf(&text, format, args), 0);
    return text;
}

/* One thread unless --threads says more: on a busy machine others are waited for, and never
 * spinning.
 */
static void prepare_environment(void)
{
    setenv("AMORTUNE", AMORTUNE_PROGRAM, 1);
    setenv("OMP_NUM_THREADS", "1", 1);
    setenv("OMP_WAIT_POLICY", "passive", 1);
    setenv("TERM", "xterm", 1);
    unsetenv("AMORTUNE_DATA");
    unsetenv("NO_COLOR");
}

/* In the child: nothing that it starts outlives the test or runs for ever. */
static void become_script(const test_folder *folder, const char *text, int out, int err)
{
    struct rlimit limit = {120, 120};
    setrlimit(RLIMIT_CPU, &limit);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
    prepare_environment();
    int null = open("/dev/null", O_RDONLY);
    if (chdir(folder->path) != 0 || dup2(null, 0) < 0 || dup2(out, 1) < 0 || dup2(err, 2) < 0)
        _exit(126);
    execl("/bin/bash", "bash", "-e", "-c", text, (char *)NULL);
    _exit(127);
}

static running start(const test_folder *folder, const char *text)
{
    running r = {.out = tmpfile(), .err = tmpfile()};
    cr_assert(r.out != NULL && r.err != NULL);
    r.pid = fork();
    cr_assert_geq(r.pid, 0);
    if (r.pid == 0)
        become_script(folder, text, fileno(r.out), fileno(r.err));
    return r;
}

static int exit_code(pid_t pid)
{
    int status;
    cr_assert_eq(waitpid(pid, &status, 0), pid);
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static char *read_back(FILE *file)
{
    cr_assert_eq(fseek(file, 0, SEEK_END), 0);
    size_t size = (size_t)ftell(file);
    char *text = malloc(size + 1);
    cr_assert_not_null(text);
    rewind(file);
    cr_assert_eq(fread(text, 1, size, file), size);
    text[size] = '\0';
    fclose(file);
    return text;
}

outcome finish_script(running *r)
{
    outcome o = {.code = exit_code(r->pid)};
    o.out = read_back(r->out);
    o.err = read_back(r->err);
    *r = (running){0};
    return o;
}

#define FORMAT(text, format)                                                                       \
    va_list args;                                                                                  \
    va_start(args, format);                                                                        \
    char *text = vformat(format, args);                                                            \
    va_end(args)

running start_script(const test_folder *folder, const char *format, ...)
{
    FORMAT(text, format);
    running r = start(folder, text);
    free(text);
    return r;
}

outcome script(const test_folder *folder, const char *format, ...)
{
    FORMAT(text, format);
    running r = start(folder, text);
    free(text);
    return finish_script(&r);
}

/* exec: signals reach the program itself. */
static outcome run_words(const test_folder *folder, const char *words)
{
    running r = start_script(folder, "exec \"$AMORTUNE\" %s", words);
    return finish_script(&r);
}

outcome amortune(const test_folder *folder, const char *format, ...)
{
    FORMAT(words, format);
    outcome o = run_words(folder, words);
    free(words);
    return o;
}

/* ---- signals
 * --------------------------------------------------------------------------------------- */

static bool is_alive(pid_t pid)
{
    siginfo_t info = {0};
    cr_assert_eq(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT), 0);
    return info.si_pid == 0;
}

/* Every new checkpoint is another file; 0 where there is none. */
static ino_t inode_of(const test_folder *folder, const char *name)
{
    struct stat info;
    return stat(in_folder(folder, name), &info) == 0 ? info.st_ino : 0;
}

outcome signal_at_checkpoint(const test_folder *folder, int signal_number, const char *checkpoint,
                             const char *format, ...)
{
    FORMAT(words, format);
    const struct timespec moment = {.tv_nsec = 500000};
    ino_t before = inode_of(folder, checkpoint), now;
    running r = start_script(folder, "exec \"$AMORTUNE\" %s --quiet", words);
    while (is_alive(r.pid) && ((now = inode_of(folder, checkpoint)) == 0 || now == before))
        (void)nanosleep(&moment, NULL);
    kill(r.pid, signal_number); /* at worst to a process that has ended and is not waited for yet */
    free(words);
    return finish_script(&r);
}

/* ---- a terminal
 * ---------------------------------------------------------------------------------- */

/* Until the last process that has the terminal open is gone. */
static char *read_terminal(int terminal)
{
    size_t size = 0, room = 1 << 16;
    char *text = malloc(room + 1);
    cr_assert_not_null(text);
    ssize_t got;
    while (size < room && (got = read(terminal, text + size, room - size)) > 0)
        size += (size_t)got;
    text[size] = '\0';
    return text;
}

outcome script_on_terminal(const test_folder *folder, const char *format, ...)
{
    FORMAT(text, format);
    int terminal = posix_openpt(O_RDWR | O_NOCTTY);
    cr_assert(terminal >= 0 && grantpt(terminal) == 0 && unlockpt(terminal) == 0);
    int end = open(ptsname(terminal), O_RDWR | O_NOCTTY);
    cr_assert_geq(end, 0);
    pid_t pid = fork();
    cr_assert_geq(pid, 0);
    if (pid == 0)
        become_script(folder, text, end, end);
    close(end);
    free(text);
    outcome o = {.out = read_terminal(terminal), .err = strdup("")};
    o.code = exit_code(pid);
    close(terminal);
    return o;
}

/* ---- expectations
 * ---------------------------------------------------------------------------------- */

void expect_holds(const char *text, const char *part)
{
    cr_expect(strstr(text, part) != NULL, "'%s' is not in: %s", part, text);
}

void expect_lacks(const char *text, const char *part)
{
    cr_expect(strstr(text, part) == NULL, "'%s' is in: %s", part, text);
}

int lines_of(const char *text)
{
    int lines = 0;
    for (; *text != '\0'; text++)
        lines += *text == '\n';
    return lines;
}

char *succeeds(const test_folder *folder, const char *format, ...)
{
    FORMAT(words, format);
    char *quiet = am_format("%s --quiet", words);
    outcome o = run_words(folder, quiet);
    cr_assert_eq(o.code, 0, "amortune %s: exit code %d: %s", quiet, o.code, o.err);
    cr_expect_str_empty(o.err, "amortune %s: %s", quiet, o.err);
    free(o.err);
    free(quiet);
    free(words);
    return o.out;
}

void refuses(const test_folder *folder, int code, const char *parts, const char *format, ...)
{
    FORMAT(words, format);
    char *quiet = am_format("%s --quiet", words), *copy = strdup(parts), *rest = copy;
    outcome o = run_words(folder, quiet);
    cr_expect_eq(o.code, code, "amortune %s: exit code %d: %s", quiet, o.code, o.err);
    cr_expect_str_empty(o.out, "amortune %s: printed %s", quiet, o.out);
    cr_expect(strncmp(o.err, "amortune: ", 10) == 0, "amortune %s: %s", quiet, o.err);
    cr_expect_eq(lines_of(o.err), 1, "amortune %s: %s", quiet, o.err);
    for (char *part; (part = strsep(&rest, "|")) != NULL;)
        cr_expect(strstr(o.err, part) != NULL, "amortune %s: '%s' is not in: %s", quiet, part,
                  o.err);
    outcome_free(&o);
    free(copy);
    free(quiet);
    free(words);
}
