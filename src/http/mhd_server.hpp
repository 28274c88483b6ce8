// The server as libmicrohttpd runs it: its connections, and the requests on them. Known to the
// files of this folder that hold callbacks of libmicrohttpd and to no others: server.cpp (the
// daemon and its callbacks), exchange.cpp (a request comes in, its response goes out) and
// supervision.cpp (which connections there may be, and for how long). Ownership: the server owns
// Peers; libmicrohttpd owns an Exchange from the request line until on_ended().
#pragma once

#include "http/body_memory.hpp"
#include "http/client_counts.hpp"
#include "http/request_head.hpp"
#include "http/server.hpp"

#include <microhttpd.h>

#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace pgrst::http {

class MhdServer;

struct Exchange;

// A connection, between its requests too, and what supervision.cpp remembers of its last look at
// it.
struct Peer {
  int socket = -1;
  bool is_tcp = false;
  std::optional<ClientCounts::Key> client;
  Exchange* exchange = nullptr;  // from the end of a request's headers to the end of the response
  uint64_t requests = 0;         // that have ended
  int64_t since_ms = 0;          // when the last one ended, or the connection began
  int64_t looked_ms = 0;         // at the bytes that have come
  bool has_ended = false;        // the client sends no more, and all that it has sent is read
  int64_t begun_ms = -1;         // when the first byte of the next request had come; -1: not known

  // A transfer that is measured.
  struct Transfer {
    enum class Kind { kNone, kBody, kResponse };
    Kind kind = Kind::kNone;
    uint64_t request = 0;  // the value of `requests` then
    int64_t from_ms = 0;
    uint64_t progress = 0;
  } transfer;

  // A response that an executor waits for, while requests wait for executors.
  struct Pressure {
    uint64_t request = 0;
    int64_t from_ms = -1;  // -1: not looked yet
    uint64_t progress = 0;
  } pressure;
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
  const char* raw_method = nullptr;  // in libmicrohttpd's memory, until the headers have come
  const char* raw_target = nullptr;
  size_t room = 1024;       // bytes there for the headers of the response
  int64_t complete_ns = 0;  // when the request had come
  int64_t duration_ns = 0;  // from then to the response
  uint64_t received = 0;    // bytes of the body
  uint64_t announced = 0;   // bytes of the body, by its Content-Length; 0: not known
  uint64_t charged = 0;     // bytes of the body that BodyMemory knows of
  uint64_t swallowed = 0;   // bytes of a body beyond the limit
  uint64_t given = 0;       // bytes of a large or streamed body that libmicrohttpd has
  bool no_room = false;     // BodyMemory had none
  bool seen = false;        // the handler was called with the headers
  bool dispatched = false;
  Peer* peer = nullptr;
  bool suspended = false;
  bool answered = false;
  bool queued = false;      // libmicrohttpd has the response
  bool is_crammed = false;  // libmicrohttpd has no room for any answer
  bool is_head = false;
  bool gone = false;  // its client has closed the connection before the answer
  HttpResponse response;
  std::unique_ptr<BodySource> source;  // of a streamed body

  // Among those whose headers have not come.
  Exchange* previous = nullptr;
  Exchange* next = nullptr;
};

class MhdServer : public Server {
 public:
  MhdServer(const Limits& limits, ClientCounts& clients, BodyMemory& bodies, Refusal refusal,
            Observer observer)
      : limits_(limits),
        clients_(clients),
        bodies_(bodies),
        refusal_(std::move(refusal)),
        observer_(std::move(observer)) {}
  ~MhdServer() override;

  bool open(int listen_socket, const TlsIdentity& identity);

