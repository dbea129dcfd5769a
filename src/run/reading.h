// What a process that shares a run asks of its own reading.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>

namespace everyitem::run {

/// Called on the run's event loop.
struct Reading {
  /// Lets go of a part as soon as what was read of it is saved (RunParts::ended).
  std::function<void(std::uint32_t part)> return_part;
  /// Reads at most this many units per second (nothing: as many as it likes) until then.
  std::function<void(std::optional<double> units, std::chrono::steady_clock::time_point until)>
      set_rate;
  /// Read units so far.
  std::function<double()> units_read;
};

}  // namespace everyitem::run
