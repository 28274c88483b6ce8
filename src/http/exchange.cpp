// Requests as they come in from libmicrohttpd, and their responses as they go out.

#include <arpa/inet.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <new>

#include "core/clock.hpp"
#include "core/server_errors.hpp"
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

struct HeaderCopy {
  Headers& headers;
  std::vector<HeadBytes::Field> fields;
  bool failed = false;  // there was no memory for all
};

// White space around a value is no part of it (RFC 9110, 5.5).
MHD_Result header_callback(void* cls, MHD_ValueKind, const char* name, const char* value) noexcept {
  auto& copy = *static_cast<HeaderCopy*>(cls);
  try {
    if (value == nullptr) value = "";
    copy.headers.push_back({name, std::string(trim(value))});
    copy.fields.push_back({name, value});
    return MHD_YES;
  } catch (...) {
    copy.failed = true;
    return MHD_NO;
  }
}

}  // namespace

// -- a request comes in --------------------------------------------------------------------------

namespace {

// Bytes of a body that need not be asked for: connections are counted.
constexpr size_t kSmallBody = 16 * 1024;
// Bytes of a body that are asked for at a time, at least.
constexpr uint64_t kBodyGrain = 64 * 1024;
// The part of a body that must have come before there is made room for all of it.
constexpr uint64_t kEarnestPart = 4;

constexpr size_t kBlock = 64 * 1024;

// Whether libmicrohttpd asks for the body of the response piece by piece.
bool hands_out_pieces(const Exchange& exchange) {
  return exchange.source || (exchange.response.body.size() > kBlock && !exchange.is_head);
}

// As libmicrohttpd before 1.0 reads it. What is left goes to fault_of_length().
bool is_readable_length(std::string_view text) {
  const bool is_number = !text.empty() && text.find_first_not_of("0123456789") == text.npos;
  const auto digits = text.substr(std::min(text.find_first_not_of('0'), text.size()));
  return is_number &&
         (digits.size() < 20 || (digits.size() == 20 && digits <= "18446744073709551615"));
}

// The bytes of a response that libmicrohttpd does not send.
std::string plain_answer(const HttpResponse& response) {
  const auto status = static_cast<unsigned>(response.status);
  std::string out = "HTTP/1.1 " + std::to_string(status) + ' ';
  out.append(MHD_get_reason_phrase_for(status)).append("\r\n");
  for (const auto& header : response.headers) {
    out.append(header.name).append(": ").append(header.value).append("\r\n");
  }
  out.append("Server: ").append(kServerName).append("\r\nConnection: close\r\nContent-Length: ");
  return out.append(std::to_string(response.body.size())).append("\r\n\r\n").append(response.body);
}

}  // namespace

void MhdServer::on_line(Exchange& exchange) {
  exchange.next = heads_;
  if (heads_ != nullptr) heads_->previous = &exchange;
  heads_ = &exchange;
}

void MhdServer::unlink(Exchange& exchange) {
  if (exchange.previous != nullptr) exchange.previous->next = exchange.next;
  if (exchange.next != nullptr) exchange.next->previous = exchange.previous;
  if (heads_ == &exchange) heads_ = exchange.next;
  exchange.previous = exchange.next = nullptr;
}

namespace {

constexpr size_t kRecordSize = 64;  // of libmicrohttpd, for a header, a cookie or an argument
// Bytes of a response that are not its own headers: the line, Date, Content-Length, Connection.
constexpr size_t kFrameSize = 256;
constexpr size_t kSmallAnswer = 1024;  // bytes of the head of a refusal

size_t size_of(const Header& header) {
  return header.name.size() + std::max<size_t>(header.value.size(), 1) + 4;
}

size_t size_of(const Headers& headers) {
  size_t size = 0;
  for (const auto& header : headers) size += size_of(header);
  return size;
}

}  // namespace

// What libmicrohttpd has left of a connection's memory when it writes the headers of the response,
// at least: it keeps the request, and what has come of the next ones.
size_t MhdServer::room_for_answer(Exchange& exchange, MHD_Connection* connection,
                                  size_t head_size) const {
  const size_t memory = limits_.connection_memory;
  const int count = MHD_get_connection_values(connection, MHD_COOKIE_KIND, nullptr, nullptr) +
                    MHD_get_connection_values(connection, MHD_GET_ARGUMENT_KIND, nullptr, nullptr);
  const std::string* cookies = find_header(exchange.request.headers, "Cookie");  // which is copied
  const size_t records = exchange.request.headers.size() + static_cast<size_t>(std::max(count, 0));
  const size_t beside =
      (cookies == nullptr ? 0 : cookies->size()) + records * kRecordSize + kFrameSize;
  exchange.is_crammed = head_size + beside + kSmallAnswer > memory;
  const size_t used = std::max(memory / 2, head_size) + memory / 16 + beside;
  return used < memory ? memory - used : 0;
}