  int epoll_fd() const override {
    return MHD_get_daemon_info(daemon_, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
  }
  void run() override;
  int64_t timeout_ms() override;
  std::vector<Arrival> take_arrivals() override { return std::exchange(arrivals_, {}); }
  bool has_arrivals() const override { return !arrivals_.empty(); }
  bool knows(Ticket ticket) const override { return exchanges_.count(ticket) > 0; }
  bool take_memory(Ticket ticket, uint64_t bytes) override;
  void respond(Ticket ticket, HttpResponse response) override;
  void stream(Ticket ticket, HttpResponse head, std::unique_ptr<BodySource> source) override;
  void continue_stream(Ticket ticket) override;
  void drop(Ticket ticket) noexcept override;
  size_t open_requests() const override { return exchanges_.size(); }
  std::vector<Ticket> find_gone(const std::vector<Ticket>& tickets) override;
  void close_slow() override;
  bool cut_slowest() override;
  int drain() override;
  unsigned open_connections() const override {
    return MHD_get_daemon_info(daemon_, MHD_DAEMON_INFO_CURRENT_CONNECTIONS)->num_connections;
  }

  // To be called by whatever libmicrohttpd calls, and where it is given something to do.
  void note_progress() { progress_ = true; }

  // The bodies of the callbacks.
  void on_line(Exchange& exchange);
  void on_trouble() noexcept;
  MHD_Result on_headers(Exchange& exchange, MHD_Connection* connection, const char* method,
                        const char* version);
  MHD_Result on_upload(Exchange& exchange, const char* data, size_t* size);
  MHD_Result read_head(Exchange& exchange, MHD_Connection* connection, const char* method);
  MHD_Result expect_body(Exchange& exchange, MHD_Connection* connection);
  bool make_room(Exchange& exchange, size_t size);
  uint64_t max_body_memory() const;
  MHD_Result on_complete(Exchange& exchange, MHD_Connection* connection);
  MHD_Result send(Exchange& exchange, MHD_Connection* connection);
  ssize_t on_read_body(Exchange& exchange, char* buffer, size_t size);
  void on_ended(Exchange* exchange, MHD_Connection* connection, bool completed);
  bool admits(const sockaddr* address, socklen_t size) const;
  Peer* on_connected(MHD_Connection* connection);
  void on_disconnected(Peer* peer);

 private:
  Exchange* find(Ticket ticket);
  void resume(Exchange& exchange);
  MHD_Response* make_response(Exchange& exchange);
  MHD_Response* make_whole_response(Exchange& exchange);
  std::optional<Error> check_head(Exchange& exchange, MHD_Connection* connection,
                                  const std::vector<HeadBytes::Field>& fields);
  size_t room_for_answer(Exchange& exchange, MHD_Connection* connection, size_t head_size) const;
  void fit_headers(Exchange& exchange);
  void unlink(Exchange& exchange);
  void give_back(Exchange& exchange);
  void answer_directly(Exchange& exchange, const Error& error) noexcept;
  static BodyMemory::Client client_of(const Exchange& exchange);
  MHD_Result refuse_or_close(Exchange& exchange, MHD_Connection* connection, const Error& error);
  MHD_Result refuse(Exchange& exchange, MHD_Connection* connection, const Error& error);
  void observe(const Exchange& exchange, MHD_Connection* connection, bool completed);

  bool awaits_too_long(Peer& peer, int64_t now_ms) const;
  bool moves_too_slowly(Peer& peer, int64_t now_ms) const;

  Limits limits_;
  ClientCounts& clients_;
  BodyMemory& bodies_;
  Refusal refusal_;
  Observer observer_;
  MHD_Daemon* daemon_ = nullptr;
  bool has_tls_ = false;
  bool is_lax_ = false;    // libmicrohttpd reads more than HTTP allows
  bool progress_ = false;  // since the last run() began
  bool again_ = false;     // the last run() found nothing to do, and the one before did
  Exchange* heads_ = nullptr;
  int64_t looked_ms_ = 0;  // at slow clients
  int idle_runs_ = 0;      // in a row, with nothing to do
  bool draining_ = false;
  bool closing_ = false;
  bool closes_ = false;  // the connection, after the response that is being made
  // Never used twice in a process: answers to an earlier server's tickets must find nobody.
  inline static Ticket next_ticket_ = 1;
  std::vector<Arrival> arrivals_;
  std::unordered_map<Peer*, std::unique_ptr<Peer>> peers_;
  std::unordered_map<Ticket, Exchange*> exchanges_;  // dispatched and not ended
};

// Milliseconds, from a clock that is read for next to nothing.
int64_t coarse_ms();
int socket_of(MHD_Connection* connection);

}  // namespace pgrst::http
