#include "checkpoint/dynamodb_items.h"

#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "aws/arn.h"
#include "base/error.h"
#include "checkpoint/dynamodb_attributes.h"
#include "checkpoint/json_call.h"

namespace everyitem::checkpoint {

namespace json = boost::json;

namespace {

/// ExpressionAttributeNames of a condition: DynamoDB refuses those that the condition does not
/// hold.
json::object names_in(std::string_view condition) {
  json::object names;
  for (const auto& [alias, name] : {std::pair{"#epoch", "epoch"}, std::pair{"#owner", "owner"},
                                    std::pair{"#lease", "lease_until"}, std::pair{"#run", "run"},
                                    std::pair{"#version", "version"}}) {
    if (condition.find(alias) != std::string_view::npos) {
      names[alias] = name;
    }
  }
  return names;
}

}  // namespace

DynamoDbPlace parse_dynamodb_place(const std::string& place) {
  const std::size_t name = aws::is_arn(place) ? place.find('/') + 1 : 0;
  const std::size_t separator = place.find('/', name);
  if (separator == std::string::npos) {
    return {.table = place, .run = "default"};
  }
  if (separator + 1 == place.size()) {
    throw usage_error(
        fmt::format("--checkpoint is \"dynamodb:{}\": the run behind the table has no name", place),
        "Give dynamodb:TABLE or dynamodb:TABLE/RUN.");
  }
  return {.table = place.substr(0, separator), .run = place.substr(separator + 1)};
}

DynamoDbItems::DynamoDbItems(DynamoDbPlace place, std::string location, const StoreContext& context)
    : place_(std::move(place)),
      location_(std::move(location)),
      limits_(context.limits),
      client_(
          context.client(aws::kDynamoDb, aws::parse_table(place_.table, "--checkpoint").region)) {}

json::object DynamoDbItems::key(const std::string& item) const {
  return {{"run", text_attribute(place_.run)}, {"item", text_attribute(item)}};
}

Awaitable<json::object> DynamoDbItems::call(std::string operation, json::object request) {
  if (!request.contains("RequestItems")) {
    request["TableName"] = place_.table;
  }
  std::string object = fmt::format("checkpoint {} in {}", location_, client_.region());
  return call_json(client_, std::move(operation), std::move(object), std::move(request), limits_);
}

Awaitable<std::optional<json::object>> DynamoDbItems::get(std::string item) {
  json::object request{{"Key", key(item)}, {"ConsistentRead", true}};
  json::object answer = co_await call("GetItem", std::move(request));
  json::value* found = answer.if_contains("Item");
  if (found == nullptr || !found->is_object()) {
    co_return std::nullopt;
  }
  co_return std::move(found->get_object());
}

Awaitable<bool> DynamoDbItems::put_if(json::object item, std::string condition,
                                      json::object values) {
  json::object request{{"Item", std::move(item)},
                       {"ConditionExpression", condition},
                       {"ExpressionAttributeNames", names_in(condition)}};
  if (!values.empty()) {
    request["ExpressionAttributeValues"] = std::move(values);
  }
  try {
    co_await call("PutItem", std::move(request));
  } catch (const Error& error) {
    if (error.details().code != "ConditionalCheckFailedException") {
      throw;
    }
    co_return false;
  }
  co_return true;
}

}  // namespace everyitem::checkpoint
