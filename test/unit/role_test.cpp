#include "auth/role.hpp"

#include <gtest/gtest.h>

namespace pgrst {
namespace {

constexpr int64_t kNow = 1700000000;

AuthSettings settings(std::string_view path = "$.role") {
  AuthSettings s;
  s.role_claim = parse_role_claim_path(path).value();
  s.anon_role = "anon";
  return s;
}

// "" for success, else the message.
std::string verdict(std::string_view claims, const AuthSettings& s = settings()) {
  const Result<AuthResult> result = resolve_role(Claims{std::string(claims)}, s, kNow);
  if (result.ok()) return "";
  EXPECT_EQ(result.error().status, 401);
  EXPECT_EQ(result.error().code, "PGRST303");
  EXPECT_FALSE(result.error().headers.empty());
  return result.error().message;
}

std::string with_time(const char* claim, int64_t at) {
  return "{\"" + std::string(claim) + "\":" + std::to_string(at) + "}";
}

std::string role_of(std::string_view path, std::string_view claims) {
  const Result<AuthResult> result = resolve_role(Claims{std::string(claims)}, settings(path), kNow);
  return result.ok() ? result->role : result.error().code + " " + result.error().message;
}

std::string claims_of(std::string_view claims, std::string_view path = "$.role") {
  const Result<AuthResult> result = resolve_role(Claims{std::string(claims)}, settings(path), kNow);
  return result.ok() ? result->claims_json : result.error().message;
}

TEST(ResolveRole, Exp) {
  EXPECT_EQ(verdict(with_time("exp", kNow)), "");
  EXPECT_EQ(verdict(with_time("exp", kNow - 30)), "");
  EXPECT_EQ(verdict(with_time("exp", kNow - 31)), "JWT expired");
  EXPECT_EQ(verdict(R"({"exp":9999999999})"), "");
  EXPECT_EQ(verdict(R"({"exp":null})"), "");
  EXPECT_EQ(verdict(R"({"exp":"9999999999"})"), "The JWT 'exp' claim must be a number");
  EXPECT_EQ(verdict(R"({"exp":true})"), "The JWT 'exp' claim must be a number");
  EXPECT_EQ(verdict(R"({"exp":[9999999999]})"), "The JWT 'exp' claim must be a number");
}

TEST(ResolveRole, Nbf) {
  EXPECT_EQ(verdict(with_time("nbf", kNow + 30)), "");
  EXPECT_EQ(verdict(with_time("nbf", kNow + 31)), "JWT not yet valid");
  EXPECT_EQ(verdict(R"({"nbf":null})"), "");
  EXPECT_EQ(verdict(R"({"nbf":"invalid"})"), "The JWT 'nbf' claim must be a number");
}

TEST(ResolveRole, Iat) {
  EXPECT_EQ(verdict(with_time("iat", kNow + 30)), "");
  EXPECT_EQ(verdict(with_time("iat", kNow + 31)), "JWT issued at future");
  EXPECT_EQ(verdict(R"({"iat":null})"), "");
  EXPECT_EQ(verdict(R"({"iat":{}})"), "The JWT 'iat' claim must be a number");
}

// An exp that is no integer of 64 bits is long past, as in PostgREST.
TEST(ResolveRole, OddNumbersOfExpHaveExpired) {
  for (const char* exp : {"9999999999.5", "9999999999.00000000000000000001", "1e400", "9e99",
                          "9223372036854775808", "18446744073709551616", "-1", "-0", "0", "0.0",
                          "1e3", "-9e99", "-1e400", "123456789012345678901234567890", "1e-400"}) {
    EXPECT_EQ(verdict(R"({"exp":)" + std::string(exp) + "}"), "JWT expired") << exp;
  }
  for (const char* exp : {"9999999999.0", "99999e5", "9223372036854775807", "9.9999999990e9",
                          "99999999990000000000000000000000e-22", "1E+18"}) {
    EXPECT_EQ(verdict(R"({"exp":)" + std::string(exp) + "}"), "") << exp;
  }
  // A huge number elsewhere changes nothing.
  EXPECT_EQ(verdict(R"({"exp":9999999999,"id":1e999})"), "");
  EXPECT_EQ(verdict(R"({"exp":1,"id":1e999})"), "JWT expired");
  EXPECT_EQ(verdict(R"({ "id" : "\"exp\":1", "exp" : 9999999999 , "x":1e999})"), "");
}

// PostgREST takes such a nbf or iat for 0, and lets in who must wait. Here a number is what it
// says.
TEST(ResolveRole, OddNumbersOfNbfAndIatHoldWhatTheySay) {
  const auto with = [](const char* claim, const std::string& at) {
    return verdict("{\"" + std::string(claim) + "\":" + at + "}");
  };
  const std::pair<const char*, const char*> claims[] = {{"nbf", "JWT not yet valid"},
                                                        {"iat", "JWT issued at future"}};
  for (const auto& [claim, message] : claims) {
    for (const char* at :
         {"1700000030.5", "1700000030.00000000000000000001", "1700003600.5", "9999999999.5", "1e18",
          "1e30", "9e99", "1e400", "9223372036854775807", "9223372036854775808",
          "18446744073709551615", "123456789012345678901234567890", "17000000310e-1"}) {
      EXPECT_EQ(with(claim, at), message) << claim << " " << at;
    }
    for (const char* at : {"1700000030", "1700000029.5", "17000000300e-1", "0", "-0", "-0.0", "0.5",
                           "-0.5", "1e3", "-1e3", "-1.5", "-9e99", "-1e400", "1e-400",
                           "-123456789012345678901234567890", "-9223372036854775808"}) {
      EXPECT_EQ(with(claim, at), "") << claim << " " << at;
    }
  }
}

TEST(ResolveRole, Audience) {
  AuthSettings s = settings();
  for (const char* claims : {R"({"aud":"other"})", R"({"aud":["other"]})", R"({"aud":""})"}) {
    EXPECT_EQ(verdict(claims, s), "") << claims;
  }
  s.audience = "ours";
  for (const char* claims : {"{}", R"({"aud":null})", R"({"aud":[]})", R"({"aud":"ours"})",
                             R"({"aud":["ours"]})", R"({"aud":["other","ours","third"]})"}) {
    EXPECT_EQ(verdict(claims, s), "") << claims;
  }
  for (const char* claims : {R"({"aud":"other"})", R"({"aud":""})", R"({"aud":"OURS"})",
                             R"({"aud":["other","third"]})", R"({"aud":[""]})"}) {
    EXPECT_EQ(verdict(claims, s), "JWT not in audience") << claims;
  }
  for (const char* claims :
       {R"({"aud":1})", R"({"aud":{"invalid":"value"}})", R"({"aud":true})",
        R"({"aud":[{"invalid":"value"},"ours"]})", R"({"aud":["ours",null]})"}) {
    EXPECT_EQ(verdict(claims, s), "The JWT 'aud' claim must be a string or an array of strings")
        << claims;
    EXPECT_NE(verdict(claims), "") << claims;
  }
}

TEST(ResolveRole, TheFirstFaultOfExpNbfIatAudIsReported) {
  AuthSettings s = settings();
  s.audience = "ours";
  EXPECT_EQ(verdict(R"({"aud":1,"iat":"x","nbf":"x","exp":1})", s), "JWT expired");
  EXPECT_EQ(verdict(R"({"aud":1,"iat":"x","nbf":9e9})", s), "JWT not yet valid");
  EXPECT_EQ(verdict(R"({"aud":1,"iat":"x"})", s), "The JWT 'iat' claim must be a number");
  EXPECT_EQ(verdict(R"({"aud":1,"iat":9e9})", s), "JWT issued at future");
}

TEST(ResolveRole, AClaimFaultComesBeforeAMissingRole) {
  AuthSettings s = settings();
  s.anon_role.reset();
  EXPECT_EQ(verdict(R"({"exp":1})", s), "JWT expired");
  const Result<AuthResult> result = resolve_role(Claims{"{}"}, s, kNow);
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().code, "PGRST302");
  EXPECT_EQ(result.error().message, "Anonymous access is disabled");
}

TEST(ResolveRole, FallsBackToTheAnonymousRole) {
  const Result<AuthResult> anonymous = resolve_role(Claims{R"({"id":1})"}, settings(), kNow);
  ASSERT_TRUE(anonymous.ok());
  EXPECT_EQ(anonymous->role, "anon");
  EXPECT_TRUE(anonymous->is_anonymous);
  EXPECT_EQ(anonymous->claims_json, R"({"id":1,"role":"anon"})");

  const Result<AuthResult> user = resolve_role(Claims{R"({"role":"u"})"}, settings(), kNow);
  ASSERT_TRUE(user.ok());
  EXPECT_FALSE(user->is_anonymous);

  const Result<AuthResult> same = resolve_role(Claims{R"({"role":"anon"})"}, settings(), kNow);
  ASSERT_TRUE(same.ok());
  EXPECT_TRUE(same->is_anonymous);
}

TEST(ResolveRole, AValueThatIsNoStringIsItsJson) {
  EXPECT_EQ(role_of("$.role", R"({"role":null})"), "null");
  EXPECT_EQ(role_of("$.role", R"({"role":12})"), "12");
  EXPECT_EQ(role_of("$.role", R"({"role":true})"), "true");
  EXPECT_EQ(role_of("$.role", R"({"role":["a", "b"]})"), R"(["a","b"])");
  EXPECT_EQ(role_of("$.role", R"({"role":{"a": 1}})"), R"({"a":1})");
  EXPECT_EQ(role_of("$.role", R"({"role":{"b":[1e2,null,"\u0001"],"a":-0}})"),
            R"({"a":0,"b":[100,null,"\u0001"]})");
}

// Aeson's form of Scientific.
TEST(ResolveRole, ANumberIsItsTextAsPostgrestWritesIt) {
  const std::pair<const char*, const char*> texts[] = {
      {"12", "12"},
      {"-0", "0"},
      {"1e2", "100"},
      {"1E+2", "100"},
      {"1.0e2", "100"},
      {"1.5e1", "15"},
      {"100.0", "100.0"},
      {"100.00", "100.0"},
      {"1.50", "1.5"},
      {"-1.5", "-1.5"},
      {"0.0", "0.0"},
      {"-0.0", "0.0"},
      {"0e5", "0"},
      {"0e-5", "0.0"},
      {"1e-1", "0.1"},
      {"1e-2", "1.0e-2"},
      {"12e-4", "1.2e-3"},
      {"-12e-4", "-1.2e-3"},
      {"0.1", "0.1"},
      {"0.12", "0.12"},
      {"1234567.5", "1234567.5"},
      {"12345678.5", "1.23456785e7"},
      {"12300000.0", "1.23e7"},
      {"1230000.0", "1230000.0"},
      {"1.7e9", "1700000000"},
      {"1e20", "100000000000000000000"},
      {"18446744073709551615", "18446744073709551615"}};
  for (const auto& [number, text] : texts) {
    EXPECT_EQ(role_of("$.role", R"({"role":)" + std::string(number) + "}"), text) << number;
  }
  EXPECT_EQ(role_of("$.a[1]", R"({"x":"100.0","a":[1e1,1e2],"b":{"c":1e2}})"), "100");
  // Of two texts of one number none can be told to be the role.
  EXPECT_EQ(role_of("$.role", R"({"role":1e2,"x":100.0})"), "PGRST303 Parsing claims failed");
}

// PostgreSQL has no role of that name, and SET ROLE must not be asked with it.
TEST(ResolveRole, RefusesAnEmptyName) {
  const auto refuses = [](const Result<AuthResult>& result) {
    if (result.ok()) return false;
    const Error& e = result.error();
    return e.status == 401 && e.code == "22023" && e.message == "role \"\" does not exist" &&
           !e.details_json && !e.hint && e.headers.size() == 1 &&
           e.headers[0].name == "WWW-Authenticate" && e.headers[0].value == "Bearer";
  };
  for (const char* path :
       {"$.role", "$['role']", "$.app.roles[1]", "$..last", "$.app.roles[?@ == '']", ".role",
        ".app.roles[1]", R"(.app.roles[?(@ ==^ "")])"}) {
    const char* claims = R"({"role":"","app":{"roles":[7,""],"last":""},"exp":9999999999})";
    EXPECT_TRUE(refuses(resolve_role(Claims{claims}, settings(path), kNow))) << path;
  }
  AuthSettings s = settings();
  s.anon_role = "";
  EXPECT_TRUE(refuses(resolve_anonymous(s)));
  EXPECT_TRUE(refuses(resolve_role(Claims{"{}"}, s, kNow)));
  EXPECT_TRUE(refuses(resolve_role(Claims{R"({"role":"u"})"}, settings("$.none"), kNow)) == false);
  // What the token says of its time comes first.
  EXPECT_EQ(verdict(R"({"role":"","exp":1})"), "JWT expired");
}

// What PostgreSQL would cut short or the reader cannot hold must not become some other role.
TEST(ResolveRole, RefusesNamesThatWouldChange) {
  EXPECT_EQ(role_of("$.role", R"({"role":"admin\u0000x"})"), "PGRST303 Parsing claims failed");
  EXPECT_EQ(role_of("$.role", R"({"role":123456789012345678901234567890})"),
            "PGRST303 Parsing claims failed");
  EXPECT_EQ(role_of("$.role", R"({"role":"u","id":123456789012345678901234567890})"), "u");
}

TEST(ResolveRole, ClaimsJsonHoldsTheRoleOnce) {
  EXPECT_EQ(claims_of("{}"), R"({"role":"anon"})");
  EXPECT_EQ(claims_of(" { } \n"), R"({"role":"anon"})");
  EXPECT_EQ(claims_of(R"({"role":"u"})"), R"({"role":"u"})");
  EXPECT_EQ(claims_of(R"({"a":1,"role":"u","b":2})"), R"({"a":1,"role":"u","b":2})");
  EXPECT_EQ(claims_of(R"({"a":1,"r\u006fle":"u","b":2})"), R"({"a":1,"role":"u","b":2})");
  EXPECT_EQ(claims_of(R"({"role":[1,{"x":"]},"}]})"), R"({"role":"[1,{\"x\":\"]},\"}]"})");
  EXPECT_EQ(claims_of(R"({"app":{"role":"x"},"role":"y"})", "$.app.role"),
            R"({"app":{"role":"x"},"role":"x"})");
  EXPECT_EQ(claims_of(R"({"role":"q\"\\\n\u00e9"})"), "{\"role\":\"q\\\"\\\\\\n\xC3\xA9\"}");
}

