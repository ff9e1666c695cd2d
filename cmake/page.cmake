# The chart library of the report (Debian: libjs-chart.js), put into the program together with the
# page's own files. Without it everything else works, and no report is written.
find_file(AMORTUNE_CHART_LIBRARY chart.min.js
          PATHS /usr/share/javascript/chart.js /usr/share/nodejs/chart.js/dist /usr/local/share/javascript/chart.js
          NO_DEFAULT_PATH DOC "chart.min.js of Chart.js 3, for the report")
file(GLOB page_files CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/report/page/*)
set(embedded ${CMAKE_SOURCE_DIR}/src/report/html_embedded.c)
set_property(SOURCE ${embedded} APPEND PROPERTY OBJECT_DEPENDS "${page_files}")
if(AMORTUNE_CHART_LIBRARY)
    set_property(SOURCE ${embedded} APPEND PROPERTY OBJECT_DEPENDS ${AMORTUNE_CHART_LIBRARY})
    set_property(SOURCE ${embedded} APPEND PROPERTY COMPILE_DEFINITIONS
                 AM_CHART_LIBRARY="${AMORTUNE_CHART_LIBRARY}")
else()
    message(STATUS "report: Chart.js not found, reports will not be written; install libjs-chart.js")
endif()
