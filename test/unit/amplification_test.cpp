// What one request may make of the bytes that it has: small errors, statements that grow with the
// request and no faster, and nothing at all of what can be of no use.
#include <gtest/gtest.h>

#include <functional>

#include "pg/protocol.hpp"
#include "write_fixtures.hpp"

namespace pgrst {
namespace {

using test::code_of;
using test::request;
using test::with_body;

constexpr char kJson[] = "application/json";
constexpr char kCsv[] = "text/csv";
constexpr char kForm[] = "application/x-www-form-urlencoded";

// piece(0), piece(1), ... until there are about so many bytes.
std::string fill(size_t size, const std::function<std::string(size_t)>& piece,
                 std::string_view separator = ",") {
  std::string out;
  for (size_t i = 0; out.size() < size; i++) {
    if (i > 0) out += separator;
    out += piece(i);
  }
  return out;
}
std::string repeat(size_t size, const std::string& piece, std::string_view separator = ",") {
  return fill(
      size, [&](size_t) { return piece; }, separator);
}
std::string numbered(size_t size, const std::string& before, const std::string& behind,
                     std::string_view separator = ",") {
  return fill(
      size, [&](size_t i) { return before + std::to_string(i) + behind; }, separator);
}

size_t size_of(const HttpRequest& r) {
  size_t size = r.method.size() + r.path.size() + r.query.size() + r.body.size();
  for (const auto& header : r.headers) size += header.name.size() + header.value.size();
  return size;
}

// An error repeats little of the request; work is a small multiple of it.
void expect_moderate(const HttpRequest& r) {
  constexpr size_t kMaxError = 48 * 1024, kSmall = 16 * 1024, kFactor = 40;
  const size_t sent = size_of(r);
  const std::string what = r.method + " " + r.path.substr(0, 30) + "?" + r.query.substr(0, 50) +
                           " " + r.body.substr(0, 30);
  auto begun = test::begin_in_shop(r, {{"db_aggregates_enabled", "true"}});
  if (const auto* response = std::get_if<HttpResponse>(&begun)) {
    size_t answered = response->body.size();
    for (const auto& header : response->headers) answered += header.value.size();
    EXPECT_LE(answered, std::min(kMaxError, sent + kSmall)) << what;
    return;
  }
  auto& work = std::get<DatabaseWork>(begun);
  if (work.pending.refusal) {
    EXPECT_LE(fail(work.pending, *work.pending.refusal).body.size(), kMaxError) << what;
  }
  EXPECT_FALSE(work.transaction.statements.empty() && !work.pending.refusal) << what;
  pg::RequestMessage message;
  message.transaction = std::move(work.transaction);
  const size_t made = pg::encode_request(message).size() + message.transaction.payload.size();
  EXPECT_LE(made, kSmall + kFactor * sent) << what;
}

TEST(Amplification, OfUrls) {
  constexpr size_t n = 60000;
  const std::string junk(n, 'x'), control = repeat(n, "%01", "");
  for (const std::string& text : {junk, control}) {
    const std::string kTargets[] = {
        "/" + text,
        "/rpc/" + text,
        "/rpc/" + text + "?a=1",
        "/rpc/add_up?" + text + "=1",
        "/rpc/add_up?a=1&b=" + text,
        "/items?select=" + text,
        "/items?select=" + text + "(*)",
        "/items?select=" + text + "(((",
        "/items?select=stock!" + text + "(*)",
        "/items?select=a:" + text + "(*)",
        "/items?select=name::" + text,
        "/items?select=id->" + text,
        "/items?" + text + "=eq.1",
        "/items?" + text + ".id=eq.1",
        "/items?" + text + ".order=id",
        "/items?" + text + ".limit=1",
        "/items?id=" + text,
        "/items?id=eq." + text,
        "/items?id=fts(" + text + ").x",
        "/items?order=" + text,
        "/items?order=" + text + "(id)",
        "/items?order=id." + text,
        "/items?or=(" + text + ")",
        "/items?and=(id.eq." + text + ")",
        "/items?limit=" + text,
        "/items?columns=" + text,
        "/items?on_conflict=" + text,
    };
    for (const std::string& target : kTargets) {
      for (const char* method : {"GET", "DELETE", "OPTIONS"})
        expect_moderate(request(method, target));
      for (const char* method : {"POST", "PATCH", "PUT"}) {
        expect_moderate(with_body(method, target, R"({"id":1})"));
      }
    }
  }
}

TEST(Amplification, OfManyThings) {
  constexpr size_t n = 30000;
  const std::string kTargets[] = {
      "/items?select=" + repeat(n, "id"),
      "/items?select=" + numbered(n, "a", ":id::text"),
      "/items?select=" + numbered(n, "a", ":id->a->b"),
      "/items?select=" + numbered(n, "a", ":id.sum()"),
      "/items?select=" + numbered(n, "a", ":stock(*)"),
      "/items?select=id" + repeat(n, "->a", ""),
      "/items?" + repeat(n, "id=gt.0", "&"),
      "/items?" + numbered(n, "id=gt.", "", "&"),
      "/items?select=*,stock(*)&" + repeat(n, "stock.count=gt.0", "&"),
      "/items?select=*,stock(*)&" + repeat(n, "stock=not.is.null", "&"),
      // What is written once for each of the others.
      "/items?select=*,stock(*)&" + repeat(n / 2, "stock.count=gt.0", "&") + "&" +
          repeat(n / 2, "stock=not.is.null", "&"),
      "/items?select=*,stock(*)&stock.place=eq." + std::string(n / 2, 'x') + "&" +
          repeat(n / 2, "stock=not.is.null", "&"),
      "/items?select=*,stock(*,places(*))&" + repeat(n / 3, "stock.places.code=gt.0", "&") + "&" +
          repeat(n / 3, "stock.places=not.is.null", "&") + "&" +
          repeat(n / 3, "stock=not.is.null", "&"),
      "/items?select=id,...stock(" + numbered(n / 2, "a", ":count") +
          ")&stock.order=" + repeat(n / 2, "count"),
      "/items?select=" + repeat(n, "*") + ",stock(*)&limit=1",
      "/items?select=" + numbered(n, "...stock(a", ":count)"),
      "/items?select=" + numbered(1000, "a", ":stock(*)") + "&" + numbered(n, "a", ".limit=1", "&"),
      "/items?id=in.(" + numbered(n, "", "") + ")",
      "/items?or=(" + repeat(n, "id.eq.1") + ")",
      "/items?or=(" + repeat(n, "and(id.eq.1,id.eq.2)") + ")",
      "/items?order=" + repeat(n, "id.desc"),
      "/stock?select=*,items(*)&order=" + repeat(n, "items(id)"),
      "/items?" + numbered(n, "x", ".limit=1", "&"),
      "/items?" + repeat(n, "&", ""),
      "/rpc/add_up?" + numbered(n, "a", "=1", "&"),
      "/rpc/sum_of?base=1&" + repeat(n, "v=1", "&"),
      "/rpc/over?" + numbered(n, "a", "=1", "&"),
      "/rpc/take_json?" + numbered(n, "a", "=1", "&"),
  };
  for (const std::string& target : kTargets) {
    expect_moderate(request("GET", target));
    expect_moderate(request("DELETE", target));
    expect_moderate(with_body("PATCH", target, R"({"id":1})"));
  }
}

TEST(Amplification, OfHeaders) {
  constexpr size_t n = 30000;
  const std::string junk(n, 'x');
  const std::pair<const char*, std::string> kHeaders[] = {
      {"Accept", "a/" + junk},
      {"Accept", numbered(n, "a/b", "")},
      {"Accept", repeat(n, "application/vnd.pgrst.plan; for=\"", "")},
      {"Accept-Profile", junk},
      {"Prefer", junk},
      {"Prefer", "handling=strict, " + junk},
      {"Prefer", "handling=strict, " + repeat(n, "a")},
      {"Prefer", "timezone=" + junk},
      {"Range", junk},
      {"Cookie", repeat(n, "a=b", "; ")},
      {"Authorization", "Bearer " + junk},
      {"Authorization", "Bearer " + std::string(n, '.')},
      {"X-Custom", std::string(n, '"')},
  };
  for (const auto& [name, value] : kHeaders) {
    expect_moderate(request("GET", "/items", {{name, value}}));
    expect_moderate(with_body("POST", "/items", R"({"id":1})", {{name, value}}));
    expect_moderate(request("GET", "/", {{name, value}}));
  }
  expect_moderate(with_body("POST", "/items", "{}", {{"Content-Type", "a/" + junk}}));
  expect_moderate(with_body("POST", "/items", "{}", {{"Content-Profile", junk}}));
}

TEST(Amplification, OfBodies) {
  constexpr size_t n = 300000;
  const std::string junk(n, 'x');
  const std::pair<const char*, std::string> kBodies[] = {
      {kJson, "{" + numbered(n, "\"a", "\":1") + "}"},
      {kJson, "{\"" + junk + "\":1}"},
      {kJson, "[" + repeat(n, "{}") + "]"},
      {kJson, "{\"" + repeat(n, "\\u0001", "") + "\":1}"},
      {kCsv, numbered(100000, "a", "") + "\n1\n"},
      {kCsv, junk.substr(0, 200000) + ",b,c\n" + repeat(n, ",,\n", "")},
      {kCsv, "id,name\n" + repeat(n, ",\n", "")},
      {kForm, numbered(n, "a", "", "&")},
      {kForm, junk + "=1"},
      {kForm, "id=" + repeat(n, "%01", "")},
      {"text/plain", junk},
      {"application/octet-stream", junk},
      {"x/y", junk},
  };
  for (const auto& [type, body] : kBodies) {
    for (const char* path : {"/items", "/unknown", "/rpc/add_up", "/rpc/over", "/rpc/unknown",
                             "/rpc/take_json", "/rpc/take_text", "/rpc/take_bytes"}) {
      expect_moderate(with_body("POST", path, body, {{"Content-Type", type}}));
    }
    expect_moderate(with_body("PATCH", "/items", body, {{"Content-Type", type}}));
    expect_moderate(with_body("PUT", "/items?id=eq.1", body, {{"Content-Type", type}}));
  }
}

// -- the bounds ----------------------------------------------------------------------------------

HttpRequest post(const char* path, const char* type, std::string body) {
  return with_body("POST", path, std::move(body), {{"Content-Type", type}});
}

std::string code(const HttpRequest& r, const SettingTexts& settings = {}) {
  const auto begun = test::begin_in_shop(r, settings);
  if (const auto* response = std::get_if<HttpResponse>(&begun)) return code_of(*response);
  const auto& refusal = std::get<DatabaseWork>(begun).pending.refusal;
  return refusal ? std::to_string(refusal->status) + " " + refusal->code : "work";
}

TEST(Bounds, NamesThatNoColumnAndNoArgumentHas) {
  const std::string many = "{" + numbered(50000, "\"a", "\":1") + ",\"\\u00\":1}";
  const std::string valid = "{" + numbered(50000, "\"a", "\":1") + "}";
  const std::string long_name = "{\"" + std::string(10000, 'x') + "\":1}";
  EXPECT_EQ(code(post("/items", kJson, valid)), "400 PGRST204");
  EXPECT_EQ(code(post("/items", kJson, many)), "400 PGRST204");  // not read to the end
  EXPECT_EQ(code(post("/items", kJson, long_name)), "400 PGRST204");
  EXPECT_EQ(code(post("/unknown", kJson, valid)), "404 PGRST205");
  EXPECT_EQ(code(with_body("PUT", "/items?id=eq.1", valid)), "400 PGRST204");
  for (const std::string& body : {valid, long_name}) {
    EXPECT_EQ(code(post("/rpc/add_up", kJson, body)), "404 PGRST202");
    EXPECT_EQ(code(post("/rpc/unknown", kJson, body)), "404 PGRST202");
    // The whole object is the argument.
    const DatabaseWork work = test::shop_work(post("/rpc/take_json", kJson, body));
    EXPECT_EQ(work.transaction.payload, body);
  }
  EXPECT_EQ(code(post("/rpc/take_json", kJson, many)), "400 PGRST102");
  EXPECT_EQ(code(post("/items", kForm, numbered(50000, "a", "=1", "&"))), "400 PGRST204");
  EXPECT_EQ(code(post("/rpc/add_up", kForm, numbered(50000, "a", "=1", "&"))), "404 PGRST202");
  EXPECT_EQ(code(post("/items", kForm, std::string(10000, 'x') + "=1")), "400 PGRST204");
  EXPECT_EQ(code(request("GET", "/rpc/add_up?" + numbered(50000, "a", "=1", "&"))), "404 PGRST202");
}

// No JSON is made of CSV for columns that are not there.
TEST(Bounds, CsvForNothing) {
  const std::string names = std::string(60000, 'a') + "," + std::string(60000, 'b');
  const std::string bomb = names + "\n" + repeat(200000, ",\n", "");
  size_t taken = 0;
  const auto code_with_memory = [&](const char* path, const std::string& body) {
    taken = 0;
    JwtCache cache(1);
    Beginning beginning(post(path, kCsv, body), test::snapshot({}, test::ShopCatalog::rows()),
                        cache, test::kNow, nullptr, [&](uint64_t bytes) {
                          taken += bytes;
                          return taken <= 1000 * 1000;
                        });
    while (!beginning.step(1000)) {
    }
    auto begun = beginning.take();
    const auto* response = std::get_if<HttpResponse>(&begun);
    return response == nullptr ? "work" : code_of(*response);
  };
  EXPECT_EQ(code_with_memory("/items", bomb), "400 PGRST204");
  EXPECT_EQ(code_with_memory("/unknown", bomb), "404 PGRST205");
  EXPECT_EQ(code_with_memory("/rpc/add_up", bomb), "404 PGRST202");
  EXPECT_EQ(code_with_memory("/rpc/unknown", bomb), "404 PGRST202");
  EXPECT_EQ(taken, 0U);
  EXPECT_EQ(code_with_memory("/items", "id,name\n1,a\n"), "work");
  EXPECT_EQ(taken, std::string_view(R"([{"id":"1","name":"a"}])").size());
  EXPECT_EQ(code_with_memory("/rpc/add_up", "a,b\n1,2\n"), "work");
  EXPECT_GT(taken, 0U);
  EXPECT_EQ(code_with_memory("/items", "id,name\n" + repeat(200000, ",\n", "")), "503 PGRST102");
}

std::string listed(size_t count, const std::string& piece) {
  std::string out;
  for (size_t i = 0; i < count; i++) out += (i == 0 ? "" : ",") + piece;
  return out;
}

// As PostgreSQL would say itself, after much work.
TEST(Bounds, ColumnsAndTermsOfOrder) {
  EXPECT_EQ(code(request("GET", "/items?select=" + listed(332, "*"))), "work");  // of 5 columns
  EXPECT_EQ(code(request("GET", "/items?select=" + listed(333, "*"))), "500 54011");
  const std::string spread = "...stock(" + listed(1664, "place") + ")";
  EXPECT_EQ(code(request("GET", "/items?select=" + spread)), "work");
  EXPECT_EQ(code(request("GET", "/items?select=id," + spread)), "500 54011");
  for (const char* target :
       {"/items?select=", "/items?order=", "/stock?select=items(count)&items.order="}) {
    EXPECT_EQ(code(request("GET", target + listed(1664, "id"))), "work") << target;
    EXPECT_EQ(code(request("GET", target + listed(1665, "id"))), "500 54011") << target;
  }
  const auto refusal = test::shop_refusal(request("GET", "/items?select=" + listed(1665, "id")));
  EXPECT_EQ(refusal.body, R"({"code":"54011","details":null,"hint":null,)"
                          R"("message":"target lists can have at most 1664 entries"})");
}

// Filters of an embed stand in the statement as often as the embed is a filter itself.
TEST(Bounds, Statements) {
  const auto target = [](size_t filters, size_t uses, const std::string& use) {
    std::string out = "/items?select=id,stock(*)";
    for (size_t i = 0; i < filters; i++) out += "&stock.count=gt.0";
    for (size_t i = 0; i < uses; i++) out += use;
    return request("GET", out);
  };
  const std::string nested = "&or=(and(id.eq.1,stock.not.is.null),id.eq.2)";
  EXPECT_EQ(code(target(20, 20, nested)), "work");
  EXPECT_EQ(code(target(500, 500, nested)), "500 54001");
  EXPECT_EQ(test::shop_refusal(target(500, 500, nested)).body,
            R"({"code":"54001","details":null,"hint":null,)"
            R"("message":"the request makes a statement of more than 1048576 bytes"})");
  HttpRequest explained = target(500, 500, nested);
  explained.headers = {{"Accept", "application/vnd.pgrst.plan"}};
  EXPECT_EQ(code(explained, {{"db_plan_enabled", "true"}}), "500 54001");
  // The same again says nothing new.
  const std::string both = "&stock=not.is.null&stock=is.null";
  EXPECT_EQ(test::shop_sql(target(3, 500, both)), test::shop_sql(target(3, 1, both)));
  const std::string twice = "&or=(stock.is.null,id.eq.1,stock.is.null)",
                    once = "&or=(stock.is.null,id.eq.1)";
  EXPECT_EQ(test::shop_sql(target(3, 1, twice)), test::shop_sql(target(3, 1, once)));
  // Values that a body has count once.
  const auto argument = "a=1&b=" + std::string(10 * 1000 * 1000, '1');
  EXPECT_EQ(code(post("/rpc/add_up", kForm, argument)), "work");
}

TEST(Bounds, Embeds) {
  const auto embeds = [](size_t count) {
    std::string out = "/items?select=id";
    for (size_t i = 0; i < count; i++) out += ",a" + std::to_string(i) + ":stock(*)";
    return request("GET", out);
  };
  EXPECT_EQ(code(embeds(100)), "work");
  EXPECT_EQ(code(embeds(101)), "400 PGRST100");
  EXPECT_EQ(code(embeds(101), {{"db_max_embeds", "-1"}}), "work");
  EXPECT_EQ(code(embeds(3), {{"db_max_embeds", "3"}}), "work");
  EXPECT_EQ(code(embeds(1), {{"db_max_embeds", "0"}}), "400 PGRST100");
  // Those within others count, too; spreads are embeds.
  const auto nested = request("GET", "/items?select=stock(places(title),...items(name))");
  EXPECT_EQ(code(nested, {{"db_max_embeds", "3"}}), "work");
  EXPECT_EQ(code(nested, {{"db_max_embeds", "2"}}), "400 PGRST100");
  // An inner one counts as four.
  const auto inner = request("GET", "/items?select=id,stock!inner(places!inner(title))");
  EXPECT_EQ(code(inner, {{"db_max_embeds", "8"}}), "work");
  EXPECT_EQ(code(inner, {{"db_max_embeds", "7"}}), "400 PGRST100");
  EXPECT_EQ(test::shop_refusal(embeds(101)).body,
            R"({"code":"PGRST100","details":null,"hint":null,)"
            R"("message":"The request embeds more than 100 resources"})");
}

// PostgreSQL does not look for the best order of many joins.
TEST(Bounds, InnerJoins) {
  const auto limits = [](const std::string& target) {
    size_t found = 0;
    for (const auto& [name, value] : test::shop_transaction(request("GET", target)).settings) {
      if (name == "join_collapse_limit" || name == "from_collapse_limit") {
        EXPECT_EQ(value, "1");
        found++;
      }
    }
    return found;
  };
  const auto embeds = [](size_t count, const std::string& embed) {
    std::string out = "/items?select=id";
    for (size_t i = 0; i < count; i++) out += ",a" + std::to_string(i) + ":" + embed;
    return out;
  };
  EXPECT_EQ(limits(embeds(7, "stock!inner(*)")), 0U);
  EXPECT_EQ(limits(embeds(8, "stock!inner(*)")), 2U);
  EXPECT_EQ(limits(embeds(4, "stock!inner(places!inner(*))")), 2U);
  EXPECT_EQ(limits(embeds(50, "stock(*)")), 0U);
  std::string filtered = embeds(8, "stock()");
  for (size_t i = 0; i < 8; i++) filtered += "&a" + std::to_string(i) + "=not.is.null";
  EXPECT_EQ(limits(filtered), 2U);
}

// Of several headers of one name the last counts, and there may be very many.
TEST(Bounds, HeadersOfManyNames) {
  Headers headers;
  for (int i = 0; i < 20000; i++)
    headers.push_back({"x" + std::to_string(i % 10000), std::to_string(i)});
  const Transaction t = test::shop_transaction(request("GET", "/items", headers));
  for (const auto& [name, value] : t.settings) {
    if (name != "request.headers") continue;
    EXPECT_TRUE(value.starts_with(R"({"x0":"10000","x1":"10001",)")) << value.substr(0, 50);
    EXPECT_TRUE(value.ends_with(R"("x9999":"19999"})"));
  }
}

}  // namespace
}  // namespace pgrst
