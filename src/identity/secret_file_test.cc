#include "identity/secret_file.h"

#include <sys/stat.h>

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

TEST(SecretFile, RejectsLargeOrSpecialFiles) {
  const TemporaryHome home;
  EXPECT_EQ(error_of(home.file("none")), ENOENT);
  EXPECT_EQ(error_of(home.file(".aws")), EISDIR);
  ASSERT_EQ(mkfifo(home.file("pipe").c_str(), 0600), 0);
  EXPECT_EQ(error_of(home.file("pipe")), EINVAL);
  home.write("large", std::string((1U << 20) + 1, 'x'));
  EXPECT_EQ(error_of(home.file("large")), EFBIG);
}

}  // namespace
}  // namespace everyitem::identity
