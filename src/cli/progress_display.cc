#include "cli/progress_display.h"

#include <sys/ioctl.h>

#include <algorithm>
#include <cmath>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "cli/human_format.h"

namespace everyitem::cli {

namespace json = boost::json;

namespace {

constexpr std::chrono::seconds kRateWindow{5};

double rounded(double number) { return std::round(number * 10) / 10; }

json::value optional_number(const std::optional<double>& number) {
  return number ? json::value(rounded(*number)) : json::value(nullptr);
}

std::size_t terminal_columns(std::FILE* out) {
  winsize size{};
  const bool known = ioctl(fileno(out), TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  return known ? size.ws_col : 80;
}

}  // namespace

Estimate estimate(const pipeline::ScanProgress& progress, double items_per_second) {
  Estimate result;
  if (progress.estimated_items == 0) {
    return result;
  }
  const auto whole = static_cast<double>(progress.estimated_items);
  const auto done = static_cast<double>(progress.items_before + progress.counters.items_scanned);
  result.percent = std::min(100.0, 100 * done / whole);
  if (items_per_second > 0) {
    result.seconds_left = std::max(0.0, (whole - done) / items_per_second);
  }
  return result;
}

std::string progress_text(const pipeline::ScanProgress& progress, const Rates& rates) {
  const pipeline::RunCounters& counters = progress.counters;
  std::string text = fmt::format(
      "{}  {} items/s  {}/s  {} RU/s  {} of {} segments", counted(counters.items_delivered, "item"),
      grouped(static_cast<std::uint64_t>(rates.items)), bytes(rates.bytes),
      grouped(static_cast<std::uint64_t>(rates.read_units)), grouped(counters.segments_complete),
      grouped(progress.segments));
  const Estimate left = estimate(progress, rates.items);
  if (left.percent) {
    text += fmt::format("  ~{:.0f}%", *left.percent);
  }
  if (left.seconds_left) {
    text += fmt::format("  ~{} left", duration(std::chrono::duration<double>(*left.seconds_left)));
  }
  return text;
}

std::string progress_json(const pipeline::ScanProgress& progress, const Rates& rates) {
  const pipeline::RunCounters& counters = progress.counters;
  const Estimate left = estimate(progress, rates.items);
  return json::serialize(json::object{
      {"event", "progress"},
      {"items", counters.items_delivered},
      {"bytes", counters.bytes_delivered},
      {"items_per_second", rounded(rates.items)},
      {"bytes_per_second", rounded(rates.bytes)},
      {"read_units", rounded(counters.read_units)},
      {"read_units_per_second", rounded(rates.read_units)},
      {"segments_done", counters.segments_complete},
      {"segments", progress.segments},
      {"throttled_requests", progress.throttled_requests},
      {"percent_estimated", optional_number(left.percent)},
      {"seconds_left_estimated", optional_number(left.seconds_left)},
  });
}

std::string summary_json(const Summary& summary) {
  const pipeline::RunCounters& counters = summary.progress.counters;
  return json::serialize(json::object{
      {"event", "summary"},
      {"status", summary.status},
      {"items", counters.items_delivered},
      {"items_before", summary.progress.items_before},
      {"items_scanned", counters.items_scanned},
      {"bytes", counters.bytes_delivered},
      {"batches", counters.batches_delivered},
      {"pages", counters.pages_read},
      {"seconds", std::round(summary.elapsed.count() * 1000) / 1000},
      {"read_units", rounded(counters.read_units)},
      {"throttled_requests", summary.progress.throttled_requests},
      {"retried_requests", summary.progress.requests_retried},
      {"records_sent_again", summary.progress.records_sent_again},
      {"segments_done", counters.segments_complete},
      {"segments", summary.progress.segments},
      {"checkpoint", summary.checkpoint.empty() ? json::value(nullptr)
                                                : json::value(json::string(summary.checkpoint))},
  });
}

std::string summary_text(const Summary& summary) {
  const pipeline::RunCounters& counters = summary.progress.counters;
  const double seconds = std::max(summary.elapsed.count(), 1e-3);
  std::string text = fmt::format(
      "{} ({}) delivered in {}: {} items/s, {}/s, {} read units",
      counted(counters.items_delivered, "item"),
      bytes(static_cast<double>(counters.bytes_delivered)), duration(summary.elapsed),
      grouped(static_cast<std::uint64_t>(static_cast<double>(counters.items_delivered) / seconds)),
      bytes(static_cast<double>(counters.bytes_delivered) / seconds),
      grouped(static_cast<std::uint64_t>(std::ceil(counters.read_units))));
  if (summary.progress.items_before > 0) {
    text += fmt::format("; {} before", grouped(summary.progress.items_before));
  }
  if (summary.progress.throttled_requests > 0) {
    text += fmt::format("; {} throttled", counted(summary.progress.throttled_requests, "request"));
  }
  if (summary.progress.requests_retried > 0) {
    text += fmt::format("; {} repeated", counted(summary.progress.requests_retried, "request"));
  }
  if (summary.progress.records_sent_again > 0) {
    text += fmt::format("; {} sent again", counted(summary.progress.records_sent_again, "record"));
  }
  return text;
}

std::chrono::milliseconds ProgressDisplay::interval() const {
  return mode_ == DisplayMode::terminal ? std::chrono::milliseconds(200)
                                        : std::chrono::milliseconds(5000);
}

void ProgressDisplay::update(const pipeline::ScanProgress& progress,
                             std::chrono::steady_clock::time_point now) {
  const Rates recent = rates(progress.counters, now);
  if (mode_ == DisplayMode::quiet || progress.segments == 0) {
    return;
  }
  if (mode_ == DisplayMode::lines) {
    fmt::print(out_, "{}\n", progress_json(progress, recent));
  } else {
    const std::string text = progress_text(progress, recent);
    fmt::print(out_, "\r\x1b[K{}", text.substr(0, terminal_columns(out_) - 1));
    line_shown_ = true;
  }
  std::fflush(out_);
}

void ProgressDisplay::notice(std::string_view text) {
  if (mode_ != DisplayMode::quiet) {
    message(text);
  }
}

void ProgressDisplay::message(std::string_view text) {
  clear_line();
  fmt::print(out_, "everyitem: {}\n", text);
  std::fflush(out_);
}

void ProgressDisplay::summarise(const Summary& summary) {
  clear_line();
  if (mode_ == DisplayMode::lines) {
    fmt::print(out_, "{}\n", summary_json(summary));
  }
}

Rates ProgressDisplay::rates(const pipeline::RunCounters& counters,
                             std::chrono::steady_clock::time_point now) {
  samples_.push_back({now, counters});
  while (samples_.size() > 2 && now - samples_[1].time >= kRateWindow) {
    samples_.pop_front();
  }
  const Sample& oldest = samples_.front();
  const double seconds = std::chrono::duration<double>(now - oldest.time).count();
  if (seconds <= 0) {
    return {};
  }
  return {.items = static_cast<double>(counters.items_delivered - oldest.counters.items_delivered) /
                   seconds,
          .bytes = static_cast<double>(counters.bytes_delivered - oldest.counters.bytes_delivered) /
                   seconds,
          .read_units = (counters.read_units - oldest.counters.read_units) / seconds};
}

void ProgressDisplay::clear_line() {
  if (line_shown_) {
    fmt::print(out_, "\r\x1b[K");
    line_shown_ = false;
  }
}

}  // namespace everyitem::cli
