// The function's log: JSON objects, one per line, whose members CloudWatch Logs can search.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include <boost/json.hpp>

#include "base/clock.h"
#include "base/diagnostics.h"

namespace everyitem::lambda {

/// One event loop.
class Log {
 public:
  /// Both outlive the log.
  Log(Diagnostics& out, const Clock& clock) : out_(out), clock_(clock) {}

  /// What the lines that follow are about: an invocation, and then the run that it works on.
  void begin_request(std::string request_id);
  void begin_run(std::string run) { run_ = std::move(run); }

  void info(std::string_view message) { line("INFO", message); }
  void warning(std::string_view message) { line("WARN", message); }
  void error(std::string_view message) { line("ERROR", message); }

  /// {"timestamp", "level", "message", "requestId", "run"}, and what `more` holds.
  void line(std::string_view level, std::string_view message, const boost::json::object& more = {});
  /// An object as it is: metrics.
  void write(const boost::json::object& object);

 private:
  Diagnostics& out_;
  const Clock& clock_;
  std::string request_id_;
  std::string run_;
};

}  // namespace everyitem::lambda
