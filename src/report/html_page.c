/* The page as a whole. */
#include "report/html.h"
#include "report/svg.h"

#include <stdlib.h>
#include <string.h>

static void put_part(FILE *stream, html_part part)
{
    fwrite(part.begin, 1, part.size, stream);
}

/* Nothing may be fetched: the page is all there is. */
static void put_head(FILE *stream, const html_page *page)
{
    fputs("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
          "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; script-src "
          "'unsafe-inline'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; "
          "form-action 'none'\">\n"
          "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
          "<meta name=\"generator\" content=\"amortune " AM_VERSION "\">\n"
          "<link rel=\"icon\" href=\"data:,\">\n<title>",
          stream);
    svg_text(stream, page->title);
    fputs(" – amortune</title>\n<style>\n", stream);
    put_part(stream, html_style());
    fputs("</style>\n</head>\n<body>\n<div class=page>\n<header><div><p class=brand>amortune</p>"
          "<h1>",
          stream);
    svg_text(stream, page->title);
    fputs("</h1><p class=subtitle>", stream);
    svg_text(stream, page->subtitle);
    fputs("</p></div><button type=button id=theme hidden>dark</button>"
          "</header>\n<main>\n",
          stream);
}

/* ---- files ------------------------------------------------------------------------------------- */

static bool ends_with(const char *name, const char *ending)
{
    size_t length = strlen(name), end = strlen(ending);
    return length > end && strcmp(name + length - end, ending) == 0;
}

/* The charts of the explorer stand for these. */
static bool is_redrawn(const html_page *page, const char *name)
{
    static const char *const names[] = {"curve.svg", "choice.svg", "history.svg",
                                        "reliability.svg"};
    for (size_t i = 0; i < sizeof names / sizeof *names && page->explorer != NULL; i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}

static bool is_figure(const html_page *page, const html_file *f)
{
    return ends_with(f->name, ".svg") && !is_redrawn(page, f->name);
}

static void put_figures(FILE *stream, const html_page *page)
{
    bool any = false;
    for (int i = 0; i < page->files; i++) {
        const html_file *f = &page->file[i];
        if (!is_figure(page, f))
            continue;
        fputs(any ? "" : "<section id=figures><h2>Figures</h2>\n", stream);
        any = true;
        fprintf(stream, "<figure class=picture-figure><img id=\"file-%d\" alt=\"", i);
        svg_text(stream, f->name);
        fputs("\" src=\"data:image/svg+xml;base64,", stream);
        html_base64(stream, f->text, f->size);
        fputs("\"></figure>\n", stream);
    }
    fputs(any ? "</section>\n" : "", stream);
}

static void put_files(FILE *stream, const html_page *page)
{
    if (page->files == 0)
        return;
    fputs("<section id=files><h2>Files</h2><p class=lead>Figures as SVG and their data as CSV, "
          "carried in this page.</p>\n<ul class=files>\n",
          stream);
    for (int i = 0; i < page->files; i++) {
        fprintf(stream, "<li><a href=\"#files\" data-file=\"file-%d\" download=\"", i);
        svg_text(stream, page->file[i].name);
        fputs("\">", stream);
        svg_text(stream, page->file[i].name);
        fprintf(stream, "</a><span class=quiet>%.1f kB</span></li>\n",
                (double)page->file[i].size / 1000.0);
    }
    fputs("</ul></section>\n", stream);
}

/* ---- sections ---------------------------------------------------------------------------------- */

/* What was run, how and where: {command, settings, environment}. */
static void put_run(FILE *stream, const cJSON *run)
{
    const char *command = json_text(run, "command");
    static const char *const parts[][2] = {{"settings", "Settings"},
                                           {"environment", "Environment"}};
    if (run == NULL)
        return;
    fputs("<section id=run class=section><h2>How to reproduce it</h2>\n", stream);
    if (command != NULL) {
        fputs("<pre>", stream);
        svg_text(stream, command);
        fputs("</pre>\n", stream);
    }
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        const cJSON *part = cJSON_GetObjectItemCaseSensitive(run, parts[i][0]);
        if (!cJSON_IsObject(part))
            continue;
        fprintf(stream, "<h3>%s</h3>\n", parts[i][1]);
        html_tables(stream, part, 4);
    }
    fputs("</section>\n", stream);
}

