#include "identity/secret_file.h"

#include <sys/stat.h>

#include <filesystem>
#include <iterator>
#include <system_error>

#include <gtest/gtest.h>

#include "support/temporary_home.h"

namespace everyitem::identity {
namespace {

int error_of(const std::string& path) {
  try {
    read_secret_file(path);
  } catch (const std::system_error& error) {
    return error.code().value();
  }
  return 0;
}

TEST(SecretFile, ReadsWholeFile) {
  const TemporaryHome home;
  for (const std::string& text :
       {std::string(), std::string("a\0b\n", 4), std::string(100'000, 'x')}) {
    home.write("token", text);
    const PaddedBuffer read = read_secret_file(home.file("token"));
    EXPECT_EQ(read.view(), text);
  }
}

TEST(SecretFile, RejectsLargeOrSpecial) {
  const TemporaryHome home;
  EXPECT_EQ(error_of(home.file("none")), ENOENT);
  EXPECT_EQ(error_of(home.file(".aws")), EISDIR);
  ASSERT_EQ(mkfifo(home.file("pipe").c_str(), 0600), 0);
  EXPECT_EQ(error_of(home.file("pipe")), EINVAL);
  home.write("large", std::string((1U << 20) + 1, 'x'));
  EXPECT_EQ(error_of(home.file("large")), EFBIG);
}

TEST(SecretFile, ReplacedFileIsPrivate) {
  const TemporaryHome home;
  home.write("login", "old");
  EXPECT_EQ(replace_secret_file(home.file("login"), "new text"), "");
  bool readable_by_others = true;
  const PaddedBuffer read = read_secret_file(home.file("login"), &readable_by_others);
  EXPECT_EQ(read.view(), "new text");
  EXPECT_FALSE(readable_by_others);
  EXPECT_EQ(replace_secret_file(home.file("none/login"), "x"), "No such file or directory");
  EXPECT_EQ(replace_secret_file(home.file(".aws"), "x"), "Is a directory");
  const std::filesystem::directory_iterator files(home.file(""));
  EXPECT_EQ(std::distance(begin(files), end(files)), 2);  // no temporary one is left
}

}  // namespace
}  // namespace everyitem::identity
