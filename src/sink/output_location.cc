#include "sink/output_location.h"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <system_error>

#include <fmt/format.h>

#include "base/error.h"
#include "base/file_path.h"

namespace everyitem::sink {

namespace {

constexpr std::string_view kDash = "-";

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

OutputLocation parse_output_location(std::string_view text) {
  const auto refused = [&](std::string_view fault, std::string_view remedy) {
    return usage_error(setting::kTo + fmt::format(" is \"{}\": {}", text, fault), remedy);
  };
  if (text == kDash) {
    return StandardOutput{};
  }
  if (text.empty()) {
    throw refused("not a file's path", "Give the path of a file, or - for standard output.");
  }
  if (const std::string_view scheme = scheme_of(text); !scheme.empty()) {
    throw refused(fmt::format("writing to {}:// is not supported", scheme),
                  "Give the path of a local file, or - to pipe the items to another program.");
  }
  if (const auto wrong = fault_of_path(text)) {
    throw refused(wrong->fault, wrong->remedy);
  }
  const std::filesystem::path folder = std::filesystem::absolute(text).parent_path();
  std::error_code ignored;
  if (!std::filesystem::is_directory(folder, ignored)) {
    throw refused(fmt::format("there is no folder {}", folder.string()), "Create it first.");
  }
  return OutputFile{.path = std::string(text)};
}

std::string to_text(const OutputLocation& location) {
  const auto* const file = std::get_if<OutputFile>(&location);
  return file != nullptr ? file->path : std::string(kDash);
}

}  // namespace everyitem::sink
