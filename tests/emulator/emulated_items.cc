#include "emulator/emulated_items.h"

#include <algorithm>
#include <array>
#include <set>
#include <stdexcept>

namespace everyitem::emulator {

namespace json = boost::json;

namespace {

constexpr std::size_t kMaxBatchWrites = 25;  // BatchWriteItem, API reference
constexpr std::size_t kMaxItemBytes = 400U << 10;

std::pair<std::string, std::string> key_of(const json::object& item) {
  return {std::string(item.at("run").as_object().at("S").as_string()),
          std::string(item.at("item").as_object().at("S").as_string())};
}

/// A condition on one item, read from the left: TERM [AND|OR TERM]..., where a TERM is
/// attribute_not_exists(#NAME), or #NAME with = or <= and :VALUE. Mixing AND and OR is rejected,
/// because nothing here needs their precedence.
class Condition {
 public:
  Condition(const json::object& request, const json::object* item)
      : text_(request.at("ConditionExpression").as_string()), item_(item) {
    take(request, "ExpressionAttributeNames", names_);
    take(request, "ExpressionAttributeValues", values_);
  }

  bool holds() {
    bool result = term();
    std::string mixed_with;
    while (at_ < text_.size()) {
      const std::string word = next();
      if ((word != "AND" && word != "OR") || (!mixed_with.empty() && word != mixed_with)) {
        throw Refused{"ValidationException", "Invalid ConditionExpression"};
      }
      mixed_with = word;
      const bool more = term();
      result = word == "AND" ? result && more : result || more;
    }
    if (used_.size() != names_.size() + values_.size()) {
      throw Refused{"ValidationException",
                    "Value provided in ExpressionAttributeNames or Values unused in expressions"};
    }
    return result;
  }

 private:
  static void take(const json::object& request, std::string_view name, json::object& into) {
    if (const json::value* value = request.if_contains(name)) {
      into = value->as_object();
    }
  }

  std::string next() {
    const auto end = std::min(text_.find(' ', at_), text_.size());
    std::string word = text_.substr(at_, end - at_);
    at_ = std::min(end + 1, text_.size());
    return word;
  }

  bool term() {
    constexpr std::string_view kNotExists = "attribute_not_exists(";
    std::string word = next();
    if (word.starts_with(kNotExists) && word.ends_with(')')) {
      return attribute(word.substr(kNotExists.size(), word.size() - kNotExists.size() - 1)) ==
             nullptr;
    }
    const json::value* left = attribute(word);
    const std::string sign = next();
    const std::string placeholder = next();
    const json::object& right = defined(values_, placeholder).as_object();
    if (left == nullptr) {
      return false;
    }
    if (sign == "=") {
      return left->as_object() == right;
    }
    if (sign == "<=") {
      return std::stoull(std::string(left->as_object().at("N").as_string())) <=
             std::stoull(std::string(right.at("N").as_string()));
    }
    throw Refused{"ValidationException", "Invalid ConditionExpression"};
  }

  const json::value& defined(const json::object& from, const std::string& placeholder) {
    const json::value* value = from.if_contains(placeholder);
    if (value == nullptr) {
      throw Refused{"ValidationException", "not defined: " + placeholder};
    }
    used_.insert(placeholder);
    return *value;
  }

  const json::value* attribute(const std::string& placeholder) {
    const json::string& name = defined(names_, placeholder).as_string();
    return item_ == nullptr ? nullptr : item_->if_contains(name);
  }

