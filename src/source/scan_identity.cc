#include "source/scan_identity.h"

#include <algorithm>
#include <cctype>
#include <string>
#include <utility>
#include <vector>

#include <boost/json.hpp>

#include "base/sha256.h"

namespace everyitem::source {

namespace json = boost::json;

namespace {

constexpr std::string_view kWhiteSpace = " \t\r\n";

bool is_of_a_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

json::value sorted(const json::value& value) {
  if (value.is_array()) {
    json::array elements;
    for (const json::value& element : value.get_array()) {
      elements.push_back(sorted(element));
    }
    return elements;
  }
  if (!value.is_object()) {
    return value;
  }
  std::vector<std::pair<std::string, json::value>> members;
  for (const auto& [name, member] : value.get_object()) {
    members.emplace_back(name, sorted(member));
  }
  std::ranges::sort(members, {}, &std::pair<std::string, json::value>::first);
  json::object object;
  for (auto& [name, member] : members) {
    object[name] = std::move(member);
  }
  return object;
}

}  // namespace

std::string canonical_expression(std::string_view expression) {
  std::string canonical;
  bool space = false;
  for (const char c : expression) {
    if (kWhiteSpace.find(c) != std::string_view::npos) {
      space = true;
      continue;
    }
    if (space && !canonical.empty() && is_of_a_word(canonical.back()) && is_of_a_word(c)) {
      canonical += ' ';
    }
    canonical += c;
    space = false;
  }
  return canonical;
}

std::string canonical_json(std::string_view text) {
  json::error_code error;
  const json::value parsed = json::parse(text, error);
  return error ? std::string(text) : json::serialize(sorted(parsed));
}

std::string values_mark(std::string_view values) {
  constexpr std::size_t kDigits = 16;
  return values.empty() ? "" : "sha256:" + hex(sha256(canonical_json(values))).substr(0, kDigits);
}

}  // namespace everyitem::source
