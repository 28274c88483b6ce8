// Reads small files that settings name: whatever stands there, a pipe or a device for example,
// nothing waits and nothing grows without bound.
#pragma once

#include "core/before_postgres.hpp"

#include <sys/stat.h>

#include <cstddef>
#include <optional>
#include <string>

namespace pgrst {

constexpr size_t kMaxSettingFile = 1024 * 1024;  // bytes

// For reading; -1 with errno when that is not possible.
int open_without_waiting(const std::string& name);

// What the regular file `file` holds, kMaxSettingFile bytes at most, into `text`. `check` may
// refuse it by what stat() says. Returns what is wrong, as a text to follow the name of the file;
// nothing when all is well.
std::optional<std::string> read_regular_file(
    int file, std::string& text, std::optional<std::string> (*check)(const struct stat&) = nullptr);

}  // namespace pgrst
