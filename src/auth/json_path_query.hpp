// What a JSONPath selects in a document (RFC 9535, 2.1.2).
//
// Input -> output: Path, document -> nodes, one by one and in order.
// Depth first and without lists of nodes: the first node of "$..*" costs no more than finding it.
// Members of an object are visited in the order of their names, as in PostgREST, so that the order
// in a token does not matter.
// Bounds: every node looked at, member compared and step of a regular expression counts, and after
// kMaxSteps the query gives up. Recursion is bounded by kMaxJsonDepth and kMaxDepth.
// Ownership: the document must outlive the call; nodes point into it.
#pragma once

#include "core/before_postgres.hpp"

#include <simdjson.h>

#include <cstddef>
#include <functional>

#include "auth/json_path.hpp"
#include "auth/strict_json.hpp"

namespace pgrst::jsonpath {

inline constexpr size_t kMaxSteps = size_t{1} << 20;

// Takes a node; false when it wants no more.
using NodeSink = std::function<bool(const simdjson::dom::element&)>;

// Hands the nodes to `sink`. False when they cannot be told, and what the sink got is worth
// nothing: the bound was reached, or a filter compares a number that may be one too large to be
// read (StrictJson::has_huge_numbers).
bool run_query(const Path& path, const StrictJson& document, const NodeSink& sink);

}  // namespace pgrst::jsonpath
