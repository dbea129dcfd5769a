#include "cli/progress_display.h"

#include <sys/ioctl.h>

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "base/human_format.h"

namespace everyitem::cli {

namespace {

constexpr std::chrono::seconds kRateWindow{5};

/// After this long without a delivery, the line says so.
constexpr std::chrono::seconds kStandingStill{10};

boost::json::value rounded_or_null(const std::optional<double>& number) {
  return number ? boost::json::value(run::rounded(*number, 1)) : boost::json::value();
}

std::size_t terminal_columns(std::FILE* out) {
  winsize size{};
  const bool known = ioctl(fileno(out), TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  return known ? size.ws_col : 80;
}

/// Without the last parts, if the line is too narrow for all; parts are set off by two spaces.
std::string_view shortened(std::string_view text, std::size_t columns) {
  if (text.size() <= columns) {
    return text;
  }
  const std::size_t end = text.rfind("  ", columns);
  return text.substr(0, end == std::string_view::npos ? columns : end);
}

}  // namespace

Estimate estimate(const run::ScanProgress& progress, double items_per_second) {
  Estimate result;
  if (progress.estimated_items == 0) {
    return result;
  }
  const auto whole = static_cast<double>(progress.estimated_items);
  // What a filter leaves out is done when it was read; the rest when it was delivered.
  const pipeline::RunCounters& counters = progress.counters;
  const std::uint64_t left_out =
      counters.items_scanned - std::min(counters.items_scanned, counters.items_read);
  const auto done = static_cast<double>(progress.items_before + counters.items_delivered +
                                        progress.dead_letters() + left_out);
  result.percent = std::min(100.0, 100 * done / whole);
  if (items_per_second > 0) {
    result.seconds_left = std::max(0.0, (whole - done) / items_per_second);
  }
  return result;
}

std::string progress_text(const run::ScanProgress& progress, const Rates& rates,
                          const Elapsed& elapsed) {
  const pipeline::RunCounters& counters = progress.counters;
  std::string text;
  if (progress.segments == 0) {
    text = "connecting";
  } else {
    text = fmt::format("{}  {} items/s  {}/s", counted(counters.items_delivered, "item"),
                       grouped(static_cast<std::uint64_t>(rates.items)), bytes(rates.bytes));
    const Estimate left = estimate(progress, rates.items);
    if (left.percent) {
      text += fmt::format("  ~{:.0f}%", *left.percent);
    }
    if (left.seconds_left && elapsed.whole >= kRateWindow) {
      text +=
          fmt::format("  ~{} left", duration(std::chrono::duration<double>(*left.seconds_left)));
    }
  }
  if (elapsed.standing_still >= kStandingStill) {
    text += fmt::format("  nothing delivered for {}", duration(elapsed.standing_still));
  }
  if (counters.segments_failed > 0) {
    text += fmt::format("  {} failed", counted(counters.segments_failed, "segment"));
  }
  if (progress.dead_letters() > 0) {
    text += fmt::format("  {}", counted(progress.dead_letters(), "dead letter"));
  }
  if (progress.throttled_requests > 0) {
    text += fmt::format("  {} throttled", grouped(progress.throttled_requests));
  }
  if (progress.requests_retried > 0) {
    text += fmt::format("  {} retried", grouped(progress.requests_retried));
  }
  if (progress.segments > 0) {
    text += fmt::format("  {} RU/s  {} of {} segments",
                        grouped(static_cast<std::uint64_t>(rates.read_units)),
                        grouped(counters.segments_complete), grouped(progress.segments));
  }
  return text;
}

boost::json::object progress_json(const run::ScanProgress& progress, const Rates& rates,
                                  const Elapsed& elapsed) {
  const pipeline::RunCounters& counters = progress.counters;
  const Estimate left = estimate(progress, rates.items);
  return {{"event", "progress"},
          {"items", counters.items_delivered},
          {"bytes", counters.bytes_delivered},
          {"seconds", run::rounded(elapsed.whole.count(), 1)},
          {"items_per_second", run::rounded(rates.items, 1)},
          {"bytes_per_second", run::rounded(rates.bytes, 1)},
          {"read_units", run::rounded(counters.read_units, 1)},
          {"read_units_per_second", run::rounded(rates.read_units, 1)},
          {"segments_done", counters.segments_complete},
          {"segments_failed", counters.segments_failed},
          {"segments", progress.segments},
          {"dead_letters", progress.dead_letters()},
          {"throttled_requests", progress.throttled_requests},
          {"retried_requests", progress.requests_retried},
          {"records_sent_again", progress.records_sent_again},
          {"percent_estimated", rounded_or_null(left.percent)},
          {"seconds_left_estimated", rounded_or_null(left.seconds_left)}};
}

boost::json::object summary_json(const run::RunSummary& summary) {
  boost::json::object object{{"event", "summary"}};
  for (const auto& [name, value] : run::to_json(summary)) {
    object[name] = value;
  }
  return object;
}

std::chrono::milliseconds ProgressDisplay::interval() const {
  return mode_ == DisplayMode::terminal ? std::chrono::milliseconds(200)
                                        : std::chrono::milliseconds(5000);
}

void ProgressDisplay::update(const run::ScanProgress& progress,
                             std::chrono::steady_clock::time_point now) {
  if (progress.counters.items_delivered > samples_.back().counters.items_delivered) {
    last_delivery_ = now;
  }
  const Rates recent = rates(progress.counters, now);
  const Elapsed elapsed{.whole = now - started_, .standing_still = now - last_delivery_};
  if (mode_ == DisplayMode::lines) {
    fmt::print(out_, "{}\n", run::to_line(progress_json(progress, recent, elapsed)));
  } else if (mode_ == DisplayMode::terminal) {
    const std::string text = progress_text(progress, recent, elapsed);
    fmt::print(out_, "\r\x1b[K{}", shortened(text, terminal_columns(out_) - 1));
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

void ProgressDisplay::summarise(const run::RunSummary& summary) {
  clear_line();
  if (mode_ == DisplayMode::lines) {
    fmt::print(out_, "{}\n", run::to_line(summary_json(summary)));
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
