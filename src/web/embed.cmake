# cmake -DSITE=<folder> -DOUT=<file.cpp> -P embed.cmake: the text files below SITE as string literals.
set(type_html "text/html; charset=utf-8")
set(type_css "text/css; charset=utf-8")
set(type_js "text/javascript; charset=utf-8")
set(type_svg "image/svg+xml")
set(delimiter "leither_site")

file(GLOB_RECURSE names RELATIVE ${SITE} ${SITE}/*)
list(SORT names)
set(rows "")
foreach(name IN LISTS names)
  get_filename_component(suffix ${name} LAST_EXT)
  string(REPLACE "." "type_" type "${suffix}")
  if(NOT DEFINED ${type})
    message(FATAL_ERROR "${name}: no content type is known for ${suffix}; add one to embed.cmake")
  endif()
  file(READ ${SITE}/${name} content)
  string(FIND "${content}" ")${delimiter}\"" clash)
  if(NOT clash EQUAL -1)
    message(FATAL_ERROR "${name} contains the delimiter of embed.cmake")
  endif()
  file(SHA256 ${SITE}/${name} hash)
  string(SUBSTRING ${hash} 0 32 tag)
  set(path "/${name}")
  if(name STREQUAL "index.html")
    set(path "/")
  endif()
  string(APPEND rows "    {\"${path}\", \"${${type}}\", \"\\\"${tag}\\\"\",\n"
    "     R\"${delimiter}(${content})${delimiter}\"},\n")
endforeach()

file(WRITE ${OUT} "// Made by src/web/embed.cmake.
#include \"leither/web/files.h\"

namespace leither::web {
namespace {

constexpr File kFiles[] = {
${rows}};

}  // namespace

std::span<const File> files() {
    return kFiles;
}

}  // namespace leither::web
")
