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

/// Throws as Boost.JSON does if there is no such attribute.
inline std::string text_of(const boost::json::object& item, std::string_view name) {
  return std::string(item.at(name).as_object().at("S").as_string());
}

/// Empty if there is no such attribute: DynamoDB once had no empty texts.
inline std::string optional_text_of(const boost::json::object& item, std::string_view name) {
  return item.contains(name) ? text_of(item, name) : std::string();
}

/// Throws if there is no such attribute, or it is not an integer.
template <typename Number>
Number number_of(const boost::json::object& item, std::string_view name) {
  const boost::json::string& digits = item.at(name).as_object().at("N").as_string();
  Number number{};
  const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (read.ec != std::errc() || read.ptr != digits.data() + digits.size()) {
    throw std::out_of_range(fmt::format("{} is not an integer", name));
  }
  return number;
}

/// Throws as Boost.JSON does if there is no such attribute.
inline bool flag_of(const boost::json::object& item, std::string_view name) {
  return item.at(name).as_object().at("BOOL").as_bool();
}

}  // namespace everyitem::checkpoint
