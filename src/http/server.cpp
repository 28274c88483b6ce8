#include "http/server.hpp"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <ctime>
#include <unordered_map>

#include "core/text.hpp"

namespace pgrst::http {

namespace {

// The release whose interface this is: clients read the version from it.
constexpr char kServerName[] = "postgrest/16.2";

class MhdServer;

// One request on one connection; from the request line to the last byte of the response.
struct Exchange {
  MhdServer* server = nullptr;
  MHD_Connection* connection = nullptr;
  Ticket ticket = 0;
  HttpRequest request;
  std::string method;  // of the request, which is passed on
  std::string target;
  const char* version = "";
  int64_t complete_ns = 0;  // when the request had come
  int64_t duration_ns = 0;  // from then to the response
  uint64_t received = 0;    // bytes of the body
  uint64_t swallowed = 0;   // bytes of a body beyond the limit
  bool seen = false;        // the handler was called with the headers
  bool dispatched = false;
  struct Peer* peer = nullptr;
  bool suspended = false;
  bool answered = false;
  bool is_head = false;
  bool gone = false;  // its client has closed the connection before the answer
  HttpResponse response;
  std::unique_ptr<BodySource> source;  // of a streamed body
};

// Splits the request target into path and query; "http://host/path" is an origin form with a
// prefix.
void set_target(HttpRequest& request, std::string_view target) {
  if (target.substr(0, 7) == "http://" || target.substr(0, 8) == "https://") {
    const size_t slash = target.find('/', target.find("//") + 2);
    target = slash == std::string_view::npos ? std::string_view("/") : target.substr(slash);
  }
  const size_t mark = target.find('?');
  request.path = target.substr(0, mark);
  if (mark != std::string_view::npos) request.query = target.substr(mark + 1);
}

// Frees the copy that a response of libmicrohttpd holds of a body.
struct MallocedCopy {
  explicit MallocedCopy(std::string_view text)
      : bytes(static_cast<char*>(std::malloc(text.size() + 1))) {
    if (bytes != nullptr) std::memcpy(bytes, text.data(), text.size());
  }
  char* bytes;
};

// A connection, between its requests too.
struct Peer {
  int socket = -1;
  bool receiving = true;      // a request's line and headers are awaited
  int64_t since_seconds = 0;  // since when
};

int64_t monotonic_ns() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return int64_t{now.tv_sec} * 1000000000 + now.tv_nsec;
}

int64_t monotonic_seconds() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
  return now.tv_sec;
}

class MhdServer : public Server {
 public:
  MhdServer(const Limits& limits, Refusal refusal, Observer observer)
      : limits_(limits), refusal_(std::move(refusal)), observer_(std::move(observer)) {}
  ~MhdServer() override;

  bool open(int listen_socket);

