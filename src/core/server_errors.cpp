#include "core/server_errors.hpp"

#include <new>
#include <string>
#include <utility>

#include "core/json.hpp"

namespace pgrst::errors {

namespace {

Error make(int status, std::string code, std::string message) {
  Error e;
  e.status = status;
  e.code = std::move(code);
  e.message = std::move(message);
  return e;
}

}  // namespace

Error shut_down() {
  Error e = executor_lost();
  e.details_json = json_string(
      "The server was shut down while the request ran: it may have been carried out, or not.");
  return e;
}

Error malformed_request(std::string_view why) {
  return make(400, "PGRST102", "The request is malformed: " + std::string(why));
}

Error uri_too_long() { return make(414, "PGRST102", "The URL is too long"); }

Error headers_too_large() {
  return make(431, "PGRST102", "The headers of the request are too large");
}

Error host_not_allowed(std::string_view host) {
  Error e = make(421, "PGRST102", "The admin server is not known as \"" + std::string(host) + "\"");
  e.hint = "See the setting pgrst.admin_server_allowed_hosts.";
  return e;
}

Error response_headers_too_large() {
  return internal("The headers of the response are too large. What the request did is done.");
}

Error out_of_memory() { return make(503, "53200", "out of memory"); }

Error surprise(const std::exception& e) {
  return dynamic_cast<const std::bad_alloc*>(&e) != nullptr ? out_of_memory() : internal(e.what());
}

}  // namespace pgrst::errors