static void put_sections(FILE *stream, const html_page *page)
{
    if (page->ledger != NULL) {
        fputs("<section id=ledger class=\"section text-first\"><h2>What it cost</h2>\n", stream);
        html_table(stream, page->ledger, "");
        fputs("</section>\n", stream);
    }
    put_figures(stream, page);
    for (int i = 0; i < page->documents; i++) {
        const cJSON *json = page->document[i].json;
        fputs("<section class=section><h2>", stream);
        svg_text(stream, page->document[i].title);
        fputs("</h2>\n", stream);
        if (cJSON_IsArray(json))
            html_table(stream, json, "");
        else
            html_tables(stream, json, 3);
        fputs("</section>\n", stream);
    }
    put_run(stream, page->run);
    put_files(stream, page);
}

/* ---- what the page's program reads --------------------------------------------------------------- */

static am_status put_data(FILE *stream, const html_page *page, am_error *err)
{
    char *text =
        page->explorer != NULL ? cJSON_PrintUnformatted(page->explorer) : am_format("null");
    if (text == NULL)
        return am_fail(err, AM_ERR_MEMORY, "report: out of memory for its data; free some memory");
    am_utf8_repair(text);
    fputs("<script type=\"application/json\" id=\"data\">{\"explorer\":", stream);
    html_json(stream, text);
    fputs("}</script>\n", stream);
    cJSON_free(text);
    for (int i = 0; i < page->arrays; i++) {
        fprintf(stream, "<script type=\"text/plain\" id=\"array-%s\">", page->array[i].name);
        html_array_text(stream, &page->array[i]);
        fputs("</script>\n", stream);
    }
    for (int i = 0; i < page->files; i++) {
        if (is_figure(page, &page->file[i])) /* its picture holds it */
            continue;
        fprintf(stream, "<script type=\"text/plain\" id=\"file-%d\">", i);
        html_base64(stream, page->file[i].text, page->file[i].size);
        fputs("</script>\n", stream);
    }
    return AM_OK;
}

static am_status put_page(FILE *stream, const html_page *page, am_error *err)
{
    put_head(stream, page);
    if (page->verdict != NULL)
        html_verdict(stream, page->verdict);
    if (page->notice != NULL) {
        fputs("<p class=notice>", stream);
        svg_text(stream, page->notice);
        fputs("</p>\n", stream);
    }
    if (page->explorer != NULL)
        put_part(stream, html_explorer());
    put_sections(stream, page);
    fputs("</main>\n<footer>Written by amortune " AM_VERSION
          ". This page is complete: it loads nothing, and works offline.</footer>\n</div>\n",
          stream);
    AM_TRY(put_data(stream, page, err));
    fputs("<!--\n", stream);
    put_part(stream, html_chart_licence());
    fputs("-->\n<script>\n", stream);
    put_part(stream, html_chart_library());
    fputs("</script>\n<script>\n", stream);
    put_part(stream, html_script());
    fputs("</script>\n</body>\n</html>\n", stream);
    return AM_OK;
}

am_status html_write(const char *path, const html_page *page, am_error *err)
{
    if (!html_available())
        return am_fail(err, AM_ERR_IO,
                       "%s: this build carries no chart library and writes no reports; install "
                       "Debian's libjs-chart.js and build again",
                       path);
    am_output out;
    AM_TRY(am_output_open(&out, path, err));
    am_status status = put_page(out.stream, page, err);
    if (status == AM_OK)
        return am_output_commit(&out, err);
    am_output_discard(&out);
    return status;
}
