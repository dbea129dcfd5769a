#include "pipeline/read_budget.h"

#include <fmt/format.h>

#include "base/error.h"

namespace everyitem::pipeline {

namespace {

std::string number(double value) { return fmt::format("{:.10g}", value); }

}  // namespace

std::optional<double> units_per_second(const ReadBudget& budget,
                                       const source::ReadCapacity& capacity) {
  std::optional<double> units = budget.units;
  if (budget.percent) {
    if (!capacity.units_per_second) {
      throw usage_error(
          fmt::format("--read-percent {} cannot be worked out: the table has no read capacity that "
                      "is told ({})",
                      number(*budget.percent), capacity.text()),
          "Give --read-units N, in read units a second.");
    }
    units = *budget.percent / 100 * *capacity.units_per_second;
  }
  return units;
}

std::string budget_text(const ReadBudget& budget, const source::ReadCapacity& capacity,
                        std::uint32_t workers) {
  const std::optional<double> units = units_per_second(budget, capacity);
  if (!units) {
    return fmt::format(
        "no read budget: reading as fast as the table allows ({}); --read-units N or "
        "--read-percent P limits it",
        capacity.text());
  }
  std::string text = fmt::format("read budget: {} read units/s", number(*units));
  if (workers > 1) {
    text += fmt::format(" for all {} workers together", workers);
  }
  if (budget.percent) {
    return text +
           fmt::format(", {}% of the table's ({})", number(*budget.percent), capacity.text());
  }
  if (capacity.units_per_second && *units > *capacity.units_per_second) {
    text += fmt::format(", more than the table allows ({})", capacity.text());
  }
  return text;
}

}  // namespace everyitem::pipeline
