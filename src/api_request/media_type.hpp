// Media types: of Accept and Content-Type, in and out.
//
// Input -> output: header text -> MediaType, MediaType -> header text
// (docs/references/api/resource_representation.rst).
#pragma once

#include "core/before_postgres.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace pgrst {

struct MediaType {
  enum class Kind {
    kJson,
    kGeoJson,
    kCsv,
    kPlainText,
    kXml,
    kOpenApi,
    kUrlEncoded,
    kOctetStream,
    kAny,
    kArrayStripped,  // application/vnd.pgrst.array+json;nulls=stripped
    kSingular,       // application/vnd.pgrst.object+json
    kSingularStripped,
    kPlan,  // application/vnd.pgrst.plan: how the statement would be executed, not its rows
    kOther,
  };
  Kind kind = Kind::kOther;
  std::string other;  // the text of kOther; of kPlan the type that the plan is for
  bool plan_is_json = false;
  std::vector<std::string> plan_options = {};  // "analyze", "verbose", ..., in this order
  // Of kOpenApi; empty: whichever. It does not count where the database decides on media types.
  std::string version = {};

  bool operator==(const MediaType&) const = default;
};

MediaType parse_media_type(std::string_view text);

// "application/json"; of kOther the text as it came.
std::string to_mime(const MediaType& type);
// The value of Content-Type: with the version, and "; charset=utf-8" where the type is text.
std::string to_content_type(const MediaType& type);

// The types of an Accept header, most wanted first: by q, then by number of parameters less
// wildcards; equal ones stay in their order. "*/*" for an absent header is the caller's business.
std::vector<MediaType> parse_accept(std::string_view header);

}  // namespace pgrst
