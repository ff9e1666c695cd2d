/* abi — whether program and plugin were compiled with the same backend.h and args.h: a slot or a field
 * that only one of them knows would be called or read at the wrong place. */
#ifndef AM_ABI_H
#define AM_ABI_H

/* Digest of these headers' text, 16 hexadecimal digits. Each of the two holds its own copy. */
const char *backend_abi(void);

#endif
