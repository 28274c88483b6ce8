// CSV as cassava reads it, as JSON. A model that reads all at once is the second opinion.
#include "api_request/csv.hpp"

#include <gtest/gtest.h>
#include <simdjson.h>

#include <map>
#include <optional>
#include <random>
#include <string>
#include <vector>

namespace pgrst {
namespace {

using Names = std::vector<std::string>;
using Object = std::map<std::string, std::optional<std::string>>;

Result<CsvJson> read(std::string_view body, size_t max_bytes = std::string_view::npos,
                     const BodyGate& gate = {}) {
  CsvReader reader(body, gate);
  while (!reader.step(max_bytes)) {
  }
  return reader.take();
}

std::string json(std::string_view body) {
  const Result<CsvJson> result = read(body);
  EXPECT_TRUE(result.ok()) << body << ": " << (result.ok() ? "" : result.error().message);
  return result.ok() ? result->json : "";
}

Names names(std::string_view body) {
  const Result<CsvJson> result = read(body);
  EXPECT_TRUE(result.ok()) << body;
  return result.ok() ? result->names : Names{};
}

std::string message(std::string_view body) {
  const Result<CsvJson> result = read(body);
  EXPECT_FALSE(result.ok()) << body;
  if (result.ok()) return "";
  EXPECT_EQ(result.error().code, "PGRST102");
  EXPECT_EQ(result.error().status, 400);
  return result.error().message;
}

constexpr const char* kUneven = "All lines must have same number of fields";

TEST(Csv, RecordsBecomeObjectsOfStrings) {
  EXPECT_EQ(json("a,b\n1,hi\n2,bye\n"), R"([{"a":"1","b":"hi"},{"a":"2","b":"bye"}])");
  EXPECT_EQ(json("a,b\nbar,baz"), R"([{"a":"bar","b":"baz"}])");
  EXPECT_EQ(json("a\n\xC3\xA9\\\t\x01\x7F\n"), "[{\"a\":\"\xC3\xA9\\\\\\t\\u0001\x7F\"}]");
  EXPECT_EQ(json("a,b\n,\n"), R"([{"a":"","b":""}])");
  EXPECT_EQ(json("a\n true \n"), R"([{"a":" true "}])");
  EXPECT_EQ(names("b,a\n1,2\n"), (Names{"a", "b"}));
}

TEST(Csv, NullIsNull) {
  EXPECT_EQ(json("a,b\nNULL,foo\n"), R"([{"a":null,"b":"foo"}])");
  EXPECT_EQ(json("a,b\nfoo,\"NULL\"\n"), R"([{"a":"foo","b":null}])");
  EXPECT_EQ(json("a,b,c,d\nnull,NULL ,NULLS,\"NULL\"\"\"\n"),
            R"([{"a":"null","b":"NULL ","c":"NULLS","d":"NULL\""}])");
  EXPECT_EQ(json("NULL\n1\n"), R"([{"NULL":"1"}])");
}

TEST(Csv, Quotes) {
  EXPECT_EQ(json("\"a\",b\n\"1,2\",\"x\ny\"\n"), R"([{"a":"1,2","b":"x\ny"}])");
  EXPECT_EQ(json("a,b\n\"\"\"\",\"say \"\"hi\"\"!\"\n"), R"([{"a":"\"","b":"say \"hi\"!"}])");
  EXPECT_EQ(json("a,b\n\"\",\"\r\n\"\r\n"), R"([{"a":"","b":"\r\n"}])");
  EXPECT_EQ(json("\"a\"\"b\"\nx\n"), R"([{"a\"b":"x"}])");
  EXPECT_EQ(names("\"a\"\"b\"\nx\n"), (Names{"a\"b"}));
  EXPECT_EQ(json("a\n\"x\""), R"([{"a":"x"}])");
}

