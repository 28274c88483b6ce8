// The access log: one line for a request that has ended.
//
// Input -> output: what is known of the request -> a line in the combined format of Apache, as
// PostgREST writes it. Pure. Texts of the client are escaped: what a request brings cannot end its
// line or its field.
#pragma once

#include "core/before_postgres.hpp"

#include <cstdint>
#include <string>
#include <string_view>

#include "core/config.hpp"

namespace pgrst {

struct AccessEntry {
  std::string_view client;  // address
  std::string_view role;    // empty: nobody was authenticated
  std::string_view time;    // as in "26/Jul/2021:01:56:38 -0500"
  std::string_view method;
  std::string_view target;
  std::string_view version;
  int status = 0;
  uint64_t body_size = 0;  // bytes
  std::string_view referer;
  std::string_view user_agent;
};

// The status that is logged for a request whose client has gone before the answer.
constexpr int kClientGone = 499;

bool is_logged(LogLevel level, int status);

// Without an end of line.
void append_access_line(std::string& out, const AccessEntry& entry);

}  // namespace pgrst
