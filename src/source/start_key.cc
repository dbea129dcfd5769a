#include "source/start_key.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include <boost/json.hpp>
#include <fmt/format.h>
#include <simdjson.h>

namespace everyitem::source {

namespace {

/// Those of a table's key and an index's.
constexpr std::size_t kMaxAttributes = 4;

struct Attribute {
  std::string name;
  std::string value;  ///< in DynamoDB JSON
};

std::string json_text(std::string_view text) {
  return boost::json::serialize(boost::json::string(text));
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// -12.5e+7, of at most 38 digits; what DynamoDB makes of it is its own business.
bool is_attribute_number(std::string_view text) {
  const auto take_digits = [&text] {
    const auto end = std::ranges::find_if_not(text, is_digit);
    const auto count = static_cast<std::size_t>(end - text.begin());
    text.remove_prefix(count);
    return count > 0;
  };
  const auto take = [&text](std::string_view any_of) {
    const bool is_next = !text.empty() && any_of.find(text.front()) != std::string_view::npos;
    text.remove_prefix(is_next ? 1 : 0);
    return is_next;
  };
  take("+-");
  if (!take_digits() || (take(".") && !take_digits())) {
    return false;
  }
  if (take("eE")) {
    take("+-");
    if (!take_digits()) {
      return false;
    }
  }
  return text.empty();
}

bool is_base64(std::string_view text) {
  const auto padding = text.size() - std::min(text.size(), text.find_last_not_of('=') + 1);
  const std::string_view digits = text.substr(0, text.size() - padding);
  return text.size() % 4 == 0 && padding <= 2 && std::ranges::all_of(digits, [](char c) {
           return is_digit(c) || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '+' ||
                  c == '/';
         });
}

bool is_value(std::string_view type, std::string_view text) {
  return type == "S" || (type == "N" && is_attribute_number(text)) ||
         (type == "B" && is_base64(text));
}

/// simdjson checks the whole text, and unlike Boost.JSON it keeps what occurs twice.
std::optional<std::vector<Attribute>> read(std::string_view json) {
  thread_local simdjson::dom::parser parser;
  const simdjson::padded_string text(json);
  simdjson::dom::object key;
  if (parser.parse(text).get_object().get(key) != simdjson::SUCCESS) {
    return std::nullopt;
  }
  std::vector<Attribute> attributes;
  for (const auto& [name, element] : key) {
    simdjson::dom::object typed;
    std::string_view value;
    if (element.get_object().get(typed) != simdjson::SUCCESS || typed.size() != 1) {
      return std::nullopt;
    }
    const auto only = *typed.begin();
    if (only.value.get_string().get(value) != simdjson::SUCCESS || !is_value(only.key, value)) {
      return std::nullopt;
    }
    attributes.push_back(
        {.name = std::string(name),
         .value = fmt::format("{{{}:{}}}", json_text(only.key), json_text(value))});
  }
  return attributes;
}

bool has_name_twice(const std::vector<Attribute>& attributes) {
  std::vector<std::string_view> names;
  names.reserve(attributes.size());
  for (const Attribute& attribute : attributes) {
    names.push_back(attribute.name);
  }
  std::ranges::sort(names);
  return std::ranges::adjacent_find(names) != names.end();
}

}  // namespace

std::optional<StartKey> StartKey::parse(std::string_view json,
                                        const std::vector<std::string>& names) {
  const auto attributes = read(json);
  if (!attributes || attributes->empty() || has_name_twice(*attributes) ||
      (names.empty() ? attributes->size() > kMaxAttributes : attributes->size() != names.size())) {
    return std::nullopt;
  }
  std::vector<std::string> members;
  const auto add = [&members](const Attribute& attribute) {
    members.push_back(json_text(attribute.name) + ":" + attribute.value);
  };
  if (names.empty()) {
    std::ranges::for_each(*attributes, add);
  }
  for (const std::string& name : names) {
    const auto found = std::ranges::find(*attributes, name, &Attribute::name);
    if (found == attributes->end()) {
      return std::nullopt;
    }
    add(*found);
  }
  return StartKey(fmt::format("{{{}}}", fmt::join(members, ",")));
}

}  // namespace everyitem::source