TEST(ResolveRole, ClaimsJsonKeepsOtherMembersText) {
  EXPECT_EQ(
      claims_of("{ \"a\" : [ 1.50 , 1e2,\t{ \"b , }\" : \"x \\\" y\" } ] ,\r\n \"role\":\"u\" }"),
      R"({"a":[1.50,1e2,{"b , }":"x \" y"}],"role":"u"})");
  EXPECT_EQ(claims_of(R"({"id":123456789012345678901234567890,"x":-1E999,"y":"12"})"),
            R"({"id":123456789012345678901234567890,"x":-1E999,"y":"12","role":"anon"})");
  EXPECT_EQ(claims_of(R"({"a\\":"\\","b":"]"})"), R"({"a\\":"\\","b":"]","role":"anon"})");
}

TEST(ResolveRole, ClaimsThatAreNoObjectAreRefused) {
  EXPECT_EQ(verdict("[]"), "Parsing claims failed");
  EXPECT_EQ(verdict("nonsense"), "Parsing claims failed");
}

TEST(ResolveAnonymous, GivesTheAnonymousRole) {
  AuthSettings s = settings();
  s.anon_role = "web\"anon";
  const Result<AuthResult> result = resolve_anonymous(s);
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->role, "web\"anon");
  EXPECT_EQ(result->claims_json, R"({"role":"web\"anon"})");
  EXPECT_TRUE(result->is_anonymous);
  s.anon_role.reset();
  EXPECT_EQ(resolve_anonymous(s).error().code, "PGRST302");
}

