#include "base/environment.h"

#include <pwd.h>
#include <unistd.h>

#include <array>
#include <cstdlib>

namespace everyitem {

namespace {

std::string home_in_password_database() {
  std::array<char, 16384> texts;
  passwd entry{};
  passwd* found = nullptr;
  getpwuid_r(getuid(), &entry, texts.data(), texts.size(), &found);
  return found == nullptr || found->pw_dir == nullptr ? "" : found->pw_dir;
}

}  // namespace

Environment process_environment() {
  return [](std::string_view name) {
    const char* value = std::getenv(std::string(name).c_str());
    std::string text = value == nullptr ? "" : value;
    if (name == "HOME" && !text.starts_with('/')) {
      text = home_in_password_database();
      return text.starts_with('/') ? text : std::string();
    }
    return text;
  };
}

}  // namespace everyitem
