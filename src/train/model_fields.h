/* model_fields — the metadata of a model file: one table of keys that drives writing, reading and
 * comparing. */
#ifndef AM_MODEL_FIELDS_H
#define AM_MODEL_FIELDS_H

#include "train/model_file.h"

enum { MODEL_FIELD_TEXT = 1100 }; /* bytes of a value's text, at most */
enum { MODEL_FIELDS = 70 };       /* rows of the table */

/* The record as the file holds it: the parts that need parsing as text. */
typedef struct {
    model_record record;
    char target[192], features[64];
    int activation, loss;
} raw_record;

/* The record with its parts as text; from raw_of on, fields 0..MODEL_FIELDS can be printed. */
void raw_of(const model_record *record, raw_record *raw);

const char *model_field_key(int field);
/* Came to the format after its first files: absent there, which stands for 0. */
bool model_field_newer(int field);
/* Whether two runs must agree in it for one to resume the other. */
bool model_field_of_run(int field);
void model_field_print(int field, const raw_record *raw, char text[MODEL_FIELD_TEXT]);
/* false: the text is no value of this field. */
bool model_field_parse(int field, const char *text, raw_record *raw);

#endif