// PostgREST v16.2's own cases, and some more.
TEST(RoleClaimPath, JsonPathSelects) {
  EXPECT_EQ(role_of("$.postgrest.a_role", R"({"postgrest":{"a_role":"author"},"other":"c"})"),
            "author");
  EXPECT_EQ(role_of("$.customObject.manyRoles[1]",
                    R"({"customObject":{"manyRoles":["other","author"]},"other":{}})"),
            "author");
  EXPECT_EQ(role_of(R"($["https://www.example.com/roles"][0].value)",
                    R"({"https://www.example.com/roles":[{"value":"author"}],"other":666})"),
            "author");
  EXPECT_EQ(role_of("$['a b'].key", R"({"a b":{"key":"author"}})"), "author");
  EXPECT_EQ(role_of("$.aud[0]", R"({"aud":["author"]})"), "author");
  EXPECT_EQ(role_of("$.roles[-1]", R"({"roles":["a","b","c"]})"), "c");
  EXPECT_EQ(role_of("$.roles[-4]", R"({"roles":["a","b","c"]})"), "anon");
  EXPECT_EQ(role_of("$.myDomain[3]", R"({"myDomain":["other","author"],"other":1.23})"), "anon");
  EXPECT_EQ(role_of("$.myRole", R"({"role":"author","other":true})"), "anon");
  EXPECT_EQ(role_of("$.role.x", R"({"role":"author"})"), "anon");
  EXPECT_EQ(role_of("$.role[0]", R"({"role":"author"})"), "anon");
  EXPECT_EQ(role_of("$.role[0]", R"({"role":{"0":"author"}})"), "anon");
  EXPECT_EQ(role_of("$ .a\t[ 0 ] [ 'b' ]", R"({"a":[{"b":"author"}]})"), "author");
  EXPECT_EQ(role_of("$.\xC3\xA9t\xC3\xA9", "{\"\xC3\xA9t\xC3\xA9\":\"author\"}"), "author");
}

TEST(RoleClaimPath, IsTheRoleMemberUnlessSet) {
  AuthSettings s;
  const Result<AuthResult> result = resolve_role(Claims{R"({"role":"u"})"}, s, kNow);
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->role, "u");
  EXPECT_FALSE(s.role_claim.is_deprecated());
}

