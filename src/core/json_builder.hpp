// JsonBuilder: writes JSON values with the commas between them.
//
// Input -> output: members and elements, one after the other -> JSON text at the end of a string
// that is the caller's. What was written last says whether a comma is due, so pieces of one text
// can be written by several builders. Whoever writes closes what was opened: nothing here checks
// it.
#pragma once

#include "core/before_postgres.hpp"

#include <string>
#include <string_view>

#include "core/json.hpp"

namespace pgrst {

class JsonBuilder {
 public:
  explicit JsonBuilder(std::string& out) : out_(out) {}

  JsonBuilder& begin_object() { return begin('{'); }
  JsonBuilder& end_object() { return end('}'); }
  JsonBuilder& begin_array() { return begin('['); }
  JsonBuilder& end_array() { return end(']'); }
  // The name of the member whose value comes next.
  JsonBuilder& key(std::string_view name) {
    string(name);
    out_ += ':';
    return *this;
  }
  JsonBuilder& string(std::string_view text) {
    separate();
    append_json_string(out_, text);
    return *this;
  }
  JsonBuilder& boolean(bool value) { return json(value ? "true" : "false"); }
  JsonBuilder& number(long long value) { return json(std::to_string(value)); }
  // A value that is JSON already; elements or members with commas between count as one.
  JsonBuilder& json(std::string_view value) {
    separate();
    out_ += value;
    return *this;
  }
  JsonBuilder& member(std::string_view name, std::string_view text) {
    return key(name).string(text);
  }

 private:
  JsonBuilder& begin(char bracket) {
    separate();
    out_ += bracket;
    return *this;
  }
  JsonBuilder& end(char bracket) {
    out_ += bracket;
    return *this;
  }
  void separate() {
    if (out_.empty()) return;
    const char last = out_.back();
    if (last != '{' && last != '[' && last != ':' && last != ',') out_ += ',';
  }

  std::string& out_;
};

}  // namespace pgrst
