#include "source/scan_request.h"

#include <algorithm>
#include <array>
#include <functional>
#include <set>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "base/error.h"
#include "source/expression_names.h"
#include "source/expression_remedy.h"

namespace everyitem::source {

namespace json = boost::json;

namespace {

std::string json_string(std::string_view text) {
  return json::serialize(json::value(json::string(text)));
}

void append_text(std::string& body, std::string_view name, std::string_view value) {
  if (!value.empty()) {
    body += fmt::format(R"(,"{}":{})", name, json_string(value));
  }
}

void append_json(std::string& body, std::string_view name, std::string_view value) {
  if (!value.empty()) {
    body += fmt::format(R"(,"{}":{})", name, value);
  }
}

using Names = std::set<std::string, std::less<>>;

/// What the setting `id` defines. `check(name, value)` says what is wrong with a member.
template <typename Check>
Names defined_by(SettingId id, std::string_view text, std::string_view example, Check check) {
  Names names;
  if (text.empty()) {
    return names;
  }
  const auto require = [&](bool valid, std::string_view fault) {
    if (!valid) {
      throw usage_error(id + fmt::format(" is not the JSON object that DynamoDB takes: {}", fault),
                        "Example: " + id(std::string(example)));
    }
  };
  json::error_code error;
  json::stream_parser parser;
  const std::size_t taken = parser.write_some(text.data(), text.size(), error);
  require(!error && taken == text.size(), fmt::format("it is not JSON at character {}", taken + 1));
  parser.finish(error);
  require(!error, "it is not JSON, it ends too early");
  const json::value parsed = parser.release();
  require(parsed.is_object() && !parsed.get_object().empty(), "it is not an object with members");
  for (const auto& [name, value] : parsed.get_object()) {
    const std::string_view fault = check(name, value);
    require(fault.empty(), fmt::format("\"{}\" {}", std::string_view(name), fault));
    names.emplace(name);
  }
  return names;
}

void collect_texts(const json::value& value, std::vector<std::string>& texts) {
  if (value.is_string()) {
    texts.emplace_back(value.get_string());
  } else if (value.is_array()) {
    for (const json::value& element : value.get_array()) {
      collect_texts(element, texts);
    }
  } else if (value.is_object()) {
    for (const auto& [name, member] : value.get_object()) {
      collect_texts(member, texts);
    }
  }
}

/// {"S": "open"}: one member, called as one of DynamoDB's types.
bool is_attribute_value(const json::value& value) {
  constexpr std::array<std::string_view, 10> kTypes = {"S",  "N", "B", "SS",   "NS",
                                                       "BS", "M", "L", "NULL", "BOOL"};
  return value.is_object() && value.get_object().size() == 1 &&
         std::ranges::find(kTypes, std::string_view(value.get_object().begin()->key())) !=
             kTypes.end();
}

}  // namespace

void validate(const ScanParameters& parameters) {
  require_no_literals(parameters);
  const Names names = defined_by(setting::kNames, parameters.attribute_names, R"({"#s": "status"})",
                                 [](std::string_view name, const json::value& value) {
                                   return !name.starts_with('#') ? "does not begin with #"
                                          : !value.is_string()   ? "is not a text"
                                                                 : "";
                                 });
  const Names values =
      defined_by(setting::kValues, parameters.attribute_values, R"({":s": {"S": "open"}})",
                 [](std::string_view name, const json::value& value) {
                   return !name.starts_with(':')       ? "does not begin with :"
                          : !is_attribute_value(value) ? "has no type (S, N, B, BOOL, ...)"
                                                       : "";
                 });
  const std::string expressions =
      parameters.filter_expression + ' ' + parameters.projection_expression;
  require_same(setting::kNames, names, placeholders(expressions, '#'));
  require_same(setting::kValues, values, placeholders(expressions, ':'));
}

ScanRequests::ScanRequests(const ScanParameters& parameters, std::uint32_t total_segments)
    : filtered_(!parameters.filter_expression.empty()), of_index_(!parameters.index.empty()) {
  common_ = fmt::format(R"({{"TableName":{},"ReturnConsumedCapacity":"TOTAL")",
                        json_string(parameters.table));
  append_text(common_, "IndexName", parameters.index);
  if (parameters.consistent_read) {
    append_json(common_, "ConsistentRead", "true");
  }
  append_text(common_, "FilterExpression", parameters.filter_expression);
  append_text(common_, "ProjectionExpression", parameters.projection_expression);
  append_json(common_, "ExpressionAttributeNames", parameters.attribute_names);
  append_json(common_, "ExpressionAttributeValues", parameters.attribute_values);
  common_ += fmt::format(R"(,"TotalSegments":{})", total_segments);
  if (!parameters.attribute_values.empty()) {
    json::error_code ignored;
    collect_texts(json::parse(parameters.attribute_values, ignored), values_);
  }
}

std::string ScanRequests::page(std::uint32_t segment, const StartKey* start,
                               std::optional<std::uint64_t> limit) const {
  std::string body = common_;
  body += fmt::format(R"(,"Segment":{})", segment);
  if (limit) {
    body += fmt::format(R"(,"Limit":{})", *limit);
  }
  if (start != nullptr) {
    append_json(body, "ExclusiveStartKey", start->json());
  }
  body += '}';
  return body;
}

}  // namespace everyitem::source
