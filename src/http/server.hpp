// The HTTP listener: libmicrohttpd behind an interface of requests and responses.
//
// Input -> output: sockets -> HttpRequests with a ticket each; ticket and response -> bytes. It
// runs in the gateway's event loop (external epoll): the loop waits for epoll_fd(), calls run(),
// takes the complete requests, and answers them in any order, now or many turns later; meanwhile
// their connections are suspended. No callback of libmicrohttpd calls out of this file. Invariants:
// every ticket is answered exactly once, with respond() or stream(), also when its client has gone;
// a body beyond the limit is answered here (413). No threads. Ownership: the Server owns the
// sockets and all memory of connections; callers own what they are given.
#pragma once

#include "core/before_postgres.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/error.hpp"
#include "core/http_message.hpp"

namespace pgrst::http {

using Ticket = uint64_t;

struct Limits {
  unsigned max_connections = 1000;
  size_t connection_memory = 32768;  // bytes; bounds URL and headers
  uint64_t max_body_size = 0;        // bytes
  unsigned idle_timeout = 60;        // seconds

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
};

class Server {
 public:
  // Takes over the listening socket. Null when libmicrohttpd cannot start.
  static std::unique_ptr<Server> start(int listen_socket, const Limits& limits);
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

  virtual void respond(Ticket ticket, HttpResponse response) = 0;
  // head.result_body_size bytes of body come from `source`, which lives until the response is sent.
  virtual void stream(Ticket ticket, HttpResponse head, std::unique_ptr<BodySource> source) = 0;
  virtual void continue_stream(Ticket ticket) = 0;

  // Closes connections that have not completed a request's line and headers within the idle
  // time-out: one that sends a byte now and then is never idle. To be called about once a second.
  virtual void close_slow() = 0;

  // Tickets, of those given, whose client has closed its connection.
  virtual std::vector<Ticket> find_gone(const std::vector<Ticket>& tickets) = 0;

  // Every response from now on closes its connection, and no new connection is accepted.
  virtual void drain() = 0;
  virtual unsigned open_connections() const = 0;
};

// Opens the listening socket for a host as PostgREST writes it: "*" (any address), "*4" or "*6"
// (any, of that family if possible), "!4" or "!6" (any, of that family only), a name or an address.
struct Listening {
  int socket = -1;
  int port = 0;         // the port really used (a setting of 0 takes a free one)
  std::string problem;  // not empty: nothing is open, and this says why
};
Listening open_listener(const std::string& host, int port);

// Called instead of abort() when libmicrohttpd finds its own state broken; must not return.
void set_panic_handler(void (*handler)(const char* reason));

}  // namespace pgrst::http
