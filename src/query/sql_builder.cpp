#include "query/sql_builder.hpp"

#include <algorithm>

#include "core/text.hpp"

namespace pgrst {

namespace {

bool is_type_name_byte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '$' || c == ' ' || static_cast<unsigned char>(c) >= 0x80;
}

}  // namespace

SqlBuilder& SqlBuilder::ident(std::string_view name) {
  if (is_full()) return *this;
  append_quoted_ident(text_, name);
  return *this;
}

SqlBuilder& SqlBuilder::qualified(std::string_view schema, std::string_view name) {
  if (!schema.empty()) ident(schema).raw(".");
  return ident(name);
}

SqlBuilder& SqlBuilder::payload() {
  if (!payload_at_) {
    payload_at_ = params_.size();
    return param("");
  }
  text_ += '$';
  text_ += std::to_string(*payload_at_ + 1);
  return *this;
}

SqlBuilder& SqlBuilder::param(std::string value) {
  // What is longer comes from a body, of which every value is written once.
  constexpr size_t kMaxOfUrl = 64 * 1024;
  if (is_full()) return *this;
  param_size_ += std::min(value.size(), kMaxOfUrl);
  params_.emplace_back(std::move(value));
  text_ += '$';
  text_ += std::to_string(params_.size());
  return *this;
}

SqlBuilder& SqlBuilder::type_name(std::string_view name) {
  if (!name.empty() && std::all_of(name.begin(), name.end(), is_type_name_byte)) {
    add(name);
  } else {
    ident(name);
  }
  return *this;
}

}  // namespace pgrst
