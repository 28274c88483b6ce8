// Requests as they come in from libmicrohttpd, and their responses as they go out.

#include <arpa/inet.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "core/clock.hpp"
#include "core/text.hpp"
#include "http/mhd_server.hpp"

namespace pgrst::http {

namespace {

// The release whose interface this is: clients read the version from it.
constexpr char kServerName[] = "postgrest/16.2";

// Frees the copy that a response of libmicrohttpd holds of a body.
struct MallocedCopy {
  explicit MallocedCopy(std::string_view text)
      : bytes(static_cast<char*>(std::malloc(text.size() + 1))) {
    if (bytes != nullptr) std::memcpy(bytes, text.data(), text.size());
  }
  char* bytes;
};

// Callbacks: no exception may leave them.

ssize_t body_callback(void* cls, uint64_t, char* buffer, size_t size) noexcept {
  auto* exchange = static_cast<Exchange*>(cls);
  try {
    exchange->server->note_progress();
    return exchange->server->on_read_body(*exchange, buffer, size);
  } catch (...) {
    return MHD_CONTENT_READER_END_WITH_ERROR;
  }
}

[[maybe_unused]] ssize_t no_body_callback(void*, uint64_t, char*, size_t) noexcept {
  return MHD_CONTENT_READER_END_OF_STREAM;
}

// White space around a value is no part of it (RFC 9110, 5.5).
MHD_Result header_callback(void* cls, MHD_ValueKind, const char* name, const char* value) noexcept {
  try {
    const auto text = trim(value == nullptr ? "" : value);
    static_cast<HttpRequest*>(cls)->headers.push_back({name, std::string(text)});
    return MHD_YES;
  } catch (...) {
    return MHD_NO;
  }
}

}  // namespace

// -- a request comes in --------------------------------------------------------------------------

namespace {

// Whether intermediaries could take another end for the body's than libmicrohttpd does: then what
// follows the body is not to be trusted (RFC 9112, 6.3).
bool has_unclear_length(const Headers& headers) {
  const std::string* length = nullptr;
  const std::string* encoding = nullptr;
  for (const auto& header : headers) {
    if (equals_ignoring_case(header.name, "Content-Length")) {
      if (length != nullptr && *length != header.value) return true;
      length = &header.value;
    } else if (equals_ignoring_case(header.name, "Transfer-Encoding")) {
      if (encoding != nullptr || !equals_ignoring_case(header.value, "chunked")) return true;
      encoding = &header.value;
    }
  }
  return length != nullptr && encoding != nullptr;
}

// Bytes of a body that need not be asked for: connections are counted.
constexpr size_t kSmallBody = 16 * 1024;
// Bytes of a body after which its announced length is believed.
constexpr uint64_t kEarnestBody = 1024 * 1024;

constexpr size_t kBlock = 64 * 1024;

// Whether libmicrohttpd asks for the body of the response piece by piece.
bool hands_out_pieces(const Exchange& exchange) {
  return exchange.source || (exchange.response.body.size() > kBlock && !exchange.is_head);
}

}  // namespace

MHD_Result MhdServer::on_headers(Exchange& exchange, MHD_Connection* connection, const char* method,
                                 const char* version) {
  if (closing_) return MHD_NO;
  exchange.seen = true;
  exchange.connection = connection;
  const auto* info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
  if (info != nullptr) exchange.peer = static_cast<Peer*>(info->socket_context);
  if (exchange.peer != nullptr) exchange.peer->exchange = &exchange;
  exchange.request.method = method;
  exchange.method = method;
  exchange.version = version;
  exchange.is_head = exchange.request.method == "HEAD";
  exchange.request.headers.reserve(8);
  MHD_get_connection_values(connection, MHD_HEADER_KIND, &header_callback, &exchange.request);
  // Answered before the body: libmicrohttpd then closes the connection instead of reading it.
  if (has_unclear_length(exchange.request.headers)) {
    return refuse(exchange, connection, errors::invalid_body("The length of the body is unclear"));
  }
  const auto* length = find_header(exchange.request.headers, "Content-Length");
  const auto size = length == nullptr ? std::nullopt : parse_unsigned(*length);
  if (!size) return MHD_YES;
  exchange.announced = static_cast<uint64_t>(*size);
  if (exchange.announced > limits_.max_body_size) {
    return refuse(exchange, connection, errors::payload_too_large(limits_.max_body_size));
  }
  if (exchange.announced > kSmallBody && !bodies_.has_room(exchange.announced, max_body_memory())) {
    return refuse(exchange, connection, errors::no_room_for_body());
  }
  exchange.request.body.reserve(std::min<size_t>(exchange.announced, kSmallBody));
  return MHD_YES;
}

MHD_Result MhdServer::refuse(Exchange& exchange, MHD_Connection* connection, const Error& error) {
  exchange.response = refusal_(exchange.request, error);
  exchange.answered = true;
  exchange.dispatched = true;
  return send(exchange, connection);
}

MHD_Result MhdServer::on_upload(Exchange& exchange, const char* data, size_t* size) {
  exchange.received += *size;
  if (exchange.swallowed == 0 && make_room(exchange, *size)) {
    exchange.request.body.append(data, *size);
  } else {
    // A chunked body beyond the limit: read on for a while so that the client can see the answer.
    exchange.request.body = std::string();
    bodies_.give_back(std::exchange(exchange.charged, 0));
    exchange.swallowed += *size;
    if (exchange.swallowed > limits_.max_body_size) return MHD_NO;
  }
  *size = 0;
  return MHD_YES;
}

uint64_t MhdServer::max_body_memory() const {
  return std::max(limits_.max_body_memory, limits_.max_body_size);
}

bool MhdServer::take_memory(Ticket ticket, uint64_t bytes) {
  Exchange* exchange = find(ticket);
  if (exchange == nullptr || bytes <= kSmallBody) return true;
  if (!bodies_.take(bytes, max_body_memory())) return false;
  exchange->charged += bytes;
  return true;
}

// For `size` more bytes of the body; false when it may not become that large.
bool MhdServer::make_room(Exchange& exchange, size_t size) {
  std::string& body = exchange.request.body;
  const uint64_t wanted = uint64_t{body.size()} + size;
  if (wanted > limits_.max_body_size) return false;
  if (wanted <= body.capacity()) return true;
  uint64_t room = std::min(std::max(wanted, uint64_t{2} * body.capacity()), limits_.max_body_size);
  // In one piece as soon as some of it has come: a large body that grows would be copied, and there
  // twice for a moment.
  if (wanted <= exchange.announced) {
    room = wanted > kEarnestBody ? exchange.announced : std::min(room, exchange.announced);
  }
  if (room > kSmallBody) {
    if (!bodies_.take(room - exchange.charged, max_body_memory())) {
      exchange.no_room = true;
      return false;
    }
    exchange.charged = room;
  }
  body.reserve(room);
  return true;
}

MHD_Result MhdServer::on_complete(Exchange& exchange, MHD_Connection* connection) {
  if (closing_) return MHD_NO;
  if (exchange.swallowed > 0) {
    return refuse(exchange, connection,
                  exchange.no_room ? errors::no_room_for_body()
                                   : errors::payload_too_large(limits_.max_body_size));
  }
  exchange.dispatched = true;
  exchange.complete_ns = monotonic_ns();
  exchange.ticket = next_ticket_++;
  exchanges_.emplace(exchange.ticket, &exchange);
  arrivals_.push_back({exchange.ticket, std::move(exchange.request)});
  MHD_suspend_connection(connection);
  exchange.suspended = true;
  return MHD_YES;
}

// -- its response goes out -----------------------------------------------------------------------

namespace {

// Nobody knows how long the body of the GET would be: no Content-Length. Before 0.9.77
// libmicrohttpd leaves it out only where it closes the connection afterwards (of a chunked response
// it would send the last chunk even so).
MHD_Response* make_head_response() {
#if MHD_VERSION >= 0x00097701
  MHD_Response* response =
      MHD_create_response_from_buffer(0, const_cast<char*>(""), MHD_RESPMEM_PERSISTENT);
  constexpr auto kFlags = MHD_RF_HEAD_ONLY_RESPONSE;
#else
  MHD_Response* response =
      MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 1, &no_body_callback, nullptr, nullptr);
  constexpr auto kFlags = MHD_RF_HTTP_VERSION_1_0_RESPONSE;
#endif
  if (response != nullptr) MHD_set_response_options(response, kFlags, MHD_RO_END);
  return response;
}

// A value without any byte is none to libmicrohttpd; white space around values means nothing.
// Refused are only names and values that no header may have, and what libmicrohttpd sets itself.
void add_header(MHD_Response* response, const char* name, const char* value) {
  MHD_add_response_header(response, name, value[0] == '\0' ? " " : value);
}

}  // namespace

