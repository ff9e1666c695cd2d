/* --config: a JSON object whose keys are options by long name. */
#include "cli/option.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Whole numbers up to here keep every digit in JSON, whose numbers are doubles. */
static const double EXACT = 9007199254740992.0; /* 2⁵³ */

static am_status bad_value(const char *path, const char *key, am_error *err)
{
    return am_fail(err, AM_ERR_INPUT,
                   "%s: %s: not a value of an option; give a number, a string, true or false", path,
                   key);
}

/* The text that would be typed for this value, in fresh memory. */
static am_status item_text(const cJSON *item, const char *path, char **text, am_error *err)
{
    if (cJSON_IsNumber(item)) {
        if (fabs(item->valuedouble) > EXACT && item->valuedouble == trunc(item->valuedouble))
            return am_fail(
                err, AM_ERR_INPUT,
                "%s: %s: a number beyond 2^53 loses digits in JSON; write it as a string", path,
                item->string);
        char number[AM_NUMBER_TEXT];
        option_number_text(item->valuedouble, number);
        *text = am_format("%s", number);
    } else if (cJSON_IsBool(item)) {
        *text = am_format("%s", cJSON_IsTrue(item) ? "true" : "false");
    } else if (cJSON_IsString(item)) {
        *text = am_format("%s", item->valuestring);
    } else {
        return bad_value(path, item->string, err);
    }
    if (*text == NULL)
        return am_fail(err, AM_ERR_MEMORY, "%s: out of memory; free some memory", path);
    return AM_OK;
}

/* A string for a flag or a truth value for anything else is a mistake, even where it would parse.
 */
static bool right_type(const option *o, const cJSON *item)
{
    return cJSON_IsBool(item) == (o->kind == OPTION_FLAG);
}

static am_status apply_item(settings *s, const command *cmd, const char *path, const cJSON *item,
                            am_error *err)
{
    const option *o;
    AM_TRY(option_find(cmd, path, item->string, strlen(item->string), &o, err));
    if (strcmp(o->name, "config") == 0)
        return am_fail(err, AM_ERR_INPUT,
                       "%s: config names no further file; put its options in this one", path);
    bool *given = &s->given[o - option_table];
    if (*given)
        return am_fail(err, AM_ERR_INPUT, "%s: %s appears twice; keep one", path, o->name);
    char *text = NULL;
    AM_TRY(item_text(item, path, &text, err));
    am_status status;
    if (right_type(o, item))
        status = option_set(s, o, path, text, err);
    else
        status = am_fail(err, AM_ERR_INPUT, "%s: %s: give %s", path, o->name,
                         o->kind == OPTION_FLAG ? "true or false" : "a number or a string");
    free(text);
    *given = true;
    return status;
}

static int line_of(const char *text, const char *at)
{
    int line = 1;
    for (; text < at; text++)
        line += *text == '\n';
    return line;
}

static am_status parse_object(const char *path, const char *text, size_t size, cJSON **object,
                              am_error *err)
{
    const char *end = text;
    *object = cJSON_ParseWithLengthOpts(text, size, &end, false);
    if (*object != NULL)
        end += strspn(end, " \t\r\n");
    if (*object == NULL || end != text + size)
        return am_fail(err, AM_ERR_INPUT, "%s: not valid JSON at line %d; check commas and quotes",
                       path, line_of(text, end));
    if (!cJSON_IsObject(*object))
        return am_fail(err, AM_ERR_INPUT,
                       "%s: no JSON object; write e.g. {\"epochs\": 5, \"features\": \"cheb:5\"}",
                       path);
    return AM_OK;
}

am_status config_apply(settings *s, const command *cmd, const char *path, am_error *err)
{
    char *text = NULL;
    size_t size;
    am_status status = am_read_file(path, &text, &size, err);
    if (status == AM_ERR_IO)
        return err->status = AM_ERR_INPUT; /* a file that the user named and that is not there */
    AM_TRY(status);
    cJSON *object = NULL;
    status = parse_object(path, text, size, &object, err);
    for (const cJSON *i = object ? object->child : NULL; i != NULL && status == AM_OK; i = i->next)
        status = apply_item(s, cmd, path, i, err);
    cJSON_Delete(object);
    free(text);
    return status;
}