std::optional<Error> MhdServer::check_head(Exchange& exchange, MHD_Connection* connection,
                                           const std::vector<HeadBytes::Field>& fields) {
  const HttpRequest& request = exchange.request;
  const auto* info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
  const size_t line_size = exchange.method.size() + exchange.target.size() + 12;
  const size_t head_size =
      std::max(info == nullptr ? 0 : info->header_size, line_size + size_of(request.headers));
  // Room for an answer that has no large headers of its own.
  const size_t needed = std::min<size_t>(2048, limits_.connection_memory / 8);
  exchange.room = room_for_answer(exchange, connection, head_size);
  if (exchange.room < needed) {
    exchange.room = needed;
    return line_size > head_size / 2 ? errors::uri_too_long() : errors::headers_too_large();
  }
  Fault fault = fault_of_line(exchange.method, exchange.target, exchange.version);
  if (!fault) fault = fault_of_headers(request.headers, exchange.version);
  if (!fault && is_lax_ && info != nullptr) {
    HeadBytes bytes;
    bytes.begin = exchange.raw_method;
    bytes.size = info->header_size;
    bytes.target = exchange.raw_target;
    bytes.target_size = exchange.target.size();
    bytes.version = exchange.version;
    bytes.fields = fields;
    fault = fault_of_bytes(bytes);
  }
  if (fault) return errors::malformed_request(*fault);
  if ((fault = fault_of_length(request.headers, exchange.version))) {
    return errors::invalid_body("The length of the body is unclear: " + std::string(*fault));
  }
  return std::nullopt;
}

MHD_Result MhdServer::on_headers(Exchange& exchange, MHD_Connection* connection, const char* method,
                                 const char* version) {
  if (closing_) return MHD_NO;
  unlink(exchange);
  exchange.seen = true;
  const auto* info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
  if (info != nullptr) exchange.peer = static_cast<Peer*>(info->socket_context);
  if (exchange.peer != nullptr) exchange.peer->exchange = &exchange;
  exchange.raw_method = method;
  exchange.version = version;
  exchange.is_head = std::strcmp(method, "HEAD") == 0;
  closes_ = true;
  const MHD_Result result = read_head(exchange, connection, method);
  closes_ = false;
  return result;
}

// What is refused is answered before the body, and the connection closed instead of reading it.
MHD_Result MhdServer::read_head(Exchange& exchange, MHD_Connection* connection,
                                const char* method) {
  try {
    exchange.method = method;
    exchange.request.method = exchange.method;
    exchange.request.headers.reserve(8);
    HeaderCopy copy{exchange.request.headers, {}};
    copy.fields.reserve(8);
    MHD_get_connection_values(connection, MHD_HEADER_KIND, &header_callback, &copy);
    if (copy.failed) return refuse(exchange, connection, errors::out_of_memory());
    if (const auto error = check_head(exchange, connection, copy.fields)) {
      if (!exchange.is_crammed) return refuse(exchange, connection, *error);
      answer_directly(exchange, *error);
      return MHD_NO;
    }
    return expect_body(exchange, connection);
  } catch (const std::bad_alloc&) {
    if (exchange.answered) return MHD_NO;
  }
  return refuse_or_close(exchange, connection, errors::out_of_memory());
}

MHD_Result MhdServer::expect_body(Exchange& exchange, MHD_Connection* connection) {
  const auto* length = find_header(exchange.request.headers, "Content-Length");
  if (length == nullptr) return MHD_YES;
  exchange.announced = static_cast<uint64_t>(parse_unsigned(*length).value_or(0));
  if (exchange.announced > limits_.max_body_size) {
    return refuse(exchange, connection, errors::payload_too_large(limits_.max_body_size));
  }
  if (exchange.announced > kSmallBody &&
      !bodies_.has_room(client_of(exchange), exchange.announced, 0, max_body_memory())) {
    return refuse(exchange, connection, errors::no_room_for_body());
  }
  exchange.request.body.reserve(std::min<size_t>(exchange.announced, kSmallBody));
  return MHD_YES;
}