  int epoll_fd() const override {
    return MHD_get_daemon_info(daemon_, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
  }
  void run() override { MHD_run(daemon_); }
  int64_t timeout_ms() override;
  std::vector<Arrival> take_arrivals() override { return std::exchange(arrivals_, {}); }
  bool has_arrivals() const override { return !arrivals_.empty(); }
  bool knows(Ticket ticket) const override { return exchanges_.count(ticket) > 0; }
  void respond(Ticket ticket, HttpResponse response) override;
  void stream(Ticket ticket, HttpResponse head, std::unique_ptr<BodySource> source) override;
  void continue_stream(Ticket ticket) override;
  std::vector<Ticket> find_gone(const std::vector<Ticket>& tickets) override;
  void close_slow() override;
  int drain() override;
  unsigned open_connections() const override {
    return MHD_get_daemon_info(daemon_, MHD_DAEMON_INFO_CURRENT_CONNECTIONS)->num_connections;
  }

  // The bodies of the callbacks below.
  MHD_Result on_headers(Exchange& exchange, MHD_Connection* connection, const char* method,
                        const char* version);
  MHD_Result on_upload(Exchange& exchange, const char* data, size_t* size);
  MHD_Result on_complete(Exchange& exchange, MHD_Connection* connection);
  MHD_Result send(Exchange& exchange, MHD_Connection* connection);
  ssize_t on_read_body(Exchange& exchange, char* buffer, size_t size);
  void on_ended(Exchange* exchange, MHD_Connection* connection);
  Peer* on_connected(int socket);
  void on_disconnected(Peer* peer) { peers_.erase(peer); }

 private:
  Exchange* find(Ticket ticket);
  void resume(Exchange& exchange);
  MHD_Response* make_response(Exchange& exchange);
  MHD_Result refuse(Exchange& exchange, MHD_Connection* connection, const Error& error);
  void observe(const Exchange& exchange, MHD_Connection* connection);

  Limits limits_;
  Refusal refusal_;
  Observer observer_;
  MHD_Daemon* daemon_ = nullptr;
  bool draining_ = false;
  bool closing_ = false;
  // Never used twice in a process: answers to an earlier server's tickets must find nobody.
  inline static Ticket next_ticket_ = 1;
  std::vector<Arrival> arrivals_;
  std::unordered_map<Peer*, std::unique_ptr<Peer>> peers_;
  std::unordered_map<Ticket, Exchange*> exchanges_;  // dispatched and not ended
};

// -- callbacks: no exception may leave them, and none calls out of this file ---------------------

void* uri_callback(void* cls, const char* uri, MHD_Connection*) noexcept {
  try {
    auto exchange = std::make_unique<Exchange>();
    exchange->server = static_cast<MhdServer*>(cls);
    exchange->target = uri;
    set_target(exchange->request, uri);
    return exchange.release();
  } catch (...) {
    return nullptr;  // answered by closing the connection
  }
}

// What comes in stays percent-encoded.
size_t unescape_nothing(void*, MHD_Connection*, char* text) noexcept { return std::strlen(text); }

MHD_Result request_callback(void*, MHD_Connection* connection, const char*, const char* method,
                            const char* version, const char* upload, size_t* upload_size,
                            void** con_cls) noexcept {
  try {
    auto* exchange = static_cast<Exchange*>(*con_cls);
    if (exchange == nullptr) return MHD_NO;
    MhdServer& server = *exchange->server;
    if (!exchange->seen) return server.on_headers(*exchange, connection, method, version);
    if (*upload_size > 0) return server.on_upload(*exchange, upload, upload_size);
    if (!exchange->dispatched) return server.on_complete(*exchange, connection);
    return server.send(*exchange, connection);
  } catch (...) {
    return MHD_NO;
  }
}

void completed_callback(void*, MHD_Connection* connection, void** con_cls,
                        MHD_RequestTerminationCode) noexcept {
  auto* exchange = static_cast<Exchange*>(*con_cls);
  if (exchange == nullptr) return;
  exchange->server->on_ended(exchange, connection);
  *con_cls = nullptr;
}

int socket_of(MHD_Connection* connection) {
  const auto* info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
  return info == nullptr ? -1 : info->connect_fd;
}

void connection_callback(void* cls, MHD_Connection* connection, void** socket_context,
                         MHD_ConnectionNotificationCode code) noexcept {
  auto* server = static_cast<MhdServer*>(cls);
  try {
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
      *socket_context = server->on_connected(socket_of(connection));
    } else if (*socket_context != nullptr) {
      server->on_disconnected(static_cast<Peer*>(*socket_context));
      *socket_context = nullptr;
    }
  } catch (...) {
    *socket_context = nullptr;  // not watched
  }
}

