/* names — the words that users and files use for the library's enums, in the enums' order, ended by
 * NULL. */
#ifndef AM_NAMES_H
#define AM_NAMES_H

extern const char *const activation_names[];
extern const char *const loss_names[];
extern const char *const omega_names[];
extern const char *const penalty_names[];
extern const char *const init_names[];
extern const char *const mode_names[];
extern const char *const posterior_names[]; /* whether there is a response */
extern const char *const descent_names[];
extern const char *const plan_names[];
extern const char *const path_names[]; /* whether there is a coarse stage */
extern const char *const node_names[];
extern const char *const schedule_names[];
extern const char *const switch_names[];
extern const char *const precision_names[];

/* Index of text in names, or −1. */
int name_index(const char *const *names, const char *text);

#endif
