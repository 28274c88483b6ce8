// The HTTP listener: libmicrohttpd behind an interface of requests and responses.
//
// Input -> output: sockets -> HttpRequests with a ticket each; ticket and response -> bytes. It
// runs in the gateway's event loop (external epoll): the loop waits for epoll_fd(), calls run(),
// takes the complete requests, and answers them in any order, now or many turns later; meanwhile
// their connections are suspended. Callbacks of libmicrohttpd call out of this file only through
// BodySource, Refusal and Observer. Invariants: every ticket is answered exactly once, with
// respond(), stream() or drop(), also when its client has gone; requests that are malformed or too
// large get no ticket. No threads. Ownership: the Server owns the sockets and all memory of
// connections; callers own what they are given.
#pragma once

#include "core/before_postgres.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.hpp"
#include "core/http_message.hpp"
#include "http/tls.hpp"

namespace pgrst::http {

class BodyMemory;
class ClientCounts;

using Ticket = uint64_t;

struct Limits {
  unsigned max_connections = 1000;
  unsigned max_connections_per_address = 0;  // 0: no limit
  size_t connection_memory = 81920;          // bytes; bounds URL and headers
  uint64_t max_body_size = 0;                // bytes
  uint64_t max_body_memory = 0;              // bytes of all bodies; at least max_body_size
  unsigned idle_timeout = 60;                // seconds
  unsigned header_timeout = 30;              // seconds
  unsigned transfer_timeout = 30;            // seconds
  unsigned min_rate = 1024;                  // bytes a second, of transfers

  bool operator==(const Limits&) const = default;
};

struct Arrival {
  Ticket ticket;
  HttpRequest request;
};

// Where the bytes of a streamed body come from. Never blocks.
class BodySource {
 public:
  virtual ~BodySource() = default;
  // Bytes written to `buffer`; 0: none at the moment (call Server::continue_stream when there are).
  // nullopt: there will be no more although the announced size is not reached; the connection is
  // closed.
  virtual std::optional<size_t> read(char* buffer, size_t size) = 0;
  // Whether an executor waits until the bytes are taken.
  virtual bool holds_executor() const { return false; }
};

// A request that has ended. Views end with the call that it is passed to.
class Ended {
 public:
  virtual ~Ended() = default;
  // The address of the client; "unix" when it came by a unix socket.
  virtual std::string client() const = 0;
  // The first header with that name; empty: none.
  virtual std::string_view header(const char* name) const = 0;

  std::string_view method;
  std::string_view target;  // as it came
  std::string_view version;
  const HttpResponse* response = nullptr;  // null: the client has gone before it
  uint64_t received = 0;                   // bytes of the request's body
  uint64_t sent = 0;                       // bytes of the response's body
  int64_t duration_ns = 0;                 // from the last byte of the request to the response
};

// Called below libmicrohttpd for every request that libmicrohttpd has not refused itself: a pure
// function of C++.
using Observer = std::function<void(const Ended&)>;

// Makes the response to a request that is refused here. Called below libmicrohttpd: a pure
// function.
using Refusal = std::function<HttpResponse(const HttpRequest&, const Error&)>;

class Server {
 public:
  // Takes over the listening socket; speaks TLS with the identity unless it is empty. Null when
  // libmicrohttpd cannot start. `clients` and `bodies` outlive it.
  static std::unique_ptr<Server> start(int listen_socket, const Limits& limits,
                                       const TlsIdentity& identity, ClientCounts& clients,
                                       BodyMemory& bodies, Refusal refusal, Observer observer);
  // Closes all connections, answered or not.
  virtual ~Server() = default;

  virtual int epoll_fd() const = 0;
  // Reads and writes what the sockets allow, without waiting.
  virtual void run() = 0;
  // Milliseconds until run() has something to do by itself; 0: at once; -1: no such time.
  virtual int64_t timeout_ms() = 0;

  // The requests that have become complete since the last call.
  virtual std::vector<Arrival> take_arrivals() = 0;
  virtual bool has_arrivals() const = 0;

  // Whether the request's connection is still there.
  virtual bool knows(Ticket ticket) const = 0;
  // So many bytes more, of what bodies may take, until the request has ended; false: too many.
  virtual bool take_memory(Ticket ticket, uint64_t bytes) = 0;
  virtual void respond(Ticket ticket, HttpResponse response) = 0;
  // head.result_body_size bytes of body come from `source`, which lives until the response is sent;
  // HttpResponse::kUnknownSize: until there are no more.
  virtual void stream(Ticket ticket, HttpResponse head, std::unique_ptr<BodySource> source) = 0;
  virtual void continue_stream(Ticket ticket) = 0;

  // There is no answer: closes the connection.
  virtual void drop(Ticket ticket) noexcept = 0;
  // Requests that were handed out, and whose answers are not sent.
  virtual size_t open_requests() const = 0;

  // Closes connections whose clients take longer than the limits allow. To be called about once a
  // second.
  virtual void close_slow() = 0;
  // Requests wait for those who write streamed bodies: closes the connection of the client that
  // takes its body slowest, if it is slow. True when there was one. To be called some times a
  // second.
  virtual bool cut_slowest() = 0;

  // Tickets, of those given, whose client has closed its connection.
  virtual std::vector<Ticket> find_gone(const std::vector<Ticket>& tickets) = 0;

  // Every response from now on closes its connection, and no new connection is accepted. Returns
  // the listening socket, which is the caller's from now on; -1 the next time.
  virtual int drain() = 0;
  virtual unsigned open_connections() const = 0;
};

// Where to listen.
struct Endpoint {
  // As PostgREST writes it: "*" (any address), "*4" or "*6" (any, of that family if possible), "!4"
  // or "!6" (any, of that family only), a name or an address.
  std::string host;
  int port = 0;             // 0: a free one
  bool reuse_port = false;  // others may listen on it too
  // The path of a unix socket: host and port do not count then.
  std::string unix_socket;
  unsigned unix_socket_mode = 0660;
  TlsFiles tls;  // of host and port; not used with a unix socket

  bool operator==(const Endpoint&) const = default;
};

// The file of a unix socket that is listened on. Trivially destructible, so that a hook which runs
// at the end of a process can remove it.
struct SocketFile {
  char path[108] = "";  // empty: none
  uint64_t device = 0;
  uint64_t inode = 0;

  // Removes the file unless another has taken its place. Can be called again.
  void remove() noexcept;
};

struct Listening {
  int socket = -1;
  int port = 0;  // the port really used; 0 for a unix socket
  SocketFile file;
  std::string problem;  // not empty: nothing is open, and this says why
};
// Resolves names, which can take as long as the resolver does. A socket file that nobody listens on
// any more is replaced; other files are not.
Listening open_listener(const Endpoint& endpoint);

// "\"127.0.0.1\" port 3000" or "unix socket \"/tmp/x\"", for messages.
std::string to_text(const Endpoint& endpoint, int port);

// Called instead of abort() when libmicrohttpd finds its own state broken; must not return.
void set_panic_handler(void (*handler)(const char* reason));

}  // namespace pgrst::http