ssize_t body_callback(void* cls, uint64_t, char* buffer, size_t size) noexcept {
  auto* exchange = static_cast<Exchange*>(cls);
  try {
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

// -- a request comes in --------------------------------------------------------------------------

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

MHD_Result MhdServer::on_headers(Exchange& exchange, MHD_Connection* connection, const char* method,
                                 const char* version) {
  if (closing_) return MHD_NO;
  exchange.seen = true;
  exchange.connection = connection;
  const auto* info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
  if (info != nullptr) exchange.peer = static_cast<Peer*>(info->socket_context);
  if (exchange.peer != nullptr) exchange.peer->receiving = false;
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
  // In one piece from the start: a body that grows would be copied, and twice as large for a
  // moment.
  if (size && static_cast<uint64_t>(*size) <= limits_.max_body_size) {
    exchange.request.body.reserve(static_cast<size_t>(*size));
  }
  if (size && static_cast<uint64_t>(*size) > limits_.max_body_size) {
    return refuse(exchange, connection, errors::payload_too_large(limits_.max_body_size));
  }
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
  if (exchange.request.body.size() + *size <= limits_.max_body_size && exchange.swallowed == 0) {
    exchange.request.body.append(data, *size);
  } else {
    // A chunked body beyond the limit: read on for a while so that the client can see the 413.
    exchange.request.body.clear();
    exchange.request.body.shrink_to_fit();
    exchange.swallowed += *size;
    if (exchange.swallowed > limits_.max_body_size) return MHD_NO;
  }
  *size = 0;
  return MHD_YES;
}

MHD_Result MhdServer::on_complete(Exchange& exchange, MHD_Connection* connection) {
  if (closing_) return MHD_NO;
  if (exchange.swallowed > 0) {
    return refuse(exchange, connection, errors::payload_too_large(limits_.max_body_size));
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

// -- its response goes out -----------------------------------------------------------------------

MHD_Response* MhdServer::make_response(Exchange& exchange) {
  if (exchange.source) {
    constexpr size_t kBlock = 64 * 1024;
    return MHD_create_response_from_callback(exchange.response.result_body_size, kBlock,
                                             &body_callback, &exchange, nullptr);
  }
  if (exchange.is_head) return make_head_response();
  const std::string& body = exchange.response.body;
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

// A value without any byte is none to libmicrohttpd; white space around values means nothing.
// Refused are only names and values that no header may have, and what libmicrohttpd sets itself.
void add_header(MHD_Response* response, const char* name, const char* value) {
  MHD_add_response_header(response, name, value[0] == '\0' ? " " : value);
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
  const auto got = exchange.source->read(buffer, size);
  if (!got) {
    return exchange.response.result_body_size == HttpResponse::kUnknownSize
               ? MHD_CONTENT_READER_END_OF_STREAM
               : MHD_CONTENT_READER_END_WITH_ERROR;
  }
  if (*got > 0) return static_cast<ssize_t>(*got);
  MHD_suspend_connection(exchange.connection);
  exchange.suspended = true;
  return 0;
}

// The request as the observer sees it.
class MhdEnded : public Ended {
 public:
  MhdEnded(const Exchange& exchange, MHD_Connection* connection) : connection_(connection) {
    method = exchange.method;
    target = exchange.target;
    version = exchange.version;
    if (exchange.answered && !exchange.gone) {
      response = &exchange.response;
      sent = exchange.source ? exchange.response.result_body_size
                             : uint64_t{exchange.response.body.size()};
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
  if (exchange->ticket != 0) exchanges_.erase(exchange->ticket);
  if (exchange->peer != nullptr) {
    exchange->peer->receiving = true;
    exchange->peer->since_seconds = monotonic_seconds();
  }
  delete exchange;
}

Exchange* MhdServer::find(Ticket ticket) {
  const auto it = exchanges_.find(ticket);
  return it == exchanges_.end() ? nullptr : it->second;
}

void MhdServer::resume(Exchange& exchange) {
  if (!exchange.suspended) return;
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

// -- the daemon ----------------------------------------------------------------------------------

bool MhdServer::open(int listen_socket) {
  const MHD_OptionItem options[] = {
      {MHD_OPTION_LISTEN_SOCKET, listen_socket, nullptr},
      {MHD_OPTION_CONNECTION_LIMIT, static_cast<intptr_t>(limits_.max_connections), nullptr},
      {MHD_OPTION_CONNECTION_MEMORY_LIMIT, static_cast<intptr_t>(limits_.connection_memory),
       nullptr},
      {MHD_OPTION_CONNECTION_TIMEOUT, static_cast<intptr_t>(limits_.idle_timeout), nullptr},
      {MHD_OPTION_UNESCAPE_CALLBACK, reinterpret_cast<intptr_t>(&unescape_nothing), nullptr},
      {MHD_OPTION_URI_LOG_CALLBACK, reinterpret_cast<intptr_t>(&uri_callback), this},
      {MHD_OPTION_NOTIFY_CONNECTION, reinterpret_cast<intptr_t>(&connection_callback), this},
      {MHD_OPTION_NOTIFY_COMPLETED, reinterpret_cast<intptr_t>(&completed_callback), this},
      {MHD_OPTION_END, 0, nullptr},
  };
  daemon_ = MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, nullptr, nullptr,
                             &request_callback, this, MHD_OPTION_ARRAY, options, MHD_OPTION_END);
  return daemon_ != nullptr;
}

MhdServer::~MhdServer() {
  if (daemon_ == nullptr) return;
  // libmicrohttpd cannot stop while connections are suspended.
  closing_ = true;
  for (auto& [ticket, exchange] : exchanges_) resume(*exchange);
  MHD_run(daemon_);
  MHD_stop_daemon(daemon_);
}

int64_t MhdServer::timeout_ms() {
  MHD_UNSIGNED_LONG_LONG ms = 0;
  if (MHD_get_timeout(daemon_, &ms) != MHD_YES) return -1;
  return static_cast<int64_t>(ms);
}

std::vector<Ticket> MhdServer::find_gone(const std::vector<Ticket>& tickets) {
  std::vector<pollfd> fds;
  std::vector<Ticket> polled, gone;
  for (const Ticket ticket : tickets) {
    const Exchange* exchange = find(ticket);
    if (exchange == nullptr) continue;
    const int socket = socket_of(exchange->connection);
    if (socket < 0) continue;
    fds.push_back({socket, POLLRDHUP, 0});
    polled.push_back(ticket);
  }
  if (fds.empty() || poll(fds.data(), fds.size(), 0) <= 0) return gone;
  for (size_t i = 0; i < fds.size(); i++) {
    if ((fds[i].revents & (POLLRDHUP | POLLHUP | POLLERR | POLLNVAL)) == 0) continue;
    gone.push_back(polled[i]);
    find(polled[i])->gone = true;
  }
  return gone;
}

Peer* MhdServer::on_connected(int socket) {
  auto peer = std::make_unique<Peer>();
  peer->socket = socket;
  peer->since_seconds = monotonic_seconds();
  Peer* key = peer.get();
  peers_.emplace(key, std::move(peer));
  return key;
}

void MhdServer::close_slow() {
  // libmicrohttpd closes the idle ones itself, after the same time: what is left is not idle.
  const int64_t limit = monotonic_seconds() - static_cast<int64_t>(limits_.idle_timeout) - 1;
  for (const auto& [key, peer] : peers_) {
    // It sees the end of the stream and closes.
    if (peer->receiving && peer->since_seconds < limit) shutdown(peer->socket, SHUT_RDWR);
  }
}

int MhdServer::drain() {
  if (draining_) return -1;
  draining_ = true;
  return MHD_quiesce_daemon(daemon_);
}

}  // namespace

std::unique_ptr<Server> Server::start(int listen_socket, const Limits& limits, Refusal refusal,
                                      Observer observer) {
  auto server = std::make_unique<MhdServer>(limits, std::move(refusal), std::move(observer));
  if (!server->open(listen_socket)) {
    close(listen_socket);
    return nullptr;
  }
  return server;
}

namespace {
void (*panic_handler)(const char*) = nullptr;

void on_panic(void*, const char*, unsigned, const char* reason) noexcept {
  if (panic_handler != nullptr) panic_handler(reason == nullptr ? "unknown" : reason);
  std::abort();
}
}  // namespace

void set_panic_handler(void (*handler)(const char* reason)) {
  panic_handler = handler;
  MHD_set_panic_func(&on_panic, nullptr);
}

}  // namespace pgrst::http
