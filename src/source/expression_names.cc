#include "source/expression_names.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/error.h"

namespace everyitem::source {

namespace {

bool is_placeholder_character(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

}  // namespace

std::set<std::string, std::less<>> placeholders(std::string_view expression, char sigil) {
  std::set<std::string, std::less<>> found;
  // An expression has no texts in quotes, so each sigil begins a placeholder.
  for (std::size_t at = expression.find(sigil); at != std::string_view::npos;
       at = expression.find(sigil, at + 1)) {
    const auto* const end =
        std::find_if_not(expression.begin() + at + 1, expression.end(), is_placeholder_character);
    found.emplace(expression.begin() + at, end);
  }
  return found;
}

void require_same(SettingId id, const std::set<std::string, std::less<>>& defined,
                  const std::set<std::string, std::less<>>& used) {
  for (const std::string& name : used) {
    if (!defined.contains(name)) {
      throw usage_error(
          id + fmt::format(" does not define {}, which an expression uses", name),
          "Example: " + id(name.front() == ':' ? fmt::format(R"({{"{}": {{"S": "text"}}}})", name)
                                               : fmt::format(R"({{"{}": "attribute"}})", name)));
    }
  }
  for (const std::string& name : defined) {
    if (!used.contains(name)) {
      throw usage_error(id + fmt::format(" defines {}, which no expression uses", name),
                        "DynamoDB rejects the scan. Use it, or leave it out.");
    }
  }
}

}  // namespace everyitem::source
