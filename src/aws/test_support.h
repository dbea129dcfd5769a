// What the tests of this folder share: an environment and a home directory of their own.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

#include "aws/credentials.h"
#include "aws/environment.h"
#include "aws/shared_config_file.h"
#include "base/run_to_end.h"

namespace everyitem::aws {

inline Environment environment_of(Settings variables) {
  return [variables = std::move(variables)](std::string_view name) {
    const auto found = variables.find(name);
    return found == variables.end() ? std::string() : found->second;
  };
}

/// A home directory with whatever of ~/.aws a test writes; removed at the end.
class TemporaryHome {
 public:
  TemporaryHome() {
    std::string name = (std::filesystem::temp_directory_path() / "everyitem-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) {
      throw std::runtime_error("no temporary directory");
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

  /// HOME, and what else is given.
  Environment environment(Settings variables = {}) const {
    variables["HOME"] = path_.string();
    return environment_of(std::move(variables));
  }

 private:
  std::filesystem::path path_;
};

/// Runs the look-up to its end; throws what it throws.
inline std::optional<Credentials> find_credentials(CredentialsProvider& provider) {
  return run_to_end(provider.find());
}

/// The message of what `action` throws; empty when it throws nothing.
template <typename Action>
std::string message_of(Action action) {
  try {
    action();
  } catch (const std::exception& error) {
    return error.what();
  }
  return {};
}

}  // namespace everyitem::aws
