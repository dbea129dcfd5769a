// Items in the record format `plain`. Whatever is written is JSON; and from an item of DynamoDB's,
// written with its types, the item can be restored.
#include <optional>
#include <string>

#include <boost/json.hpp>

#include "base/error.h"
#include "batch/plain_json.h"
#include "batch/test_plain_json.h"
#include "fuzz_target.h"

namespace everyitem::batch {
namespace {

namespace json = boost::json;
using fuzz::require;

json::parse_options reader_options() {
  json::parse_options options;
  options.max_depth = 1000;
  return options;
}

std::optional<json::value> read_json(std::string_view text) {
  boost::system::error_code failed;
  json::value value = json::parse(text, failed, {}, reader_options());
  return failed ? std::nullopt : std::optional(std::move(value));
}

/// Colons outside of strings.
std::size_t members_of_text(std::string_view text) {
  std::size_t members = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '"') {
      in_string = !in_string;
    } else if (in_string && text[i] == '\\') {
      ++i;
    } else if (!in_string && text[i] == ':') {
      ++members;
    }
  }
  return members;
}

std::size_t members_of(const json::value& value) {
  std::size_t members = 0;
  if (const json::object* object = value.if_object()) {
    for (const auto& [name, member] : *object) {
      members += 1 + members_of(member);
    }
  } else if (const json::array* array = value.if_array()) {
    for (const json::value& element : *array) {
      members += members_of(element);
    }
  }
  return members;
}

bool all_strings(const json::value& value) {
  const json::array* elements = value.if_array();
  return elements != nullptr &&
         std::all_of(elements->begin(), elements->end(),
                     [](const json::value& each) { return each.is_string(); });
}

bool is_item(const json::value& value, int depth);

bool is_attribute(const json::value& attribute, int depth) {
  const json::object* members = attribute.if_object();
  if (members == nullptr || members->size() != 1) {
    return false;
  }
  const auto& [type, value] = *members->begin();
  if (type == "S" || type == "N" || type == "B") {
    return value.is_string();
  }
  if (type == "SS" || type == "NS" || type == "BS") {
    return all_strings(value);
  }
  if (type == "BOOL") {
    return value.is_bool();
  }
  if (type == "NULL") {
    return value.is_bool() && value.get_bool();
  }
  if (type == "M") {
    return is_item(value, depth);
  }
  const json::array* elements = value.if_array();
  return type == "L" && elements != nullptr &&
         std::all_of(elements->begin(), elements->end(),
                     [depth](const json::value& each) { return is_attribute(each, depth + 1); });
}

bool is_item(const json::value& value, int depth) {
  const json::object* members = value.if_object();
  return depth <= 32 && members != nullptr &&
         std::all_of(members->begin(), members->end(), [depth](const auto& member) {
           return is_attribute(member.value(), depth + 1);
         });
}

void write(std::string_view item, PlainJsonOptions options) {
  const std::optional<json::value> read = read_json(item);
  // Of two members with the same name, only one was read.
  const bool is_dynamodbs = read && is_item(*read, 0) && members_of(*read) == members_of_text(item);
  PaddedBuffer text;
  try {
    PlainJson(options).append({.json = item, .hash_key = {}, .range_key = {}}, text);
  } catch (const Error&) {
    require(!is_dynamodbs, "every item can be written");
    return;
  }
  if (!read) {
    return;  // JSON that is not, and only the places of its quotes were looked at
  }
  boost::system::error_code failed;
  const json::value plain = json::parse(text.view(), failed, {}, reader_options());
  if (failed == json::error::exponent_overflow) {
    return;  // JSON, of a number that no server sends
  }
  require(!failed && plain.is_object(), "what is written is JSON");
  if (!is_dynamodbs || !options.with_types) {
    return;
  }
  const std::optional<std::string> back = PlainReader().restore(text.view());
  require(!back || read_json(*back) == read, "the item is restored");
}

}  // namespace
}  // namespace everyitem::batch

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view item = everyitem::fuzz::as_text(data, size);
  for (const bool numbers_as_strings : {false, true}) {
    for (const bool with_types : {false, true}) {
      everyitem::batch::write(item,
                              {.numbers_as_strings = numbers_as_strings, .with_types = with_types});
    }
  }
  return 0;
}
