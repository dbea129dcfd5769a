#include "identity/shared_config_file.h"

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <optional>
#include <system_error>
#include <utility>

#include <fmt/format.h>
#include <simdjson.h>

#include "base/error.h"
#include "base/padded_buffer.h"
#include "identity/secret_file.h"
#include "identity/secret_json.h"
#include "identity/user_path.h"

namespace everyitem::identity {

namespace {

constexpr std::string_view kSpaces = " \t\v\f";

std::string_view trim(std::string_view text) {
  const std::size_t start = text.find_first_not_of(kSpaces);
  if (start == std::string_view::npos) {
    return {};
  }
  return text.substr(start, text.find_last_not_of(kSpaces) - start + 1);
}

bool is_comment(std::string_view text) { return text.starts_with('#') || text.starts_with(';'); }

/// The value after '='. A comment begins at a '#' or ';' after a space, so a value can contain
/// either.
std::string_view setting_value(std::string_view text) {
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (is_comment(text.substr(i)) && kSpaces.find(text[i - 1]) != std::string_view::npos) {
      return trim(text.substr(0, i));
    }
  }
  return trim(text);
}

std::string_view unquote(std::string_view text) {
  if (text.size() >= 2 && (text.front() == '"' || text.front() == '\'') &&
      text.back() == text.front()) {
    return text.substr(1, text.size() - 2);
  }
  return text;
}

std::string setting_name(std::string_view text) {
  std::string name(trim(text));
  std::ranges::transform(name, name.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return name;
}

/// Parses a file line by line.
class Parser {
 public:
  Parser(SharedConfigKind kind, std::string_view path) : kind_(kind), path_(path) {}

  void take(std::string_view line) {
    ++line_number_;
    if (!simdjson::validate_utf8(line.data(), line.size())) {
      fail("not UTF-8");
    }
    const std::string_view text = trim(line);
    if (text.empty() || is_comment(text)) {
      return;
    }
    const std::size_t indent = line.find_first_not_of(kSpaces);
    if (!setting_.empty() && indent > setting_indent_) {
      take_indented(line.substr(indent));
    } else if (text.starts_with('[')) {
      take_heading(text);
    } else {
      take_setting(line, indent);
    }
  }

  SharedConfigFile result() && { return std::move(file_); }

 private:
  [[noreturn]] void fail(std::string_view message) const {
    throw usage_error(fmt::format("{}:{}: {}", path_, line_number_, message),
                      "Correct that line, or name another file with AWS_CONFIG_FILE or "
                      "AWS_SHARED_CREDENTIALS_FILE.");
  }

  /// Splits at the first of these characters.
  std::pair<std::string, std::string_view> split(std::string_view text,
                                                 std::string_view signs) const {
    const std::size_t equals = text.find_first_of(signs);
    if (equals == std::string_view::npos) {
      fail("expected \"name = value\"");
    }
    std::string name = setting_name(text.substr(0, equals));
    if (name.empty()) {
      fail("expected a name before \"=\"");
    }
    return {std::move(name), setting_value(text.substr(equals + 1))};
  }

  void take_heading(std::string_view text) {
    const std::size_t end = text.find(']');  // like botocore, whatever follows is ignored
    if (end == std::string_view::npos) {
      fail("expected a heading such as \"[default]\"");
    }
    section_ = &open(trim(text.substr(1, end - 1)));
    setting_.clear();
  }

  ConfigSection& open(std::string_view heading) {
    const std::size_t word_end = std::min(heading.find_first_of(kSpaces), heading.size());
    const std::string_view word = heading.substr(0, word_end);
    const std::string name(unquote(trim(heading.substr(word_end))));
    const bool prefixed = word == "profile" && !name.empty();
    if (kind_ == SharedConfigKind::credentials) {
      return prefixed ? ignored_ : file_.profiles[std::string(unquote(heading))];
    }
    if (prefixed) {
      if (name == "default" && !std::exchange(default_is_prefixed_, true)) {
        file_.profiles.erase(name);  // if both exist, [default] is ignored
      }
      return file_.profiles[name];
    }
    if (heading == "default") {
      return default_is_prefixed_ ? ignored_ : file_.profiles["default"];
    }
    if (word == "services" && !name.empty()) {
      return file_.services[name];
    }
    return word == "sso-session" && !name.empty() ? file_.sso_sessions[name] : ignored_;
  }

  void take_setting(std::string_view line, std::size_t indent) {
    if (section_ == nullptr) {
      fail("a setting before the first heading");
    }
    auto [name, value] = split(line, "=:");  // like Python's configparser, which the AWS CLI uses
    section_->settings[name] = value;
    section_->nested.erase(name);
    setting_ = std::move(name);
    setting_indent_ = indent;
  }

  /// Below a setting without a value: nested settings. Below one with a value: its continuation.
  void take_indented(std::string_view text) {
    std::string& value = section_->settings[setting_];
    if (value.empty()) {
      auto [name, nested_value] = split(text, "=");
      section_->nested[setting_][name] = nested_value;
    } else {
      value.append("\n").append(setting_value(text));
    }
  }

  SharedConfigKind kind_;
  std::string_view path_;
  std::size_t line_number_ = 0;
  SharedConfigFile file_;
  ConfigSection ignored_;
  bool default_is_prefixed_ = false;
  ConfigSection* section_ = nullptr;
  std::string setting_;  ///< the last setting; empty after a heading
  std::size_t setting_indent_ = 0;
};

SharedConfigSource load(const Environment& environment, std::string_view variable,
                        std::string_view usual_path, SharedConfigKind kind) {
  SharedConfigSource source;
  source.path = environment(variable);
  if (source.path.empty()) {
    source.path = usual_path;
  }
  const std::optional<std::string> path = expand_path(source.path, environment);
  std::error_code error = std::make_error_code(std::errc::no_such_file_or_directory);
  PaddedBuffer text;
  const WipedAtEnd wiped(text);
  if (path) {
    source.path = *path;
    text = read_secret_file(source.path, error, &source.readable_by_others);
  }
  if (!error) {
    source.content = parse_shared_config(text.view(), kind, source.path);
    return source;
  }
  const int code = error.value();
  // A device such as /dev/null is how a file is switched off.
  source.absent = code == ENOENT || code == ENOTDIR || code == EINVAL;
  source.problem = code == EINVAL ? "not a file" : source.absent ? "no such file" : error.message();
  return source;
}

}  // namespace

SharedConfigFile parse_shared_config(std::string_view text, SharedConfigKind kind,
                                     std::string_view path) {
  if (text.starts_with("\xef\xbb\xbf")) {  // the byte order mark that some editors write
    text.remove_prefix(3);
  }
  Parser parser(kind, path);
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find_first_of("\r\n"));
    parser.take(line);
    text.remove_prefix(line.size());
    text.remove_prefix(text.starts_with("\r\n") ? 2 : std::min<std::size_t>(1, text.size()));
  }
  return std::move(parser).result();
}

SharedConfig load_shared_config(const Environment& environment) {
  return {load(environment, "AWS_CONFIG_FILE", "~/.aws/config", SharedConfigKind::config),
          load(environment, "AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials",
               SharedConfigKind::credentials)};
}

}  // namespace everyitem::identity
