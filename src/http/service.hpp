// A service: what is served at one endpoint, by one server after the other.
//
// Input -> output: Endpoint and Limits -> a listening Server, opened anew when they change. With
// other limits or another certificate only, a new server goes on with the same socket, so that
// nobody is turned away; should the certificate be of no use, the old server goes on as it was. The
// last server accepts connections; those before it answer what they have, and end with their last
// connection. An endpoint that cannot be opened is tried again, about once a second.
#pragma once

#include "core/before_postgres.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "http/body_memory.hpp"
#include "http/client_counts.hpp"
#include "http/server.hpp"

namespace pgrst::http {

class Service {
 public:
  enum class Change { kNone, kListening, kKept, kFailed };

  // file: where the socket file in use is noted; it outlives the Service, so that a hook at the end
  // of the process can remove the file.
  Service(SocketFile& file, Refusal refusal, Observer observer)
      : file_(file), refusal_(std::move(refusal)), observer_(std::move(observer)) {}

  // Listens there, if it does not yet. kKept, kFailed: problem() says why not; it is listened as
  // before, or not at all.
  Change listen(const Endpoint& endpoint, const Limits& limits, int64_t now_ms);
  bool speaks_tls() const { return !endpoint_.tls.empty() && endpoint_.unix_socket.empty(); }
  // The files of the certificate are to be looked at again by the next listen().
  void reread_files() { files_changed_ = !endpoint_.tls.empty(); }
  // What was accepted is served on.
  void stop_accepting();
  // Closes all connections, answered or not.
  void close();

  bool accepting() const { return accepting_; }
  int port() const { return port_; }  // 0: none
  const std::string& problem() const { return problem_; }
  std::string where() const;

  void run();
  void close_slow();
  bool has_arrivals() const;
  // Those of one server: look at has_arrivals() afterwards.
  std::vector<Arrival> take_arrivals();
  // Milliseconds; -1: no such time.
  int64_t timeout_ms() const;
  unsigned open_connections() const;
  size_t open_requests() const;

  // Of a ticket; null when its connection has gone.
  Server* server_of(Ticket ticket) const;
  const std::vector<std::unique_ptr<Server>>& servers() const { return servers_; }
  // Grows when servers() changes.
  uint64_t generation() const { return generation_; }
  void forget_ended();

 private:
  bool replace(TlsIdentity& identity);
  bool open(TlsIdentity& identity);
  bool start(int socket, TlsIdentity& identity);

  SocketFile& file_;
  Refusal refusal_;
  Observer observer_;
  ClientCounts clients_;
  BodyMemory bodies_;
  std::vector<std::unique_ptr<Server>> servers_;
  bool accepting_ = false;  // the last one of them
  bool settled_ = false;    // what was asked for last is how it is
  bool files_changed_ = false;
  int socket_ = -1;  // that is listened on; the last server owns it
  int port_ = 0;
  Endpoint endpoint_;  // asked for
  Endpoint place_;     // listened on
  Limits limits_;
  TlsIdentity identity_;
  std::string problem_;
  int64_t try_at_ms_ = 0;
  uint64_t generation_ = 0;
};

}  // namespace pgrst::http
