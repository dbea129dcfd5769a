#include "source/scan_request.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include "base/error.h"

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

/// Calls `check(name, value)` for each member.
template <typename Check>
void validate_map(std::string_view text, SettingId option, std::string_view example, Check check) {
  if (text.empty()) {
    return;
  }
  json::error_code error;
  const json::value parsed = json::parse(text, error);
  bool valid = !error && parsed.is_object() && !parsed.get_object().empty();
  if (valid) {
    for (const auto& [name, value] : parsed.get_object()) {
      valid = valid && check(name, value);
    }
  }
  if (!valid) {
    throw usage_error(option + fmt::format(" is not the JSON object that DynamoDB takes: {}", text),
                      "Example: " + option(fmt::format("'{}'", example)));
  }
}

}  // namespace

void validate(const ScanParameters& parameters) {
  validate_map(parameters.attribute_names, setting::kNames, R"({"#s": "status"})",
               [](std::string_view name, const json::value& value) {
                 return name.starts_with('#') && value.is_string();
               });
  validate_map(parameters.attribute_values, setting::kValues, R"({":s": {"S": "open"}})",
               [](std::string_view name, const json::value& value) {
                 return name.starts_with(':') && value.is_object() &&
                        value.get_object().size() == 1;
               });
}

ScanRequests::ScanRequests(const ScanParameters& parameters, std::uint32_t total_segments)
    : filtered_(!parameters.filter_expression.empty()),
      of_index_(!parameters.index.empty()),
      projected_(!parameters.projection_expression.empty()) {
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
}

std::string ScanRequests::page(std::uint32_t segment, const ScanPosition& position,
                               std::optional<std::uint64_t> limit) const {
  std::string body = common_;
  body += fmt::format(R"(,"Segment":{})", segment);
  if (limit) {
    body += fmt::format(R"(,"Limit":{})", *limit);
  }
  append_json(body, "ExclusiveStartKey", position.last_evaluated_key);
  body += '}';
  return body;
}

}  // namespace everyitem::source