// libmicrohttpd is about to refuse a request by itself. Before 1.0, where that is for a
// Content-Length which it cannot read, it would send the head of its answer twice: it is answered
// here, and nothing more can be sent. No other request whose headers have come is without a call of
// on_headers() then.
void MhdServer::on_trouble() noexcept {
  if (!is_lax_) return;
  for (Exchange* exchange = heads_; exchange != nullptr; exchange = exchange->next) {
    const char* length = MHD_lookup_connection_value(exchange->connection, MHD_HEADER_KIND,
                                                     MHD_HTTP_HEADER_CONTENT_LENGTH);
    if (length == nullptr || is_readable_length(length)) continue;
    answer_directly(*exchange, errors::invalid_body(
                                   "The length of the body is unclear: its length is no number"));
  }
}

// Past libmicrohttpd, which then finds that it can send no more, and closes. With TLS there is no
// answer.
void MhdServer::answer_directly(Exchange& exchange, const Error& error) noexcept {
  const int socket = socket_of(exchange.connection);
  try {
    exchange.response = refusal_(HttpRequest(), error);
    const std::string bytes = plain_answer(exchange.response);
    if (!has_tls_ && ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT) ==
                         static_cast<ssize_t>(bytes.size())) {
      exchange.queued = true;
      exchange.given = exchange.response.body.size();
    }
  } catch (...) {
    // Out of memory: closed without an answer.
  }
  shutdown(socket, SHUT_WR);
}

MHD_Result MhdServer::refuse_or_close(Exchange& exchange, MHD_Connection* connection,
                                      const Error& error) {
  try {
    return refuse(exchange, connection, error);
  } catch (const std::exception&) {
    return MHD_NO;
  }
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
    // Read on for a while, so that the client can see the answer.
    exchange.request.body = std::string();
    give_back(exchange);
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
  if (!bodies_.take(client_of(*exchange), bytes, exchange->charged, max_body_memory()))
    return false;
  exchange->charged += bytes;
  return true;
}

BodyMemory::Client MhdServer::client_of(const Exchange& exchange) {
  return exchange.peer == nullptr ? std::nullopt : exchange.peer->client;
}

void MhdServer::give_back(Exchange& exchange) {
  bodies_.give_back(client_of(exchange), std::exchange(exchange.charged, 0));
}

// For `size` more bytes of the body; false when it may not become that large.
bool MhdServer::make_room(Exchange& exchange, size_t size) {
  std::string& body = exchange.request.body;
  const uint64_t wanted = uint64_t{body.size()} + size;
  if (wanted > limits_.max_body_size) return false;
  try {
    if (wanted > kSmallBody && wanted > exchange.charged) {
      const uint64_t more =
          std::min(std::max(wanted, exchange.charged + kBodyGrain), limits_.max_body_size) -
          exchange.charged;
      exchange.no_room =
          !bodies_.take(client_of(exchange), more, exchange.charged, max_body_memory());
      if (exchange.no_room) return false;
      exchange.charged += more;
    }
    if (wanted <= body.capacity()) return true;
    uint64_t room = std::max(wanted, uint64_t{2} * body.capacity());
    // In one piece as soon as a part of it has come: a large body that grows would be copied, and
    // there twice for a moment. What does not come takes no memory.
    if (wanted <= exchange.announced) {
      room = wanted > exchange.announced / kEarnestPart ? exchange.announced
                                                        : std::min(room, exchange.announced);
    }
    body.reserve(std::min(room, limits_.max_body_size));
    return true;
  } catch (const std::exception&) {
    exchange.no_room = true;
    return false;
  }
}

MHD_Result MhdServer::on_complete(Exchange& exchange, MHD_Connection* connection) {
  if (closing_) return MHD_NO;
  if (exchange.swallowed > 0) {
    return refuse(exchange, connection,
                  exchange.no_room ? errors::no_room_for_body()
                                   : errors::payload_too_large(limits_.max_body_size));
  }
  const Ticket ticket = next_ticket_++;
  try {
    exchanges_.emplace(ticket, &exchange);
    arrivals_.push_back({ticket, std::move(exchange.request)});
  } catch (const std::bad_alloc&) {
    exchanges_.erase(ticket);
    return refuse(exchange, connection, errors::out_of_memory());
  }
  exchange.dispatched = true;
  exchange.complete_ns = monotonic_ns();
  exchange.ticket = ticket;
  MHD_suspend_connection(connection);
  exchange.suspended = true;
  return MHD_YES;
}

