/* The top of the page. Keys of `verdict`:
 *   cards   [{label, value (text) or lambda (number), detail}]
 *   alarms  [{level: "pass" | "warn" | "fail" | "none", text}]
 *   audit   {verdict, verdicts: [{property, verdict, value, se, unit, rule, note}]}, as the audit
 *           writes it */
#include "report/html.h"
#include "report/svg.h"

#include <ctype.h>
#include <math.h>
#include <string.h>

static void put_card(FILE *stream, const cJSON *card)
{
    const char *value = json_text(card, "value"), *detail = json_text(card, "detail");
    fputs("<div><dt>", stream);
    svg_text(stream, json_text(card, "label") != NULL ? json_text(card, "label") : "");
    fputs("</dt><dd>", stream);
    if (value != NULL)
        svg_text(stream, value);
    else
        html_lambda(stream, json_value_of(card, "lambda"));
    if (detail != NULL) {
        fputs("<small>", stream);
        svg_text(stream, detail);
        fputs("</small>", stream);
    }
    fputs("</dd></div>\n", stream);
}

/* "pass", "warn", "fail": the audit's verdicts come in capitals or not. */
static void put_badge(FILE *stream, const char *level)
{
    char kind[8] = "none";
    size_t length = level != NULL ? strlen(level) : 0;
    if (length == 4)
        for (size_t i = 0; i <= length; i++)
            kind[i] = (char)tolower((unsigned char)level[i]);
    bool known =
        strcmp(kind, "pass") == 0 || strcmp(kind, "warn") == 0 || strcmp(kind, "fail") == 0;
    fprintf(stream, "<span class=\"badge %s\">", known ? kind : "none");
    svg_text(stream, known ? kind : "–");
    fputs("</span>", stream);
}

static void put_alarms(FILE *stream, const cJSON *alarms)
{
    if (cJSON_GetArraySize(alarms) == 0)
        return;
    fputs("<ul class=alarms>\n", stream);
    for (const cJSON *a = alarms->child; a != NULL; a = a->next) {
        fputs("<li>", stream);
        put_badge(stream, json_text(a, "level"));
        fputs("<span>", stream);
        svg_text(stream, json_text(a, "text") != NULL ? json_text(a, "text") : "");
        fputs("</span></li>\n", stream);
    }
    fputs("</ul>\n", stream);
}

static void put_line(FILE *stream, const cJSON *line)
{
    const char *property = json_text(line, "property"), *unit = json_text(line, "unit");
    const char *rule = json_text(line, "rule"), *note = json_text(line, "note");
    double se = json_value_of(line, "se"), lambda = json_value_of(line, "lambda");
    fputs("<tr><td class=mark>", stream);
    put_badge(stream, json_text(line, "verdict"));
    fputs("</td><td class=text>", stream);
    svg_text(stream, property != NULL ? property : "");
    fputs("</td><td>", stream);
    html_number(stream, json_value_of(line, "value"));
    if (isfinite(se)) {
        fputs(" ± ", stream);
        html_number(stream, se);
    }
    fputs(unit != NULL && unit[0] != '\0' ? " " : "", stream);
    svg_text(stream, unit != NULL ? unit : "");
    fputs("</td><td>", stream);
    if (isfinite(lambda))
        html_lambda(stream, lambda);
    fputs("</td><td class=text>", stream);
    svg_text(stream, rule != NULL ? rule : "");
    fputs("</td><td class=text>", stream);
    svg_text(stream, note != NULL ? note : "");
    fputs("</td></tr>\n", stream);
}

static void put_audit(FILE *stream, const cJSON *audit)
{
    const cJSON *lines = cJSON_GetObjectItemCaseSensitive(audit, "verdicts");
    if (!cJSON_IsArray(lines) || lines->child == NULL)
        return;
    fputs("<h3>Audit against refits from scratch ", stream);
    put_badge(stream, json_text(audit, "verdict"));
    fputs("</h3>\n<div class=scroll tabindex=0 role=region aria-label=\"Audit\"><table><thead><tr>"
          "<th scope=col class=text>verdict</th><th scope=col class=text>property</th>"
          "<th scope=col>value</th><th scope=col>at λ</th><th scope=col class=text>passes when</th>"
          "<th scope=col class=text>note</th></tr></thead>"
          "<tbody>\n",
          stream);
    for (const cJSON *line = lines->child; line != NULL; line = line->next)
        put_line(stream, line);
    fputs("</tbody></table></div>\n", stream);
}

void html_verdict(FILE *stream, const cJSON *verdict)
{
    const cJSON *cards = cJSON_GetObjectItemCaseSensitive(verdict, "cards");
    fputs("<section id=verdict aria-label=Verdict>\n", stream);
    if (cJSON_GetArraySize(cards) > 0) {
        fputs("<dl class=cards>\n", stream);
        for (const cJSON *card = cards->child; card != NULL; card = card->next)
            put_card(stream, card);
        fputs("</dl>\n", stream);
    }
    put_alarms(stream, cJSON_GetObjectItemCaseSensitive(verdict, "alarms"));
    put_audit(stream, cJSON_GetObjectItemCaseSensitive(verdict, "audit"));
    fputs("</section>\n", stream);
}
