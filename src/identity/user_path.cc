#include "identity/user_path.h"

#include <algorithm>
#include <cstddef>

namespace everyitem::identity {

namespace {

bool is_of_name(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

/// The length of "$NAME" or "${NAME}" at the start of `text`; `name` is the part in it. 0 if there
/// is none.
std::size_t variable_at(std::string_view text, std::string_view& name) {
  const bool in_braces = text.starts_with("${");
  text.remove_prefix(in_braces ? 2 : 1);
  const auto end =
      in_braces ? std::ranges::find(text, '}') : std::ranges::find_if_not(text, is_of_name);
  name = text.substr(0, static_cast<std::size_t>(end - text.begin()));
  if (in_braces) {
    return end == text.end() ? 0 : name.size() + 3;
  }
  return name.empty() ? 0 : name.size() + 1;
}

}  // namespace

std::optional<std::string> expand_path(std::string_view path, const Environment& environment) {
  std::string expanded;
  while (!path.empty()) {
    std::string_view name;
    const std::size_t size = path.front() == '$' ? variable_at(path, name) : 0;
    const std::string value = size == 0 ? std::string() : environment(name);
    if (value.empty()) {
      expanded += path.front();
      path.remove_prefix(1);
    } else {
      expanded += value;
      path.remove_prefix(size);
    }
  }
  if (!expanded.starts_with('~')) {
    return expanded;
  }
  const std::string home = environment("HOME");
  const bool of_another_user = expanded.size() > 1 && expanded[1] != '/';
  if (home.empty() || of_another_user) {
    return std::nullopt;
  }
  return expanded.replace(0, 1, home);
}

}  // namespace everyitem::identity
