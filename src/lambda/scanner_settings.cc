#include "lambda/scanner_settings.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <map>
#include <utility>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "base/error.h"
#include "options/scan_options.h"

namespace everyitem::lambda {

namespace {

/// The member of an event that holds its ChainState.
constexpr std::string_view kChain = "everyitem";
constexpr std::string_view kHandover = "HANDOVER_SECONDS";
constexpr std::string_view kRestart = "RESTART";
constexpr std::string_view kCheckpoint = "CHECKPOINT";
constexpr std::string_view kTable = "TABLE_ARN";
constexpr std::string_view kStream = "STREAM_ARN";

/// Lambda's longest time limit is 15 minutes (Lambda quotas).
constexpr double kMostHandoverSeconds = 900;

struct FlagName {
  std::string_view flag;
  std::string_view setting;
};

/// Every other setting is called as its flag is: --read-units is READ_UNITS.
constexpr std::array kOtherNames = {FlagName{"table", kTable}, FlagName{"stream", kStream}};

/// What has no sense in a function: its log would hold the items, and it has no configuration
/// files.
constexpr std::array<std::string_view, 5> kNotHere = {"help", "to", "quiet", "profile",
                                                      "stream-profile"};

std::string upper(std::string_view text) {
  std::string result(text);
  std::ranges::transform(result, result.begin(), [](char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c == '-' ? '_' : c;
  });
  return result;
}

bool is_missing_here(std::string_view flag) {
  return std::ranges::find(kNotHere, flag) != kNotHere.end();
}

std::string variable_of(std::string_view flag) {
  const auto* other = std::ranges::find(kOtherNames, flag, &FlagName::flag);
  return other == kOtherNames.end() ? upper(flag) : std::string(other->setting);
}

/// The command line's own parser, so that a flag of `scan` is a setting here without more ado.
class ScanFlags {
 public:
  ScanFlags() : scan_(options::add_scan_command(program_, options_)) {
    for (const CLI::Option* option : scan_->get_options()) {
      const std::string& flag = option->get_lnames().at(0);
      if (!is_missing_here(flag)) {
        flags_.emplace(variable_of(flag), "--" + flag);
      }
    }
  }

  /// From the setting's name to the flag.
  const std::map<std::string, std::string>& flags() const { return flags_; }

  /// What the parser says, which speaks of flags.
  std::string with_variables(std::string_view message) const {
    std::string text;
    while (!message.empty()) {
      const std::size_t at = std::min(message.find("--"), message.size());
      text += message.substr(0, at);
      message.remove_prefix(at);
      const std::size_t length =
          std::min(message.find_first_not_of("-abcdefghijklmnopqrstuvwxyz"), message.size());
      const std::string_view flag = message.substr(0, length);
      const auto setting = std::ranges::find(
          flags_, flag, [](const auto& entry) -> std::string_view { return entry.second; });
      text += setting == flags_.end() ? flag : std::string_view(setting->first);
      message.remove_prefix(length);
    }
    return text;
  }

  pipeline::ScanSettings parse(const std::map<std::string, std::string>& values) {
    std::vector<std::string> arguments;
    for (const auto& [setting, flag] : flags_) {
      if (const auto value = values.find(setting); value != values.end()) {
        arguments.push_back(fmt::format("{}={}", flag, value->second));
      }
    }
    arguments.emplace_back("scan");  // the last comes first, as CLI11 takes them
    try {
      program_.parse(arguments);
    } catch (const CLI::ParseError& error) {
      throw usage_error(with_variables(error.what()));
    }
    return options::scan_settings(options_);
  }

