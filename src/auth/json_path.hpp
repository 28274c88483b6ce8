// JSONPath (RFC 9535): the query as a tree, and its parser.
//
// Input -> output: text of a query -> Path, or a complaint. What the tree selects is in
// auth/json_path_query.hpp.
// The whole of RFC 9535 with its five functions, checked for well-typedness (2.4.3). PostgREST
// v16.2 knows search() alone, and takes a query of several nodes for its arguments: so does this,
// for match() and search(), as if value() stood around it.
// Invariants of a parsed path: nested at most kMaxDepth deep; names are well-formed UTF-8; the
// operands of an expression are as many and of the kinds that its own kind demands.
// Ownership: a tree by value; compiled regular expressions are shared and immutable.
#pragma once

#include "core/before_postgres.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "auth/iregexp.hpp"
#include "auth/text_cursor.hpp"

namespace pgrst::jsonpath {

inline constexpr size_t kMaxDepth = 32;

struct Segment;

// From the root ("$") or from the node that a filter looks at ("@") by segments to nodes.
struct Path {
  bool from_root = true;
  std::vector<Segment> segments;

  // At most one node, whatever the document: only names and indexes (RFC 9535, 2.3.5.1).
  bool is_singular() const;
};

// A number of a path or of a document. Integers beyond int64 are doubles.
using Number = std::variant<int64_t, double>;

// monostate is null.
using Literal = std::variant<std::monostate, bool, Number, std::string>;

enum class Comparison { kEqual, kNotEqual, kLess, kLessOrEqual, kGreater, kGreaterOrEqual };

// An expression of a filter. Its kind says what it yields and which members count.
struct Expression {
  enum class Kind {
    // Yield a truth value:
    kOr,       // operands: two or more truth values
    kAnd,      // operands: two or more truth values
    kNot,      // operands: one truth value
    kCompare,  // operands: two values; comparison
    kExists,   // query: any
    kMatch,    // operands: two values, the text and the pattern; regexp, if that is a literal
    kSearch,   // the same
    // Yield a value, or nothing:
    kLiteral,  // literal
    kQuery,    // query: its one node; nothing if there are none or several
    kLength,   // operands: one value
    kCount,    // query: any
  };

  Kind kind = Kind::kLiteral;
  Comparison comparison = Comparison::kEqual;
  Literal literal;
  Path query;
  std::vector<Expression> operands;
  std::shared_ptr<const Iregexp> regexp;
};

struct Selector {
  enum class Kind { kName, kWildcard, kIndex, kSlice, kFilter };

  Kind kind = Kind::kName;
  std::string name;
  std::optional<int64_t> start;  // kIndex: the index; a negative one counts from the end
  std::optional<int64_t> end;
  int64_t step = 1;
  std::vector<Expression> filter;  // kFilter: one truth value
};

struct Segment {
  bool descendant = false;  // ".."
  std::vector<Selector> selectors;
};

// Reads a query that starts with '$' to the end of the text; the cursor holds the complaint.
std::optional<Path> parse_path(TextCursor& in);

// The query $.name.
Path path_to_member(std::string_view name);

}  // namespace pgrst::jsonpath
