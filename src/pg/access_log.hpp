// Where the lines of the access log go: the server log, or a file of their own.
//
// Input -> output: lines, collected during a turn of the gateway's loop -> one write at its end. A
// file is opened for appending, and anew when its name changes or reopen() asks for it, as after a
// log rotation. One that cannot be opened or written is reported once, and the server log takes the
// lines.
#pragma once

#include <ctime>
#include <string>
#include <string_view>
#include <vector>

#include "pg/pg_prelude.hpp"

namespace pgrst::pg {

class AccessLog {
 public:
  ~AccessLog() { close(); }

  // A relative path starts in the data directory; empty: the server log.
  void set_file(const std::string& path);
  void reopen();

  void add(std::string line) { lines_.push_back(std::move(line)); }
  // SQL goes to the server log always.
  void add_query(std::string_view sql);
  void flush();

  // Takes the present time for lines.
  void tick();
  // That time, in log_timezone.
  std::string_view time() const { return time_text_; }

 private:
  void open();
  void close();
  bool write_lines();
  void report(const char* what, int error_number);

  std::string path_;
  int file_ = -1;
  std::vector<std::string> lines_;
  std::vector<std::string> queries_;
  time_t time_at_ = 0;
  char time_text_[48] = "";
};

}  // namespace pgrst::pg