MHD_Response* MhdServer::make_response(Exchange& exchange) {
  const std::string& body = exchange.response.body;
  if (hands_out_pieces(exchange)) {
    const uint64_t size = exchange.source ? exchange.response.result_body_size : body.size();
    return MHD_create_response_from_callback(size, kBlock, &body_callback, &exchange, nullptr);
  }
  if (exchange.is_head) return make_head_response();
  if (body.empty()) {
    return MHD_create_response_from_buffer(0, const_cast<char*>(""), MHD_RESPMEM_PERSISTENT);
  }
  const MallocedCopy copy(body);
  if (copy.bytes == nullptr) return nullptr;
  MHD_Response* response =
      MHD_create_response_from_buffer(body.size(), copy.bytes, MHD_RESPMEM_MUST_FREE);
  if (response == nullptr) std::free(copy.bytes);
  return response;
}

MHD_Result MhdServer::send(Exchange& exchange, MHD_Connection* connection) {
  if (!exchange.answered || closing_) return MHD_NO;
  MHD_Response* response = make_response(exchange);
  if (response == nullptr) return MHD_NO;
  for (const auto& header : exchange.response.headers) {
    add_header(response, header.name.c_str(), header.value.c_str());
  }
  if (find_header(exchange.response.headers, "Server") == nullptr) {
    add_header(response, "Server", kServerName);
  }
  if (draining_) add_header(response, "Connection", "close");
  const auto result =
      MHD_queue_response(connection, static_cast<unsigned>(exchange.response.status), response);
  MHD_destroy_response(response);
  return result;
}