TEST(RoleClaimPath, JsonPathRefusesBadSyntax) {
  for (const char* path : {"$",
                           "$.",
                           "$..",
                           "$.1a",
                           "$.a b",
                           "$.role ",
                           "$.my_role;;domain",
                           "$.a-b",
                           "$[",
                           "$[]",
                           "$['a'",
                           "$['a",
                           "$['a\\'",
                           "$[a]",
                           "$[01]",
                           "$[-0]",
                           "$[-]",
                           "$[1",
                           "$[1 2]",
                           "$[9007199254740992]",
                           "$[99999999999999999999]",
                           R"($["\'"])",
                           R"($['\"'])",
                           R"($["\x"])",
                           R"($["\u12"])",
                           R"($["\ud800"])",
                           R"($["\ud800\u0041"])",
                           R"($["\udc00"])",
                           "$['a\nb']",
                           "$['\xFF']",
                           "$$.role",
                           "$role"}) {
    const Result<RoleClaimPath> result = parse_role_claim_path(path);
    ASSERT_FALSE(result.ok()) << path;
    EXPECT_EQ(result.error().message.find("failed to parse role-claim-key value ("), 0U);
  }
  EXPECT_EQ(parse_role_claim_path("$.a[x]").error().message,
            "failed to parse role-claim-key value ($.a[x]): expected a selector at position 5");
}