TEST(Csv, QuotingErrors) {
  EXPECT_EQ(message("a\nx\"y\n"), "The CSV has a quote inside a field without quotes");
  EXPECT_EQ(message("a\nx\"y\"\n"), "The CSV has a quote inside a field without quotes");
  EXPECT_EQ(message("a\n \"x\"\n"), "The CSV has a quote inside a field without quotes");
  EXPECT_EQ(message("a\n\"x\"y\n"), "The CSV has text behind a closing quote");
  EXPECT_EQ(message("a\n\"x\" \n"), "The CSV has text behind a closing quote");
  for (const char* body :
       {"a\n\"", "a\n\"x", "a\n\"x\n1\n", "a\n\"x\"\"", "a\n\"\"\"", "\"a\n1\n"}) {
    EXPECT_EQ(message(body), "The CSV has a field without closing quote") << body;
  }
}

TEST(Csv, LineBreaks) {
  const std::string expected = R"([{"a":"1"},{"a":"2"}])";
  for (const char* body : {"a\n1\n2", "a\r\n1\r\n2\r\n", "a\r1\r2\r", "a\r1\r\n2\n",
                           "a\n1\n2\n\n\n", "a\n\n1\n\r\n\r2", "a\n\"\"\n1\n\"\"\n2\n\"\""}) {
    EXPECT_EQ(json(body), expected) << body;
  }
  // Only a line of one field is blank.
  EXPECT_EQ(json("a\n1\n,\n"), R"([{"a":"1"},{"a":""}])");
}

TEST(Csv, TheHeaderMustEndInALineBreak) {
  for (const char* body : {"", "a", "a,b", "\"a\"", ","}) {
    EXPECT_EQ(message(body), "The CSV has no header line") << body;
  }
  EXPECT_EQ(json("a\n"), "[]");
  EXPECT_EQ(json("a,b\n\n\r\n"), "[]");
  EXPECT_EQ(names("a,b\n"), Names{});
  // A blank line is a header with one empty name.
  EXPECT_EQ(json("\n"), "[]");
  EXPECT_EQ(json("\na,b\n1,2\n"), R"([{"":"a"},{"":"1"}])");
}

TEST(Csv, NumberOfFields) {
  EXPECT_EQ(message("a,b\nfoo,bar\nbaz"), kUneven);
  EXPECT_EQ(message("a,b\nbaz\nfoo,bar\n"), kUneven);
  EXPECT_EQ(json("a,b\nx\ny\n"), R"([{"a":"x"},{"a":"y"}])");
  EXPECT_EQ(names("a,b\nx\ny\n"), (Names{"a"}));
  EXPECT_EQ(json("a\nx,1\ny,2,3\nz\n"), R"([{"a":"x"},{"a":"y"},{"a":"z"}])");
  EXPECT_EQ(message("a,b\nfoo,bar\nbaz\n\"x"), "The CSV has a field without closing quote");
  EXPECT_EQ(message("a,b\n,\n\"\"\n,\nx\n"), kUneven);
}

// As in a map: the last of equal names counts.
TEST(Csv, EqualNames) {
  EXPECT_EQ(json("a,b,a\n1,2,3\n"), R"([{"b":"2","a":"3"}])");
  EXPECT_EQ(names("a,b,a\n1,2,3\n"), (Names{"a", "b"}));
  EXPECT_EQ(json("a,b,a\n1,2\n3,4,5\n"), R"([{"a":"1","b":"2"},{"b":"4","a":"5"}])");
  EXPECT_EQ(json("a,a,a\n1\n2,3\n4,5,NULL\n"), R"([{"a":"1"},{"a":"3"},{"a":null}])");
  EXPECT_EQ(message("a,a,b\n1,2\n3,4,5\n"), kUneven);
}

TEST(Csv, Bounds) {
  const std::string longest(CsvReader::kMaxHeaderSize, 'x');
  EXPECT_EQ(names(longest + "\n1\n"), Names{longest});
  EXPECT_EQ(message(longest + "x\n1\n"), "The header of the CSV is too long");
  EXPECT_EQ(message("\"" + longest + longest), "The header of the CSV is too long");
  // Some 4000 records under a name of 256 kB.
  std::string body = longest + "\n";
  for (int i = 0; i < 4000; i++) body += "1\n";
  EXPECT_EQ(message(body), "The CSV is too large as JSON");
}