 private:
  CLI::App program_;
  options::ScanOptions options_;
  CLI::App* scan_;
  std::map<std::string, std::string> flags_;
};

/// Those that are not empty.
using Values = std::map<std::string, std::string>;

std::string text_of(const boost::json::value& value) {
  if (value.is_null()) {
    return {};
  }
  return value.is_string() ? std::string(value.get_string()) : boost::json::serialize(value);
}

Values read_values(const std::vector<std::string>& names, const Environment& environment,
                   const boost::json::value& event) {
  Values values;
  for (const std::string& name : names) {
    values[name] = environment(name);
  }
  if (event.is_object()) {
    for (const auto& [key, value] : event.get_object()) {
      const std::string name = upper(key);
      if (key == kChain) {
        continue;
      }
      if (std::ranges::find(names, name) == names.end()) {
        throw usage_error(fmt::format("the event's \"{}\" is no setting", std::string_view(key)),
                          "These are, in small letters or as they are: " +
                              fmt::format("{}", fmt::join(names, ", ")) + ".");
      }
      values[name] = text_of(value);
    }
  } else if (!event.is_null()) {
    throw usage_error("the event is not an object",
                      "Send nothing or {} to start or go on, {\"restart\": true} to begin anew.");
  }
  std::erase_if(values, [](const auto& entry) { return entry.second.empty(); });
  return values;
}

std::chrono::milliseconds parse_handover(const std::string& text) {
  double seconds = 0;
  const char* const end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, seconds);
  if (parsed.ec != std::errc() || parsed.ptr != end ||
      !(seconds > 0 && seconds <= kMostHandoverSeconds)) {
    throw usage_error(fmt::format("{} is \"{}\"; it must be above 0 and at most {:g}", kHandover,
                                  text, kMostHandoverSeconds));
  }
  return std::chrono::milliseconds(std::llround(seconds * 1000));
}

void require(const Values& values, std::string_view name, std::string hint) {
  if (!values.contains(std::string(name))) {
    throw usage_error(fmt::format("{} is not set", name), std::move(hint));
  }
}

void check_what_a_function_needs(const Values& values) {
  require(values, kTable, "Set it to the ARN of the table to read.");
  require(values, kStream, "Set it to the ARN of the Kinesis data stream to fill.");
  constexpr std::string_view kWhy = "The next invocation goes on from there.";
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
  } catch (const std::exception&) {
    throw usage_error("the event's \"everyitem\" is not what an invocation tells the next one",
                      "Leave it out: the checkpoint knows where to go on.");
  }
  return chain;
}

}  // namespace

void check_environment(const Environment& environment) {
  if (!environment(kRestart).empty()) {
    throw usage_error("RESTART is set in the environment, where each round would begin anew",
                      "Give it in the event: {\"restart\": true}.");
  }
}

ScannerSettings read_scanner_settings(const Environment& environment,
                                      const boost::json::value& event) {
  const Values values = read_values(setting_names(), environment, event);
  check_what_a_function_needs(values);
  ScannerSettings settings;
  settings.chain = read_chain(event);
  if (const auto handover = values.find(std::string(kHandover)); handover != values.end()) {
    settings.handover = parse_handover(handover->second);
  }
  settings.scan = ScanFlags().parse(values);
  if (settings.chain.limit_left) {
    settings.scan.limit = settings.chain.limit_left;
  }
  return settings;
}

std::string successor_event(const boost::json::value& event, const ChainState& next, bool begun) {
  boost::json::object successor;
  if (event.is_object()) {
    for (const auto& [key, value] : event.get_object()) {
      if (!begun || upper(key) != kRestart) {
        successor[key] = value;
      }
    }
  }
  boost::json::object chain{{"round", next.round},
                            {"roundsWithoutProgress", next.rounds_without_progress}};
  if (next.limit_left) {
    chain["limitLeft"] = *next.limit_left;
  }
  successor[kChain] = std::move(chain);
  return boost::json::serialize(successor);
}

std::vector<std::string> setting_names() {
  std::vector<std::string> names{std::string(kHandover)};
  const ScanFlags flags;
  for (const auto& [setting, flag] : flags.flags()) {
    names.push_back(setting);
  }
  std::ranges::sort(names);
  return names;
}

std::string as_variable(const SettingUse& use) {
  if (use.id == setting::kRestart) {
    return "{\"restart\": true}";  // in the event: from the environment it is refused
  }
  if (is_missing_here(use.id.name)) {
    return as_flag(use);
  }
  const std::string name = variable_of(use.id.name);
  return use.value.empty() ? name : fmt::format("{}={}", name, use.value);
}

}  // namespace everyitem::lambda
