#include "run/run_forecast.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/human_format.h"

namespace everyitem::run {

namespace {

std::string reason(const RunOutlook& outlook, const Forecast& expected) {
  const auto whole = [](double number) { return grouped(static_cast<std::uint64_t>(number)); };
  switch (expected.bottleneck) {
    case Bottleneck::read_rate:
      return fmt::format("the read rate of {} read units/s", decimal(*outlook.read_rate));
    case Bottleneck::table:
      return fmt::format("the table's {} read units/s", whole(outlook.read_capacity));
    case Bottleneck::destination_records:
      return fmt::format("the stream's {} records/s",
                         whole(outlook.destination.records_per_second));
    case Bottleneck::destination_bytes:
      return fmt::format("the stream's {}/s", bytes(outlook.destination.bytes_per_second));
  }
  return {};
}

/// Of the read units that there are, if the destination is the slow end.
Message unused_units(const RunOutlook& outlook, const Forecast& expected) {
  const double there = outlook.read_rate.value_or(outlook.read_capacity);
  if (there <= 0 || expected.read_units_per_second >= 0.9 * there) {
    return {};
  }
  return fmt::format(", so that only about {} of {} read units/s are used",
                     grouped(static_cast<std::uint64_t>(expected.read_units_per_second)),
                     grouped(static_cast<std::uint64_t>(there)));
}

}  // namespace

std::optional<Forecast> forecast(const RunOutlook& outlook) {
  if (outlook.items == 0 || outlook.bytes == 0 || outlook.bytes_per_read_unit <= 0) {
    return std::nullopt;
  }
  const double part = static_cast<double>(outlook.items_left) / static_cast<double>(outlook.items);
  const double items = static_cast<double>(outlook.items_left);
  const double left_bytes = part * static_cast<double>(outlook.bytes);
  const double units = left_bytes / outlook.bytes_per_read_unit;
  std::optional<Forecast> slowest;
  const auto consider = [&slowest](double amount, double per_second, Bottleneck bottleneck) {
    if (per_second > 0 && (!slowest || amount / per_second > slowest->time.count())) {
      slowest = Forecast{.time = std::chrono::duration<double>(amount / per_second),
                         .bottleneck = bottleneck};
    }
  };
  if (outlook.read_rate) {
    consider(units, *outlook.read_rate, Bottleneck::read_rate);
  }
  consider(units, outlook.read_capacity, Bottleneck::table);
  if (!outlook.filtered) {  // nobody knows how many items pass
    if (!outlook.aggregated) {
      consider(items, outlook.destination.records_per_second, Bottleneck::destination_records);
    }
    consider(left_bytes, outlook.destination.bytes_per_second, Bottleneck::destination_bytes);
  }
  if (slowest && slowest->time.count() > 0) {
    slowest->read_units_per_second = units / slowest->time.count();
  }
  return slowest;
}

std::vector<Message> forecast_notices(const RunOutlook& outlook) {
  const std::optional<Forecast> expected = forecast(outlook);
  if (!expected || expected->time < std::chrono::minutes(1)) {
    return {};
  }
  Message text = fmt::format("it takes at least {}, limited by {}", duration(expected->time),
                             reason(outlook, *expected));
  const bool by_destination = expected->bottleneck == Bottleneck::destination_records ||
                              expected->bottleneck == Bottleneck::destination_bytes;
  if (by_destination) {
    text += unused_units(outlook, *expected);
  }
  if (expected->bottleneck == Bottleneck::destination_records) {
    text += "; " + setting::kAggregate + " packs many items into each record";
  }
  std::vector<Message> notices{text};
  if (outlook.kept_for && expected->time > *outlook.kept_for) {
    notices.push_back(fmt::format(
        "warning: the stream keeps records for {} h only, and the run takes longer: what is not "
        "consumed by then is lost. Extend the stream's retention period",
        outlook.kept_for->count()));
  }
  return notices;
}

}  // namespace everyitem::run
