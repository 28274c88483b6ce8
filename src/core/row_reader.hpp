// RowReader: walks the row records of a result set.
//
// Input -> output: records (uint32 number of columns, then for each int32 length, -1 for NULL, and
// the bytes) -> rows of texts, one after the other. Invariant: a record that is cut short or has
// another number of columns ends the walk as damaged(); nothing is read past the end. Ownership:
// the texts point into the records.
#pragma once

#include "core/before_postgres.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/wire.hpp"

namespace pgrst {

class RowReader {
 public:
  // Every row must have `width` columns.
  RowReader(std::string_view records, size_t width) : reader_(records), row_(width) {}

  // The next row; false when there is none.
  bool next() {
    if (reader_.at_end() || damaged_) return false;
    if (reader_.number<uint32_t>() != row_.size()) return damage();
    for (auto& value : row_) {
      const auto length = reader_.number<int32_t>();
      value = length < 0 ? Value() : Value(reader_.bytes(static_cast<uint64_t>(length)));
    }
    return reader_.failed() ? damage() : true;
  }
  std::string_view text(size_t i) const { return row_[i].value_or(std::string_view()); }
  std::optional<std::string> optional(size_t i) const {
    return row_[i] ? std::optional<std::string>(*row_[i]) : std::nullopt;
  }
  bool damaged() const { return damaged_; }

 private:
  using Value = std::optional<std::string_view>;

  bool damage() {
    damaged_ = true;
    return false;
  }

  WireReader reader_;
  std::vector<Value> row_;
  bool damaged_ = false;
};

}  // namespace pgrst
