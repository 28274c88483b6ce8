#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "http/server.hpp"

namespace pgrst::http {

namespace {

constexpr int kBacklog = 2048;

struct Candidate {
  int family = AF_UNSPEC;
  const char* host = nullptr;  // null: any address
};

// The address families to try, in order.
std::vector<Candidate> candidates(const std::string& host) {
  if (host == "*") return {{AF_INET6, nullptr}, {AF_INET, nullptr}};
  if (host == "*4") return {{AF_INET, nullptr}, {AF_INET6, nullptr}};
  if (host == "!4") return {{AF_INET, nullptr}};
  if (host == "*6") return {{AF_INET6, nullptr}, {AF_INET, nullptr}};
  if (host == "!6") return {{AF_INET6, nullptr}};
  return {{AF_UNSPEC, host.c_str()}};
}

int bound_port(int socket) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size) != 0) return 0;
  if (address.ss_family == AF_INET6) {
    return ntohs(reinterpret_cast<sockaddr_in6*>(&address)->sin6_port);
  }
  return ntohs(reinterpret_cast<sockaddr_in*>(&address)->sin_port);
}

// -1, with errno as it was before the socket was closed.
int close_failed(int fd) {
  const int saved = errno;
  close(fd);
  errno = saved;
  return -1;
}

// A listening socket, or -1 with errno.
int try_listen(const addrinfo& info, const Endpoint& endpoint) {
  const int fd =
      socket(info.ai_family, info.ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, info.ai_protocol);
  if (fd < 0) return -1;
  const int on = 1;
  const int v6only = endpoint.host == "!6" ? 1 : 0;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (endpoint.reuse_port && setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) != 0) {
    return close_failed(fd);
  }
  if (info.ai_family == AF_INET6) setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &v6only, sizeof v6only);
  if (bind(fd, info.ai_addr, info.ai_addrlen) == 0 && listen(fd, kBacklog) == 0) return fd;
  return close_failed(fd);
}

std::string problem_of(const Endpoint& endpoint, const char* why) {
  return "could not listen on " + to_text(endpoint, endpoint.port) + ": " + why;
}

Listening listen_on_host(const Endpoint& endpoint) {
  Listening out;
  const std::string service = std::to_string(endpoint.port);
  for (const auto& candidate : candidates(endpoint.host)) {
    addrinfo hints{};
    hints.ai_family = candidate.family;
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
    addrinfo* found = nullptr;
    if (const int rc = getaddrinfo(candidate.host, service.c_str(), &hints, &found); rc != 0) {
      out.problem = "could not resolve \"" + endpoint.host + "\": " + gai_strerror(rc);
      continue;
    }
    for (const addrinfo* info = found; info != nullptr && out.socket < 0; info = info->ai_next) {
      out.socket = try_listen(*info, endpoint);
      if (out.socket < 0) out.problem = problem_of(endpoint, strerror(errno));
    }
    freeaddrinfo(found);
    if (out.socket >= 0) break;
  }
  if (out.socket >= 0) {
    out.problem.clear();
    out.port = bound_port(out.socket);
  }
  return out;
}

// Whether a server listens there now.
bool is_listened_on(const sockaddr_un& address) {
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return true;  // cannot tell: touch nothing
  const bool refused =
      connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 &&
      errno == ECONNREFUSED;
  close(fd);
  return !refused;
}

// Makes room for a socket file; what stands in the way, or null.
const char* remove_stale_file(const sockaddr_un& address) {
  struct stat info {};
  if (lstat(address.sun_path, &info) != 0) return errno == ENOENT ? nullptr : strerror(errno);
  if (!S_ISSOCK(info.st_mode)) return "a file that is not a socket is there";
  if (is_listened_on(address)) return "another server listens on it";
  return unlink(address.sun_path) == 0 || errno == ENOENT ? nullptr : strerror(errno);
}

// Nobody can connect before listen(): the mode holds from the first connection on.
bool bind_and_listen(int fd, const sockaddr_un& address, unsigned mode, SocketFile& file) {
  if (bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return false;
  struct stat info {};
  if (lstat(address.sun_path, &info) != 0) return false;
  std::memcpy(file.path, address.sun_path, sizeof file.path);
  file.device = info.st_dev;
  file.inode = info.st_ino;
  return chmod(address.sun_path, static_cast<mode_t>(mode)) == 0 && listen(fd, kBacklog) == 0;
}

Listening listen_on_file(const Endpoint& endpoint) {
  static_assert(sizeof SocketFile::path == sizeof sockaddr_un::sun_path);
  Listening out;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (endpoint.unix_socket.size() >= sizeof address.sun_path) {
    out.problem = problem_of(endpoint, "the path is too long");
    return out;
  }
  endpoint.unix_socket.copy(address.sun_path, sizeof address.sun_path - 1);
  if (const char* obstacle = remove_stale_file(address)) {
    out.problem = problem_of(endpoint, obstacle);
    return out;
  }
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd >= 0 && bind_and_listen(fd, address, endpoint.unix_socket_mode, out.file)) {
    out.socket = fd;
    return out;
  }
  out.problem = problem_of(endpoint, strerror(errno));
  if (fd >= 0) close(fd);
  out.file.remove();
  return out;
}

}  // namespace

void SocketFile::remove() noexcept {
  if (path[0] == '\0') return;
  struct stat info {};
  if (lstat(path, &info) == 0 && info.st_dev == device && info.st_ino == inode) unlink(path);
  path[0] = '\0';
}

std::string to_text(const Endpoint& endpoint, int port) {
  if (!endpoint.unix_socket.empty()) return "unix socket \"" + endpoint.unix_socket + "\"";
  return "\"" + endpoint.host + "\" port " + std::to_string(port);
}

Listening open_listener(const Endpoint& endpoint) {
  return endpoint.unix_socket.empty() ? listen_on_host(endpoint) : listen_on_file(endpoint);
}

}  // namespace pgrst::http
