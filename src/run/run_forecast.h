// How long a run may take and what will hold it back, from what is known before it reads.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/message.h"
#include "run/destination.h"
#include "run/run_progress.h"

namespace everyitem::run {

/// Of the whole run, by all who share it. 0: not known.
struct RunOutlook {
  std::uint64_t items = 0;  ///< in the table, by DynamoDB's estimate
  std::uint64_t bytes = 0;  ///< the same
  std::uint64_t items_left = 0;
  double bytes_per_read_unit = 0;
  std::optional<double> read_rate;  ///< the user's, in read units per second
  double read_capacity = 0;         ///< the table's
  DestinationLimit destination;
  bool filtered = false;
  bool aggregated = false;                     ///< many items per record
  std::optional<std::chrono::hours> kept_for;  ///< how long the destination keeps items
};

struct Forecast {
  std::chrono::duration<double> time{};
  Bottleneck bottleneck = Bottleneck::read_rate;
  double read_units_per_second = 0;  ///< 0: not known
};

/// Nothing if neither end says how fast it is, or the table's size is not known.
std::optional<Forecast> forecast(const RunOutlook& outlook);

/// For the user: how long it may take and why, and what to do if the destination forgets items
/// sooner than that.
std::vector<Message> forecast_notices(const RunOutlook& outlook);

}  // namespace everyitem::run
