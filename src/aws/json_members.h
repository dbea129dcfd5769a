// Members of the small JSON documents that control calls return. Any of them may be missing.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <boost/json.hpp>

namespace everyitem::aws {

/// Empty if the member is missing or not a string.
inline std::string text_member(const boost::json::object& object, std::string_view name) {
  const boost::json::value* value = object.if_contains(name);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

/// 0 if the member is missing or null. Throws, like Boost.JSON, if it is not an integer.
inline std::uint64_t count_member(const boost::json::object& object, std::string_view name) {
  const boost::json::value* value = object.if_contains(name);
  return value == nullptr || value->is_null() ? 0 : value->to_number<std::uint64_t>();
}

}  // namespace everyitem::aws