// PostgREST's documentation and its tests of v16.2.
TEST(RoleClaimPath, JsonPathFilters) {
  const char* roles = R"({"postgrest":{"roles":["other",7,"author"]}})";
  EXPECT_EQ(role_of("$.postgrest.roles[?(@ == 'author')]", roles), "author");
  EXPECT_EQ(role_of(R"($.postgrest.roles[?(@ == "author")])", roles), "author");
  EXPECT_EQ(role_of("$.postgrest.roles[?(@ != 'other')]", roles), "7");
  EXPECT_EQ(role_of("$.postgrest.roles[?search(@, '^au')]", roles), "author");
  EXPECT_EQ(role_of("$.postgrest.roles[?search(@, '^ut')]", roles), "anon");
  EXPECT_EQ(role_of("$..roles[?search(@, 'thor$')]", roles), "author");
  EXPECT_EQ(role_of("$.postgrest.roles[?length(@) == 6]", roles), "author");
  EXPECT_EQ(role_of("$.memberships[?@.active && @.tenant == $.tenant].role",
                    R"({"tenant":2,"memberships":[{"tenant":1,"active":true,"role":"a"},
                        {"tenant":2,"role":"b"},{"tenant":2,"active":null,"role":"c"}]})"),
            "c");
}

// doc/configuration.md.
TEST(RoleClaimPath, ExamplesOfTheDocumentation) {
  const char* claims =
      R"({"app": {"roles": ["guest", "web_editor"]}, "https://example.com/role": "web_anon"})";
  EXPECT_EQ(role_of("$.app.roles[0]", claims), "guest");
  EXPECT_EQ(role_of("$.app.roles[-1]", claims), "web_editor");
  EXPECT_EQ(role_of("$['https://example.com/role']", claims), "web_anon");
  EXPECT_EQ(role_of("$.app.roles[?@ != 'guest']", claims), "web_editor");
  EXPECT_EQ(role_of("$.app.roles[?search(@, '^web_')]", claims), "web_editor");
  EXPECT_EQ(role_of("$..roles[?length(@) > 5]", claims), "web_editor");
  EXPECT_EQ(role_of(R"(.app.roles[?(@ ^== "web_")])", claims), "web_editor");
}