ssize_t MhdServer::on_read_body(Exchange& exchange, char* buffer, size_t size) {
  if (closing_) return MHD_CONTENT_READER_END_WITH_ERROR;
  if (!exchange.source) {
    const size_t part = exchange.response.body.copy(buffer, size, exchange.given);
    exchange.given += part;
    return static_cast<ssize_t>(part);
  }
  const auto got = exchange.source->read(buffer, size);
  if (!got) {
    return exchange.response.result_body_size == HttpResponse::kUnknownSize
               ? MHD_CONTENT_READER_END_OF_STREAM
               : MHD_CONTENT_READER_END_WITH_ERROR;
  }
  exchange.given += *got;
  if (*got > 0) return static_cast<ssize_t>(*got);
  MHD_suspend_connection(exchange.connection);
  exchange.suspended = true;
  return 0;
}

namespace {

// The request as the observer sees it.
class MhdEnded : public Ended {
 public:
  MhdEnded(const Exchange& exchange, MHD_Connection* connection) : connection_(connection) {
    method = exchange.method;
    target = exchange.target;
    version = exchange.version;
    if (exchange.answered && !exchange.gone) {
      response = &exchange.response;
      sent = hands_out_pieces(exchange) ? exchange.given : exchange.response.body.size();
    }
    received = exchange.received;
    duration_ns = exchange.duration_ns;
  }

  std::string_view header(const char* name) const override {
    const char* value = MHD_lookup_connection_value(connection_, MHD_HEADER_KIND, name);
    return value == nullptr ? std::string_view() : value;
  }

  std::string client() const override {
    const auto* info = MHD_get_connection_info(connection_, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    char text[INET6_ADDRSTRLEN] = "";
    if (info == nullptr || info->client_addr == nullptr) return text;
    const sockaddr* address = info->client_addr;
    if (address->sa_family == AF_UNIX) return "unix";
    const void* bytes = &reinterpret_cast<const sockaddr_in*>(address)->sin_addr;
    if (address->sa_family == AF_INET6) {
      bytes = &reinterpret_cast<const sockaddr_in6*>(address)->sin6_addr;
    }
    inet_ntop(address->sa_family, bytes, text, sizeof text);
    return text;
  }

 private:
  MHD_Connection* connection_;
};

}  // namespace

void MhdServer::observe(const Exchange& exchange, MHD_Connection* connection) {
  if (!observer_ || !exchange.seen || closing_) return;
  try {
    observer_(MhdEnded(exchange, connection));
  } catch (...) {
    // Out of memory: it is not counted.
  }
}

void MhdServer::on_ended(Exchange* exchange, MHD_Connection* connection) {
  observe(*exchange, connection);
  bodies_.give_back(exchange->charged);
  if (exchange->ticket != 0) exchanges_.erase(exchange->ticket);
  if (exchange->peer != nullptr) {
    exchange->peer->exchange = nullptr;
    exchange->peer->requests++;
    exchange->peer->since_ms = coarse_ms();
    exchange->peer->begun_ms = -1;
    exchange->peer->has_ended = false;
  }
  delete exchange;
}

Exchange* MhdServer::find(Ticket ticket) {
  const auto it = exchanges_.find(ticket);
  return it == exchanges_.end() ? nullptr : it->second;
}

void MhdServer::resume(Exchange& exchange) {
  if (!exchange.suspended) return;
  note_progress();
  exchange.suspended = false;
  MHD_resume_connection(exchange.connection);
}

void MhdServer::respond(Ticket ticket, HttpResponse response) {
  Exchange* exchange = find(ticket);
  if (exchange == nullptr || exchange->answered) return;
  exchange->response = std::move(response);
  exchange->answered = true;
  exchange->duration_ns = monotonic_ns() - exchange->complete_ns;
  resume(*exchange);
}

void MhdServer::stream(Ticket ticket, HttpResponse head, std::unique_ptr<BodySource> source) {
  Exchange* exchange = find(ticket);
  if (exchange == nullptr || exchange->answered) return;
  exchange->source = std::move(source);
  respond(ticket, std::move(head));
}

void MhdServer::continue_stream(Ticket ticket) {
  Exchange* exchange = find(ticket);
  if (exchange != nullptr && exchange->answered) resume(*exchange);
}

}  // namespace pgrst::http
