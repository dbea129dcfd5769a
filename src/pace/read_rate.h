// The read rate set by the user.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/message.h"
#include "source/table_description.h"

namespace everyitem::pace {

/// At most one of them is set. With neither, a table with provisioned capacity is read at
/// kDefaultPercent of it, because others use it too, and every other one as fast as it allows.
struct ReadRate {
  std::optional<double> units;    ///< read units per second, above 0
  std::optional<double> percent;  ///< of the table's capacity, above 0 and at most 100

  bool is_chosen() const { return units || percent; }
};

inline constexpr double kDefaultPercent = 50;

/// The rate of the run, for all who share it together, in read units per second; nothing: no limit.
/// Throws a usage error for a percentage of a table that does not report its capacity.
std::optional<double> units_per_second(const ReadRate& rate, const source::ReadCapacity& capacity);

/// Tells the user how fast the table will be read, and why. Throws what units_per_second throws.
Message read_rate_text(const ReadRate& rate, const source::ReadCapacity& capacity,
                       bool shared = false);

}  // namespace everyitem::pace
