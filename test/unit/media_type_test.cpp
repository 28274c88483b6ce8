#include "api_request/media_type.hpp"

#include <gtest/gtest.h>

namespace pgrst {
namespace {

using Kind = MediaType::Kind;
using Names = std::vector<std::string>;

Names accept(std::string_view header) {
  Names out;
  for (const auto& type : parse_accept(header)) out.push_back(to_mime(type));
  return out;
}

TEST(MediaType, KnownOnes) {
  const std::pair<const char*, Kind> kKnown[] = {
      {"application/json", Kind::kJson},
      {"application/geo+json", Kind::kGeoJson},
      {"text/csv", Kind::kCsv},
      {"text/plain", Kind::kPlainText},
      {"text/xml", Kind::kXml},
      {"application/openapi+json", Kind::kOpenApi},
      {"application/x-www-form-urlencoded", Kind::kUrlEncoded},
      {"application/octet-stream", Kind::kOctetStream},
      {"*/*", Kind::kAny},
      {"application/vnd.pgrst.object+json", Kind::kSingular},
      {"application/vnd.pgrst.object", Kind::kSingular},
      {"application/vnd.pgrst.object+json;nulls=stripped", Kind::kSingularStripped},
      {"application/vnd.pgrst.object;nulls=stripped", Kind::kSingularStripped},
      {"application/vnd.pgrst.object+json;nulls=false", Kind::kSingular},
      {"application/vnd.pgrst.array+json", Kind::kJson},
      {"application/vnd.pgrst.array", Kind::kJson},
      {"application/vnd.pgrst.array+json;nulls=stripped", Kind::kArrayStripped},
  };
  for (const auto& [text, kind] : kKnown) {
    EXPECT_EQ(parse_media_type(text).kind, kind) << text;
    EXPECT_EQ(parse_media_type(text).other, "") << text;
  }
}

TEST(MediaType, CaseAndParametersDoNotMatter) {
  EXPECT_EQ(parse_media_type("ApplicatIon/vnd.PgRsT.object+json").kind, Kind::kSingular);
  EXPECT_EQ(parse_media_type("TEXT/CSV; charset=utf-8").kind, Kind::kCsv);
  EXPECT_EQ(parse_media_type("application/json;charset=utf-8;a=b").kind, Kind::kJson);
  EXPECT_EQ(parse_media_type("application/vnd.pgrst.object+json ; NULLS = stripped").kind,
            Kind::kSingularStripped);
  EXPECT_EQ(parse_media_type("application/vnd.pgrst.object;a=b;nulls=\"stripped\"").kind,
            Kind::kSingularStripped);
  // The last of several counts; what follows something that is no parameter does not.
  EXPECT_EQ(parse_media_type("application/vnd.pgrst.object;nulls=stripped;nulls=x").kind,
            Kind::kSingular);
  EXPECT_EQ(parse_media_type("application/vnd.pgrst.object;junk;nulls=stripped").kind,
            Kind::kSingular);
  EXPECT_EQ(parse_media_type("application/json;").kind, Kind::kJson);
}

TEST(MediaType, UnknownOnesKeepTheirText) {
  for (const char* text :
       {"application/vnd.twkb", "text/html;level=1", "nonsense", "", "*", "text/*"}) {
    const MediaType type = parse_media_type(text);
    EXPECT_EQ(type.kind, Kind::kOther) << text;
    EXPECT_EQ(to_mime(type), text);
    EXPECT_EQ(to_content_type(type), text);
  }
}

TEST(MediaType, ContentTypes) {
  EXPECT_EQ(to_content_type({Kind::kJson, ""}), "application/json; charset=utf-8");
  EXPECT_EQ(to_content_type({Kind::kCsv, ""}), "text/csv; charset=utf-8");
  EXPECT_EQ(to_content_type({Kind::kSingularStripped, ""}),
            "application/vnd.pgrst.object+json;nulls=stripped; charset=utf-8");
  EXPECT_EQ(to_content_type({Kind::kOctetStream, ""}), "application/octet-stream");
}

TEST(MediaType, Version) {
  const auto version = [](std::string_view text) { return parse_media_type(text).version; };
  EXPECT_EQ(version("application/openapi+json"), "");
  EXPECT_EQ(version("application/openapi+json;version=3.1"), "3.1");
  EXPECT_EQ(version("Application/OpenAPI+json ; VERSION = \"3.1\" ; a=b"), "3.1");
  EXPECT_EQ(version("application/json;version=3.1"), "") << "of OpenAPI alone";
  EXPECT_EQ(to_mime(parse_media_type("application/openapi+json;version=3.1")),
            "application/openapi+json");
  EXPECT_EQ(to_content_type(parse_media_type("application/openapi+json;version=3.1")),
            "application/openapi+json; version=3.1; charset=utf-8");
}

TEST(Accept, KeepsTheOrderOfEquals) {
  EXPECT_EQ(accept("text/csv"), (Names{"text/csv"}));
  EXPECT_EQ(accept("text/csv,application/json, text/xml"),
            (Names{"text/csv", "application/json", "text/xml"}));
  EXPECT_EQ(accept(""), Names());
}

TEST(Accept, SortsByQuality) {
  EXPECT_EQ(accept("text/csv;q=0.1, application/json;q=0.9, text/xml"),
            (Names{"text/xml", "application/json", "text/csv"}));
  EXPECT_EQ(accept("text/csv ; q=0.5 , application/json ; q=0.6"),
            (Names{"application/json", "text/csv"}));
  EXPECT_EQ(accept("text/csv;q=0,application/json"), (Names{"application/json", "text/csv"}));
  EXPECT_EQ(accept("a/b;q=0.5;x=y,c/d;q=0.7"), (Names{"c/d", "a/b"}));
}

TEST(Accept, UnreadableQualityIsOne) {
  EXPECT_EQ(accept("text/csv;q=0.9,application/json;q=x,text/xml;q="),
            (Names{"application/json", "text/xml", "text/csv"}));
  EXPECT_EQ(accept("text/csv;q=0.9,application/json;q=nan"),
            (Names{"application/json", "text/csv"}));
}

TEST(Accept, PrefersTheMoreSpecific) {
  EXPECT_EQ(accept("*/*, text/*, text/csv"), (Names{"text/csv", "text/*", "*/*"}));
  EXPECT_EQ(accept("*/*;q=0.8, text/csv;q=0.1"), (Names{"*/*", "text/csv"}));
  EXPECT_EQ(accept("application/vnd.pgrst.object, application/vnd.pgrst.object;nulls=stripped"),
            (Names{"application/vnd.pgrst.object+json;nulls=stripped",
                   "application/vnd.pgrst.object+json"}));
}

TEST(Accept, ABrowsers) {
  EXPECT_EQ(accept("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"),
            (Names{"text/html", "application/xhtml+xml", "application/xml", "*/*"}));
}

}  // namespace
}  // namespace pgrst
