// How fast the user lets a table be read.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/message.h"
#include "source/table_description.h"

namespace everyitem::pace {

/// At most one of them is given; without one, a table is read as fast as it allows.
struct ReadRate {
  std::optional<double> units;    ///< read units a second, above 0
  std::optional<double> percent;  ///< of what the table allows, above 0 and at most 100
};

/// The rate of the run, of all its workers together, in read units a second; nothing without one.
/// Throws a usage error where a share is asked of a table that does not say what it allows: no
/// default is assumed.
std::optional<double> units_per_second(const ReadRate& rate, const source::ReadCapacity& capacity);

/// Tells the user how fast the table will be read, and why. Throws as units_per_second does.
Message read_rate_text(const ReadRate& rate, const source::ReadCapacity& capacity,
                       std::uint32_t workers = 1);

}  // namespace everyitem::pace
