// Bodies: which way each media type takes, which names it has, and what is refused.
#include "api_request/payload.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

namespace pgrst {

std::ostream& operator<<(std::ostream& out, const Payload& payload) {
  out << static_cast<int>(payload.kind) << " " << payload.body << " " << payload.is_object;
  for (const auto& key : payload.keys) out << " " << key;
  for (const auto& [name, value] : payload.form) out << " " << name << "=" << value;
  return out;
}

namespace {

using Kind = Payload::Kind;
using Names = std::vector<std::string>;
using Pairs = std::vector<std::pair<std::string, std::string>>;
using Columns = std::optional<Names>;

constexpr const char* kJson = "application/json";
constexpr const char* kCsv = "text/csv";
constexpr const char* kForm = "application/x-www-form-urlencoded";
constexpr bool kTable = false;
constexpr bool kRpc = true;

Result<Payload> read(std::string_view body, std::string_view type, bool is_rpc,
                     const Columns& columns = std::nullopt) {
  return read_payload(std::string(body), parse_media_type(type), is_rpc, columns);
}

Result<Payload> read_in_steps(std::string_view body, std::string_view type, bool is_rpc,
                              const Columns& columns, size_t max_bytes) {
  PayloadReader reader(std::string(body), parse_media_type(type), is_rpc, columns);
  while (!reader.step(max_bytes)) {
  }
  return reader.take();
}

Payload payload(std::string_view body, std::string_view type, bool is_rpc,
                const Columns& columns = std::nullopt) {
  Result<Payload> result = read(body, type, is_rpc, columns);
  EXPECT_TRUE(result.ok()) << body << ": " << (result.ok() ? "" : result.error().message);
  return result.ok() ? std::move(result).value() : Payload{};
}

std::string message(std::string_view body, std::string_view type, bool is_rpc,
                    const Columns& columns = std::nullopt) {
  const Result<Payload> result = read(body, type, is_rpc, columns);
  EXPECT_FALSE(result.ok()) << body;
  if (result.ok()) return "";
  EXPECT_EQ(result.error().code, "PGRST102");
  EXPECT_EQ(result.error().status, 400);
  EXPECT_FALSE(result.error().details_json.has_value() || result.error().hint.has_value());
  return result.error().message;
}

Payload json(std::string body, bool is_object, Names keys) {
  return {Kind::kJson, std::move(body), is_object, std::move(keys), false, {}};
}

constexpr const char* kInvalid = "Empty or invalid json";
constexpr const char* kUnlike = "All object keys must match";

// -- JSON ----------------------------------------------------------------------------------------

TEST(Payload, JsonKeepsItsText) {
  for (const bool is_rpc : {kTable, kRpc}) {
    EXPECT_EQ(payload(" {\"b\":1, \"a\":2} ", kJson, is_rpc),
              json(" {\"b\":1, \"a\":2} ", true, {"a", "b"}));
    EXPECT_EQ(payload("[{\"a\":1},\n{\"a\":2}]", kJson, is_rpc),
              json("[{\"a\":1},\n{\"a\":2}]", false, {"a"}));
    EXPECT_EQ(payload("{}", kJson, is_rpc), json("{}", true, {}));
    EXPECT_EQ(payload("[{},{}]", kJson, is_rpc), json("[{},{}]", false, {}));
  }
  EXPECT_EQ(payload("{\"a\":123456789012345678901234567890}", kJson, kTable).keys, Names{"a"});
  EXPECT_EQ(payload("{}", "Application/JSON; charset=utf-8", kTable), json("{}", true, {}));
}

TEST(Payload, ScalarsAndEmptyArraysBecomeAnEmptyArray) {
  for (const char* body : {"[]", " [ ] ", "1", "\"a\"", "null", "true", "-1.5e3"}) {
    EXPECT_EQ(payload(body, kJson, kTable), json("[]", false, {})) << body;
    EXPECT_EQ(payload(body, kJson, kRpc), json("[]", false, {})) << body;
  }
}

TEST(Payload, InvalidJson) {
  for (const char* body :
       {"}{ x = 2", "{\"a\":1", " ", "\xEF\xBB\xBF{}", "{\"a\":\"\xFF\"}", "{\"a\":\"\xC3\"}",
        "{\"a\xE2\x82\":1}", "[1,]", "[{\"a\":1},{\"b\":]"}) {
    EXPECT_EQ(message(body, kJson, kTable), kInvalid) << body;
    EXPECT_EQ(message(body, kJson, kRpc), kInvalid) << body;
  }
  EXPECT_EQ(message("", kJson, kTable), kInvalid);
}

TEST(Payload, AnEmptyBodyCallsWithoutArguments) {
  EXPECT_EQ(payload("", kJson, kRpc), json("", true, {}));
}

TEST(Payload, ArraysOfUnlikeElements) {
  for (const char* body :
       {R"([{"id": 100, "body": "xxxxx"}, 123, "xxxx", {"id": 111, "body": "xxxx"}])",
        R"([{"id": 100, "body": "xxxxx"}, {"id": 111, "body": "xxxx", "owner": "me"}])", "[1]",
        "[null]", "[[]]", "[{},{\"a\":1}]", "[1,{}]"}) {
    EXPECT_EQ(message(body, kJson, kTable), kUnlike) << body;
    EXPECT_EQ(message(body, kJson, kRpc), kUnlike) << body;
  }
}

TEST(Payload, JsonWithColumnsIsTakenUnread) {
  const Columns columns = Names{"a", "b"};
  EXPECT_EQ(payload("[{\"x\":1},2]", kJson, kTable, columns),
            json("[{\"x\":1},2]", false, {"a", "b"}));
  EXPECT_EQ(payload(" \n\t\r{ not json", kJson, kRpc, columns),
            json(" \n\t\r{ not json", true, {"a", "b"}));
  for (const char* body : {"", " ", "[]", "1", "x{", "\xFF"}) {
    EXPECT_EQ(payload(body, kJson, kTable, columns), json(body, false, {"a", "b"})) << body;
    EXPECT_EQ(payload(body, kJson, kRpc, columns), json(body, false, {"a", "b"})) << body;
  }
  EXPECT_EQ(payload("{\"a\":1}", kJson, kTable, Names{}), json("{\"a\":1}", true, {}));
}

// -- CSV -----------------------------------------------------------------------------------------

TEST(Payload, CsvBecomesJson) {
  for (const bool is_rpc : {kTable, kRpc}) {
    EXPECT_EQ(payload("b,a\n1,NULL\n", kCsv, is_rpc),
              json("[{\"b\":\"1\",\"a\":null}]", false, {"a", "b"}));
    EXPECT_EQ(payload("b,a\n", kCsv, is_rpc), json("[]", false, {}));
    EXPECT_EQ(message("", kCsv, is_rpc), "The CSV has no header line");
    EXPECT_EQ(message("a,b\nfoo,bar\nbaz", kCsv, is_rpc),
              "All lines must have same number of fields");
    EXPECT_EQ(message("a\n\xFF\n", kCsv, is_rpc), "The CSV is not valid UTF-8");
    EXPECT_EQ(message("\xC3\n1\n", kCsv, is_rpc), "The CSV is not valid UTF-8");
  }
  // columns= names the columns of JSON only.
  EXPECT_EQ(payload("a\n1\n", kCsv, kTable, Names{"x"}), json("[{\"a\":\"1\"}]", false, {"a"}));
}

// -- forms ---------------------------------------------------------------------------------------

TEST(Payload, FormsOfCalls) {
  const Payload found = payload("b=1&a=2;b=3", kForm, kRpc);
  EXPECT_EQ(found.kind, Kind::kForm);
  EXPECT_EQ(found.form, (Pairs{{"b", "1"}, {"a", "2"}, {"b", "3"}}));
  EXPECT_EQ(found.keys, (Names{"a", "b"}));
  EXPECT_EQ(found.body, "");
  EXPECT_EQ(payload("", kForm, kRpc), (Payload{Kind::kForm, "", false, {}, false, {}}));
}

TEST(Payload, FormsAreDecodedLikeQueryStrings) {
  const auto form = [](std::string_view body) { return payload(body, kForm, kRpc).form; };
  EXPECT_EQ(form("a+b=c+d%2B%26%3d"), (Pairs{{"a b", "c d+&="}}));
  EXPECT_EQ(form("%61=%C3%A9"), (Pairs{{"a", "\xC3\xA9"}}));
  EXPECT_EQ(form("a=b=c"), (Pairs{{"a", "b=c"}}));
  EXPECT_EQ(form("a&b="), (Pairs{{"a", ""}, {"b", ""}}));
  EXPECT_EQ(form("a=1&"), (Pairs{{"a", "1"}}));
  EXPECT_EQ(form("&a=1&;"), (Pairs{{"", ""}, {"a", "1"}, {"", ""}}));
  EXPECT_EQ(form("?a=1"), (Pairs{{"a", "1"}}));
  EXPECT_EQ(form("??a=1"), (Pairs{{"?a", "1"}}));
  EXPECT_EQ(form("?"), Pairs{});
  EXPECT_EQ(form("a=%zz%4"), (Pairs{{"a", "%zz%4"}}));
  EXPECT_EQ(form("a=%00"), (Pairs{{"a", std::string(1, '\0')}}));
  EXPECT_EQ(form("%FF=%E2%82&\xC3=("),
            (Pairs{{"\xEF\xBF\xBD", "\xEF\xBF\xBD"}, {"\xEF\xBF\xBD", "("}}));
  // Halves in the name and in the value do not meet.
  EXPECT_EQ(form("\xC3=\xA9"), (Pairs{{"\xEF\xBF\xBD", "\xEF\xBF\xBD"}}));
}

TEST(Payload, FormsOfTablesBecomeAnObject) {
  EXPECT_EQ(payload("b=1&a=x%22%0Ay", kForm, kTable),
            json("{\"a\":\"x\\\"\\ny\",\"b\":\"1\"}", true, {"a", "b"}));
  EXPECT_EQ(payload("a=1&b=2&a=3", kForm, kTable),
            json("{\"a\":\"3\",\"b\":\"2\"}", true, {"a", "b"}));
  EXPECT_EQ(payload("a=NULL&%22", kForm, kTable),
            json("{\"\\\"\":\"\",\"a\":\"NULL\"}", true, {"\"", "a"}));
  EXPECT_EQ(payload("", kForm, kTable), json("{}", true, {}));
  EXPECT_EQ(payload("&", kForm, kTable), json("{\"\":\"\"}", true, {""}));
}

TEST(Payload, FieldsOfFormsAreBounded) {
  std::string body;
  for (size_t i = 0; i < FormReader::kMaxFields; i++) body += "a&";
  EXPECT_EQ(payload(body, kForm, kRpc).form.size(), FormReader::kMaxFields);
  body += "a";
  EXPECT_EQ(message(body, kForm, kRpc), "The form has more than 65536 fields");
  EXPECT_EQ(message(body, kForm, kTable), "The form has more than 65536 fields");
}

TEST(Payload, ExcessiveNamesOfForms) {
  std::string body;
  for (size_t i = 0; i < kMaxNames; i++) body += "n" + std::to_string(i) + "=1&";
  EXPECT_EQ(payload(body, kForm, kRpc).form.size(), kMaxNames);
  EXPECT_EQ(payload(body + "n1=2", kForm, kRpc).form.size(), kMaxNames + 1);
  const std::string long_name(kMaxName, 'x');
  for (const std::string& excessive : {body + "more=1&%", long_name + "x=1", body + body + "m"}) {
    for (const bool is_rpc : {kTable, kRpc}) {
      for (const size_t step : {size_t{1}, size_t{100}, size_t{1000 * 1000}}) {
        const Result<Payload> result = read_in_steps(excessive, kForm, is_rpc, {}, step);
        ASSERT_TRUE(result.ok());
        EXPECT_TRUE(result->has_excess && result->form.empty());
        EXPECT_EQ(result->body, is_rpc ? "" : "{}");
        EXPECT_TRUE(result->keys.size() == kMaxNames + 1 ||
                    result->keys == Names{long_name + "..."});
      }
    }
  }
  EXPECT_EQ(payload(long_name + "=1", kForm, kRpc).keys, Names{long_name});
}

// A function may take the whole object; nothing else takes such names.
TEST(Payload, ExcessiveNamesOfObjects) {
  std::string body = "{";
  for (size_t i = 0; i < 2 * kMaxNames; i++) body += "\"n" + std::to_string(i) + "\":1,";
  body += "\"m\":1}";
  const Payload of_call = payload(body, kJson, kRpc), of_table = payload(body, kJson, kTable);
  EXPECT_TRUE(of_call.has_excess && of_table.has_excess);
  EXPECT_EQ(of_call.body, body);
  EXPECT_EQ(of_table.body, "");
  EXPECT_EQ(of_call.keys, of_table.keys);
  EXPECT_EQ(of_call.keys.size(), kMaxNames + 1);
}

TEST(Payload, MemoryIsTakenForWhatIsMadeOfBodies) {
  const std::string octets = "application/octet-stream";
  const auto read_with = [](std::string_view body, std::string_view type, bool is_rpc,
                            uint64_t memory, bool wanted = true) {
    PayloadReader reader(std::string(body), parse_media_type(type), is_rpc, std::nullopt);
    reader.set_gate(
        {[=](const Names&) { return wanted; }, [=](uint64_t bytes) { return bytes <= memory; }});
    while (!reader.step(3)) {
    }
    return reader.take();
  };
  EXPECT_EQ(read_with("a\n1", kCsv, kTable, 11)->body, R"([{"a":"1"}])");
  EXPECT_EQ(read_with("a\n1", kCsv, kTable, 10).error().status, 503);
  EXPECT_EQ(read_with("a=1", kForm, kTable, 9)->body, R"({"a":"1"})");
  EXPECT_EQ(read_with("a=1", kForm, kTable, 8).error().status, 503);
  EXPECT_EQ(read_with("abc", octets, kRpc, 8)->body, "\\x616263");
  EXPECT_EQ(read_with("abc", octets, kRpc, 7).error().status, 503);
  EXPECT_EQ(read_with("a=1", kForm, kRpc, 0)->form, (Pairs{{"a", "1"}}));
  EXPECT_EQ(read_with("{\"a\":1}", kJson, kTable, 0)->body, "{\"a\":1}");
  EXPECT_EQ(read_with("a\n1", kCsv, kTable, 0, false)->body, "[]");
  EXPECT_EQ(read_with("a=1", kForm, kTable, 0, false)->body, "{}");
}

// -- the rest ------------------------------------------------------------------------------------

TEST(Payload, RawBodiesOfCalls) {
  const std::string body("\xFF\0{", 3);
  for (const char* type : {"text/plain", "text/xml", "application/octet-stream"}) {
    const bool is_hex = std::string_view(type) == "application/octet-stream";
    const std::string whole = is_hex ? "\\xff007b" : body, nothing = is_hex ? "\\x" : "";
    EXPECT_EQ(payload(body, type, kRpc), (Payload{Kind::kRaw, whole, false, {}, false, {}}))
        << type;
    EXPECT_EQ(payload("", type, kRpc), (Payload{Kind::kRaw, nothing, false, {}, false, {}}))
        << type;
    EXPECT_EQ(message(body, type, kTable), "Content-Type not acceptable: " + std::string(type));
  }
}

TEST(Payload, OtherTypesAreRefused) {
  for (const bool is_rpc : {kTable, kRpc}) {
    for (const char* type : {"application/unknown", "image/png", "*/*", "application/geo+json",
                             "application/openapi+json", "application/vnd.pgrst.object+json",
                             "application/vnd.pgrst.array+json;nulls=stripped"}) {
      EXPECT_EQ(message("{}", type, is_rpc), "Content-Type not acceptable: " + std::string(type));
      EXPECT_EQ(message("", type, is_rpc, Names{"a"}),
                "Content-Type not acceptable: " + std::string(type));
    }
  }
}

// -- steps ---------------------------------------------------------------------------------------

TEST(Payload, StepsOfAnySizeGiveTheSame) {
  const std::pair<const char*, const char*> kBodies[] = {
      {kJson,
       "[{\"\xC3\xA9\":\"\xF0\x9F\x98\x80\xF0\x9F\x98\x80\",\"a\":1},{\"a\":2,\"\\u00e9\":3}]"},
      {kJson, "{\"a\":\"\xF0\x9F\x98\xF0\x9F\x98\x80\"}"},
      {kJson, "{\"a\":\"\x80\x80\x80\x80\x80\"}"},
      {kJson, " \n  \t {\"a\":1}"},
      {kJson, "       "},
      {kCsv, "\xC3\xA9,\"b,\"\"\"\r\n1,\"x\"\"y\"\r\nNULL,\"NULL\"\r\n\r\n"},
      {kCsv, "a,b\n1\n2,3"},
      {kForm, "na%6De=%F0%9F%98%80%f0%9f&x=%FF%80%%41+&\xE2\x82\xAC=1;b&b=\xE2\x82&&a=1"},
      {"text/plain", "text"},
  };
  for (const auto& [type, body] : kBodies) {
    for (const bool is_rpc : {kTable, kRpc}) {
      for (const Columns& columns : {Columns(), Columns(Names{"x"})}) {
        const Result<Payload> whole = read(body, type, is_rpc, columns);
        for (size_t size = 0; size <= std::string_view(body).size() + 1; size++) {
          const Result<Payload> stepped = read_in_steps(body, type, is_rpc, columns, size);
          ASSERT_EQ(stepped.ok(), whole.ok()) << body;
          if (whole.ok()) {
            ASSERT_EQ(stepped.value(), whole.value()) << body << " " << size;
          } else {
            ASSERT_EQ(stepped.error().message, whole.error().message) << body << " " << size;
          }
        }
      }
    }
  }
}

// No step does everything: of each kind of body, and of each of the passes over it.
TEST(Payload, StepsAreShort) {
  const std::string long_text(100000, 'x');
  const std::pair<const char*, std::string> kBodies[] = {
      {kJson, "{\"a\":\"" + long_text + "\"}"},
      {kCsv, "a\n" + long_text},
      {kForm, "a=" + long_text},
      {kForm, "a=" + std::string(100000, '%')},
      {kForm, "a=1&b=" + long_text + "&c=" + long_text},
  };
  for (const auto& [type, body] : kBodies) {
    for (const bool is_rpc : {kTable, kRpc}) {
      PayloadReader reader(body, parse_media_type(type), is_rpc, std::nullopt);
      size_t steps = 1;
      while (!reader.step(100)) steps++;
      EXPECT_GE(steps, 1900u) << type;
      EXPECT_TRUE(reader.take().ok());
    }
  }
  PayloadReader octets(long_text, parse_media_type("application/octet-stream"), kRpc, std::nullopt);
  size_t octet_steps = 1;
  while (!octets.step(100)) octet_steps++;
  EXPECT_GE(octet_steps, 1000u);
  PayloadReader reader(std::string(100000, ' '), parse_media_type(kJson), kTable, Names{"a"});
  size_t steps = 1;
  while (!reader.step(100)) steps++;
  EXPECT_GE(steps, 1000u);
}

}  // namespace
}  // namespace pgrst
