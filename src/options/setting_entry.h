// A setting is one entry in a table, which every door reads: its flag, its variable, its help, who
// may give it, and how its text is understood.
#pragma once

#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>

#include "base/setting_id.h"

namespace everyitem::options {

/// Who may give a setting to the Lambda function.
enum class SettingClass {
  how,            ///< how a run goes about it: whoever may invoke the function
  where_and_who,  ///< what is read, where it goes, who does it: the function's environment
};

enum class SettingDoors { all, command_line };

/// `Target` is what the settings of a verb are collected in.
template <typename Target>
struct SettingEntry {
  SettingId id;
  SettingClass setting_class;
  SettingDoors doors;
  std::string_view group;       ///< its heading in the help
  std::string_view value_name;  ///< in the help: "N"; empty for a switch
  std::string_view help;        ///< one paragraph
  /// Throws a usage error that names the setting.
  std::function<void(Target& target, SettingId id, std::string_view text)> parse;
  std::string_view variable = {};    ///< where it is not the flag in capitals
  std::string_view short_flag = {};  ///< "q"
  bool takes_file = false;           ///< on the command line, "file://PATH" is what PATH holds

  bool is_switch() const { return value_name.empty(); }
};

/// "READ_UNITS" for --read-units.
std::string variable_of(std::string_view flag);

template <typename Target>
std::string variable_of(const SettingEntry<Target>& entry) {
  return entry.variable.empty() ? variable_of(entry.id.name) : std::string(entry.variable);
}

/// The settings that were given, as text, by SettingId::name. A switch is "true" or "false".
using GivenSettings = std::map<std::string, std::string, std::less<>>;

/// Fills `target` with what was given, in the table's order.
template <typename Target>
void parse_given(std::span<const SettingEntry<Target>> entries, const GivenSettings& given,
                 Target& target) {
  for (const SettingEntry<Target>& entry : entries) {
    if (const auto text = given.find(entry.id.name); text != given.end()) {
      entry.parse(target, entry.id, text->second);
    }
  }
}

}  // namespace everyitem::options
