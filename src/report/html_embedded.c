/* The files of page/ and the chart library, as bytes of the program. */
#include "report/html.h"

#define INCLUDE(path) ".incbin \"" path "\"\n.byte 10\n"
#define PAGE(name) INCLUDE(AM_SOURCE_FOLDER "/src/report/page/" name)

/* The bytes of some files, one after the other, as label[0 .. label_end − label). */
#define EMBED(label, files)                                                                        \
    __asm__(".section .rodata\n" #label ":\n" files #label "_end:\n.byte 0\n.previous\n");         \
    extern const char label[] __attribute__((visibility("hidden")));                               \
    extern const char label##_end[] __attribute__((visibility("hidden")))

EMBED(am_page_style, PAGE("page.css"));
EMBED(am_page_script, PAGE("generator.js") PAGE("charts.js") PAGE("explorer.js") PAGE("weights.js")
                          PAGE("gallery.js") PAGE("page.js"));
EMBED(am_page_explorer, PAGE("explorer.html"));
EMBED(am_page_licence, PAGE("chart-licence.txt"));

static html_part part_of(const char *begin, const char *end)
{
    return (html_part){begin, (size_t)(end - begin)};
}

html_part html_style(void)
{
    return part_of(am_page_style, am_page_style_end);
}

html_part html_explorer(void)
{
    return part_of(am_page_explorer, am_page_explorer_end);
}

html_part html_script(void)
{
    return part_of(am_page_script, am_page_script_end);
}

html_part html_chart_licence(void)
{
    return part_of(am_page_licence, am_page_licence_end);
}

#ifdef AM_CHART_LIBRARY
EMBED(am_chart_library, INCLUDE(AM_CHART_LIBRARY));

html_part html_chart_library(void)
{
    return part_of(am_chart_library, am_chart_library_end);
}
#else
html_part html_chart_library(void)
{
    return (html_part){"", 0};
}
#endif

bool html_available(void)
{
    return html_chart_library().size > 0;
}
