#include "source/projection.h"

#include <algorithm>
#include <string>
#include <string_view>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "base/error.h"

namespace everyitem::source {

namespace json = boost::json;

namespace {

constexpr std::string_view kSpace = " \t\r\n";

/// What the placeholders of the expressions stand for. The parameters are valid.
json::object names_of(const ScanParameters& parameters) {
  return parameters.attribute_names.empty() ? json::object()
                                            : json::parse(parameters.attribute_names).as_object();
}

/// Whether the projection has the attribute `name`, as a whole.
bool has(const ScanParameters& parameters, const std::string& name) {
  const json::object names = names_of(parameters);
  std::string_view rest = parameters.projection_expression;
  for (bool last = false; !last;) {
    const auto comma = rest.find(',');
    last = comma == std::string_view::npos;
    std::string_view path = rest.substr(0, comma);
    rest.remove_prefix(last ? rest.size() : comma + 1);
    path.remove_prefix(std::min(path.find_first_not_of(kSpace), path.size()));
    std::string_view first = path.substr(0, path.find_first_of(".["));
    first = first.substr(0, first.find_last_not_of(kSpace) + 1);
    const json::value* const defined = names.if_contains(first);
    if ((defined == nullptr ? first : std::string_view(defined->as_string())) != name) {
      continue;
    }
    if (path.find_first_of(".[") != std::string_view::npos) {
      throw usage_error(setting::kProjection + fmt::format(" names a part of {}, which is of the "
                                                           "table's key and has no parts",
                                                           name),
                        "Name the attribute as a whole.");
    }
    return true;
  }
  return false;
}

/// A placeholder that the expressions do not use.
std::string unused_placeholder(std::string placeholder, const json::object& names) {
  while (names.contains(placeholder)) {
    placeholder += '_';
  }
  return placeholder;
}

void add(ScanParameters& parameters, const std::string& name) {
  json::object names = names_of(parameters);
  const std::string placeholder = unused_placeholder("#key", names);
  names[placeholder] = name;
  parameters.attribute_names = json::serialize(names);
  parameters.projection_expression += ", " + placeholder;
}

}  // namespace

AddedKeys added_keys(const ScanParameters& parameters, const KeyNames& keys) {
  if (parameters.projection_expression.empty()) {
    return {};
  }
  return {.hash = !has(parameters, keys.hash),
          .range = !keys.range.empty() && !has(parameters, keys.range)};
}

ScanParameters with_keys(ScanParameters parameters, const KeyNames& keys) {
  const AddedKeys added = added_keys(parameters, keys);
  if (added.hash) {
    add(parameters, keys.hash);
  }
  if (added.range) {
    add(parameters, keys.range);
  }
  return parameters;
}

}  // namespace everyitem::source
