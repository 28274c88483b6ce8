#include "http/server.hpp"

#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdarg>
#include <cstdlib>
#include <cstring>

#include "http/mhd_server.hpp"

namespace pgrst::http {

int socket_of(MHD_Connection* connection) {
  const auto* info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
  return info == nullptr ? -1 : info->connect_fd;
}

namespace {

// Splits the request target into path and query; "http://host/path" is an origin form with a
// prefix.
void set_target(HttpRequest& request, std::string_view target) {
  if (equals_ignoring_case(target.substr(0, 7), "http://") ||
      equals_ignoring_case(target.substr(0, 8), "https://")) {
    const size_t slash = target.find('/', target.find("//") + 2);
    target = slash == std::string_view::npos ? std::string_view("/") : target.substr(slash);
  }
  const size_t mark = target.find('?');
  request.path = target.substr(0, mark);
  if (mark != std::string_view::npos) request.query = target.substr(mark + 1);
}

// -- callbacks: no exception may leave them, and none calls out of the server --------------------

void* uri_callback(void* cls, const char* uri, MHD_Connection* connection) noexcept {
  try {
    if (uri == nullptr) uri = "";
    auto exchange = std::make_unique<Exchange>();
    exchange->server = static_cast<MhdServer*>(cls);
    exchange->server->note_progress();
    exchange->raw_target = uri;
    exchange->target = uri;
    set_target(exchange->request, uri);
    exchange->connection = connection;
    exchange->server->on_line(*exchange);
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
    server.note_progress();
    if (!exchange->seen) return server.on_headers(*exchange, connection, method, version);
    if (*upload_size > 0) return server.on_upload(*exchange, upload, upload_size);
    if (!exchange->dispatched) return server.on_complete(*exchange, connection);
    return server.send(*exchange, connection);
  } catch (...) {
    return MHD_NO;
  }
}

void completed_callback(void*, MHD_Connection* connection, void** con_cls,
                        MHD_RequestTerminationCode code) noexcept {
  auto* exchange = static_cast<Exchange*>(*con_cls);
  if (exchange == nullptr) return;
  exchange->server->note_progress();
  exchange->server->on_ended(exchange, connection, code == MHD_REQUEST_TERMINATED_COMPLETED_OK);
  *con_cls = nullptr;
}

// What libmicrohttpd has to say is not for the log of a server: any client can make it say it.
void trouble_callback(void* cls, const char*, va_list) noexcept {
  static_cast<MhdServer*>(cls)->on_trouble();
}

MHD_Result accept_callback(void* cls, const sockaddr* address, socklen_t size) noexcept {
  return static_cast<MhdServer*>(cls)->admits(address, size) ? MHD_YES : MHD_NO;
}

void connection_callback(void* cls, MHD_Connection* connection, void** socket_context,
                         MHD_ConnectionNotificationCode code) noexcept {
  auto* server = static_cast<MhdServer*>(cls);
  server->note_progress();
  try {
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
      *socket_context = server->on_connected(connection);
    } else if (*socket_context != nullptr) {
      server->on_disconnected(static_cast<Peer*>(*socket_context));
      *socket_context = nullptr;
    }
  } catch (...) {
    *socket_context = nullptr;  // not watched
  }
}

}  // namespace

// -- the daemon ----------------------------------------------------------------------------------

namespace {

// TLS 1.2 and 1.3, with what GnuTLS holds to be secure, but for CBC.
constexpr char kTlsPriorities[] =
    "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-AES-128-CBC:-AES-256-CBC:-SHA1:%SERVER_PRECEDENCE";

// As many connections as there may be open files beside others, of which this process then may have
// more than before. PostgreSQL finds no file to read when connections have taken them all.
unsigned connections_possible(unsigned wanted) {
  constexpr rlim_t kOthers = 128;
  rlimit files{};
  if (getrlimit(RLIMIT_NOFILE, &files) != 0) return wanted;
  const rlim_t needed = rlim_t{wanted} + kOthers;
  if (files.rlim_cur < needed) {
    const rlim_t before = files.rlim_cur;
    files.rlim_cur = std::min(needed, files.rlim_max);
    if (setrlimit(RLIMIT_NOFILE, &files) != 0) files.rlim_cur = before;
  }
  if (files.rlim_cur >= needed) return wanted;
  return files.rlim_cur > 2 * kOthers ? static_cast<unsigned>(files.rlim_cur - kOthers)
                                      : static_cast<unsigned>(files.rlim_cur / 2);
}

}  // namespace

