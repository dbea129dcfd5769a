#include "pace/read_rate.h"

#include <fmt/format.h>

#include "base/error.h"
#include "base/human_format.h"

namespace everyitem::pace {

namespace {

/// Of the capacity, in percent, if that is what sets the rate.
std::optional<double> percent_of_capacity(const ReadRate& rate,
                                          const source::ReadCapacity& capacity) {
  const bool has_default = !rate.units && capacity.units_per_second &&
                           capacity.mode == source::ReadCapacity::Mode::provisioned;
  return rate.percent || !has_default ? rate.percent : kDefaultPercent;
}

}  // namespace

std::optional<double> units_per_second(const ReadRate& rate, const source::ReadCapacity& capacity) {
  const std::optional<double> percent = percent_of_capacity(rate, capacity);
  if (!percent) {
    return rate.units;
  }
  if (!capacity.units_per_second) {
    throw usage_error(setting::kReadPercent(decimal(*percent)) +
                          fmt::format(" needs a read capacity, and DescribeTable reports none ({})",
                                      capacity.text()),
                      "Give " + setting::kReadUnits("N") + ", in read units per second.");
  }
  return *percent / 100 * *capacity.units_per_second;
}

Message read_rate_text(const ReadRate& rate, const source::ReadCapacity& capacity, bool shared) {
  const std::optional<double> units = units_per_second(rate, capacity);
  if (!units) {
    Message text = fmt::format("no read rate set: reading as fast as the table allows ({}); ",
                               capacity.text()) +
                   setting::kReadUnits("N");
    text += capacity.units_per_second ? " or " + setting::kReadPercent("P") : Message();
    return text + " limits it";
  }
  Message text = fmt::format("read rate: {} read units/s", decimal(*units));
  if (shared) {
    text += " for all processes together";
  }
  if (const auto percent = percent_of_capacity(rate, capacity)) {
    const std::string_view whose = capacity.of_index ? "index" : "table";
    text += fmt::format(", {}% of the {}'s ({})", decimal(*percent), whose, capacity.text());
    return rate.percent ? text
                        : text + "; the rest is left to others, " + setting::kReadPercent("100") +
                              " takes all";
  }
  if (capacity.units_per_second && *units > *capacity.units_per_second) {
    text += fmt::format(", more than the table allows ({})", capacity.text());
  }
  return text;
}

}  // namespace everyitem::pace
