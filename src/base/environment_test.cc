#include "base/environment.h"

#include <pwd.h>
#include <unistd.h>

#include <cstdlib>
#include <optional>

#include <gtest/gtest.h>

namespace everyitem {
namespace {

/// Puts back what it was.
class ChangedHome {
 public:
  ChangedHome() {
    if (const char* home = std::getenv("HOME"); home != nullptr) {
      before_ = home;
    }
  }
  ChangedHome(const ChangedHome&) = delete;
  ChangedHome& operator=(const ChangedHome&) = delete;
  ~ChangedHome() { before_ ? setenv("HOME", before_->c_str(), 1) : unsetenv("HOME"); }

 private:
  std::optional<std::string> before_;
};

TEST(ProcessEnvironment, HomeIsAbsolute) {
  const ChangedHome changed;
  const passwd* entry = getpwuid(getuid());
  const std::string in_database = entry == nullptr ? "" : entry->pw_dir;
  setenv("HOME", "/home/somebody", 1);
  EXPECT_EQ(process_environment()("HOME"), "/home/somebody");
  for (const char* unusable : {"", "relative", "~", "./x"}) {
    setenv("HOME", unusable, 1);
    EXPECT_EQ(process_environment()("HOME"), in_database) << unusable;
  }
  unsetenv("HOME");
  EXPECT_EQ(process_environment()("HOME"), in_database);
}

}  // namespace
}  // namespace everyitem
