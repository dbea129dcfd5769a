// Standard error of the command line: text for a person, or JSON for a program, one object per
// line.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json.hpp>

#include "base/clock.h"
#include "base/diagnostics.h"

namespace everyitem::cli {

enum class LogFormat { text, json };

enum class LogLevel { info, warning, error };

/// What --log says in a command line that may be wrong otherwise; nothing if it says nothing.
std::optional<LogFormat> log_format(const std::vector<std::string>& command);

/// {"event":"message", ...}: a message of docs/output.md.
boost::json::object message_json(LogLevel level, std::string_view text);

/// One event loop.
class StandardError {
 public:
  /// By default text on a terminal, and JSON elsewhere. The clock outlives this.
  StandardError(int descriptor, std::optional<LogFormat> format, const Clock& clock);

  LogFormat format() const { return format_; }
  /// Whether it is a terminal that can rewrite a line.
  bool can_rewrite() const { return format_ == LogFormat::text && out_.is_terminal(); }
  std::size_t columns() const { return out_.columns(); }

  /// "everyitem: TEXT", or an object.
  void message(LogLevel level, std::string_view text);
  /// With the time. Where text is written, nothing.
  void object(const boost::json::object& object);
  /// Something that will be said again soon: the text or, if JSON is written, the object.
  void passing(std::string_view text, const boost::json::object& object);
  void rewrite(std::string_view text) { out_.rewrite(text); }

 private:
  std::string line_of(const boost::json::object& object) const;

  Diagnostics out_;
  LogFormat format_;
  const Clock& clock_;
};

}  // namespace everyitem::cli
