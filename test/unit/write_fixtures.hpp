// What the tests of writes and calls share: a shop's catalog, requests with bodies, and a readable
// form of the transactions that they become.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "fixtures.hpp"

namespace pgrst::test {

// Of kRoutineParams, without the oid of the function.
struct Param {
  const char* name;
  const char* type;
  const char* required = "t";
  const char* variadic = "f";
  const char* cast_type = nullptr;  // null: the type
};

// A shop.
//
//   items    key id; a generated column, a domain with a representation, columns with defaults
//   places   key code
//   stock    key (place, item_id), of places and items
//   log      without a key
//   shown    a view that takes inserts only;   total   one that takes none
//
// Functions of each kind of result and arguments; handlers of media types.
class ShopCatalog {
 public:
  static CatalogRows rows() {
    ShopCatalog shop;
    shop.add_tables();
    shop.add_keys();
    shop.add_functions();
    shop.add_handlers();
    return std::move(shop.c_);
  }

 private:
  void add_tables() {
    const auto table = [&](const char* oid, const char* name, const char* kind, const char* bits) {
      c_.sets[kTables].push_back({oid, "api", name, kind, bits, std::nullopt});
    };
    const auto column = [&](const char* oid, const char* name, const char* type,
                            std::optional<std::string> given = std::nullopt) {
      const bool domain = std::string_view(type) == "api.color";
      c_.sets[kColumns].push_back(
          column_row(oid, name, domain ? "integer" : type, type, "t", std::move(given)));
    };
    table("10", "items", "r", "28");
    column("10", "id", "integer", "nextval('api.items_id_seq'::regclass)");
    column("10", "name", "text");
    column("10", "price", "numeric(10,2)", "0.00");
    column("10", "color", "api.color");
    column("10", "made", "date", "CURRENT_DATE");
    table("11", "places", "r", "28");
    column("11", "code", "text");
    column("11", "title", "text");
    table("12", "stock", "r", "28");
    column("12", "place", "text");
    column("12", "item_id", "integer");
    column("12", "count", "integer", "0");
    table("13", "log", "r", "28");
    column("13", "line", "text");
    column("13", "at", "timestamp with time zone");
    table("14", "shown", "v", "8");
    column("14", "name", "text");
    table("15", "total", "v", "0");
    column("15", "sum", "numeric");
  }

  void add_keys() {
    c_.sets[kPrimaryKeys] = {{"10", "1", "id"},
                             {"11", "1", "code"},
                             // As it was declared; requests see it sorted.
                             {"12", "1", "place"},
                             {"12", "2", "item_id"}};
    c_.sets[kForeignKeys] = {
        {"100", "12", "api", "stock", "10", "api", "items", "stock_item_fkey", "f", "2", "item_id",
         "1", "id"},
        {"101", "12", "api", "stock", "11", "api", "places", "stock_place_fkey", "f", "1", "place",
         "1", "code"},
    };
    c_.sets[kComputedRelationships] = {{"api", "similar", "api", "items", "api", "items", "f"}};
    c_.sets[kRepresentations] = {{"json", "api.color", "api", "color_from_json"},
                                 {"text", "api.color", "api", "color_from_text"}};
  }

  struct Function {
    const char* name;
    const char* return_type;  // of rows the relation
    const char* returns_set;
    const char* returns_rows;
    const char* volatility;
    std::vector<Param> params;
    const char* description = nullptr;
  };

  void add(const Function& f) {
    const std::string oid = std::to_string(next_oid_++);
    const bool built_in = std::string_view(f.returns_rows) == "f";
    c_.sets[kRoutines].push_back(
        {oid, "api", f.name,
         f.description == nullptr ? std::nullopt : std::optional<std::string>(f.description),
         built_in ? "pg_catalog" : "api", f.return_type, f.returns_set, f.returns_rows,
         f.volatility});
    for (const auto& p : f.params) {
      c_.sets[kRoutineParams].push_back({oid, p.name, p.type,
                                         p.cast_type == nullptr ? p.type : p.cast_type, p.required,
                                         p.variadic});
    }
  }
  void set(const char* name, const char* value) {
    c_.sets[kRoutineSettings].push_back({std::to_string(next_oid_ - 1), name, value});
  }

