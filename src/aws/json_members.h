// Members of the small JSON documents that control calls answer, absent as often as not.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <boost/json.hpp>

namespace everyitem::aws {

/// Empty where the member is absent or no text.
inline std::string text_member(const boost::json::object& object, std::string_view name) {
  const boost::json::value* value = object.if_contains(name);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

/// 0 where the member is absent or null. Throws, as Boost.JSON does, when it is no whole number.
inline std::uint64_t count_member(const boost::json::object& object, std::string_view name) {
  const boost::json::value* value = object.if_contains(name);
  return value == nullptr || value->is_null() ? 0 : value->to_number<std::uint64_t>();
}

}  // namespace everyitem::aws
