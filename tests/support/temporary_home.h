// For tests: an environment and a temporary home directory.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "base/environment.h"

namespace everyitem {

using Variables = std::map<std::string, std::string, std::less<>>;

inline Environment environment_of(Variables variables) {
  return [variables = std::move(variables)](std::string_view name) {
    const auto found = variables.find(name);
    return found == variables.end() ? std::string() : found->second;
  };
}

/// A home directory with the files of ~/.aws that a test writes; removed at the end.
class TemporaryHome {
 public:
  TemporaryHome() {
    std::string name = (std::filesystem::temp_directory_path() / "everyitem-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) {
      throw std::runtime_error("cannot create a temporary directory");
    }
    path_ = name;
    std::filesystem::create_directory(path_ / ".aws");
  }
  TemporaryHome(const TemporaryHome&) = delete;
  TemporaryHome& operator=(const TemporaryHome&) = delete;
  ~TemporaryHome() { std::filesystem::remove_all(path_); }

  void write(const std::string& name, const std::string& text) const {
    std::ofstream(path_ / name, std::ios::binary) << text;
  }
  std::string file(const std::string& name) const { return (path_ / name).string(); }

  /// HOME, plus the given variables.
  Environment environment(Variables variables = {}) const {
    variables["HOME"] = path_.string();
    return environment_of(std::move(variables));
  }

 private:
  std::filesystem::path path_;
};

}  // namespace everyitem
