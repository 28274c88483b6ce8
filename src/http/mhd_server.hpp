// The server as libmicrohttpd runs it: its connections, and the requests on them. Known to the
// files of this folder that hold callbacks of libmicrohttpd and to no others: server.cpp (the
// daemon, its callbacks and its connections) and exchange.cpp (a request comes in, its response
// goes out). Ownership: the server owns Peers; libmicrohttpd owns an Exchange from the request line
// until on_ended().
#pragma once

#include "http/server.hpp"

#include <microhttpd.h>

#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace pgrst::http {

class MhdServer;

// A connection, between its requests too.
struct Peer {
  int socket = -1;
  bool receiving = true;      // a request's line and headers are awaited
  int64_t since_seconds = 0;  // since when
};

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
  Peer* peer = nullptr;
  bool suspended = false;
  bool answered = false;
  bool is_head = false;
  HttpResponse response;
  std::unique_ptr<BodySource> source;  // of a streamed body
};

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

int64_t monotonic_seconds();
int socket_of(MHD_Connection* connection);

}  // namespace pgrst::http
