// The AWS tools' settings files: errors must not repeat the input.
#include <algorithm>
#include <optional>
#include <string>

#include "base/error.h"
#include "fuzz_target.h"
#include "identity/shared_config_file.h"

namespace everyitem::identity {
namespace {

using fuzz::require;

void require_names(const Settings& settings) {
  for (const auto& [name, value] : settings) {
    require(!name.empty(), "a setting has a name");
    require(std::ranges::none_of(name, [](char c) { return c == '=' || (c >= 'A' && c <= 'Z'); }),
            "a setting's name is in lower case");
  }
}

void require_sections(const ConfigSections& sections) {
  for (const auto& [section_name, section] : sections) {
    require_names(section.settings);
    for (const auto& [name, settings] : section.nested) {
      require_names(settings);
      const auto above = section.settings.find(name);
      require(above != section.settings.end() && above->second.empty(),
              "what has settings of its own has no value");
    }
  }
}

/// "f:LINE: " and one of the parser's fixed messages.
void require_own_words(std::string_view message) {
  require(message.starts_with("f:"), "the file is named");
  message.remove_prefix(2);
  const std::size_t digits = message.find_first_not_of("0123456789");
  require(digits > 0 && message.substr(digits, 2) == ": ", "the line is named");
  message.remove_prefix(digits + 2);
  constexpr std::string_view kSentences[] = {"expected \"name = value\"",
                                             "expected a name before \"=\"",
                                             "expected a heading such as \"[default]\"",
                                             "a setting before the first heading", "not UTF-8"};
  require(std::ranges::find(kSentences, message) != std::end(kSentences),
          "the content is not repeated");
}

/// Nothing if it was rejected.
std::optional<SharedConfigFile> parse(std::string_view text, SharedConfigKind kind) {
  try {
    SharedConfigFile file = parse_shared_config(text, kind, "f");
    require_sections(file.profiles);
    require_sections(file.services);
    require_sections(file.sso_sessions);
    return file;
  } catch (const Error& error) {
    require(error.kind() == ErrorKind::usage, "a wrong file is a usage error");
    require_own_words(error.details().message.text());
    return std::nullopt;
  }
}

bool same(const ConfigSections& some, const ConfigSections& others) {
  return std::ranges::equal(some, others, [](const auto& one, const auto& other) {
    return one.first == other.first && one.second.settings == other.second.settings &&
           one.second.nested == other.second.nested;
  });
}

void parse_with_either_line_end(std::string_view text, SharedConfigKind kind) {
  std::string windows;
  for (const char c : text) {
    windows += c == '\n' ? "\r\n" : std::string(1, c);
  }
  const auto file = parse(text, kind);
  const auto other = parse(windows, kind);
  require(file.has_value() == other.has_value() &&
              (!file ||
               (same(file->profiles, other->profiles) && same(file->services, other->services) &&
                same(file->sso_sessions, other->sso_sessions))),
          "line ends make no difference");
}

}  // namespace
}  // namespace everyitem::identity

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using everyitem::identity::SharedConfigKind;
  const std::string_view text = everyitem::fuzz::as_text(data, size);
  for (const auto kind : {SharedConfigKind::config, SharedConfigKind::credentials}) {
    everyitem::identity::parse_with_either_line_end(text, kind);
  }
  return 0;
}
