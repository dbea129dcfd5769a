#include "lambda/scanner_settings.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <sstream>
#include <utility>

#include <fmt/format.h>

#include "base/error.h"
#include "options/scan_options.h"
#include "options/setting_text.h"
#include "options/suggestion.h"

namespace everyitem::lambda {

namespace {

/// The member of an event that holds its ChainState.
constexpr std::string_view kChain = "everyitem";
constexpr std::string_view kHandover = "HANDOVER_SECONDS";
constexpr std::string_view kMaxRounds = "MAX_ROUNDS";
constexpr std::string_view kEventMaySet = "EVENT_MAY_SET";
constexpr std::string_view kWait = "WAIT";
constexpr std::string_view kOnce = "ONCE";
constexpr std::string_view kResume = "RESUME";
constexpr std::string_view kRestart = "RESTART";
constexpr std::string_view kCheckpoint = "CHECKPOINT";
constexpr std::string_view kTable = "TABLE_ARN";
constexpr std::string_view kStream = "STREAM_ARN";

/// Lambda's longest time limit is 15 minutes (Lambda quotas).
constexpr double kMaxHandoverSeconds = 900;

constexpr std::uint32_t kMaxRoundsLimit = 1'000'000'000;

using options::SettingClass;
using Entry = options::SettingEntry<options::ScanOptions>;

/// A setting that the command line does not have.
struct OwnSetting {
  std::string_view variable;
  SettingClass setting_class;
};

constexpr std::array kOwnSettings = {OwnSetting{kHandover, SettingClass::how},
                                     OwnSetting{kMaxRounds, SettingClass::where_and_who},
                                     OwnSetting{kEventMaySet, SettingClass::where_and_who},
                                     OwnSetting{kWait, SettingClass::how},
                                     OwnSetting{kOnce, SettingClass::how},
                                     OwnSetting{kResume, SettingClass::how}};

/// The entry of a variable; null if the function has no such setting.
const Entry* find_entry(std::string_view variable) {
  const auto entries = options::scan_entries();
  const auto entry = std::ranges::find_if(entries, [variable](const Entry& one) {
    return one.doors == options::SettingDoors::all && options::variable_of(one) == variable;
  });
  return entry == entries.end() ? nullptr : &*entry;
}

/// By variable; those that are not empty.
using Values = std::map<std::string, std::string>;

std::string text_of(const boost::json::value& value) {
  if (value.is_null()) {
    return {};
  }
  return value.is_string() ? std::string(value.get_string()) : boost::json::serialize(value);
}

/// What Lambda, its base image and the programs that run alongside use. "AWS_REGION" is as near to
/// one of ours as "READ_UNIT" is.
bool is_lambdas_own(std::string_view variable) {
  return variable.starts_with("AWS_") || variable.starts_with("LAMBDA_") ||
         variable.starts_with("_") || variable == "PATH" || variable == "LANG" || variable == "TZ";
}

std::string did_you_mean(std::string_view name) {
  const auto meant = options::nearest(name, setting_names());
  return meant ? fmt::format("Did you mean {}? ", *meant) : std::string();
}

/// EventBridge and its Scheduler wrap what they send: the settings are in "detail", which is empty
/// where a schedule has no input of its own.
boost::json::value settings_in(const boost::json::value& event) {
  const boost::json::object* const object = event.if_object();
  if (object == nullptr || !object->contains("detail-type") || !object->contains("source") ||
      !object->contains("detail")) {
    return event;
  }
  boost::json::value detail = object->at("detail");
  if (detail.is_string()) {  // the Scheduler's
    boost::system::error_code not_json;
    detail = boost::json::parse(detail.get_string(), not_json);
  }
  if (!detail.is_object() || detail.get_object().contains(kChain)) {
    throw usage_error("the event's \"detail\" does not hold settings",
                      "Let it be {}, or settings: {\"restart\": true}.");
  }
  return detail;
}

/// What an event may set although it says what is read, where it goes, or who does it.
std::vector<std::string> allowed_in_events(const Environment& environment) {
  std::vector<std::string> allowed;
  std::istringstream list(environment(kEventMaySet));
  for (std::string name; std::getline(list, name, ',');) {
    std::erase(name, ' ');
    allowed.push_back(name);
  }
  return allowed;
}

void check_event_may_set(const std::string& variable, const std::vector<std::string>& allowed) {
  if (class_of(variable) == SettingClass::where_and_who &&
      std::ranges::find(allowed, variable) == allowed.end()) {
    throw usage_error(
        fmt::format("an event may not set {}", variable),
        fmt::format("Set it in the function's environment, or name it in {} there.", kEventMaySet));
  }
}

Values read_values(const std::vector<std::string>& names, const Environment& environment,
                   const boost::json::value& event) {
  Values values;
  for (const std::string& name : names) {
    values[name] = environment(name);
  }
  if (event.is_object()) {
    const std::vector<std::string> allowed = allowed_in_events(environment);
    for (const auto& [key, value] : event.get_object()) {
      if (key == kChain) {
        continue;
      }
      const std::string name = options::variable_of(std::string_view(key));
      if (std::ranges::find(names, name) == names.end()) {
        throw usage_error(
            fmt::format("unknown setting \"{}\" in the event", std::string_view(key)),
            did_you_mean(name) + fmt::format("Settings, in lower case or as they are here: {}.",
                                             fmt::join(names, ", ")));
      }
      check_event_may_set(name, allowed);
      values[name] = text_of(value);
    }
  } else if (!event.is_null()) {
    throw usage_error("the event is not an object",
                      "Send nothing or {} to start or resume, {\"restart\": true} to start over.");
  }
  std::erase_if(values, [](const auto& entry) { return entry.second.empty(); });
  return values;
}

std::chrono::milliseconds parse_handover(const std::string& text) {
  constexpr SettingId kHandoverSeconds{"handover-seconds"};
  const double seconds = options::parse_amount(kHandoverSeconds, text, kMaxHandoverSeconds);
  return std::chrono::milliseconds(std::llround(seconds * 1000));
}

bool is_on(const Values& values, SettingId id) {
  const auto found = values.find(options::variable_of(id.name));
  return found != values.end() && options::parse_switch(id, found->second);
}

void require(const Values& values, std::string_view name, std::string hint) {
  if (!values.contains(std::string(name))) {
    throw usage_error(fmt::format("{} is not set", name), std::move(hint));
  }
}

void check_what_a_function_needs(const Values& values) {
  require(values, kTable, "Set it to the ARN of the table to read.");
  require(values, kStream, "Set it to the ARN of the Kinesis data stream to fill.");
  constexpr std::string_view kWhy = "The next invocation resumes from it.";
  require(values, kCheckpoint, std::string(kWhy));
  if (values.at(std::string(kCheckpoint)) == "none") {
    throw usage_error("CHECKPOINT is none", std::string(kWhy));
  }
}

ChainState read_chain(const boost::json::value& event) {
  ChainState chain;
  const boost::json::value* const stored =
      event.is_object() ? event.get_object().if_contains(kChain) : nullptr;
  if (stored == nullptr) {
    return chain;
  }
  try {
    const boost::json::object& object = stored->as_object();
    chain.round = object.at("round").to_number<std::uint32_t>();
    chain.rounds_without_progress = object.at("roundsWithoutProgress").to_number<std::uint32_t>();
    if (const boost::json::value* left = object.if_contains("limitLeft")) {
      chain.limit_left = left->to_number<std::uint64_t>();
    }
    if (const boost::json::value* ownership = object.if_contains("ownership")) {
      chain.ownership = ownership->as_string();
    }
    if (const boost::json::value* asked_at = object.if_contains("askedAt")) {
      chain.asked_at = asked_at->to_number<std::int64_t>();
    }
  } catch (const std::exception&) {
    throw usage_error("the event's \"everyitem\" is not what a round passes to the next one",
                      "Leave it out: the run resumes from its checkpoint.");
  }
  return chain;
}

}  // namespace

void check_environment(const Environment& environment, const std::vector<std::string>& variables) {
  for (const std::string_view name : {kRestart, kResume}) {
    if (!environment(name).empty()) {
      throw usage_error(
          fmt::format("{} is set in the environment, so every round would have it", name),
          fmt::format("Send it in the event instead: {{\"{}\": true}}.",
                      name == kRestart ? "restart" : "resume"));
    }
  }
  const std::vector<std::string> names = setting_names();
  for (const std::string& name : allowed_in_events(environment)) {
    if (std::ranges::find(names, name) == names.end()) {
      throw usage_error(fmt::format("{} names {}, which is not a setting", kEventMaySet, name),
                        did_you_mean(name));
    }
  }
  for (const std::string& variable : variables) {
    if (std::ranges::find(names, variable) == names.end() && !is_lambdas_own(variable)) {
      if (const auto meant = options::nearest(variable, names)) {
        throw usage_error(
            fmt::format("{} is set in the environment, which is not a setting", variable),
            fmt::format("Did you mean {}?", *meant));
      }
    }
  }
}

ScannerSettings read_scanner_settings(const Environment& environment,
                                      const boost::json::value& event) {
  const Values values = read_values(setting_names(), environment, settings_in(event));
  check_what_a_function_needs(values);
  ScannerSettings settings;
  settings.from_function = event.is_object() && event.get_object().contains(kChain);
  settings.chain = read_chain(event);
  settings.wait = is_on(values, SettingId{"wait"});
  settings.once = is_on(values, SettingId{"once"});
  settings.resume = is_on(values, SettingId{"resume"});
  if (settings.resume && is_on(values, setting::kRestart)) {
    throw usage_error("\"resume\" and \"restart\" are both given", "Send one of them.");
  }
  if (const auto rounds = values.find(std::string(kMaxRounds)); rounds != values.end()) {
    settings.max_rounds = static_cast<std::uint32_t>(
        options::parse_count(SettingId{"max-rounds"}, rounds->second, 1, kMaxRoundsLimit));
  }
  if (const auto handover = values.find(std::string(kHandover)); handover != values.end()) {
    settings.handover = parse_handover(handover->second);
  }
  options::GivenSettings given;
  for (const auto& [variable, text] : values) {
    if (const Entry* const entry = find_entry(variable)) {
      given[std::string(entry->id.name)] = text;
    }
  }
  settings.scan = options::scan_settings(given);
  if (settings.chain.limit_left) {
    settings.scan.limit = settings.chain.limit_left;
  }
  return settings;
}

std::string successor_event(const boost::json::value& event, const ChainState& next, bool begun) {
  boost::json::object successor;
  const boost::json::value given = settings_in(event);
  if (given.is_object()) {
    for (const auto& [key, value] : given.get_object()) {
      if (!begun || options::variable_of(std::string_view(key)) != kRestart) {
        successor[key] = value;
      }
    }
  }
  boost::json::object chain{{"round", next.round},
                            {"roundsWithoutProgress", next.rounds_without_progress}};
  if (next.asked_at) {
    chain["askedAt"] = *next.asked_at;
  }
  if (next.limit_left) {
    chain["limitLeft"] = *next.limit_left;
  }
  if (!next.ownership.empty()) {
    chain["ownership"] = next.ownership;
  }
  successor[kChain] = std::move(chain);
  return boost::json::serialize(successor);
}

std::vector<std::string> setting_names() {
  std::vector<std::string> names;
  names.reserve(std::size(kOwnSettings) + options::scan_entries().size());
  for (const OwnSetting& own : kOwnSettings) {
    names.emplace_back(own.variable);
  }
  for (const Entry& entry : options::scan_entries()) {
    if (entry.doors == options::SettingDoors::all) {
      names.push_back(options::variable_of(entry));
    }
  }
  std::ranges::sort(names);
  return names;
}

SettingClass class_of(std::string_view variable) {
  if (const Entry* const entry = find_entry(variable)) {
    return entry->setting_class;
  }
  const auto own = std::ranges::find(kOwnSettings, variable, &OwnSetting::variable);
  return own == kOwnSettings.end() ? SettingClass::where_and_who : own->setting_class;
}

std::string as_variable(const SettingUse& use) {
  if (use.id == setting::kRestart) {
    return "{\"restart\": true}";  // in the event: from the environment it is refused
  }
  const auto entries = options::scan_entries();
  const auto entry = std::ranges::find(entries, use.id, &Entry::id);
  const bool is_of_a_run = entry != entries.end();
  if (is_of_a_run && entry->doors != options::SettingDoors::all) {
    return as_flag(use);
  }
  const std::string variable =
      is_of_a_run ? options::variable_of(*entry) : options::variable_of(use.id.name);
  return use.value.empty() ? variable : fmt::format("{}={}", variable, use.value);
}

}  // namespace everyitem::lambda
