// Scan parameters. The input has one line each for table, index, filter, projection, names and
// values: whatever passes validation becomes a request with exactly these values. The index is also
// what the service says of the expressions.
#include <string>

#include <boost/json.hpp>

#include "base/error.h"
#include "fuzz_target.h"
#include "source/expression_remedy.h"
#include "source/scan_request.h"

namespace everyitem::source {
namespace {

namespace json = boost::json;
using fuzz::require;

/// Command lines need not be UTF-8; DynamoDB's response reports that.
constexpr json::parse_options kOptions{.max_depth = 40, .allow_invalid_utf8 = true};

void require_text(const json::object& request, std::string_view name, std::string_view text) {
  const json::value* value = request.if_contains(name);
  require(text.empty() ? value == nullptr : value != nullptr && value->as_string() == text,
          "a text is passed through as it is");
}

void require_json(const json::object& request, std::string_view name, std::string_view text) {
  const json::value* value = request.if_contains(name);
  require(text.empty() ? value == nullptr
                       : value != nullptr && *value == json::parse(text, {}, kOptions),
          "JSON is passed through as it is");
}

void build(const ScanParameters& parameters) {
  try {
    validate(parameters);
  } catch (const Error& error) {
    require(error.kind() == ErrorKind::usage, "a wrong setting is a usage error");
    return;
  }
  const Error refusal(ErrorKind::failed, {.message = parameters.index});
  require(refused_parameters(refusal, parameters).kind() == ErrorKind::usage,
          "what the service refuses of the parameters is a usage error");
  const ScanRequests requests(parameters, 8);
  const auto key = StartKey::parse(R"({"pk":{"S":"a"}})", {"pk"});
  json::error_code error;
  const json::value body = json::parse(requests.page(7, &*key, 5), error, {}, kOptions);
  require(!error && body.is_object(), "a request is a JSON object");
  const json::object& request = body.get_object();
  require(request.at("TableName").as_string() == parameters.table, "the table is the one named");
  require_text(request, "IndexName", parameters.index);
  require_text(request, "FilterExpression", parameters.filter_expression);
  require_text(request, "ProjectionExpression", parameters.projection_expression);
  require_json(request, "ExpressionAttributeNames", parameters.attribute_names);
  require_json(request, "ExpressionAttributeValues", parameters.attribute_values);
  require_json(request, "ExclusiveStartKey", key->json());
  require(
      request.at("Segment") == 7 && request.at("TotalSegments") == 8 && request.at("Limit") == 5,
      "the segment is the one asked for");
}

}  // namespace
}  // namespace everyitem::source

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view rest = everyitem::fuzz::as_text(data, size);
  everyitem::source::ScanParameters parameters;
  for (std::string* part : {&parameters.table, &parameters.index, &parameters.filter_expression,
                            &parameters.projection_expression, &parameters.attribute_names,
                            &parameters.attribute_values}) {
    *part = everyitem::fuzz::take_line(rest);
  }
  everyitem::source::build(parameters);
  return 0;
}