// What has more columns than a table can have cannot be written.
TEST(Csv, ColumnsAreBounded) {
  std::string header, record;
  for (size_t i = 0; i < kMaxNames; i++) {
    header += (i == 0 ? "c" : ",c") + std::to_string(i);
    record += i == 0 ? "1" : ",1";
  }
  EXPECT_EQ(names(header + "\n" + record + "\n").size(), kMaxNames);
  // Behind the header more fields than columns are passed over.
  EXPECT_EQ(names(header + "\n" + record + ",1,1\n").size(), kMaxNames);
  EXPECT_EQ(message(header + ",d\n" + record + ",1\n"), "The header of the CSV is too long");
  EXPECT_EQ(message(std::string(100000, ',') + "\n1\n"), "The header of the CSV is too long");
}

// Nothing is made of a body that cannot be of use, or that there is no memory for; but it is read
// to the end, and what is wrong there is told.
TEST(Csv, TheGateIsAskedBeforeJsonIsWritten) {
  const std::string body = std::string(50000, 'x') + ",b,c\n" + "1,2\n3,4\n";
  Names asked;
  uint64_t bytes = 0;
  BodyGate gate{[&](const Names& names) { return asked = names, false; },
                [&](uint64_t size) { return bytes = size, true; }};
  const Result<CsvJson> unwanted = read(body, 100, gate);
  ASSERT_TRUE(unwanted.ok());
  EXPECT_EQ(unwanted->json, "[]");
  EXPECT_EQ(unwanted->names, (Names{"b", std::string(50000, 'x')}));
  EXPECT_EQ(asked, unwanted->names);
  EXPECT_EQ(bytes, 0U);
  EXPECT_EQ(read(body + "1,\"", 100, gate).error().code, "PGRST102");

  gate.wants = nullptr;
  const Result<CsvJson> wanted = read(body, 100, gate);
  ASSERT_TRUE(wanted.ok());
  EXPECT_EQ(wanted->json.size(), bytes);
  EXPECT_GT(bytes, 100000U);

  gate.take_memory = [](uint64_t size) { return size < 100000; };
  EXPECT_EQ(read(body, 100, gate).error().status, 503);
}

// -- steps, and a second opinion -----------------------------------------------------------------

// The shape of cassava's reader: nullopt where it fails.
class Model {
 public:
  explicit Model(std::string_view body) : rest_(body) {}

  std::optional<std::vector<Object>> read() {
    const auto header = record();
    if (!header || !line_break()) return std::nullopt;
    std::vector<Object> objects;
    for (;;) {
      const auto fields = record();
      if (!fields) return std::nullopt;
      if (*fields != Names{""}) {
        Object object;
        for (size_t i = 0; i < std::min(fields->size(), header->size()); i++) {
          const std::string& text = (*fields)[i];
          object[(*header)[i]] = text == "NULL" ? std::nullopt : std::optional(text);
        }
        objects.push_back(std::move(object));
      }
      if (rest_.empty()) return objects;
      if (!line_break()) return std::nullopt;
    }
  }

 private:
  bool take(std::string_view text) {
    if (!rest_.starts_with(text)) return false;
    rest_.remove_prefix(text.size());
    return true;
  }
  bool line_break() { return take("\n") || take("\r\n") || take("\r"); }

  std::optional<Names> record() {
    Names fields;
    do {
      std::string text;
      if (take("\"")) {
        for (;;) {
          if (take("\"\"")) {
            text += '"';
          } else if (take("\"")) {
            break;
          } else if (rest_.empty()) {
            return std::nullopt;
          } else {
            text += rest_[0];
            rest_.remove_prefix(1);
          }
        }
      } else {
        text = rest_.substr(0, rest_.find_first_of(",\"\r\n"));
        rest_.remove_prefix(text.size());
      }
      fields.push_back(text);
    } while (take(","));
    return fields;
  }