TEST(RoleClaimPath, TheFirstOfSeveralNodesIsTaken) {
  EXPECT_EQ(role_of("$.roles[*]", R"({"roles":["a","b"]})"), "a");
  EXPECT_EQ(role_of("$.roles[-1,0]", R"({"roles":["a","b"]})"), "b");
  EXPECT_EQ(role_of("$['x','y']", R"({"y":"a","x":"b"})"), "b");
  EXPECT_EQ(role_of("$..role", R"({"z":{"role":"deep"},"a":[{"role":"first"}]})"), "first");
  // By the order of names, not of the token.
  EXPECT_EQ(role_of("$.roles.*", R"({"roles":{"b":"second","a":"first"}})"), "first");
}

// A role that cannot be told for sure must not become the anonymous one, or any other.
TEST(RoleClaimPath, GivesUpRatherThanGuess) {
  const char* refused = "PGRST303 Parsing claims failed";
  EXPECT_EQ(role_of("$.roles[?@.id == 0].name", R"({"roles":[{"id":1e999,"name":"a"}]})"), refused);
  EXPECT_EQ(role_of("$.roles[?@.id > 5].name", R"({"roles":[{"id":1e999,"name":"a"}]})"), refused);
  EXPECT_EQ(role_of("$.roles[?@.id == 1].name", R"({"x":1e999,"roles":[{"id":1,"name":"a"}]})"),
            "a");
  std::string many = R"({"role":"x","a":[)";
  for (int i = 0; i < 10000; i++) many += "[[[0]]],";
  many += "0]}";
  EXPECT_EQ(role_of("$..[?count($..*) > 70000]", many), refused);
  EXPECT_EQ(role_of("$..[?search($..none, 'x')]", many), refused);
  EXPECT_EQ(role_of("$..none", many), "anon");
}