  void add_functions() {
    // Of results.
    add({"now_there", "int4", "f", "f", "v", {}});
    add({"clear", "void", "f", "f", "v", {}});
    add({"words", "text", "t", "f", "s", {}});
    add({"first_item", "items", "f", "t", "s", {}});
    add({"all_items", "items", "t", "t", "s", {}});
    add({"table_of", "record", "t", "t", "i", {}});
    // Of arguments.
    add({"add_up", "int4", "f", "f", "i", {{"a", "integer"}, {"b", "integer"}}});
    add({"greet", "text", "f", "f", "s", {{"name", "text"}, {"loud", "boolean", "f"}}});
    add({"may_be", "text", "f", "f", "s", {{"x", "text", "f"}, {"y", "text", "f"}}});
    add({"sum_of",
         "int4",
         "f",
         "f",
         "i",
         {{"base", "integer"}, {"v", "integer[]", "f", "t", "integer[]"}}});
    add({"bits", "text", "f", "f", "i", {{"b", "bit", "t", "f", "bit varying"}}});
    add({"items_of", "items", "t", "t", "s", {{"kind", "text"}}});
    add({"odd \"name\"", "int4", "f", "f", "i", {{"odd \"one\"", "integer"}}});
    // Overloads.
    add({"over", "int4", "f", "f", "s", {{"a", "integer"}}});
    add({"over", "text", "f", "f", "v", {{"a", "integer"}, {"b", "integer"}}});
    add({"over", "text", "f", "f", "s", {}});
    add({"twice", "int4", "f", "f", "i", {{"a", "integer"}}});
    add({"twice", "int4", "f", "f", "i", {{"a", "text"}}});
    // Of the whole body.
    add({"take_json", "json", "f", "f", "v", {{"", "json"}}});
    add({"take_jsonb", "jsonb", "f", "f", "v", {{"", "jsonb"}}});
    add({"take_text", "text", "f", "f", "v", {{"", "text"}}});
    add({"take_xml", "xml", "f", "f", "v", {{"", "xml"}}});
    add({"take_bytes", "int4", "f", "f", "v", {{"", "bytea"}}});
    add({"take_either", "json", "f", "f", "v", {{"", "json"}}});
    add({"take_either", "text", "f", "f", "v", {{"", "text"}}});
    add({"take_either", "text", "f", "f", "v", {{"a", "integer"}}});
    add({"take_both", "json", "f", "f", "v", {{"", "json"}}});
    add({"take_both", "json", "f", "f", "v", {{"", "jsonb"}}});
    add({"not_callable", "int4", "f", "f", "v", {{"", "integer"}}});
    add({"not_callable", "int4", "f", "f", "v", {{"", "json"}, {"", "json"}}});
    // Of settings.
    add({"careful", "int4", "f", "f", "v", {}});
    set("default_transaction_isolation", "serializable");
    set("statement_timeout", "2s");
    set("work_mem", "8MB");
    // Of media types.
    add({"picture", "bytea", "f", "f", "s", {{"name", "text", "f"}}});
    add({"anything", "bytea", "f", "f", "s", {}});
  }

  void add_handlers() {
    const auto handler = [&](const char* schema, const char* name, const char* target_schema,
                             const char* target, const char* type) {
      c_.sets[kMediaHandlers].push_back({schema, name, target_schema, target, type});
    };
    handler("api", "items_to_xml", "api", "items", "application/x-items+xml");
    handler("api", "items_to_csv", "api", "items", "text/csv");
    handler("api", "total_to_all", "api", "total", "*/*");
    handler("api", "any_to_yaml", "pg_catalog", "anyelement", "application/yaml");
    handler("types", "image/png", "api", "picture", "image/png");
    handler("types", "*/*", "api", "anything", "*/*");
  }

  CatalogRows c_;
  int next_oid_ = 1000;
};

// -- requests and what becomes of them -----------------------------------------------------------

inline HttpRequest with_body(std::string_view method, std::string_view target, std::string body,
                             Headers headers = {}) {
  HttpRequest r = request(method, target, std::move(headers));
  r.body = std::move(body);
  return r;
}

inline BeginResult begin_in_shop(const HttpRequest& r, const SettingTexts& settings = {}) {
  return begin_request(r, snapshot(settings, ShopCatalog::rows()));
}

// The statement as "text | param | param"; a parameter that is the payload shows it.
inline std::string show(const Transaction& t, const Statement& s) {
  std::string out = s.text;
  for (size_t i = 0; i < s.params.size(); i++) {
    out += " | " + (s.payload_at == i ? "<" + t.payload + ">" : s.params[i].value_or("NULL"));
  }
  return out;
}

// "status code" of an error; "status" of an answer without one.
inline std::string code_of(const HttpResponse& r) {
  const std::string* status = find_header(r.headers, "Proxy-Status");
  return std::to_string(r.status) + (status == nullptr ? "" : " " + status->substr(17));
}

// The first statement, or how the request is refused.
inline std::string shop_sql(const HttpRequest& r, const SettingTexts& settings = {}) {
  const auto result = begin_in_shop(r, settings);
  if (const auto* response = std::get_if<HttpResponse>(&result)) return code_of(*response);
  const Transaction& t = std::get<DatabaseWork>(result).transaction;
  return show(t, t.statements.at(0));
}

inline DatabaseWork shop_work(const HttpRequest& r, const SettingTexts& settings = {}) {
  auto result = begin_in_shop(r, settings);
  EXPECT_TRUE(std::holds_alternative<DatabaseWork>(result))
      << (result.index() == 0 ? std::get<0>(result).body : "");
  return result.index() == 1 ? std::get<1>(std::move(result)) : DatabaseWork{};
}

inline Transaction shop_transaction(const HttpRequest& r, const SettingTexts& settings = {}) {
  return shop_work(r, settings).transaction;
}

inline HttpResponse shop_refusal(const HttpRequest& r, const SettingTexts& settings = {}) {
  auto result = begin_in_shop(r, settings);
  EXPECT_TRUE(std::holds_alternative<HttpResponse>(result));
  return result.index() == 0 ? std::get<0>(std::move(result)) : HttpResponse{};
}

inline std::string header_of(const HttpResponse& r, std::string_view name) {
  const auto* value = find_header(r.headers, name);
  return value == nullptr ? "(none)" : *value;
}

}  // namespace pgrst::test
