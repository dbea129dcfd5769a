#include "cli/progress_display.h"

#include <sys/ioctl.h>

#include <algorithm>
#include <cmath>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "base/human_format.h"

namespace everyitem::cli {

namespace {

constexpr std::chrono::seconds kRateWindow{5};

/// After so long without a delivery it is said.
constexpr std::chrono::seconds kStandingStill{10};

std::string json_number(const std::optional<double>& number) {
  return number ? fmt::format("{:.1f}", *number) : "null";
}

std::string json_text(const std::string& text) {
  return text.empty() ? "null" : boost::json::serialize(boost::json::string(text));
}

/// Above 0.
double seconds_of(const Summary& summary) { return std::max(summary.elapsed.count(), 1e-3); }

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
  // What a filter leaves out is done with when it was read; all else when it was delivered.
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

std::string progress_text(const pipeline::ScanProgress& progress, const Rates& rates,
                          const Elapsed& elapsed) {
  const pipeline::RunCounters& counters = progress.counters;
  std::string text;
  if (progress.segments == 0) {
    text = "asking for table and destination";
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
    text += fmt::format("  {} repeated", grouped(progress.requests_retried));
  }
  if (progress.segments > 0) {
    text += fmt::format("  {} RU/s  {} of {} segments",
                        grouped(static_cast<std::uint64_t>(rates.read_units)),
                        grouped(counters.segments_complete), grouped(progress.segments));
  }
  return text;
}

std::string progress_json(const pipeline::ScanProgress& progress, const Rates& rates,
                          const Elapsed& elapsed) {
  const pipeline::RunCounters& counters = progress.counters;
  const Estimate left = estimate(progress, rates.items);
  return fmt::format(
      R"({{"event":"progress","items":{},"bytes":{},"seconds":{:.1f},"items_per_second":{:.1f},)"
      R"("bytes_per_second":{:.1f},"read_units":{:.1f},"read_units_per_second":{:.1f},)"
      R"("segments_done":{},"segments_failed":{},"segments":{},"dead_letters":{},)"
      R"("throttled_requests":{},"retried_requests":{},"records_sent_again":{},)"
      R"("percent_estimated":{},"seconds_left_estimated":{}}})",
      counters.items_delivered, counters.bytes_delivered, elapsed.whole.count(), rates.items,
      rates.bytes, counters.read_units, rates.read_units, counters.segments_complete,
      counters.segments_failed, progress.segments, progress.dead_letters(),
      progress.throttled_requests, progress.requests_retried, progress.records_sent_again,
      json_number(left.percent), json_number(left.seconds_left));
}

std::string summary_json(const Summary& summary) {
  const pipeline::RunCounters& counters = summary.progress.counters;
  return fmt::format(
      R"({{"event":"summary","status":"{}","items":{},"records":{},"items_before":{},"items_scanned":{},)"
      R"("bytes":{},"batches":{},"pages":{},"seconds":{:.3f},"read_units":{:.1f},)"
      R"("read_units_per_second":{:.1f},"read_rate":{},)"
      R"("throttled_requests":{},"retried_requests":{},"records_sent_again":{},)"
      R"("segments_done":{},"segments_failed":{},"segments":{},"checkpoint":{},)"
      R"("dead_letters":{},"dead_letters_file":{}}})",
      summary.status, counters.items_delivered, counters.records_delivered,
      summary.progress.items_before, counters.items_scanned, counters.bytes_delivered,
      counters.batches_delivered, counters.pages_read, summary.elapsed.count(), counters.read_units,
      counters.read_units / seconds_of(summary), json_number(summary.progress.read_rate),
      summary.progress.throttled_requests, summary.progress.requests_retried,
      summary.progress.records_sent_again, counters.segments_complete, counters.segments_failed,
      summary.progress.segments, json_text(summary.checkpoint), summary.progress.dead_letters(),
      json_text(summary.progress.dead_letters() > 0 ? summary.dead_letters : ""));
}

std::string summary_text(const Summary& summary) {
  const pipeline::RunCounters& counters = summary.progress.counters;
  const double seconds = seconds_of(summary);
  std::string text = fmt::format(
      "{} ({}) delivered in {}: {} items/s, {}/s, {}", counted(counters.items_delivered, "item"),
      bytes(static_cast<double>(counters.bytes_delivered)), duration(summary.elapsed),
      grouped(static_cast<std::uint64_t>(static_cast<double>(counters.items_delivered) / seconds)),
      bytes(static_cast<double>(counters.bytes_delivered) / seconds),
      counted(static_cast<std::uint64_t>(std::ceil(counters.read_units)), "read unit"));
  if (summary.progress.read_rate) {
    text += fmt::format(" ({:.1f} a second of {:.10g})", counters.read_units / seconds,
                        *summary.progress.read_rate);
  }
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
  if (progress.counters.items_delivered > samples_.back().counters.items_delivered) {
    last_delivery_ = now;
  }
  const Rates recent = rates(progress.counters, now);
  const Elapsed elapsed{.whole = now - started_, .standing_still = now - last_delivery_};
  if (mode_ == DisplayMode::lines) {
    fmt::print(out_, "{}\n", progress_json(progress, recent, elapsed));
  } else if (mode_ == DisplayMode::terminal) {
    const std::string text = progress_text(progress, recent, elapsed);
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