TEST(RoleClaimPath, DottedSelects) {
  const char* roles = R"({"realm_access":{"roles":["other",7,"test_author"]}})";
  EXPECT_EQ(role_of(".postgrest.a_role", R"({"postgrest":{"a_role":"author"}})"), "author");
  EXPECT_EQ(role_of(R"(."https://www.example.com/roles"[0].value)",
                    R"({"https://www.example.com/roles":[{"value":"author"}]})"),
            "author");
  EXPECT_EQ(role_of(R"(.a."b-c"[0])", R"({"a":{"b-c":["author"]}})"), "author");
  EXPECT_EQ(role_of(".1$@_", R"({"1$@_":"author"})"), "author");
  EXPECT_EQ(role_of(R"(.realm_access.roles[?(@ == "test_author")])", roles), "test_author");
  EXPECT_EQ(role_of(R"(.realm_access.roles[?(@=="test_author")])", roles), "test_author");
  EXPECT_EQ(role_of(R"(.realm_access.roles[?(@ != "other")])", roles), "test_author");
  EXPECT_EQ(role_of(R"(.realm_access.roles[?(@ ^== "test_")])", roles), "test_author");
  EXPECT_EQ(role_of(R"(.realm_access.roles[?(@ ==^ "_author")])", roles), "test_author");
  EXPECT_EQ(role_of(R"(.realm_access.roles[?(@ *== "t_a")])", roles), "test_author");
  EXPECT_EQ(role_of(R"(.realm_access.roles[?(@ *== "")])", roles), "other");
  EXPECT_EQ(role_of(R"(.realm_access.roles[?(@ == "nobody")])", roles), "anon");
  EXPECT_EQ(role_of(R"(.roles[?(@ == "string")])", R"({"roles":[{"k":"string"}]})"), "anon");
  EXPECT_EQ(role_of(R"(.roles[?(@ != "x")])", R"({"roles":"y"})"), "anon");
  EXPECT_EQ(role_of(".role[0]", R"({"role":{"0":"author"}})"), "anon");
  EXPECT_EQ(role_of(".role[99]", R"({"role":["author"]})"), "anon");
}

TEST(RoleClaimPath, DottedParses) {
  const Result<RoleClaimPath> path = parse_role_claim_path(R"(.roles[0][?(@ ==^ "x y")])");
  ASSERT_TRUE(path.ok());
  EXPECT_TRUE(path->is_deprecated());
  EXPECT_EQ(std::get<DottedPath>(path->path).steps,
            (std::vector<DottedStep>{MemberStep{"roles"}, IndexStep{0},
                                     FilterStep{FilterOperator::kEndsWith, "x y"}}));
  EXPECT_FALSE(parse_role_claim_path("$.role")->is_deprecated());
}

TEST(RoleClaimPath, DottedRefusesBadSyntax) {
  for (const char* path : {"",
                           "role",
                           "role.other",
                           ".role##",
                           ".my_role;;domain",
                           ".#$$%&$%/",
                           "1234",
                           ".role[?(@ =)]",
                           ".role[?(@ == role)]",
                           R"(.role[?(@ == "a")].x)",
                           R"(.role[?(@ == "a")][0])",
                           R"(.role[?(@ == "a")] )",
                           R"(.role[?(@ == "a)])",
                           R"(.role[? (@ == "a")])",
                           ".role[]",
                           ".role[-1]",
                           ".role[0",
                           ".role[99999999999999999999]",
                           ".",
                           "..",
                           ".a.",
                           R"(."a)",
                           ".a b",
                           "@@.role.other"}) {
    EXPECT_FALSE(parse_role_claim_path(path).ok()) << path;
  }
}

}  // namespace
}  // namespace pgrst
