#include "cli/flags.h"

#include <fmt/format.h>

#include "base/error.h"
#include "options/setting_text.h"

namespace everyitem::cli {

namespace {

/// CLI11's column of names.
constexpr std::size_t kNameColumns = 30;

constexpr SettingId kLog{"log"};

/// CLI11 takes whatever follows a flag as its value.
const std::string& only_value(const CLI::App& verb, SettingId id, const CLI::results_t& values) {
  if (values.size() > 1) {
    throw usage_error(id + " is given twice");
  }
  const std::string& value = values.front();
  if (value.starts_with("--") && verb.get_option_no_throw(value) != nullptr) {
    throw usage_error(id + fmt::format(" needs a value, but {} follows it", value));
  }
  return value;
}

}  // namespace

std::string help_text(std::string_view paragraph) {
  constexpr std::size_t kColumns = kHelpColumns - kNameColumns;
  std::string text;
  while (paragraph.size() > kColumns) {
    const std::size_t space = paragraph.rfind(' ', kColumns);
    const std::size_t end = space == std::string_view::npos ? kColumns : space;
    text.append(paragraph.substr(0, end)) += '\n';
    paragraph.remove_prefix(space == std::string_view::npos ? end : end + 1);
  }
  return text.append(paragraph);
}

void add_flag(CLI::App& verb, std::string_view name, std::string_view short_name,
              std::string_view value_name, std::string_view group, std::string_view help,
              options::GivenSettings& given) {
  std::string names = "--" + std::string(name);
  if (!short_name.empty()) {
    names = "-" + std::string(short_name) + "," + names;
  }
  const SettingId id{name};
  const bool is_switch = value_name.empty();
  const CLI::callback_t keep = [&given, &verb, id, is_switch](const CLI::results_t& values) {
    given[std::string(id.name)] = is_switch ? values.back() : only_value(verb, id, values);
    return true;
  };
  CLI::Option* const option = verb.add_option(names, keep, help_text(help));
  option->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  if (is_switch) {
    option->expected(0);
  } else {
    option->type_name(std::string(value_name));
  }
  option->group(std::string(group));
}

void add_log_flag(CLI::App& verb, options::GivenSettings& given) {
  add_flag(verb, kLog.name, "", "text|json", "What to show",
           "How standard error is written: text, or JSON objects, one per line, each with its "
           "time. Default: text on a terminal, otherwise json",
           given);
}

void check_log(const options::GivenSettings& given) {
  if (const auto text = given.find(kLog.name); text != given.end()) {
    options::parse_choice(kLog, text->second, {"text", "json"});
  }
}

}  // namespace everyitem::cli
