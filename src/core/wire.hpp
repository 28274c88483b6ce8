// The byte format of messages between gateway and executors, and of catalog rows inside them.
//
// Input -> output: values -> bytes (WireWriter) and bytes -> values (WireReader). Native byte
// order, no padding: both ends are processes of one server built from one library. A WireReader
// never reads past its end: a short or damaged message makes it `failed()` and gives zeros and
// empty texts from then on. Texts that a reader returns point into the message.
#pragma once

#include "core/before_postgres.hpp"

#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <string>
#include <string_view>

namespace pgrst {

class WireWriter {
 public:
  explicit WireWriter(std::string& out) : out_(out) {}

  template <class T>
  requires std::is_arithmetic_v<T>
  void number(T value) { out_.append(reinterpret_cast<const char*>(&value), sizeof value); }
  void boolean(bool value) { number<uint8_t>(value ? 1 : 0); }
  template <class E>
  requires std::is_enum_v<E>
  void enumerator(E value) { number(static_cast<uint8_t>(value)); }
  void text(std::string_view value) {
    number(static_cast<uint64_t>(value.size()));
    out_.append(value);
  }

 private:
  std::string& out_;
};

class WireReader {
 public:
  explicit WireReader(std::string_view in) : in_(in) {}

  template <class T>
  requires std::is_arithmetic_v<T> T number() {
    T value{};
    if (in_.size() < sizeof value) {
      fail();
      return value;
    }
    std::memcpy(&value, in_.data(), sizeof value);
    in_.remove_prefix(sizeof value);
    return value;
  }
  bool boolean() { return number<uint8_t>() != 0; }
  template <class E>
  requires std::is_enum_v<E> E enumerator() { return static_cast<E>(number<uint8_t>()); }
  std::string_view text() { return bytes(number<uint64_t>()); }
  std::string_view bytes(uint64_t size) {
    if (in_.size() < size) {
      fail();
      return {};
    }
    const std::string_view value = in_.substr(0, size);
    in_.remove_prefix(size);
    return value;
  }
  // A count of things that take at least `min_size` bytes each: bounded by what is left.
  uint32_t count(size_t min_size) {
    const auto n = number<uint32_t>();
    if (min_size != 0 && n > in_.size() / min_size) {
      fail();
      return 0;
    }
    return n;
  }

  bool failed() const { return failed_; }
  bool at_end() const { return in_.empty(); }
  std::string_view rest() const { return in_; }

 private:
  void fail() {
    failed_ = true;
    in_ = {};
  }

  std::string_view in_;
  bool failed_ = false;
};

// Appends a row record (schema_cache/builder.hpp) of these columns.
inline void append_row_record(std::string& out, std::initializer_list<std::string_view> columns) {
  WireWriter writer(out);
  writer.number(static_cast<uint32_t>(columns.size()));
  for (const auto column : columns) {
    writer.number(static_cast<int32_t>(column.size()));
    out.append(column);
  }
}

}  // namespace pgrst
