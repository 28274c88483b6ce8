#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "pg/guard.hpp"

#include "pg/access_log.hpp"

#include "pg/compat.hpp"

extern "C" {
#include "miscadmin.h"
#include "pgtime.h"
}

namespace pgrst::pg {

namespace {

constexpr size_t kMaxQuery = 16 * 1024;  // bytes of a logged query

void px_log(const char* text) {
  ereport(LOG, (errmsg_internal("%s", text), errhidestmt(true), errhidecontext(true)));
}

}  // namespace

void AccessLog::set_file(const std::string& path) {
  if (path == path_) return;
  path_ = path;
  reopen();
}

void AccessLog::reopen() {
  close();
  open();
}

void AccessLog::open() {
  if (path_.empty()) return;
  const std::string path = path_[0] == '/' ? path_ : std::string(DataDir) + "/" + path_;
  // Whatever is there, a pipe for example: neither opening nor writing may wait.
  constexpr int kFlags = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
  file_ = ::open(path.c_str(), kFlags, 0640);
  if (file_ < 0) report("opened", errno);
}

void AccessLog::close() {
  if (file_ >= 0) ::close(file_);
  file_ = -1;
}

void AccessLog::report(const char* what, int error_number) {
  (void)guard([&] {
    ereport(WARNING, (errmsg("postgrest_ext: the access log \"%s\" could not be %s: %s",
                             path_.c_str(), what, strerror(error_number))));
  });
}

void AccessLog::add_query(std::string_view sql) {
  std::string line = "postgrest_ext: query: ";
  for (const char c : sql.substr(0, kMaxQuery)) line += c == '\n' ? ' ' : c;
  queries_.push_back(std::move(line));
}

bool AccessLog::write_lines() {
  std::string bytes;
  for (const auto& line : lines_) bytes.append(line).append("\n");
  for (size_t done = 0; done < bytes.size();) {
    const ssize_t n = ::write(file_, bytes.data() + done, bytes.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      report("written", errno);
      close();
      return false;
    }
    done += static_cast<size_t>(n);
  }
  return true;
}

void AccessLog::flush() {
  for (const auto& query : queries_) (void)guard([&] { px_log(query.c_str()); });
  queries_.clear();
  if (lines_.empty()) return;
  if (file_ < 0 || !write_lines()) {
    for (const auto& line : lines_) (void)guard([&] { px_log(line.c_str()); });
  }
  lines_.clear();
}

void AccessLog::tick() {
  const time_t now = ::time(nullptr);
  if (now == time_at_) return;
  time_at_ = now;
  auto stamp = static_cast<pg_time_t>(now);
  pg_strftime(time_text_, sizeof time_text_, "%d/%b/%Y:%H:%M:%S %z",
              pg_localtime(&stamp, log_timezone));
}

}  // namespace pgrst::pg
