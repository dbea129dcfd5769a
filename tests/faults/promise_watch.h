// Sees every request of a simulated shared run when it is answered, and checks what is promised at
// any time, not only at the end.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <boost/json.hpp>

#include "base/clock.h"
#include "emulator/emulated_services.h"

namespace everyitem::faults {

/// One event loop. The services and the clock outlive it.
class PromiseWatch {
 public:
  PromiseWatch(const emulator::EmulatedServices& services, const Clock& clock)
      : services_(services), clock_(clock) {}

  /// Call at the instant of the answer, for every request.
  void see(const emulator::ReceivedRequest& request, const emulator::Reply& reply);
  /// A process says that the run is complete. Call at that instant.
  void see_complete(const std::string& process);

  /// What was not as promised, one line each; empty if all was.
  const std::vector<std::string>& broken() const { return broken_; }

  /// Parts that were claimed while another process had them.
  std::uint64_t taken_over() const { return taken_over_; }
  /// The instants at which they were claimed, by the name of the process that had had them.
  const std::map<std::string, std::vector<std::chrono::steady_clock::time_point>>& takings() const {
    return takings_;
  }
  /// The highest number of read units that all processes together used in any minute.
  double read_units_in_any_minute() const;

 private:
  struct Part {
    std::uint64_t reached = 0;  ///< the item that follows the last one that is saved
    bool complete = false;
    std::string sharer;
  };
  struct Reading {
    std::chrono::steady_clock::time_point at;
    double units = 0;
  };

  void see_item(const boost::json::object& item);
  void see_segment(const boost::json::object& item, std::uint32_t number);
  void see_finished();
  void break_promise(std::string what);
  /// The first item of a part; that of the one after the last is the number of items.
  std::uint64_t begin_of(std::uint64_t part) const;

  const emulator::EmulatedServices& services_;
  const Clock& clock_;
  std::uint64_t parts_ = 0;  ///< of the run, once it has begun
  std::map<std::uint32_t, Part> part_;
  bool finished_ = false;  ///< says the record of the run
  std::map<std::string, std::vector<std::chrono::steady_clock::time_point>> takings_;
  std::uint64_t taken_over_ = 0;
  double read_units_ = 0;
  std::vector<Reading> readings_;
  std::vector<std::string> broken_;
};

}  // namespace everyitem::faults
