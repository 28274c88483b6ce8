#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
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

// A listening socket, or -1 with errno.
int try_listen(const addrinfo& info, bool only_v6) {
  const int fd =
      socket(info.ai_family, info.ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, info.ai_protocol);
  if (fd < 0) return -1;
  const int on = 1;
  const int v6only = only_v6 ? 1 : 0;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (info.ai_family == AF_INET6) setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &v6only, sizeof v6only);
  if (bind(fd, info.ai_addr, info.ai_addrlen) == 0 && listen(fd, kBacklog) == 0) return fd;
  const int saved = errno;
  close(fd);
  errno = saved;
  return -1;
}

}  // namespace

Listening open_listener(const std::string& host, int port) {
  Listening out;
  const std::string service = std::to_string(port);
  for (const auto& candidate : candidates(host)) {
    addrinfo hints{};
    hints.ai_family = candidate.family;
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
    addrinfo* found = nullptr;
    if (const int rc = getaddrinfo(candidate.host, service.c_str(), &hints, &found); rc != 0) {
      out.problem = "could not resolve \"" + host + "\": " + gai_strerror(rc);
      continue;
    }
    for (const addrinfo* info = found; info != nullptr && out.socket < 0; info = info->ai_next) {
      out.socket = try_listen(*info, host == "!6");
      if (out.socket < 0) {
        out.problem =
            "could not listen on \"" + host + "\" port " + service + ": " + strerror(errno);
      }
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

}  // namespace pgrst::http
