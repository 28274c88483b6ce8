// response.headers and response.status: what SQL wants of the response.
//
// Input -> output: the texts of the two settings -> headers that go before ours (ours of the same
// name are dropped) and a status, or PGRST111 / PGRST112 (docs/references/transactions.rst,
// "Response Headers").
#pragma once

#include "core/before_postgres.hpp"

#include <string_view>

#include "core/http_message.hpp"
#include "core/result.hpp"

namespace pgrst {

// Empty texts change nothing.
Result<void> apply_guc_overrides(std::string_view headers_json, std::string_view status,
                                 HttpResponse& response);

}  // namespace pgrst
