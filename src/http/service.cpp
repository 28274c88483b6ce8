#include "http/service.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <iterator>
#include <variant>

#include "core/clock.hpp"

namespace pgrst::http {

namespace {

constexpr size_t kMaxServers = 4;  // with connections
constexpr int64_t kRetryMs = 1000;

bool is_same_place(Endpoint a, const Endpoint& b) {
  a.tls = b.tls;
  return a == b;
}

}  // namespace

Service::Change Service::listen(const Endpoint& endpoint, const Limits& limits, int64_t now_ms) {
  const bool same = endpoint_ == endpoint && limits_ == limits && !files_changed_;
  if (settled_ && same) return Change::kNone;
  if (!same) try_at_ms_ = 0;
  if (now_ms < try_at_ms_) return Change::kNone;
  try_at_ms_ = now_ms + kRetryMs;
  const bool only_files = settled_ && endpoint_ == endpoint && limits_ == limits;
  endpoint_ = endpoint;
  limits_ = limits;
  files_changed_ = false;
  settled_ = false;
  auto read = read_tls_files(endpoint.unix_socket.empty() ? endpoint.tls : TlsFiles());
  if (auto* problem = std::get_if<std::string>(&read)) {
    problem_ = std::move(*problem);
    return accepting_ ? Change::kKept : Change::kFailed;
  }
  auto& identity = std::get<TlsIdentity>(read);
  if (only_files && accepting_ && identity == identity_) {
    settled_ = true;
    return Change::kNone;
  }
  const int64_t begun_ms = monotonic_ms();
  settled_ = accepting_ && is_same_place(endpoint, place_) ? replace(identity) : open(identity);
  if (settled_) return Change::kListening;
  // A name that cannot be resolved can take its time, in which nobody is served.
  try_at_ms_ += 10 * (monotonic_ms() - begun_ms);
  return accepting_ ? Change::kKept : Change::kFailed;
}

// A new server on the socket of the last one, which goes on should that fail.
bool Service::replace(TlsIdentity& identity) {
  const int socket = fcntl(socket_, F_DUPFD_CLOEXEC, 0);
  if (socket < 0) {
    problem_ = std::string("could not duplicate the listening socket: ") + strerror(errno);
    return false;
  }
  Server& last = *servers_.back();
  if (!start(socket, identity)) return false;
  ::close(last.drain());
  return true;
}

bool Service::open(TlsIdentity& identity) {
  stop_accepting();
  const Listening listening = open_listener(endpoint_);
  problem_ = listening.problem;
  if (!problem_.empty()) return false;
  file_ = listening.file;
  if (!start(listening.socket, identity)) {
    file_.remove();
    return false;
  }
  port_ = listening.port;
  return true;
}

bool Service::start(int socket, TlsIdentity& identity) {
  auto server = Server::start(socket, limits_, identity, clients_, bodies_, refusal_, observer_);
  if (!server) {
    problem_ = "libmicrohttpd could not be started";
    return false;
  }
  if (servers_.size() == kMaxServers) servers_.erase(servers_.begin());
  servers_.push_back(std::move(server));
  generation_++;
  accepting_ = true;
  socket_ = socket;
  identity_ = std::move(identity);
  place_ = endpoint_;
  problem_.clear();
  return true;
}

void Service::stop_accepting() {
  settled_ = false;
  if (!accepting_) return;
  file_.remove();
  if (const int socket = servers_.back()->drain(); socket >= 0) ::close(socket);
  accepting_ = false;
  port_ = 0;
}

void Service::close() {
  stop_accepting();
  if (servers_.empty()) return;
  servers_.clear();
  generation_++;
}

std::string Service::where() const {
  return to_text(place_, port_) + (identity_.empty() ? "" : " with TLS");
}

void Service::run() {
  for (const auto& server : servers_) server->run();
}

void Service::close_slow() {
  for (const auto& server : servers_) server->close_slow();
}

bool Service::has_arrivals() const {
  return std::any_of(servers_.begin(), servers_.end(),
                     [](const auto& server) { return server->has_arrivals(); });
}

std::vector<Arrival> Service::take_arrivals() {
  for (const auto& server : servers_) {
    if (server->has_arrivals()) return server->take_arrivals();
  }
  return {};
}

int64_t Service::timeout_ms() const {
  int64_t least = -1;
  for (const auto& server : servers_) {
    const int64_t ms = server->timeout_ms();
    if (ms >= 0 && (least < 0 || ms < least)) least = ms;
  }
  return least;
}

unsigned Service::open_connections() const {
  unsigned sum = 0;
  for (const auto& server : servers_) sum += server->open_connections();
  return sum;
}

size_t Service::open_requests() const {
  size_t sum = 0;
  for (const auto& server : servers_) sum += server->open_requests();
  return sum;
}

Server* Service::server_of(Ticket ticket) const {
  for (const auto& server : servers_) {
    if (server->knows(ticket)) return server.get();
  }
  return nullptr;
}

void Service::forget_ended() {
  if (servers_.size() < 2) return;
  const auto ended = std::remove_if(servers_.begin(), servers_.end() - 1, [](const auto& server) {
    return server->open_connections() == 0;
  });
  if (ended == servers_.end() - 1) return;
  servers_.erase(ended, servers_.end() - 1);
  generation_++;
}

}  // namespace pgrst::http