  std::string text_;
  const json::object* item_;
  json::object names_;
  json::object values_;
  std::set<std::string> used_;
  std::size_t at_ = 0;
};

/// The item, or the key of the item that is deleted.
const json::object& written_by(const json::value& write) {
  if (const json::value* put = write.as_object().if_contains("PutRequest")) {
    return put->at("Item").as_object();
  }
  return write.at("DeleteRequest").at("Key").as_object();
}

}  // namespace

std::span<const Operation<EmulatedItems>> EmulatedItems::operations() {
  static constexpr std::array<Operation<EmulatedItems>, 5> kOperations = {{
      {"GetItem", &EmulatedItems::get_item},
      {"PutItem", &EmulatedItems::put_item},
      {"DeleteItem", &EmulatedItems::delete_item},
      {"Query", &EmulatedItems::query},
      {"BatchWriteItem", &EmulatedItems::batch_write},
  }};
  return kOperations;
}

bool EmulatedItems::knows(std::string_view operation) {
  return std::ranges::find(operations(), operation, &Operation<EmulatedItems>::name) !=
         operations().end();
}

ServiceReply EmulatedItems::answer(std::string_view operation, std::string_view body) {
  return reply_of(*this, operations(), operation, body);
}

json::object EmulatedItems::get_item(const json::object& request) {
  const Table& table = tables[std::string(request.at("TableName").as_string())];
  const auto found = table.find(key_of(request.at("Key").as_object()));
  json::object answer;
  if (found != table.end()) {
    answer["Item"] = found->second;
  }
  return answer;
}

json::object EmulatedItems::put_item(const json::object& request) {
  Table& table = tables[std::string(request.at("TableName").as_string())];
  const json::object& item = request.at("Item").as_object();
  if (json::serialize(item).size() > kMaxItemBytes) {
    throw Refused{"ValidationException", "Item size has exceeded the maximum allowed size"};
  }
  const auto found = table.find(key_of(item));
  if (request.contains("ConditionExpression")) {
    Condition condition(request, found == table.end() ? nullptr : &found->second);
    if (!condition.holds()) {
      throw Refused{"ConditionalCheckFailedException", "The conditional request failed"};
    }
  }
  table[key_of(item)] = item;
  return {};
}

json::object EmulatedItems::delete_item(const json::object& request) {
  Table& table = tables[std::string(request.at("TableName").as_string())];
  const auto found = table.find(key_of(request.at("Key").as_object()));
  Condition condition(request, found == table.end() ? nullptr : &found->second);
  if (!condition.holds()) {
    throw Refused{"ConditionalCheckFailedException", "The conditional request failed"};
  }
  if (found != table.end()) {
    table.erase(found);
  }
  return {};
}

json::object EmulatedItems::query(const json::object& request) {
  const json::string& condition = request.at("KeyConditionExpression").as_string();
  const bool by_prefix = condition == "#run = :run AND begins_with(#item, :segment)";
  if (!by_prefix && condition != "#run = :run AND #item BETWEEN :first AND :last") {
    throw Refused{"ValidationException", "not a query that is known here"};
  }
  const json::object& values = request.at("ExpressionAttributeValues").as_object();
  const auto value = [&values](const char* name) {
    return std::string(values.at(name).as_object().at("S").as_string());
  };
  const std::string run = value(":run");
  const std::string first = value(by_prefix ? ":segment" : ":first");
  const std::string last = by_prefix ? "" : value(":last");
  const auto is_in = [&](const std::string& name) {
    return by_prefix ? name.starts_with(first) : name <= last;
  };
  const Table& table = tables[std::string(request.at("TableName").as_string())];
  auto next = table.lower_bound({run, first});
  if (const json::value* start = request.if_contains("ExclusiveStartKey")) {
    next = table.upper_bound(key_of(start->as_object()));
  }
  json::object answer;
  json::array items;
  for (; next != table.end() && next->first.first == run && is_in(next->first.second); ++next) {
    if (items.size() == items_per_page) {
      const json::object& end = items.back().as_object();
      answer["LastEvaluatedKey"] = json::object{{"run", end.at("run")}, {"item", end.at("item")}};
      break;
    }
    if (request.contains("ProjectionExpression")) {
      items.push_back(
          json::object{{"run", next->second.at("run")}, {"item", next->second.at("item")}});
    } else {
      items.push_back(next->second);
    }
  }
  answer["Count"] = items.size();
  answer["Items"] = std::move(items);
  return answer;
}

json::object EmulatedItems::batch_write(const json::object& request) {
  json::object unprocessed;
  for (const auto& [name, value] : request.at("RequestItems").as_object()) {
    const json::array& writes = value.as_array();
    std::set<std::pair<std::string, std::string>> keys;
    for (const json::value& write : writes) {
      keys.insert(key_of(written_by(write)));
    }
    if (writes.empty() || writes.size() > kMaxBatchWrites || keys.size() != writes.size()) {
      throw Refused{"ValidationException", "1 to 25 requests, each of another item"};
    }
    json::array left;
    for (std::size_t i = 0; i < writes.size(); ++i) {
      Table& table = tables[std::string(name)];
      const json::object& written = written_by(writes[i]);
      if (i >= writes_per_batch) {
        left.push_back(writes[i]);
      } else if (writes[i].as_object().contains("PutRequest")) {
        table[key_of(written)] = written;
      } else {
        table.erase(key_of(written));
      }
    }
    if (!left.empty()) {
      unprocessed[name] = std::move(left);
    }
  }
  return {{"UnprocessedItems", std::move(unprocessed)}};
}

}  // namespace everyitem::emulator
