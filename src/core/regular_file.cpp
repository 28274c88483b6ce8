#include "core/regular_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>

namespace pgrst {

int open_without_waiting(const std::string& name) {
  return open(name.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
}

std::optional<std::string> read_regular_file(
    int file, std::string& text, std::optional<std::string> (*check)(const struct stat&)) {
  struct stat info {};
  if (fstat(file, &info) != 0) return std::string(": ") + strerror(errno);
  if (!S_ISREG(info.st_mode)) return " is not a regular file";
  if (check != nullptr) {
    if (auto problem = check(info)) return problem;
  }
  if (static_cast<uint64_t>(info.st_size) > kMaxSettingFile) return " is too large";
  // In one piece: no copy of a secret is left behind by a text that grows.
  text.resize(static_cast<size_t>(info.st_size));
  size_t size = 0;
  while (size < text.size()) {
    const ssize_t got = read(file, text.data() + size, text.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return std::string(": ") + strerror(errno);
    if (got == 0) break;
    size += static_cast<size_t>(got);
  }
  text.resize(size);
  return std::nullopt;
}

}  // namespace pgrst
