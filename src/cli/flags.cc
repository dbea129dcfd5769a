#include "cli/flags.h"

#include "options/setting_text.h"

namespace everyitem::cli {

namespace {

/// CLI11's column of names.
constexpr std::size_t kNameColumns = 30;

constexpr SettingId kLog{"log"};

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
  const std::string key(name);
  CLI::Option* option = nullptr;
  if (value_name.empty()) {
    option = verb.add_flag_function(
        names, [&given, key](std::int64_t count) { given[key] = count > 0 ? "true" : "false"; },
        help_text(help));
  } else {
    option = verb.add_option_function<std::string>(
        names, [&given, key](const std::string& value) { given[key] = value; }, help_text(help));
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
