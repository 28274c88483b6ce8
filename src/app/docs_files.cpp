// The files of the page, made to string literals by a rule of test/targets.mk.

#include <algorithm>
#include <array>
#include <cstdint>

#include "app/docs.hpp"

namespace pgrst {

namespace {

constexpr std::string_view kPage =
#include "app/docs/index.html.inc"
    ;
constexpr std::string_view kStyle =
#include "app/docs/docs.css.inc"
    ;
constexpr std::string_view kIcon =
#include "app/docs/icon.svg.inc"
    ;
constexpr std::string_view kMain =
#include "app/docs/docs.js.inc"
    ;
constexpr std::string_view kDom =
#include "app/docs/dom.js.inc"
    ;
constexpr std::string_view kModel =
#include "app/docs/model.js.inc"
    ;
constexpr std::string_view kRequest =
#include "app/docs/request.js.inc"
    ;
constexpr std::string_view kForm =
#include "app/docs/form.js.inc"
    ;
constexpr std::string_view kColumns =
#include "app/docs/columns.js.inc"
    ;
constexpr std::string_view kAnswer =
#include "app/docs/answer.js.inc"
    ;
constexpr std::string_view kSql =
#include "app/docs/sql.js.inc"
    ;

constexpr std::string_view kScriptType = "text/javascript; charset=utf-8";

// FNV-1a.
std::string etag_of(std::string_view text) {
  uint64_t hash = 0xcbf29ce484222325;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return '"' + std::to_string(hash) + '"';
}

DocsFile make_file(std::string_view path, std::string_view type, std::string_view text) {
  return {path, type, text, etag_of(text)};
}

}  // namespace

const DocsFile* find_docs_file(std::string_view path) {
  static const std::array kFiles = {
      make_file("/docs", "text/html; charset=utf-8", kPage),
      make_file("/docs/docs.css", "text/css; charset=utf-8", kStyle),
      make_file("/docs/icon.svg", "image/svg+xml", kIcon),
      make_file("/docs/docs.js", kScriptType, kMain),
      make_file("/docs/dom.js", kScriptType, kDom),
      make_file("/docs/model.js", kScriptType, kModel),
      make_file("/docs/request.js", kScriptType, kRequest),
      make_file("/docs/form.js", kScriptType, kForm),
      make_file("/docs/columns.js", kScriptType, kColumns),
      make_file("/docs/answer.js", kScriptType, kAnswer),
      make_file("/docs/sql.js", kScriptType, kSql),
  };
  const auto* found = std::find_if(kFiles.begin(), kFiles.end(),
                                   [path](const DocsFile& file) { return file.path == path; });
  return found == kFiles.end() ? nullptr : found;
}

}  // namespace pgrst
