// JSON that is written twice: first its size is measured, then it is written into memory of that
// size. Large texts are so never copied while they grow, and refused before they take memory.
//
// Input -> output: pieces of JSON -> their size, then the text.
// Invariants: the caller puts the same pieces both times. Pure; not thread-safe.
#pragma once

#include "core/before_postgres.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include "core/json.hpp"

namespace pgrst {

class JsonOutput {
 public:
  bool writing() const { return writing_; }
  size_t size() const { return size_; }  // as measured
  void start_writing() {
    writing_ = true;
    text_.reserve(size_);
  }
  std::string take() { return std::move(text_); }

  void put(std::string_view json) {
    if (writing_) {
      text_ += json;
    } else {
      size_ += json.size();
    }
  }
  // A piece of the inside of a string.
  void put_escaped(std::string_view text) {
    if (writing_) {
      append_json_escaped(text_, text);
    } else {
      size_ += json_escaped_size(text);
    }
  }

 private:
  bool writing_ = false;
  size_t size_ = 0;
  std::string text_;
};

}  // namespace pgrst