// -- its response goes out
// -----------------------------------------------------------------------

namespace {

// Nobody knows how long the body of the GET would be: no Content-Length. Before 0.9.77
// libmicrohttpd leaves it out only where it closes the connection afterwards (of a chunked
// response it would send the last chunk even so).
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

// False when there is no memory for it. A value without any byte is none to libmicrohttpd; white
// space around values means nothing. Left out are names and values that no header may have, and
// what libmicrohttpd sets itself.
bool add_header(MHD_Response* response, const char* name, const char* value) {
  if (MHD_add_response_header(response, name, value[0] == '\0' ? " " : value) == MHD_YES) {
    return true;
  }
  constexpr std::array<const char*, 4> kOwn = {"Content-Length", "Transfer-Encoding", "Connection",
                                               "Date"};
  return !is_safe_header(name, value) ||
         std::any_of(kOwn.begin(), kOwn.end(),
                     [&](const char* own) { return equals_ignoring_case(name, own); });
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

// Headers that libmicrohttpd has no room for would make it close the connection without an
// answer.
void MhdServer::fit_headers(Exchange& exchange) {
  HttpResponse& response = exchange.response;
  if (response.status < 200 || response.status > 999) response.status = 500;
  const bool has_no_content = response.status == 205;
  if (has_no_content) {
    response.body.clear();
    exchange.source.reset();
  }
  if (size_of(response.headers) <= exchange.room) return;
  // Only repeats what was asked for.
  const auto is_repetition = [](const Header& header) {
    return equals_ignoring_case(header.name, "Content-Location");
  };
  response.headers.erase(
      std::remove_if(response.headers.begin(), response.headers.end(), is_repetition),
      response.headers.end());
  if (size_of(response.headers) <= exchange.room) return;
  RequestAccount account = std::move(response.account);
  exchange.source.reset();
  response = refusal_(HttpRequest(), errors::response_headers_too_large());
  response.account = std::move(account);
}

// With its headers; null when there is no memory for all.
MHD_Response* MhdServer::make_whole_response(Exchange& exchange) {
  MHD_Response* response = make_response(exchange);
  if (response == nullptr) return nullptr;
  bool whole = true;
  for (const auto& header : exchange.response.headers) {
    whole = whole && add_header(response, header.name.c_str(), header.value.c_str());
  }
  if (find_header(exchange.response.headers, "Server") == nullptr) {
    whole = whole && add_header(response, "Server", kServerName);
  }
  if (draining_ || closes_) whole = whole && add_header(response, "Connection", "close");
  if (whole) return response;
  MHD_destroy_response(response);
  return nullptr;
}

MHD_Result MhdServer::send(Exchange& exchange, MHD_Connection* connection) {
  if (!exchange.answered || closing_) return MHD_NO;
  fit_headers(exchange);
  MHD_Response* response = make_whole_response(exchange);
  if (response == nullptr) return MHD_NO;
  const auto result =
      MHD_queue_response(connection, static_cast<unsigned>(exchange.response.status), response);
  MHD_destroy_response(response);
  exchange.queued = result == MHD_YES;
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
  MhdEnded(const Exchange& exchange, MHD_Connection* connection, bool completed)
      : connection_(connection) {
    method = exchange.method;
    target = exchange.target;
    version = exchange.version;
    // Of what was broken off, headers and some of the body were sent, or nothing.
    if (exchange.queued && !exchange.gone && (completed || exchange.given > 0)) {
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

void MhdServer::observe(const Exchange& exchange, MHD_Connection* connection, bool completed) {
  if (!observer_ || !exchange.seen || closing_) return;
  try {
    observer_(MhdEnded(exchange, connection, completed));
  } catch (...) {
    // Out of memory: it is not counted.
  }
}

void MhdServer::on_ended(Exchange* exchange, MHD_Connection* connection, bool completed) {
  unlink(*exchange);
  observe(*exchange, connection, completed);
  give_back(*exchange);
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

// What is not answered, send() closes.
void MhdServer::drop(Ticket ticket) noexcept {
  Exchange* exchange = find(ticket);
  if (exchange != nullptr && !exchange->answered) resume(*exchange);
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
