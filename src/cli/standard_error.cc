#include "cli/standard_error.h"

#include <unistd.h>

#include <fmt/format.h>

#include "run/run_summary.h"

namespace everyitem::cli {

namespace {

constexpr std::string_view kFlag = "--log";

/// As the Lambda function's log has them.
std::string_view level_word(LogLevel level) {
  switch (level) {
    case LogLevel::info:
      return "INFO";
    case LogLevel::warning:
      return "WARN";
    case LogLevel::error:
      break;
  }
  return "ERROR";
}

}  // namespace

std::optional<LogFormat> log_format(const std::vector<std::string>& command) {
  std::string_view value;
  for (std::size_t i = 0; i < command.size() && command[i] != "--"; ++i) {
    const std::string_view word = command[i];
    if (word == kFlag && i + 1 < command.size()) {
      value = command[i + 1];
    } else if (word.starts_with(kFlag) && word.substr(kFlag.size()).starts_with('=')) {
      value = word.substr(kFlag.size() + 1);
    }
  }
  if (value == "json") {
    return LogFormat::json;
  }
  return value == "text" ? std::optional(LogFormat::text) : std::nullopt;
}

boost::json::object message_json(LogLevel level, std::string_view text) {
  return {{"event", "message"}, {"level", level_word(level)}, {"message", text}};
}

StandardError::StandardError(int descriptor, std::optional<LogFormat> format, const Clock& clock)
    : out_(descriptor),
      format_(format.value_or(isatty(descriptor) == 1 ? LogFormat::text : LogFormat::json)),
      clock_(clock) {}

void StandardError::message(LogLevel level, std::string_view text) {
  if (format_ == LogFormat::json) {
    object(message_json(level, text));
  } else {
    out_.line(fmt::format("everyitem: {}", text));
  }
}

void StandardError::object(const boost::json::object& object) {
  if (format_ == LogFormat::json) {
    out_.line(line_of(object));
  }
}

void StandardError::passing(std::string_view text, const boost::json::object& object) {
  out_.passing_line(format_ == LogFormat::json ? line_of(object)
                                               : fmt::format("everyitem: {}", text));
}

std::string StandardError::line_of(const boost::json::object& object) const {
  boost::json::object line{{"timestamp", timestamp(clock_.wall_now())}};
  for (const auto& [name, value] : object) {
    line[name] = value;
  }
  return run::to_line(line);
}

}  // namespace everyitem::cli
