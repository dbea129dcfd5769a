// Settings as flags of a verb.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include <CLI/CLI.hpp>

#include "options/setting_entry.h"

namespace everyitem::cli {

/// A terminal's usual width, which no line of a help text exceeds.
inline constexpr std::size_t kHelpColumns = 80;

/// A paragraph, cut into lines for the help's column of explanations.
std::string help_text(std::string_view paragraph);

/// Adds a flag; parsing puts what is given for it into `given`, which outlives the verb.
void add_flag(CLI::App& verb, std::string_view name, std::string_view short_name,
              std::string_view value_name, std::string_view group, std::string_view help,
              options::GivenSettings& given);

template <typename Target>
void add_flags(CLI::App& verb, std::span<const options::SettingEntry<Target>> entries,
               options::GivenSettings& given) {
  for (const options::SettingEntry<Target>& entry : entries) {
    add_flag(verb, entry.id.name, entry.short_flag, entry.value_name, entry.group, entry.help,
             given);
  }
}

/// Adds --log, which the program has read before; `check_log` throws a usage error if it is wrong.
void add_log_flag(CLI::App& verb, options::GivenSettings& given);
void check_log(const options::GivenSettings& given);

}  // namespace everyitem::cli
