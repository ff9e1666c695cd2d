/* names — the words that users and files use for the library's enums, in the enums' order, ended by
 * NULL. */
#ifndef AM_NAMES_H
#define AM_NAMES_H

extern const char *const activation_names[],
    *const loss_names[], *const omega_names[], *const penalty_names[],
                                                   *const init_names[],
                                                       *const descent_names[],
                                                           *const plan_names[],
                                                               *const node_names[],
                                                                   *const schedule_names[],
                                                                       *const switch_names[],
                                                                           *const precision_names[];

/* Index of text in names, or −1. */
int name_index(const char *const *names, const char *text);

#endif
