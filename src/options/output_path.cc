#include "options/output_path.h"

#include <algorithm>
#include <filesystem>
#include <system_error>

#include <fmt/format.h>

#include "base/error.h"

namespace everyitem::options {

namespace {

/// "s3" of "s3://bucket/key"; empty for a path.
std::string_view scheme_of(std::string_view text) {
  const std::string_view scheme = text.substr(0, text.find("://"));
  const bool is_scheme = scheme.size() < text.size() && !scheme.empty() &&
                         std::ranges::all_of(scheme, [](unsigned char c) {
                           return std::isalnum(c) != 0 || c == '+' || c == '-' || c == '.';
                         });
  return is_scheme ? scheme : std::string_view();
}

}  // namespace

std::string parse_output_path(SettingId id, std::string_view text) {
  const auto refused = [&](std::string_view fault, std::string_view remedy) {
    return usage_error(id + fmt::format(" is \"{}\": {}", text, fault), remedy);
  };
  if (text == "-" || text.empty()) {
    return std::string(text);
  }
  if (const std::string_view scheme = scheme_of(text); !scheme.empty()) {
    throw refused(fmt::format("writing to {}:// is not supported", scheme),
                  "Give the path of a local file, or - to pipe the items to another program.");
  }
  const std::filesystem::path path(text);
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored) || !path.has_filename()) {
    throw refused("a folder, not a file", "Give the path of a file in it.");
  }
  const std::filesystem::path folder = std::filesystem::absolute(path).parent_path();
  if (!std::filesystem::is_directory(folder, ignored)) {
    throw refused(fmt::format("there is no folder {}", folder.string()), "Create it first.");
  }
  return std::string(text);
}

}  // namespace everyitem::options
