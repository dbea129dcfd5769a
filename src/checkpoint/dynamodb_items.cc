#include "checkpoint/dynamodb_items.h"

#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "base/error.h"
#include "checkpoint/dynamodb_attributes.h"
#include "checkpoint/json_call.h"
#include "source/dynamodb_limits.h"

namespace everyitem::checkpoint {

namespace json = boost::json;

namespace {

/// Before what BatchWriteItem did not process is asked for again.
constexpr std::chrono::milliseconds kUnprocessedPause{200};

/// ExpressionAttributeNames of a condition: DynamoDB refuses those that the condition does not
/// hold.
json::object names_in(std::string_view condition) {
  json::object names;
  for (const auto& [alias, name] : {std::pair{"#run", "run"}, std::pair{"#token", "token"},
                                    std::pair{"#turn", "turn"}, std::pair{"#version", "version"}}) {
    if (condition.find(alias) != std::string_view::npos) {
      names[alias] = name;
    }
  }
  return names;
}

json::value delete_request(json::object key) {
  return json::object{{"DeleteRequest", json::object{{"Key", std::move(key)}}}};
}

}  // namespace

DynamoDbItems::DynamoDbItems(DynamoDbLocation location, const StoreContext& context,
                             std::string_view what)
    : location_(std::move(location)),
      what_(what),
      client_(context.client(aws::kDynamoDb, location_.region)),
      clock_(context.clock) {}

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

Awaitable<bool> DynamoDbItems::write_if(std::string operation, json::object request,
                                        std::string condition, json::object values) {
  request["ConditionExpression"] = condition;
  request["ExpressionAttributeNames"] = names_in(condition);
  if (!values.empty()) {
    request["ExpressionAttributeValues"] = std::move(values);
  }
  try {
    co_await call(std::move(operation), std::move(request));
  } catch (const Error& error) {
    if (error.details().code != "ConditionalCheckFailedException") {
      throw;
    }
    co_return false;
  }
  co_return true;
}

Awaitable<bool> DynamoDbItems::put_if(json::object item, std::string condition,
                                      json::object values) {
  return write_if("PutItem", {{"Item", std::move(item)}}, std::move(condition), std::move(values));
}

Awaitable<bool> DynamoDbItems::delete_if(const std::string& item, std::string condition,
                                         json::object values) {
  return write_if("DeleteItem", {{"Key", key(item)}}, std::move(condition), std::move(values));
}

Awaitable<std::vector<json::object>> DynamoDbItems::query(const std::string& prefix,
                                                          bool keys_alone) {
  json::object values{{":segment", text_attribute(prefix)}};
  return query_where("begins_with(#item, :segment)", std::move(values), keys_alone);
}

Awaitable<std::vector<json::object>> DynamoDbItems::query_between(const std::string& first,
                                                                  const std::string& last) {
  json::object values{{":first", text_attribute(first)}, {":last", text_attribute(last)}};
  return query_where("#item BETWEEN :first AND :last", std::move(values), false);
}

Awaitable<std::vector<json::object>> DynamoDbItems::query_where(std::string which,
                                                                json::object values,
                                                                bool keys_alone) {
  values[":run"] = text_attribute(location_.run);
  std::vector<json::object> items;
  json::value start;
  do {
    json::object request{{"KeyConditionExpression", "#run = :run AND " + which},
                         {"ExpressionAttributeNames", {{"#run", "run"}, {"#item", "item"}}},
                         {"ExpressionAttributeValues", values},
                         {"ConsistentRead", true}};
    if (keys_alone) {
      request["ProjectionExpression"] = "#run, #item";
    }
    if (start.is_object()) {
      request["ExclusiveStartKey"] = std::move(start);
    }
    json::object answer = co_await call("Query", std::move(request));
    if (json::value* page = answer.if_contains("Items"); page != nullptr && page->is_array()) {
      for (json::value& item : page->get_array()) {
        if (item.is_object()) {
          items.push_back(std::move(item.get_object()));
        }
      }
    }
    const json::value* last = answer.if_contains("LastEvaluatedKey");
    start = last == nullptr ? json::value() : *last;
  } while (start.is_object());
  co_return items;
}

Awaitable<std::vector<std::string>> DynamoDbItems::names(std::string prefix) {
  std::vector<std::string> names;
  const std::vector<json::object> items = co_await query(prefix, true);
  names.reserve(items.size());
  for (const json::object& item : items) {
    names.push_back(text_of(item, "item"));
  }
  co_return names;
}

Awaitable<void> DynamoDbItems::remove(std::vector<std::string> names,
                                      std::function<Awaitable<void>()> between) {
  while (!names.empty()) {
    if (between) {
      co_await between();
    }
    json::array requests;
    for (; !names.empty() && requests.size() < source::kMaxBatchWrites; names.pop_back()) {
      requests.push_back(delete_request(key(names.back())));
    }
    co_await write_batch(std::move(requests));
  }
}

/// Until all of them are processed.
Awaitable<void> DynamoDbItems::write_batch(json::array requests) {
  while (!requests.empty()) {
    json::object request{{"RequestItems", {{location_.table, std::move(requests)}}}};
    const json::object answer = co_await call("BatchWriteItem", std::move(request));
    requests = {};
    const json::value* unprocessed = answer.if_contains("UnprocessedItems");
    if (unprocessed != nullptr && unprocessed->is_object() && !unprocessed->get_object().empty()) {
      requests = unprocessed->get_object().begin()->value().as_array();
      co_await clock_.sleep(kUnprocessedPause);
    }
  }
}

}  // namespace everyitem::checkpoint
