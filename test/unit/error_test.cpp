// The catalogue against PostgREST's bytes.
#include "core/error.hpp"

#include <gtest/gtest.h>

namespace pgrst {
namespace {

struct Expected {
  Error error;
  int status;
  std::string body;
};

void expect(const Expected& e) {
  EXPECT_EQ(e.error.status, e.status) << e.body;
  EXPECT_EQ(error_body(e.error, ErrorVerbosity::kVerbose), e.body);
}

TEST(Catalogue, Connection) {
  using namespace errors;
  expect(
      {connection_failed(std::nullopt), 503,
       R"({"code":"PGRST000","details":null,"hint":null,"message":"Database connection error."})"});
  expect(
      {connection_failed("no \"pg\""), 503,
       R"({"code":"PGRST000","details":"no \"pg\"","hint":null,"message":"Database connection error."})"});
  const Error lost = executor_lost();
  EXPECT_EQ(lost.status, 503);
  EXPECT_EQ(lost.code, "PGRST001");
  EXPECT_EQ(lost.message, "Database client error. Retrying the connection.");
  expect(
      {no_schema_cache(), 503,
       R"({"code":"PGRST002","details":null,"hint":null,"message":"Could not query the database for the schema cache. Retrying."})"});
  expect(
      {acquisition_timeout(), 504,
       R"({"code":"PGRST003","details":null,"hint":null,"message":"Timed out acquiring connection from connection pool."})"});
  expect(
      {request_timeout(), 504,
       R"({"code":"57014","details":null,"hint":null,"message":"canceling statement due to request timeout"})"});
}

TEST(Catalogue, Request) {
  using namespace errors;
  const Expected kCases[] = {
      {query_param("m", "d"), 400,
       R"({"code":"PGRST100","details":"d","hint":null,"message":"m"})"},
      {invalid_rpc_method("PUT"), 405,
       R"({"code":"PGRST101","details":null,"hint":null,"message":"Cannot use the PUT method on RPC"})"},
      {invalid_body("Empty or invalid json"), 400,
       R"({"code":"PGRST102","details":null,"hint":null,"message":"Empty or invalid json"})"},
      {range_negative_limit(), 416,
       R"({"code":"PGRST103","details":"Limit should be greater than or equal to zero.","hint":null,"message":"Requested range not satisfiable"})"},
      {range_lower_gt_upper(), 416,
       R"({"code":"PGRST103","details":"The lower boundary must be lower than or equal to the upper boundary in the Range header.","hint":null,"message":"Requested range not satisfiable"})"},
      {range_out_of_bounds("12", "3"), 416,
       R"({"code":"PGRST103","details":"An offset of 12 was requested, but there are only 3 rows.","hint":null,"message":"Requested range not satisfiable"})"},
      {unacceptable_schema("x", {"a", "b"}), 406,
       R"({"code":"PGRST106","details":null,"hint":"Only the following schemas are exposed: a, b","message":"Invalid schema: x"})"},
      {media_type({"text/csv", "text/xml"}), 406,
       R"({"code":"PGRST107","details":null,"hint":null,"message":"None of these media types are available: text/csv, text/xml"})"},
      {not_embedded("clients"), 400,
       R"({"code":"PGRST108","details":null,"hint":"Verify that 'clients' is included in the 'select' query parameter.","message":"'clients' is not an embedded resource in this request"})"},
      {guc_headers(), 500,
       R"({"code":"PGRST111","details":null,"hint":null,"message":"response.headers guc must be a JSON array composed of objects with a single key and a string value"})"},
      {guc_status(), 500,
       R"({"code":"PGRST112","details":null,"hint":null,"message":"response.status guc must be a valid status code"})"},
      {singularity(2), 406,
       R"({"code":"PGRST116","details":"The result contains 2 rows","hint":null,"message":"Cannot coerce the result to a single JSON object"})"},
      {unsupported_method("BREW"), 405,
       R"({"code":"PGRST117","details":null,"hint":null,"message":"Unsupported HTTP method: BREW"})"},
      {invalid_preferences({"a", "b=c"}), 400,
       R"({"code":"PGRST122","details":"Invalid preferences: a, b=c","hint":null,"message":"Invalid preferences given with handling=strict"})"},
      {aggregates_not_allowed(), 400,
       R"({"code":"PGRST123","details":null,"hint":null,"message":"Use of aggregate functions is not allowed"})"},
      {invalid_resource_path(), 404,
       R"({"code":"PGRST125","details":null,"hint":null,"message":"Invalid path specified in request URL"})"},
      {openapi_disabled(), 404,
       R"({"code":"PGRST126","details":null,"hint":null,"message":"Root endpoint metadata is disabled"})"},
      {not_implemented("why"), 400,
       R"({"code":"PGRST127","details":"why","hint":null,"message":"Feature not implemented"})"},
  };
  for (const auto& c : kCases) expect(c);
}

TEST(Catalogue, SchemaCache) {
  using namespace errors;
  expect(
      {no_relationship("a", "b", std::nullopt, "api", std::nullopt), 400,
       R"({"code":"PGRST200","details":"Searched for a foreign key relationship between 'a' and 'b' in the schema 'api', but no matches were found.","hint":null,"message":"Could not find a relationship between 'a' and 'b' in the schema cache"})"});
  expect(
      {no_relationship("a", "b", "fk", "api", "Perhaps you meant 'c' instead of 'b'."), 400,
       R"({"code":"PGRST200","details":"Searched for a foreign key relationship between 'a' and 'b' using the hint 'fk' in the schema 'api', but no matches were found.","hint":"Perhaps you meant 'c' instead of 'b'.","message":"Could not find a relationship between 'a' and 'b' in the schema cache"})"});
  expect(
      {table_not_found("api", "itens", "items"), 404,
       R"({"code":"PGRST205","details":null,"hint":"Perhaps you meant the table 'api.items'","message":"Could not find the table 'api.itens' in the schema cache"})"});
  expect(
      {table_not_found("api", "x", std::nullopt), 404,
       R"({"code":"PGRST205","details":null,"hint":null,"message":"Could not find the table 'api.x' in the schema cache"})"});
}

TEST(Catalogue, Jwt) {
  using namespace errors;
  expect({jwt_secret_missing(), 500,
          R"({"code":"PGRST300","details":null,"hint":null,"message":"Server lacks JWT secret"})"});
  EXPECT_TRUE(jwt_secret_missing().headers.empty());
  const Error decode = jwt_decode("No suitable key or wrong key type", "why");
  expect(
      {decode, 401,
       R"({"code":"PGRST301","details":"why","hint":null,"message":"No suitable key or wrong key type"})"});
  EXPECT_EQ(decode.headers, (Headers{{"WWW-Authenticate",
                                      "Bearer error=\"invalid_token\", error_description=\"No "
                                      "suitable key or wrong key type\""}}));
  const Error required = jwt_token_required();
  expect(
      {required, 401,
       R"({"code":"PGRST302","details":null,"hint":null,"message":"Anonymous access is disabled"})"});
  EXPECT_EQ(required.headers, (Headers{{"WWW-Authenticate", "Bearer"}}));
  const Error expired = jwt_claims("JWT expired");
  expect(
      {expired, 401, R"({"code":"PGRST303","details":null,"hint":null,"message":"JWT expired"})"});
  EXPECT_EQ(expired.headers,
            (Headers{{"WWW-Authenticate",
                      "Bearer error=\"invalid_token\", error_description=\"JWT expired\""}}));
}

TEST(Catalogue, OwnLimits) {
  EXPECT_EQ(errors::payload_too_large(5).status, 413);
  EXPECT_EQ(errors::internal("x").status, 500);
  EXPECT_EQ(errors::internal("x").code, "PGRSTX00");
}

TEST(ErrorResponse, BodyAndHeaders) {
  const HttpResponse r = error_response(errors::guc_status(), ErrorVerbosity::kVerbose);
  EXPECT_EQ(r.status, 500);
  EXPECT_EQ(r.body, error_body(errors::guc_status(), ErrorVerbosity::kVerbose));
  EXPECT_FALSE(r.body_is_result);
  EXPECT_EQ(*find_header(r.headers, "content-type"), "application/json; charset=utf-8");
  EXPECT_EQ(*find_header(r.headers, "proxy-status"), "PostgREST; error=PGRST112");
}

TEST(ErrorResponse, MinimalVerbosity) {
  EXPECT_EQ(error_body(errors::query_param("m", "d"), ErrorVerbosity::kMinimal),
            R"({"code":"PGRST100","message":"m"})");
}

TEST(ErrorResponse, RepairsText) {
  Error e;
  e.code = "X";
  e.message = "a\xFF\n";
  EXPECT_EQ(error_body(e, ErrorVerbosity::kMinimal),
            "{\"code\":\"X\",\"message\":\"a\xEF\xBF\xBD\\n\"}");
}

// -- PostgreSQL's errors -------------------------------------------------------------------------

Error from(const std::string& sqlstate, const std::string& message = "m",
           bool authenticated = true) {
  PgError e;
  e.sqlstate = sqlstate;
  e.message = message;
  return errors::from_postgres(e, authenticated);
}

TEST(FromPostgres, Statuses) {
  const std::pair<const char*, int> kTable[] = {
      {"08000", 503}, {"08006", 503}, {"09000", 500}, {"0L000", 403}, {"0P000", 403},
      {"21000", 500}, {"22023", 400}, {"22P02", 400}, {"23502", 400}, {"23503", 409},
      {"23505", 409}, {"23514", 400}, {"25000", 500}, {"25006", 405}, {"25P02", 500},
      {"28000", 403}, {"28P01", 403}, {"2D000", 500}, {"38000", 500}, {"39000", 500},
      {"3B000", 500}, {"3F000", 400}, {"40001", 500}, {"40P01", 500}, {"42501", 403},
      {"42601", 400}, {"42703", 400}, {"42883", 404}, {"42P01", 404}, {"42P17", 500},
      {"53000", 503}, {"53200", 503}, {"53300", 503}, {"53400", 500}, {"54000", 500},
      {"54001", 500}, {"55000", 500}, {"55006", 500}, {"57000", 500}, {"57014", 500},
      {"57P01", 503}, {"58000", 500}, {"58P01", 500}, {"F0000", 500}, {"HV000", 500},
      {"P0000", 500}, {"P0001", 400}, {"P0002", 500}, {"P0004", 500}, {"XX000", 500},
      {"XX001", 500}, {"99999", 400}, {"00000", 400}, {"", 400},
  };
  for (const auto& [sqlstate, status] : kTable)
    EXPECT_EQ(from(sqlstate).status, status) << sqlstate;
}

TEST(FromPostgres, StatusesThatDependOnTheMessage) {
  EXPECT_EQ(from("21000", "UPDATE requires a WHERE clause").status, 400);
  EXPECT_EQ(from("21000", "requires a WHERE clause!").status, 500);
  EXPECT_EQ(from("22023", "role \"x\" does not exist").status, 401);
  EXPECT_EQ(from("22023", "role \"x\" does not exist!").status, 400);
  EXPECT_EQ(from("22023", "a role does not exist").status, 400);
  EXPECT_EQ(from("42883", "function xmlagg(json) does not exist").status, 406);
  EXPECT_EQ(from("42883", "function f() does not exist").status, 404);
}

TEST(FromPostgres, MissingRightsOfTheAnonymous) {
  const Error anonymous = from("42501", "permission denied for table items", false);
  EXPECT_EQ(anonymous.status, 401);
  EXPECT_EQ(anonymous.headers, (Headers{{"WWW-Authenticate", "Bearer"}}));
  const Error known = from("42501", "permission denied for table items", true);
  EXPECT_EQ(known.status, 403);
  EXPECT_TRUE(known.headers.empty());
}

TEST(FromPostgres, TakesTheReportOver) {
  PgError e;
  e.sqlstate = "23505";
  e.message = "duplicate key";
  e.detail = "Key (id)=(1) already exists.";
  e.hint = "choose another";
  EXPECT_EQ(
      error_body(errors::from_postgres(e, true), ErrorVerbosity::kVerbose),
      R"({"code":"23505","details":"Key (id)=(1) already exists.","hint":"choose another","message":"duplicate key"})");
}

TEST(FromPostgres, StatusInTheSqlstate) {
  const Error e = from("PT402", "Payment Required");
  EXPECT_EQ(e.status, 402);
  EXPECT_EQ(e.reason, "Payment Required");
  EXPECT_EQ(e.code, "PT402");
  EXPECT_EQ(from("PT401").headers, (Headers{{"WWW-Authenticate", "Bearer"}}));
  for (const char* bad : {"PTABC", "PT4X2", "PT"}) EXPECT_EQ(from(bad).status, 500) << bad;
}

Error raise(const std::string& message, const std::string& detail) {
  PgError e;
  e.sqlstate = "PGRST";
  e.message = message;
  e.detail = detail;
  return errors::from_postgres(e, true);
}

TEST(Raise, WholeResponse) {
  const Error e = raise(R"({"code":"123","message":"ABC","details":"DEF","hint":"XYZ"})",
                        R"({"status":332,"status_text":"My Status","headers":{"X-Header":"str"}})");
  EXPECT_EQ(e.status, 332);
  EXPECT_EQ(e.reason, "My Status");
  EXPECT_EQ(e.headers, (Headers{{"X-Header", "str"}}));
  EXPECT_EQ(error_body(e, ErrorVerbosity::kVerbose),
            R"({"code":"123","details":"DEF","hint":"XYZ","message":"ABC"})");
}

TEST(Raise, OptionalMembers) {
  const Error e =
      raise(R"({"code":"1","message":"m","hint":null})", R"({"status":200,"headers":{}})");
  EXPECT_EQ(e.status, 200);
  EXPECT_EQ(e.reason, "");
  EXPECT_TRUE(e.headers.empty());
  EXPECT_EQ(error_body(e, ErrorVerbosity::kVerbose),
            R"({"code":"1","details":null,"hint":null,"message":"m"})");
}

TEST(Raise, MalformedMessage) {
  for (const char* bad :
       {"", "x", "[]", "\"s\"", "{}", R"({"code":"1"})", R"({"message":"m"})",
        R"({"code":1,"message":"m"})", R"({"code":"1","message":"m","details":{}})",
        R"({"code":"1","message":"m","hint":5})", R"({"code":"1","message":"m")",
        R"({"code":"1","message":"m"} x)"}) {
    const Error e = raise(bad, R"({"status":200,"headers":{}})");
    EXPECT_EQ(e.status, 500) << bad;
    EXPECT_EQ(e.code, "PGRST121") << bad;
    EXPECT_EQ(e.message, "Could not parse JSON in the \"RAISE SQLSTATE 'PGRST'\" error");
    EXPECT_EQ(e.hint,
              "MESSAGE must be a JSON object with obligatory keys: 'code', 'message' and "
              "optional keys: 'details', 'hint'.");
  }
  EXPECT_EQ(raise("nope", "").details_json, "\"Invalid JSON value for MESSAGE: 'nope'\"");
}

TEST(Raise, MalformedDetail) {
  const char* good = R"({"code":"1","message":"m"})";
  EXPECT_EQ(raise(good, "").details_json, "\"DETAIL is missing in the RAISE statement\"");
  for (const char* bad :
       {"x", "[]", "{}", R"({"status":200})", R"({"headers":{}})",
        R"({"status":"200","headers":{}})", R"({"status":200,"headers":[]})",
        R"({"status":200,"headers":{"a":1}})", R"({"status":200,"headers":{},"status_text":1})"}) {
    const Error e = raise(good, bad);
    EXPECT_EQ(e.status, 500) << bad;
    EXPECT_EQ(e.code, "PGRST121") << bad;
    EXPECT_EQ(e.hint,
              "DETAIL must be a JSON object with obligatory keys: 'status', 'headers' and "
              "optional key: 'status_text'.");
    EXPECT_TRUE(e.headers.empty()) << bad;
  }
  EXPECT_EQ(raise(good, "{x").details_json, "\"Invalid JSON value for DETAIL: '{x'\"");
}

TEST(Raise, ImpossibleStatuses) {
  const char* good = R"({"code":"1","message":"m"})";
  for (const char* status : {"0", "-1", "99", "1000", "99999999999"}) {
    const std::string detail = std::string(R"({"headers":{},"status":)") + status + "}";
    EXPECT_EQ(raise(good, detail).status, 500) << status;
  }
}

TEST(Raise, DeepNestingIsAnErrorNotACrash) {
  EXPECT_EQ(raise(std::string(100000, '['), "").code, "PGRST121");
}

// Nobody gets back much more than a few kilobytes of what he sent, nor a list without end.
TEST(Catalogue, RepeatsLongTextsShortened) {
  using namespace errors;
  const std::string text(1000 * 1000, '\x01');  // six times as long in JSON
  const std::vector<std::string> few = {text, text}, many(100 * 1000, "name");
  const RelationshipText relationship{"one-to-many", "a with b", "a_fkey using a(b) and b(c)",
                                      "b!a"};
  const std::vector<Error> kCases = {
      invalid_rpc_method(text),
      unacceptable_schema(text, {"api"}),
      unacceptable_schema("x", many),
      media_type(few),
      media_type(many),
      not_embedded(text),
      not_embedded_by_alias(text, text),
      related_order_not_to_one("t", text),
      unsupported_method(text),
      invalid_preferences(few),
      invalid_preferences(many),
      no_relationship(text, text, text, "api", std::nullopt),
      ambiguous_relationship(text, text, std::vector<RelationshipText>(100 * 1000, relationship)),
      routine_not_found({"api", text, few, RoutineSearch::Body::kJson}, std::nullopt),
      routine_not_found({"api", text, many, RoutineSearch::Body::kNone}, std::nullopt),
      ambiguous_routine(many),
      column_not_found("t", text),
      table_not_found("api", text, std::nullopt),
  };
  for (const Error& error : kCases) {
    const std::string body = error_body(error, ErrorVerbosity::kVerbose);
    EXPECT_LT(body.size(), 256U * 1024) << error.code;
  }
  // Not inside a character, and no shorter than it has to be.
  std::string name;
  while (name.size() < kMaxQuoted) name += "\u20ac";
  EXPECT_EQ(quotable(name + "x"), name.substr(0, kMaxQuoted / 3 * 3) + "...");
  EXPECT_EQ(quotable(std::string(kMaxQuoted, 'x')), std::string(kMaxQuoted, 'x'));
}

}  // namespace
}  // namespace pgrst
