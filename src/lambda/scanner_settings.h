// What an invocation is to do: the function's environment, overridden by the invocation's event.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json.hpp>

#include "base/environment.h"
#include "base/message.h"
#include "options/setting_entry.h"
#include "run/scan_run.h"

namespace everyitem::lambda {

/// What one invocation tells the next one, in its event.
struct ChainState {
  std::uint32_t round = 1;                    ///< this invocation's number in its chain
  std::uint32_t rounds_without_progress = 0;  ///< those right before this one
  /// Of the limit, which is for the whole chain; nothing if there is none.
  std::optional<std::uint64_t> limit_left = {};
  /// The ownership of the run (CheckpointStore::hand_over); empty if it was not handed over.
  std::string ownership = {};
  /// When the invocation from outside arrived that started the chain, in milliseconds since 1970
  /// (RunContext::restart_asked_at).
  std::optional<std::int64_t> asked_at = {};
};

struct ScannerSettings {
  run::ScanSettings scan;
  /// Reading stops this long before the deadline.
  std::chrono::milliseconds handover{15'000};
  /// The chain ends with this round. Rounds of 15 minutes take 104 days for the default.
  std::uint32_t max_rounds = 10'000;
  bool wait = false;           ///< run the first round in the invocation that asks for it
  bool once = false;           ///< run one round in the invocation that asks for it, and no other
  bool resume = false;         ///< only continue a run that has begun
  bool from_function = false;  ///< the event is one that the function sent to itself
  ChainState chain;
};

/// Throws a usage error for what no event can make up for: for a variable that cannot be set there,
/// and for one of `variables`, the names of all that are set, that looks like a setting mistyped.
void check_environment(const Environment& environment, const std::vector<std::string>& variables);

/// Names and values as described in docs/lambda.md. Throws a usage error that names the setting.
ScannerSettings read_scanner_settings(const Environment& environment,
                                      const boost::json::value& event);

/// The event of the invocation that continues where this one, which had `event`, stops, or that
/// starts what it asks for: the same settings, except that a restart which has `begun` is not asked
/// for again.
std::string successor_event(const boost::json::value& event, const ChainState& next, bool begun);

/// The name of every setting in the environment, and, in lower case or as it is, in the event.
std::vector<std::string> setting_names();
/// Who may give one of them.
options::SettingClass class_of(std::string_view variable);

/// The function's wording: READ_UNITS, CHECKPOINT=ssm:/PREFIX, {"restart": true}.
std::string as_variable(const SettingUse& use);

}  // namespace everyitem::lambda
