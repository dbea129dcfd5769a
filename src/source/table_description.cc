#include "source/table_description.h"

#include <algorithm>
#include <vector>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "aws/answer_document.h"
#include "aws/json_members.h"
#include "aws/service_error.h"
#include "base/error.h"
#include "base/human_format.h"
#include "source/dynamodb_limits.h"

namespace everyitem::source {

namespace json = boost::json;

namespace {

constexpr std::string_view kOperation = "DescribeTable";

KeyNames key_names(const json::object& table) {
  KeyNames names;
  for (const json::value& element : table.at("KeySchema").as_array()) {
    const json::object& key = element.as_object();
    (aws::text_member(key, "KeyType") == "HASH" ? names.hash : names.range) =
        aws::text_member(key, "AttributeName");
  }
  return names;
}

/// Null `index`: the table itself is scanned.
std::vector<std::string> position_names(const KeyNames& table, const json::object* index) {
  std::vector<std::string> names = {table.hash};
  const auto add = [&names](const std::string& name) {
    if (!name.empty() && std::ranges::find(names, name) == names.end()) {
      names.push_back(name);
    }
  };
  add(table.range);
  if (index == nullptr) {
    return names;
  }
  if (!index->contains("KeySchema")) {
    return {};
  }
  const KeyNames of_index = key_names(*index);
  add(of_index.hash);
  add(of_index.range);
  return names;
}

Error cannot_scan(std::string_view table, Message message, Message hint) {
  return Error(ErrorKind::failed, {.operation = "Scan",
                                   .object = fmt::format("table {}", table),
                                   .message = std::move(message),
                                   .hint = std::move(hint)});
}

/// A table being updated can be read; one in any other state cannot, or not for long.
void require_readable(std::string_view table, const std::string& status) {
  const std::string fault = fmt::format("the table is {}, not ACTIVE", status);
  if (status == "CREATING") {
    throw aws::NotReady(fault);
  }
  if (status != "ACTIVE" && status != "UPDATING") {
    throw cannot_scan(table, fault, "");
  }
}

/// The member's units per second, if there are any: a table without provisioned capacity has 0, and
/// one without a maximum has -1.
std::optional<double> read_units(const json::object& description, std::string_view throughput,
                                 std::string_view name) {
  const json::value* settings = description.if_contains(throughput);
  if (settings == nullptr || !settings->is_object()) {
    return std::nullopt;
  }
  const json::value* units = settings->get_object().if_contains(name);
  if (units == nullptr || !units->is_number() || units->to_number<double>() <= 0) {
    return std::nullopt;
  }
  return units->to_number<double>();
}

/// `scanned` is the table itself or its global index, which has its own capacity.
ReadCapacity read_capacity(const json::object& table, const json::object& scanned) {
  ReadCapacity capacity;
  const json::value* billing = table.if_contains("BillingModeSummary");
  const bool on_demand =
      billing != nullptr && billing->is_object() &&
      aws::text_member(billing->get_object(), "BillingMode") == "PAY_PER_REQUEST";
  if (on_demand) {
    capacity.mode = ReadCapacity::Mode::on_demand;
    capacity.units_per_second = read_units(scanned, "OnDemandThroughput", "MaxReadRequestUnits");
    return capacity;
  }
  // A table that has always been provisioned has no BillingModeSummary.
  capacity.units_per_second = read_units(scanned, "ProvisionedThroughput", "ReadCapacityUnits");
  if (capacity.units_per_second) {
    capacity.mode = ReadCapacity::Mode::provisioned;
  }
  return capacity;
}

struct IndexFound {
  const json::object* description = nullptr;
  bool global = false;
  std::vector<std::string> others;
};

IndexFound find_index(const json::object& table, std::string_view index) {
  IndexFound found;
  for (const std::string_view kind : {"GlobalSecondaryIndexes", "LocalSecondaryIndexes"}) {
    const json::value* indexes = table.if_contains(kind);
    if (indexes == nullptr || !indexes->is_array()) {
      continue;
    }
    for (const json::value& element : indexes->get_array()) {
      const json::object& description = element.as_object();
      if (aws::text_member(description, "IndexName") == index) {
        found.description = &description;
        found.global = kind == "GlobalSecondaryIndexes";
      }
      found.others.push_back(aws::text_member(description, "IndexName"));
    }
  }
  return found;
}

}  // namespace

std::string ReadCapacity::text() const {
  const std::string units = fmt::format(
      "{} read units/s", grouped(static_cast<std::uint64_t>(units_per_second.value_or(0))));
  switch (mode) {
    case Mode::provisioned:
      return "provisioned: " + units;
    case Mode::on_demand:
      return units_per_second ? "on demand, at most " + units : "on demand, no maximum set";
    case Mode::unknown:
      return "DescribeTable does not report how much";
  }
  return "";
}

TableDescription parse_table_description(std::string_view body, std::string_view table_name,
                                         std::string_view index_name, bool consistent_read) {
  TableDescription description;
  aws::read_document(kOperation, body, Wire::json, [&](const json::object& answer) {
    const json::object& table = answer.at("Table").as_object();
    description.arn = aws::text_member(table, "TableArn");
    description.table_id = aws::text_member(table, "TableId");
    description.keys = key_names(table);
    require_readable(table_name, aws::text_member(table, "TableStatus"));

    const json::object* scanned = &table;
    const json::object* with_capacity = &table;  // a local index uses the table's capacity
    if (!index_name.empty()) {
      const IndexFound index = find_index(table, index_name);
      if (index.description == nullptr) {
        throw usage_error(setting::kIndex + fmt::format(" is \"{}\", which table {} does not have",
                                                        index_name, table_name),
                          index.others.empty()
                              ? "It has no indexes."
                              : fmt::format("It has: {}.", fmt::join(index.others, ", ")));
      }
      if (index.global && consistent_read) {
        throw usage_error(
            setting::kConsistent +
                fmt::format(" cannot be used with {}, a global index: "
                            "DynamoDB only supports eventually consistent reads there",
                            index_name),
            "Leave out " + setting::kConsistent + ".");
      }
      if (aws::text_member(*index.description, "IndexStatus") == "CREATING") {
        throw aws::NotReady(fmt::format("the index {} is CREATING, not ACTIVE", index_name));
      }
      scanned = index.description;
      with_capacity = index.global ? scanned : with_capacity;
    }
    description.position_names =
        position_names(description.keys, index_name.empty() ? nullptr : scanned);
    description.estimated_items = aws::count_member(*scanned, "ItemCount");
    description.estimated_bytes =
        aws::count_member(*scanned, index_name.empty() ? "TableSizeBytes" : "IndexSizeBytes");
    description.read_capacity = read_capacity(table, *with_capacity);
    description.read_capacity.of_index = with_capacity != &table;
  });
  if (description.keys.hash.empty()) {
    throw aws::MalformedResponse("the response to DescribeTable has no hash key");
  }
  return description;
}

Awaitable<TableDescription> describe_table(aws::Client& dynamodb, std::string table,
                                           std::string index, bool consistent_read) {
  TableDescription description;
  const std::string object = fmt::format("table {} in {}", table, dynamodb.region());
  const std::string body = json::serialize(json::object{{"TableName", table}});
  const aws::Client::Accept accept = [&](const http::Response& response) {
    description = parse_table_description(response.body.view(), table, index, consistent_read);
  };
  const aws::Call call{.operation = kOperation,
                       .object = object,
                       .body = body,
                       .max_answer_bytes = kMaxTableDescriptionBytes};
  try {
    co_await dynamodb.call(call, accept);
  } catch (const Error& error) {
    aws::require_known(error, setting::kTable);
    throw;
  }
  co_return description;
}

std::optional<TableDescription> parse_key_of_scan(std::string_view body) {
  boost::system::error_code not_json;
  const json::value parsed = json::parse(body, not_json);
  const json::object* page = not_json ? nullptr : parsed.if_object();
  const json::value* position = page == nullptr ? nullptr : page->if_contains("LastEvaluatedKey");
  if (page != nullptr && position == nullptr) {
    return std::nullopt;
  }
  std::vector<std::string> names;
  if (position != nullptr && position->is_object()) {
    for (const auto& attribute : position->get_object()) {
      names.emplace_back(attribute.key());
    }
  }
  if (names.empty() || names.size() > 2) {
    throw aws::MalformedResponse("the response to Scan has no key of a table");
  }
  std::ranges::sort(names);
  TableDescription description;
  description.keys.hash = names.front();
  description.keys.range = names.size() == 2 ? names.back() : "";
  return description;
}

Awaitable<std::optional<TableDescription>> describe_by_reading(aws::Client& dynamodb,
                                                               std::string table) {
  std::optional<TableDescription> description;
  const std::string object = fmt::format("table {} in {}", table, dynamodb.region());
  const std::string body =
      json::serialize(json::object{{"TableName", table}, {"Limit", 1}, {"Select", "COUNT"}});
  const aws::Client::Accept accept = [&](const http::Response& response) {
    description = parse_key_of_scan(response.body.view());
  };
  const aws::Call call{.operation = "Scan", .object = object, .body = body};
  co_await dynamodb.call(call, accept);
  co_return description;
}

}  // namespace everyitem::source
