#include "report/report.h"

#include <math.h>
#include <stdlib.h>

am_status json_write(const char *path, const cJSON *document, am_error *err)
{
    char *text = cJSON_Print(document); /* writes null for numbers that are not finite */
    if (!text)
        return am_fail(err, AM_ERR_MEMORY, "%s: out of memory for the text; free some memory",
                       path);
    am_utf8_repair(text); /* a value may be a path of any bytes; the document stays JSON */
    am_output out;
    am_status status = am_output_open(&out, path, err);
    if (status == AM_OK) {
        fprintf(out.stream, "%s\n", text);
        status = am_output_commit(&out, err);
    }
    cJSON_free(text);
    return status;
}

void json_number(cJSON *object, const char *key, double value)
{
    if (isfinite(value))
        cJSON_AddNumberToObject(object, key, value);
    else
        cJSON_AddNullToObject(object, key);
}