bool MhdServer::open(int listen_socket, const TlsIdentity& identity) {
  is_lax_ = std::strncmp(MHD_get_version(), "0.", 2) == 0;
  std::vector<MHD_OptionItem> options = {
      {MHD_OPTION_LISTEN_SOCKET, listen_socket, nullptr},
      {MHD_OPTION_CONNECTION_LIMIT,
       static_cast<intptr_t>(connections_possible(limits_.max_connections)), nullptr},
      {MHD_OPTION_CONNECTION_MEMORY_LIMIT, static_cast<intptr_t>(limits_.connection_memory),
       nullptr},
      // From 1.0 on, libmicrohttpd reads requests to the letter; before, it refuses some of them
      // without an answer.
      {MHD_OPTION_STRICT_FOR_CLIENT, is_lax_ ? 0 : 1, nullptr},
      {MHD_OPTION_EXTERNAL_LOGGER, reinterpret_cast<intptr_t>(&trouble_callback), this},
      {MHD_OPTION_UNESCAPE_CALLBACK, reinterpret_cast<intptr_t>(&unescape_nothing), nullptr},
      {MHD_OPTION_URI_LOG_CALLBACK, reinterpret_cast<intptr_t>(&uri_callback), this},
      {MHD_OPTION_NOTIFY_CONNECTION, reinterpret_cast<intptr_t>(&connection_callback), this},
      {MHD_OPTION_NOTIFY_COMPLETED, reinterpret_cast<intptr_t>(&completed_callback), this},
  };
  unsigned flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG;
  if (!identity.empty()) {
    has_tls_ = true;
    flags |= MHD_USE_TLS;
    options.push_back({MHD_OPTION_HTTPS_PRIORITIES, 0, const_cast<char*>(kTlsPriorities)});
    options.push_back(
        {MHD_OPTION_HTTPS_MEM_CERT, 0, const_cast<char*>(identity.certificate.c_str())});
    options.push_back({MHD_OPTION_HTTPS_MEM_KEY, 0, const_cast<char*>(identity.key.c_str())});
  }
  options.push_back({MHD_OPTION_END, 0, nullptr});
  daemon_ = MHD_start_daemon(flags, 0, &accept_callback, this, &request_callback, this,
                             MHD_OPTION_ARRAY, options.data(), MHD_OPTION_END);
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

// As long as a handshake of TLS waits for the client, libmicrohttpd (up to 1.0.1 at least) holds
// its connection to be ready and wants to run again at once: one such client would keep a processor
// busy. Hence, when nothing has come of some runs in a row, it is run less often until a socket
// becomes ready. A block of a large body takes fewer runs than that.
namespace {
constexpr int kIdleRuns = 8;
constexpr int64_t kRestMs = 20;
}  // namespace

void MhdServer::run() {
  if (has_tls_) {
    pollfd sockets = {epoll_fd(), POLLIN, 0};
    if (poll(&sockets, 1, 0) > 0) note_progress();
    idle_runs_ = progress_ ? 0 : std::min(idle_runs_ + 1, kIdleRuns);
  }
  progress_ = false;
  MHD_run(daemon_);
  // What was heard without a word to us may be a request that was given up: the next run closes its
  // connection.
  again_ = !progress_ && !again_;
}

int64_t MhdServer::timeout_ms() {
  if (again_) return 0;
  MHD_UNSIGNED_LONG_LONG ms = 0;
  if (MHD_get_timeout(daemon_, &ms) != MHD_YES) return -1;
  const bool rests = has_tls_ && !progress_ && idle_runs_ == kIdleRuns;
  return std::max(static_cast<int64_t>(ms), rests ? kRestMs : 0);
}

int MhdServer::drain() {
  if (draining_) return -1;
  draining_ = true;
  return MHD_quiesce_daemon(daemon_);
}

std::unique_ptr<Server> Server::start(int listen_socket, const Limits& limits,
                                      const TlsIdentity& identity, ClientCounts& clients,
                                      BodyMemory& bodies, Refusal refusal, Observer observer) {
  auto server =
      std::make_unique<MhdServer>(limits, clients, bodies, std::move(refusal), std::move(observer));
  if (!server->open(listen_socket, identity)) {
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
