#include "checkpoint/dynamodb_items.h"

#include <string_view>
#include <utility>

#include <fmt/format.h>

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
  for (const auto& [alias, name] :
       {std::pair{"#run", "run"}, std::pair{"#token", "token"}, std::pair{"#version", "version"}}) {
    if (condition.find(alias) != std::string_view::npos) {
      names[alias] = name;
    }
  }
  return names;
}

}  // namespace

DynamoDbItems::DynamoDbItems(DynamoDbLocation location, const StoreContext& context,
                             std::string_view what)
    : location_(std::move(location)),
      what_(what),
      client_(context.client(aws::kDynamoDb, location_.region)) {}

json::object DynamoDbItems::key(const std::string& item) const {
  return {{"run", text_attribute(location_.run)}, {"item", text_attribute(item)}};
}

Awaitable<json::object> DynamoDbItems::call(std::string operation, json::object request) {
  if (!request.contains("RequestItems")) {
    request["TableName"] = location_.table;
  }
  std::string object = fmt::format("{} {} in {}", what_, location(), client_.region());
  return call_json(client_, std::move(operation), std::move(object), std::move(request));
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
