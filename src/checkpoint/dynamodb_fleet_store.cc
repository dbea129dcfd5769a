#include "checkpoint/dynamodb_fleet_store.h"

#include <array>
#include <cmath>
#include <exception>
#include <stdexcept>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "base/error.h"
#include "checkpoint/dynamodb_attributes.h"
#include "checkpoint/lease.h"
#include "checkpoint/run_record.h"
#include "source/dynamodb_limits.h"

namespace everyitem::checkpoint {

namespace json = boost::json;

namespace {

constexpr const char* kItem = "workers";

struct StateName {
  FleetMember::State state;
  std::string_view name;
};
constexpr std::array kStates = {StateName{FleetMember::State::reading, "reading"},
                                StateName{FleetMember::State::left, "left"},
                                StateName{FleetMember::State::complete, "complete"}};

std::string_view name_of(FleetMember::State state) {
  for (const StateName& known : kStates) {
    if (known.state == state) {
      return known.name;
    }
  }
  throw std::logic_error("a state without a name");
}

FleetMember::State state_of(std::string_view name) {
  for (const StateName& known : kStates) {
    if (known.name == name) {
      return known.state;
    }
  }
  throw std::out_of_range(fmt::format("\"{}\" is not a state of a worker", name));
}

double units_of(const json::value& value) {
  const auto units = value.to_number<double>();
  if (!(units >= 0) || !std::isfinite(units)) {
    throw std::out_of_range("read units below 0");
  }
  return units;
}

json::value to_json(const FleetMember& member) {
  return json::array{
      member.worker,
      name_of(member.state),
      member.turn,
      member.read_units,
      member.wanted ? json::value(*member.wanted) : json::value(nullptr),
  };
}

FleetMember parse_member(const json::value& value) {
  const json::array& array = value.as_array();
  FleetMember member;
  member.worker = array.at(0).to_number<std::uint32_t>();
  member.state = state_of(array.at(1).as_string());
  member.turn = array.at(2).to_number<std::uint64_t>();
  member.read_units = units_of(array.at(3));
  if (!array.at(4).is_null()) {
    member.wanted = units_of(array.at(4));
  }
  return member;
}

}  // namespace

json::object workers_item(json::object key, const StoredFleet& fleet, std::int64_t expires_at) {
  json::array members;
  for (const FleetMember& member : fleet.record.members) {
    members.push_back(to_json(member));
  }
  json::object item = std::move(key);
  item["format"] = number_attribute(kRemoteFormat);
  item["version"] = number_attribute(fleet.version);
  item["identity"] = text_attribute(identity_text(fleet.record.identity));
  item["segments"] = number_attribute(fleet.record.segments);
  item["members"] = text_attribute(json::serialize(members));
  item["expires_at"] = number_attribute(expires_at);
  return item;
}

StoredFleet parse_workers_item(const json::object& item, const std::string& location) {
  try {
    require_format(location, number_of<std::uint64_t>(item, "format"));
    StoredFleet fleet{.record = {}, .version = number_of<std::uint64_t>(item, "version")};
    FleetRecord& record = fleet.record;
    record.identity = parse_identity(text_of(item, "identity"));
    record.segments = number_of<std::uint32_t>(item, "segments");
    if (record.segments == 0 || record.segments > source::kMaxSegments) {
      throw std::out_of_range("the number of segments cannot be");
    }
    const json::value members = json::parse(text_of(item, "members"));
    for (const json::value& member : members.as_array()) {
      record.members.push_back(parse_member(member));
    }
    return fleet;
  } catch (const Error&) {
    throw;
  } catch (const std::exception& error) {  // Boost.JSON's, of several types, and our own
    throw damaged_checkpoint(location, fmt::format("the item \"{}\": {}", kItem, error.what()));
  }
}

DynamoDbFleetStore::DynamoDbFleetStore(const DynamoDbLocation& location,
                                       const StoreContext& context)
    : items_(location, context), clock_(context.clock) {}

Awaitable<std::optional<FleetRecord>> DynamoDbFleetStore::read() {
  version_.reset();
  const std::optional<json::object> item = co_await items_.get(kItem);
  if (!item) {
    co_return std::nullopt;
  }
  StoredFleet fleet = parse_workers_item(*item, location());
  version_ = fleet.version;
  co_return std::move(fleet.record);
}

Awaitable<bool> DynamoDbFleetStore::write(FleetRecord record) {
  const std::int64_t expires_at =
      seconds_now(clock_) + std::chrono::seconds(kFinishedRunLifetime).count();
  json::object item =
      workers_item(items_.key(kItem),
                   {.record = std::move(record), .version = version_.value_or(0) + 1}, expires_at);
  std::string condition = "attribute_not_exists(#run)";
  json::object values;
  if (version_) {
    condition = "#version = :version";
    values[":version"] = number_attribute(*version_);
  }
  return items_.put_if(std::move(item), std::move(condition), std::move(values));
}

}  // namespace everyitem::checkpoint
