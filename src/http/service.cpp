#include "http/service.hpp"

#include <unistd.h>

#include <algorithm>
#include <iterator>

namespace pgrst::http {

namespace {

constexpr size_t kMaxServers = 4;  // with connections
constexpr int64_t kRetryMs = 1000;

}  // namespace

Service::Change Service::listen(const Endpoint& endpoint, const Limits& limits, int64_t now_ms) {
  const bool same_endpoint = endpoint_ == endpoint;
  const bool same = same_endpoint && limits_ == limits;
  if (accepting_ && same) return Change::kNone;
  if (!same) try_at_ms_ = 0;
  if (now_ms < try_at_ms_) return Change::kNone;
  try_at_ms_ = now_ms + kRetryMs;
  Listening listening;
  if (accepting_ && same_endpoint) {
    listening.socket = servers_.back()->drain();
    listening.port = port_;
    listening.file = file_;
    accepting_ = false;
  } else {
    stop_accepting();
    listening = open_listener(endpoint);
  }
  endpoint_ = endpoint;
  limits_ = limits;
  problem_ = listening.problem;
  if (problem_.empty()) start(listening);
  if (!accepting_) port_ = 0;
  return accepting_ ? Change::kListening : Change::kFailed;
}

void Service::start(const Listening& listening) {
  file_ = listening.file;
  auto server = Server::start(listening.socket, limits_, clients_, refusal_, observer_);
  if (!server) {
    file_.remove();
    problem_ = "libmicrohttpd could not be started";
    return;
  }
  if (servers_.size() == kMaxServers) servers_.erase(servers_.begin());
  servers_.push_back(std::move(server));
  generation_++;
  accepting_ = true;
  port_ = listening.port;
}

void Service::stop_accepting() {
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
  std::vector<Arrival> arrivals;
  for (const auto& server : servers_) {
    auto some = server->take_arrivals();
    if (arrivals.empty()) {
      arrivals = std::move(some);
    } else {
      std::move(some.begin(), some.end(), std::back_inserter(arrivals));
    }
  }
  return arrivals;
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
