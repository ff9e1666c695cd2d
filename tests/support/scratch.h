/* scratch — a temporary folder for one test; use as .init and .fini of a suite. */
#ifndef AM_TEST_SCRATCH_H
#define AM_TEST_SCRATCH_H

#include <stddef.h>

void scratch_make(void);
void scratch_remove(void);
/* The folder itself. */
const char *scratch_folder(void);
/* "FOLDER/NAME" in a buffer that the next call but three overwrites. */
const char *scratch(const char *name);
/* Files in the folder and below. */
int scratch_files(void);
/* A file of these bytes; unlike am_write_file it does not sync, which matters for thousands. */
void scratch_put(const char *path, const void *bytes, size_t size);
/* The text of a file, fresh; it holds no NUL. */
char *scratch_text(const char *path);

#endif
