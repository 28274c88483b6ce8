// Result<T>: a value or an Error. Every stage of the pipeline returns one.
//
// Input -> output: none; this is the vocabulary type of the whole core.
// Invariants: exactly one of value and error is held. Errors are values (PostgREST's catalogue in
// core/error.hpp); exceptions mean a bug or exhausted memory and stop at the request border.
// Ownership: holds both by value.
#pragma once

#include "core/before_postgres.hpp"

#include <optional>
#include <utility>
#include <variant>

#include "core/error.hpp"

namespace pgrst {

template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}      // NOLINT: implicit
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT: implicit

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  T& value() & { return std::get<0>(state_); }
  const T& value() const& { return std::get<0>(state_); }
  T&& value() && { return std::get<0>(std::move(state_)); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  Error& error() & { return std::get<1>(state_); }
  const Error& error() const& { return std::get<1>(state_); }
  Error&& error() && { return std::get<1>(std::move(state_)); }

 private:
  std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)) {}  // NOLINT: implicit

  bool ok() const { return !error_.has_value(); }
  explicit operator bool() const { return ok(); }
  Error& error() & { return *error_; }
  const Error& error() const& { return *error_; }
  Error&& error() && { return *std::move(error_); }

 private:
  std::optional<Error> error_;
};

}  // namespace pgrst

#define PGRST_CONCAT_INNER(a, b) a##b
#define PGRST_CONCAT(a, b) PGRST_CONCAT_INNER(a, b)

// PGRST_TRY(auto x, f()): x = value of f(), or return f()'s error to the caller.
#define PGRST_TRY(lhs, expr) PGRST_TRY_IMPL(lhs, expr, PGRST_CONCAT(pgrst_result_, __LINE__))
#define PGRST_TRY_IMPL(lhs, expr, tmp)          \
  auto tmp = (expr);                            \
  if (!tmp.ok()) return std::move(tmp).error(); \
  lhs = std::move(tmp).value()

// PGRST_CHECK(f()): return f()'s error, if it has one (for Result<void>).
#define PGRST_CHECK(expr)                                                       \
  do {                                                                          \
    auto pgrst_check_result = (expr);                                           \
    if (!pgrst_check_result.ok()) return std::move(pgrst_check_result).error(); \
  } while (0)
