// Which connections there may be, and for how long a client may keep one without doing its part.
//
//   what the client does          bound
//   nothing, between requests     idle_timeout since the last one
//   sends line and headers        header_timeout since their first byte (of the first request:
//                                 since it connected)
//   sends a body                  transfer_timeout: in that time, min_rate bytes for each second
//   takes a response              the same
//   waits for the response        none: that is not its part
//
// A client that has ended its side of the connection in the middle of a request is gone.
//
// Transfers are measured again from each look that found them fast enough: whoever was fast before
// gains nothing for later, and a large upload over a slow line is fine for as long as it takes.
// Whoever stops is found out after one to two times transfer_timeout. A response counts as taken
// where the client's system has acknowledged it. What libmicrohttpd could write tells less: the
// system takes megabytes before the client has read one, and then none until a good part of them is
// read.
//
// Two things are scarce, and who is slow loses them to those who wait: while bodies take half of
// their memory, a body must come at a rate that grows with what it takes; and while requests wait
// for executors, the slowest of the clients that an executor waits for is cut off.

#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>
#include <ctime>

#include "http/mhd_server.hpp"

namespace pgrst::http {

int64_t coarse_ms() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
  return int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1000000;
}

namespace {

// The clocks of since_ms and of the kernel are not of one precision.
constexpr int64_t kClockSlackMs = 20;

constexpr int kTcpCloseWait = 8;  // TCP_CLOSE_WAIT of <netinet/tcp.h>, which <linux/tcp.h> excludes

bool read_tcp_info(int socket, tcp_info& info) {
  socklen_t size = sizeof info;
  return getsockopt(socket, IPPROTO_TCP, TCP_INFO, &info, &size) == 0 &&
         size >= offsetof(tcp_info, tcpi_bytes_acked) + sizeof info.tcpi_bytes_acked;
}

bool is_tcp(const sockaddr* address, size_t size) {
  return address != nullptr && size >= sizeof address->sa_family &&
         (address->sa_family == AF_INET || address->sa_family == AF_INET6);
}

// What the client has of the response. Of a unix socket it is no number of bytes, but changes with
// it.
uint64_t response_progress(const Peer& peer) {
  tcp_info info{};
  if (peer.is_tcp && read_tcp_info(peer.socket, info)) return info.tcpi_bytes_acked;
  int queued = 0;
  ioctl(peer.socket, SIOCOUTQ, &queued);
  return (peer.exchange->given << 24) - static_cast<uint64_t>(queued);
}

// Looks for the end of what the client sends. libmicrohttpd misses it when it comes together with
// the last bytes. True at the second look that finds it, since GnuTLS may have held bytes at the
// first.
bool has_gone(Peer& peer, const tcp_info& info) {
  int unread = 0;
  const bool has_ended =
      info.tcpi_state == kTcpCloseWait && ioctl(peer.socket, SIOCINQ, &unread) == 0 && unread == 0;
  return std::exchange(peer.has_ended, has_ended) && has_ended;
}

// libmicrohttpd sees the end of the stream and closes.
void close_connection(const Peer& peer) {
  if (peer.exchange != nullptr && peer.exchange->answered) {
    // Or the system would keep what the client does not take.
    const linger at_once = {1, 0};
    setsockopt(peer.socket, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  }
  shutdown(peer.socket, SHUT_RDWR);
}

// While memory for bodies is scarce, a body must be able to come anew in that time.
constexpr uint64_t kScarceSeconds = 256;

// Who takes a response that fast is not cut off for those who wait: so many times min_rate, or that
// many bytes a second.
constexpr uint64_t kFastFactor = 64;
constexpr uint64_t kFastRate = 64 * 1024;
constexpr int64_t kPressureMs = 1000;  // for which a response is measured

int64_t milliseconds(unsigned seconds) { return int64_t{seconds} * 1000; }

}  // namespace

std::optional<ClientCounts::Key> ClientCounts::key_of(const sockaddr* address, size_t size) {
  if (!is_tcp(address, size)) return std::nullopt;
  Key key{};
  if (address->sa_family == AF_INET) {
    if (size < sizeof(sockaddr_in)) return std::nullopt;
    key[10] = key[11] = 0xff;
    std::memcpy(&key[12], &reinterpret_cast<const sockaddr_in*>(address)->sin_addr, 4);
    return key;
  }
  if (size < sizeof(sockaddr_in6)) return std::nullopt;
  const in6_addr& ip = reinterpret_cast<const sockaddr_in6*>(address)->sin6_addr;
  std::memcpy(key.data(), &ip, IN6_IS_ADDR_V4MAPPED(&ip) ? 16 : 8);
  return key;
}

bool MhdServer::admits(const sockaddr* address, socklen_t size) const {
  if (limits_.max_connections_per_address == 0) return true;
  const auto client = ClientCounts::key_of(address, size);
  return !client || clients_.count(*client) < limits_.max_connections_per_address;
}

Peer* MhdServer::on_connected(MHD_Connection* connection) {
  auto peer = std::make_unique<Peer>();
  peer->socket = socket_of(connection);
  peer->since_ms = peer->looked_ms = coarse_ms();
  const auto* info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
  if (info != nullptr && info->client_addr != nullptr) {
    const sockaddr* address = info->client_addr;
    const bool is_v6 = address->sa_family == AF_INET6;
    peer->is_tcp = is_v6 || address->sa_family == AF_INET;
    if (peer->is_tcp) {
      peer->client =
          ClientCounts::key_of(address, is_v6 ? sizeof(sockaddr_in6) : sizeof(sockaddr_in));
    }
  }
  Peer* key = peer.get();
  const auto client = peer->client;
  peers_.emplace(key, std::move(peer));
  if (client) clients_.add(*client);
  return key;
}

void MhdServer::on_disconnected(Peer* peer) {
  if (peer->client) clients_.remove(*peer->client);
  peers_.erase(peer);
}

bool MhdServer::awaits_too_long(Peer& peer, int64_t now_ms) const {
  const bool is_new = peer.requests == 0;
  const int64_t for_headers = milliseconds(limits_.header_timeout);
  const int64_t for_silence = milliseconds(limits_.idle_timeout);
  const int64_t silent_until =
      peer.since_ms + (is_new ? std::min(for_silence, for_headers) : for_silence);
  const int64_t look_at = std::min(peer.looked_ms + for_headers / 8, silent_until);
  tcp_info info{};
  if (peer.is_tcp && (peer.has_ended || now_ms >= look_at) && read_tcp_info(peer.socket, info)) {
    if (peer.begun_ms < 0 && now_ms - info.tcpi_last_data_recv > peer.since_ms + kClockSlackMs) {
      peer.begun_ms = is_new ? peer.since_ms : std::max(peer.since_ms, peer.looked_ms);
    }
    peer.looked_ms = now_ms;
    if (has_gone(peer, info)) return true;
  }
  return now_ms >= (peer.begun_ms < 0 ? silent_until : peer.begun_ms + for_headers);
}

bool MhdServer::moves_too_slowly(Peer& peer, int64_t now_ms) const {
  using Kind = Peer::Transfer::Kind;
  const Exchange& exchange = *peer.exchange;
  Peer::Transfer now;
  if (!exchange.dispatched) {
    tcp_info info{};
    if (peer.is_tcp && read_tcp_info(peer.socket, info) && has_gone(peer, info)) return true;
    now.kind = Kind::kBody;
  } else if (exchange.answered && !exchange.suspended) {
    now.kind = Kind::kResponse;
  }
  now.request = peer.requests;
  now.from_ms = now_ms;
  const bool is_same = now.kind == peer.transfer.kind && now.request == peer.transfer.request;
  const int64_t period = milliseconds(limits_.transfer_timeout);
  if (now.kind == Kind::kNone || (is_same && now_ms < peer.transfer.from_ms + period)) {
    if (!is_same) peer.transfer = now;
    return false;
  }
  now.progress = now.kind == Kind::kBody ? exchange.received : response_progress(peer);
  const Peer::Transfer before = std::exchange(peer.transfer, now);
  if (!is_same) return false;
  const uint64_t moved = now.progress - before.progress;
  const bool counts_bytes = now.kind == Kind::kBody || peer.is_tcp;
  uint64_t rate = limits_.min_rate;
  if (now.kind == Kind::kBody && bodies_.is_scarce(max_body_memory())) {
    rate = std::max(rate, exchange.charged / kScarceSeconds);
  }
  const uint64_t due = counts_bytes ? rate * limits_.transfer_timeout : 1;
  return moved == 0 || moved < due;
}

bool MhdServer::cut_slowest() {
  const int64_t now = coarse_ms();
  uint64_t least = std::max(kFastFactor * limits_.min_rate, kFastRate);
  Peer* slowest = nullptr;
  for (const auto& [key, peer] : peers_) {
    const Exchange* exchange = peer->exchange;
    if (exchange == nullptr || !exchange->answered || exchange->suspended || !exchange->source ||
        !exchange->source->holds_executor()) {
      continue;
    }
    Peer::Pressure& before = peer->pressure;
    const int64_t age = now - before.from_ms;
    if (before.from_ms >= 0 && before.request == peer->requests && age < kPressureMs) continue;
    const uint64_t progress = response_progress(*peer);
    const bool is_measured =
        before.from_ms >= 0 && before.request == peer->requests && age < 3 * kPressureMs;
    const uint64_t moved = progress - before.progress;
    before = {peer->requests, now, progress};
    if (!is_measured) continue;
    const uint64_t rate =
        peer->is_tcp || moved == 0 ? moved * 1000 / static_cast<uint64_t>(age) : UINT64_MAX;
    if (rate >= least) continue;
    least = rate;
    slowest = peer.get();
  }
  if (slowest == nullptr) return false;
  close_connection(*slowest);
  return true;
}

void MhdServer::close_slow() {
  constexpr int64_t kPauseMs = 5000;
  const int64_t now = coarse_ms();
  // Who could not move on because this process did not is measured anew.
  const bool has_paused = now - std::exchange(looked_ms_, now) > kPauseMs;
  for (const auto& [key, peer] : peers_) {
    if (has_paused) peer->transfer = {};
    const bool slow =
        peer->exchange == nullptr ? awaits_too_long(*peer, now) : moves_too_slowly(*peer, now);
    if (slow) close_connection(*peer);
  }
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

}  // namespace pgrst::http
