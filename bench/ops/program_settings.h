/* program_settings — benchmarks run under what the program chooses for the libraries that it starts
 * with (src/cli/main.c): the BLAS kernels of this processor, and how long waiting threads spin. */
#ifndef BENCH_PROGRAM_SETTINGS_H
#define BENCH_PROGRAM_SETTINGS_H

/* First in main: starts this program again, once, if anything had to change. A user's own settings
 * stand. */
void as_the_program_does(char **argv);

#endif
