# What program and plugin must agree on: the text of the headers that both are compiled with. A plugin
# of other headers is refused (src/backend/abi.h).
set(abi_text "")
foreach(header backend/backend.h backend/args.h backend/derivative_args.h
               backend/pointers.h draw/axis.h ../include/amortune.h)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/${header})
    file(READ ${CMAKE_SOURCE_DIR}/src/${header} header_text)
    string(APPEND abi_text "${header_text}")
endforeach()
string(SHA256 AMORTUNE_ABI "${abi_text}")
string(SUBSTRING ${AMORTUNE_ABI} 0 16 AMORTUNE_ABI)

# To be called in every folder whose targets compile src/backend/abi.c.
function(amortune_define_abi)
    set_source_files_properties(${CMAKE_SOURCE_DIR}/src/backend/abi.c PROPERTIES
        COMPILE_DEFINITIONS "AM_BACKEND_ABI=\"${AMORTUNE_ABI}\"")
endfunction()
amortune_define_abi()
