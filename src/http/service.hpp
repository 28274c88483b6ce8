// A service: what is served at one endpoint, by one server after the other.
//
// Input -> output: Endpoint and Limits -> a listening Server, opened anew when they change. With
// other limits only, a new server goes on with the same socket, so that nobody is turned away. The
// last server accepts connections; those before it answer what they have, and end with their last
// connection. An endpoint that cannot be opened is tried again, about once a second.
#pragma once

#include "core/before_postgres.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "http/client_counts.hpp"
#include "http/server.hpp"

namespace pgrst::http {

class Service {
 public:
  enum class Change { kNone, kListening, kFailed };

  // file: where the socket file in use is noted; it outlives the Service, so that a hook at the end
  // of the process can remove the file.
  Service(SocketFile& file, Refusal refusal, Observer observer)
      : file_(file), refusal_(std::move(refusal)), observer_(std::move(observer)) {}

  // Listens there, if it does not yet. kFailed: problem() says why, and nothing is listened on.
  Change listen(const Endpoint& endpoint, const Limits& limits, int64_t now_ms);
  // What was accepted is served on.
  void stop_accepting();
  // Closes all connections, answered or not.
  void close();

  bool accepting() const { return accepting_; }
  int port() const { return port_; }  // 0: none
  const std::string& problem() const { return problem_; }
  std::string where() const { return to_text(endpoint_, port_); }

  void run();
  void close_slow();
  bool has_arrivals() const;
  std::vector<Arrival> take_arrivals();
  // Milliseconds; -1: no such time.
  int64_t timeout_ms() const;
  unsigned open_connections() const;

  // Of a ticket; null when its connection has gone.
  Server* server_of(Ticket ticket) const;
  const std::vector<std::unique_ptr<Server>>& servers() const { return servers_; }
  // Grows when servers() changes.
  uint64_t generation() const { return generation_; }
  void forget_ended();

 private:
  void start(const Listening& listening);

  SocketFile& file_;
  Refusal refusal_;
  Observer observer_;
  ClientCounts clients_;
  std::vector<std::unique_ptr<Server>> servers_;
  bool accepting_ = false;  // the last one of them
  int port_ = 0;
  Endpoint endpoint_;
  Limits limits_;
  std::string problem_;
  int64_t try_at_ms_ = 0;
  uint64_t generation_ = 0;
};

}  // namespace pgrst::http
