#include "cli/file_argument.h"

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <system_error>

#include <fmt/format.h>

namespace everyitem::cli {

namespace {

/// DynamoDB takes 2 MB of values with an expression; their JSON may be longer.
constexpr std::size_t kMaxBytes = 4U << 20;
constexpr std::string_view kWhiteSpace = " \t\r\n";

}  // namespace

std::string path_of_file_argument(std::string_view text, const Environment& environment) {
  constexpr std::string_view kScheme = "file://";
  if (!text.starts_with(kScheme)) {
    return {};
  }
  text.remove_prefix(kScheme.size());
  return text.starts_with("~/") ? fmt::format("{}{}", environment("HOME"), text.substr(1))
                                : std::string(text);
}

std::string read_file_argument(SettingId id, const std::string& path) {
  const auto refused = [&](std::string_view fault) {
    return usage_error(id + fmt::format(" cannot be read from {}: {}", path, fault));
  };
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) {
    throw refused(std::generic_category().message(EISDIR));
  }
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    throw refused(std::generic_category().message(errno));
  }
  std::string text(kMaxBytes + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (text.size() > kMaxBytes) {
    throw refused(fmt::format("it has more than {} bytes", kMaxBytes));
  }
  const std::size_t begin = text.find_first_not_of(kWhiteSpace);
  if (begin == std::string::npos) {
    throw refused("it is empty");
  }
  return text.substr(begin, text.find_last_not_of(kWhiteSpace) + 1 - begin);
}

Error with_files_named(const Error& error, const ArgumentFiles& files) {
  ErrorDetails details = error.details();
  const std::string text = error.what();
  for (const auto& [name, path] : files) {
    if (text.find("--" + name) != std::string::npos) {
      details.hint +=
          fmt::format("{}--{} was read from {}.", details.hint.empty() ? "" : " ", name, path);
    }
  }
  return {error.kind(), std::move(details)};
}

}  // namespace everyitem::cli
