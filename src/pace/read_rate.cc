#include "pace/read_rate.h"

#include <fmt/format.h>

#include "base/error.h"

namespace everyitem::pace {

namespace {

std::string number(double value) { return fmt::format("{:.10g}", value); }

}  // namespace

std::optional<double> units_per_second(const ReadRate& rate, const source::ReadCapacity& capacity) {
  std::optional<double> units = rate.units;
  if (rate.percent) {
    if (!capacity.units_per_second) {
      throw usage_error(
          setting::kReadPercent(number(*rate.percent)) +
              fmt::format(" needs a read capacity, and DescribeTable reports none ({})",
                          capacity.text()),
          "Give " + setting::kReadUnits("N") + ", in read units per second.");
    }
    units = *rate.percent / 100 * *capacity.units_per_second;
  }
  return units;
}

Message read_rate_text(const ReadRate& rate, const source::ReadCapacity& capacity,
                       std::uint32_t workers) {
  const std::optional<double> units = units_per_second(rate, capacity);
  if (!units) {
    return fmt::format("no read rate set: reading as fast as the table allows ({}); ",
                       capacity.text()) +
           setting::kReadUnits("N") + " or " + setting::kReadPercent("P") + " limits it";
  }
  Message text = fmt::format("read rate: {} read units/s", number(*units));
  if (workers > 1) {
    text += fmt::format(" for all {} workers together", workers);
  }
  if (rate.percent) {
    return text + fmt::format(", {}% of the table's ({})", number(*rate.percent), capacity.text());
  }
  if (capacity.units_per_second && *units > *capacity.units_per_second) {
    text += fmt::format(", more than the table allows ({})", capacity.text());
  }
  return text;
}

}  // namespace everyitem::pace