  std::string_view rest_;
};

Names keys_of(const Object& object) {
  Names keys;
  for (const auto& [key, value] : object) keys.push_back(key);
  return keys;
}

std::vector<Object> parse(const std::string& text) {
  simdjson::dom::parser parser;
  simdjson::dom::array array;
  std::vector<Object> objects;
  EXPECT_EQ(parser.parse(text).get(array), simdjson::SUCCESS) << text;
  for (const auto element : array) {
    simdjson::dom::object members;
    EXPECT_EQ(element.get(members), simdjson::SUCCESS) << text;
    Object& object = objects.emplace_back();
    for (const auto member : members) {
      std::string_view value;
      const bool is_new = object.count(std::string(member.key)) == 0;
      EXPECT_TRUE(is_new) << text;
      if (member.value.is_null()) {
        object.emplace(member.key, std::nullopt);
      } else {
        EXPECT_EQ(member.value.get(value), simdjson::SUCCESS) << text;
        object.emplace(member.key, value);
      }
    }
  }
  return objects;
}

TEST(Csv, AgreesWithTheModelInStepsOfAnySize) {
  static constexpr const char* kPieces[] = {
      "a",    "b",    ",",     ",",        "\n", "\n",       "\r\n",  "\r",    "\"",
      "\"\"", "NULL", "\"x\"", "\"NULL\"", "\\", "\xC3\xA9", "1,2\n", "3,4\n", "\"a,\"\"b\n\"",
      " "};
  std::mt19937 random(7);
  size_t good = 0, uneven = 0, bad = 0;
  for (int i = 0; i < 20000; i++) {
    std::string body = random() % 2 == 0 ? "a,b\n" : "";
    for (size_t n = random() % 12; n > 0; n--) body += kPieces[random() % std::size(kPieces)];
    const Result<CsvJson> whole = read(body);
    const Result<CsvJson> stepped = read(body, 1 + random() % 9);
    ASSERT_EQ(whole.ok(), stepped.ok()) << body;
    if (whole.ok()) {
      ASSERT_EQ(whole->json, stepped->json) << body;
      ASSERT_EQ(whole->names, stepped->names) << body;
    } else {
      ASSERT_EQ(whole.error().message, stepped.error().message) << body;
    }
    const auto expected = Model(body).read();
    if (!expected) {
      ASSERT_FALSE(whole.ok()) << body;
      ASSERT_NE(whole.error().message, kUneven) << body;
      bad++;
      continue;
    }
    const Names keys = expected->empty() ? Names{} : keys_of(expected->front());
    bool same = true;
    for (const Object& object : *expected) same = same && keys_of(object) == keys;
    ASSERT_EQ(whole.ok(), same) << body;
    if (!same) {
      ASSERT_EQ(whole.error().message, kUneven) << body;
      uneven++;
      continue;
    }
    ASSERT_EQ(parse(whole->json), *expected) << body;
    ASSERT_EQ(whole->names, keys) << body;
    if (!expected->empty()) good++;
  }
  EXPECT_GT(good, 1000u);
  EXPECT_GT(uneven, 500u);
  EXPECT_GT(bad, 1000u);
}

TEST(Csv, StepsAreShort) {
  const std::string kBodies[] = {
      "a\n" + std::string(100000, 'x'),
      "a\n\"" + std::string(100000, '"') + "\"\n",
      "a\n" + std::string(100000, '\n'),
      "a,b\n" + std::string(100000, ','),
  };
  for (const std::string& body : kBodies) {
    const BodyGate open;
    CsvReader reader(body, open);
    size_t steps = 1;
    while (!reader.step(100)) steps++;
    EXPECT_GE(steps, body.size() / 120) << body.substr(0, 5);
    EXPECT_TRUE(reader.take().ok());
  }
}

}  // namespace
}  // namespace pgrst
