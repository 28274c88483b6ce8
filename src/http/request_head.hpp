// What makes the line and the headers of a request be read in one way only (RFC 9112).
//
// Input -> output: the parts as libmicrohttpd found them, and the bytes that it found them in -> a
// fault, or none. libmicrohttpd before 1.0 reads more than HTTP allows, and a proxy before this
// server may read the same bytes otherwise: then one of them takes for a request what is none for
// the other. Pure.
#pragma once

#include "core/before_postgres.hpp"

#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

#include "core/http_message.hpp"

namespace pgrst::http {

// nullopt: there is none; else what to tell the client. The text lives for ever.
using Fault = std::optional<std::string_view>;

// Of a method, a request target and a version ("HTTP/1.1").
Fault fault_of_line(std::string_view method, std::string_view target, std::string_view version);
// Of names and values, and of Host.
Fault fault_of_headers(const Headers& headers, std::string_view version);
// Of Content-Length and Transfer-Encoding: whether others could take another end for the body's.
Fault fault_of_length(const Headers& headers, std::string_view version);

// Whether a value can be a Host: a name or an address, and maybe a port. Empty is allowed.
bool is_host(std::string_view value);

// The bytes of a head, in which libmicrohttpd has put NUL for what it took as separators, and where
// in them it has found the parts. Each part ends before its first NUL.
struct HeadBytes {
  struct Field {
    const char* name;
    const char* value;
  };
  const char* begin = nullptr;  // of the method
  size_t size = 0;              // to the first byte behind the empty line
  const char* target = nullptr;
  size_t target_size = 0;
  const char* version = nullptr;
  std::vector<Field> fields;  // in their order
};

// Whether the parts and their separators are all that is there: no NUL byte that was sent, no
// folded line, no line that libmicrohttpd lost, no line that does not end with CR and LF.
Fault fault_of_bytes(const HeadBytes& head);

}  // namespace pgrst::http
