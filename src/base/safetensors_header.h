/* safetensors_header — from the JSON header of a safetensors file to its entries. Private to the
 * reader. `path` is only for messages; every fault is AM_ERR_INPUT. */
#ifndef AM_SAFETENSORS_HEADER_H
#define AM_SAFETENSORS_HEADER_H

#include "base/safetensors.h"

#include <cjson/cJSON.h>

/* A tensor as its header describes it, before its bytes are looked at. */
typedef struct {
    am_tensor tensor;    /* data is NULL; name belongs to the JSON tree */
    uint64_t begin, end; /* in the data section */
    int position;        /* in the header */
} header_entry;

typedef struct {
    cJSON *json;         /* owns all texts */
    header_entry *entry; /* (entries), in header order */
    int entries;
    am_metadata *metadata; /* (pairs), in header order */
    int pairs;
} header_table;

/* "path: <fault>; <remedy for a damaged file>" */
am_status header_damaged(am_error *err, const char *path, const char *format, ...) AM_PRINTF(3, 4);

/* safetensors_guard.c — what must hold of the header's text before a JSON parser sees it: UTF-8,
 * one object padded by spaces, nesting of at most three, strings without control characters or NUL,
 * and outside them nothing but structure and unsigned integers. */
am_status header_guard(const char *path, const char *text, size_t size, am_error *err);

/* safetensors_header.c — the checked table; on failure there is nothing to free. */
am_status header_parse(const char *path, const char *text, size_t size, header_table *table,
                       am_error *err);
void header_free(header_table *table); /* safe on a zeroed one */

#endif
