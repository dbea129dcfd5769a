// Attributes of DynamoDB's items, in JSON: {"S": "text"}, {"N": "12"}, {"BOOL": true}.
#pragma once

#include <charconv>
#include <stdexcept>
#include <string>
#include <string_view>

#include <boost/json.hpp>
#include <fmt/format.h>

namespace everyitem::checkpoint {

inline boost::json::object text_attribute(std::string_view text) { return {{"S", text}}; }

template <typename Number>
boost::json::object number_attribute(Number number) {
  return {{"N", fmt::to_string(number)}};
}

/// The value of an attribute of this type. Throws as Boost.JSON does if there is no such attribute,
/// and if it has another type as well.
inline const boost::json::value& typed_value(const boost::json::object& item, std::string_view name,
                                             std::string_view type) {
  const boost::json::object& attribute = item.at(name).as_object();
  if (attribute.size() != 1) {
    throw std::out_of_range(fmt::format("{} does not have one type", name));
  }
  return attribute.at(type);
}

/// Throws what typed_value throws.
inline std::string text_of(const boost::json::object& item, std::string_view name) {
  return std::string(typed_value(item, name, "S").as_string());
}

/// Empty if there is no such attribute: DynamoDB once had no empty texts.
inline std::string optional_text_of(const boost::json::object& item, std::string_view name) {
  return item.contains(name) ? text_of(item, name) : std::string();
}

/// Throws if there is no such attribute, or it is not an integer.
template <typename Number>
Number number_of(const boost::json::object& item, std::string_view name) {
  const boost::json::string& digits = typed_value(item, name, "N").as_string();
  Number number{};
  const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (read.ec != std::errc() || read.ptr != digits.data() + digits.size()) {
    throw std::out_of_range(fmt::format("{} is not an integer", name));
  }
  return number;
}

/// Throws what typed_value throws.
inline bool flag_of(const boost::json::object& item, std::string_view name) {
  return typed_value(item, name, "BOOL").as_bool();
}

}  // namespace everyitem::checkpoint
