#include "core/regular_file.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

namespace pgrst {
namespace {

// What is wrong with the file, or what it holds.
std::string read(const std::string& name) {
  const int file = open_without_waiting(name);
  if (file < 0) return "cannot be opened";
  std::string text;
  const auto problem = read_regular_file(file, text);
  close(file);
  return problem ? "problem:" + *problem : text;
}

TEST(RegularFile, IsReadWhole) {
  const std::string name = testing::TempDir() + "regular_file";
  const std::string bytes("line\nwith \0 in it", 17);
  std::ofstream(name, std::ios::binary) << bytes;
  EXPECT_EQ(read(name), bytes);
  std::ofstream(name, std::ios::binary) << std::string(kMaxSettingFile, 'x');
  EXPECT_EQ(read(name).size(), kMaxSettingFile);
  std::ofstream(name, std::ios::binary) << std::string(kMaxSettingFile + 1, 'x');
  EXPECT_EQ(read(name), "problem: is too large");
  unlink(name.c_str());
  EXPECT_EQ(read(name), "cannot be opened");
}

TEST(RegularFile, NothingElseIsRead) {
  EXPECT_EQ(read("/dev/zero"), "problem: is not a regular file");
  EXPECT_EQ(read("/"), "problem: is not a regular file");
  const std::string pipe = testing::TempDir() + "regular_file_pipe";
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_EQ(read(pipe), "problem: is not a regular file");
  unlink(pipe.c_str());
}

TEST(RegularFile, CanBeRefused) {
  const int file = open_without_waiting("/proc/self/exe");
  std::string text;
  EXPECT_EQ(read_regular_file(
                file, text,
                [](const struct stat&) -> std::optional<std::string> { return " is not wanted"; }),
            " is not wanted");
  close(file);
  EXPECT_TRUE(text.empty());
}

}  // namespace
}  // namespace pgrst
