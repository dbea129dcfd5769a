#include "run/run_summary.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include <fmt/format.h>

#include "base/human_format.h"
#include "identity/iso_time.h"

namespace everyitem::run {

namespace {

/// Above 0.
double seconds_of(const RunSummary& summary) { return std::max(summary.elapsed.count(), 1e-3); }

boost::json::value text_or_null(const std::string& text) {
  return text.empty() ? boost::json::value() : boost::json::value(text);
}

}  // namespace

std::string_view status_word(SummaryStatus status) {
  switch (status) {
    case SummaryStatus::complete:
      return "complete";
    case SummaryStatus::already_complete:
      return "already-complete";
    case SummaryStatus::limit_reached:
      return "limit-reached";
    case SummaryStatus::closed:
      return "closed";
    case SummaryStatus::interrupted:
      return "interrupted";
    case SummaryStatus::handed_over:
      return "handed-over";
    case SummaryStatus::owned_elsewhere:
      return "owned-elsewhere";
    case SummaryStatus::started:
      return "started";
    case SummaryStatus::not_begun:
      return "not-begun";
    case SummaryStatus::failed:
      return "failed";
  }
  return "failed";
}

SummaryStatus status_of(const ScanOutcome& outcome) {
  if (outcome.not_begun) {
    return SummaryStatus::not_begun;
  }
  switch (outcome.status) {
    case pipeline::RunStatus::complete:
      return outcome.nothing_to_do ? SummaryStatus::already_complete : SummaryStatus::complete;
    case pipeline::RunStatus::limit_reached:
      return SummaryStatus::limit_reached;
    case pipeline::RunStatus::closed:
      return SummaryStatus::closed;
    case pipeline::RunStatus::interrupted:
      return SummaryStatus::interrupted;
  }
  return SummaryStatus::failed;
}

boost::json::object to_json(const RunSummary& summary) {
  const ScanProgress& progress = summary.progress;
  const pipeline::RunCounters& counters = progress.counters;
  const bool has_dead_letters = progress.dead_letters() > 0;
  return {{"status", status_word(summary.status)},
          {"table", summary.table},
          {"destination", summary.destination},
          {"items", counters.items_delivered},
          {"items_before", with_others_or_null(progress, progress.items_before)},
          {"items_total",
           with_others_or_null(progress, progress.items_before + counters.items_delivered)},
          {"items_scanned", counters.items_scanned},
          {"bytes", counters.bytes_delivered},
          {"bytes_total",
           with_others_or_null(progress, progress.bytes_before + counters.bytes_delivered)},
          {"records", counters.records_delivered},
          {"batches", counters.batches_delivered},
          {"pages", counters.pages_read},
          {"seconds", rounded(summary.elapsed.count(), 3)},
          {"read_units", rounded(counters.read_units, 1)},
          {"read_units_per_second", rounded(counters.read_units / seconds_of(summary), 1)},
          {"read_rate", progress.read_rate ? boost::json::value(rounded(*progress.read_rate, 1))
                                           : boost::json::value()},
          {"throttled_requests", progress.throttled_requests},
          {"retried_requests", progress.requests_retried},
          {"records_sent_again", progress.records_sent_again},
          {"segments_done", with_others_or_null(progress, counters.segments_complete)},
          {"segments_failed", counters.segments_failed},
          {"segments", progress.segments},
          {"shared", progress.shared},
          {"checkpoint", text_or_null(summary.checkpoint)},
          {"dead_letters", progress.dead_letters()},
          {"dead_letters_location",
           text_or_null(has_dead_letters ? summary.dead_letters_location : std::string())},
          {"finished_at",
           text_or_null(summary.finished_at ? identity::format_iso_time(*summary.finished_at)
                                            : std::string())}};
}

std::string since_text(const RunSummary& summary) {
  return summary.finished_at
             ? fmt::format(" (since {})", identity::format_iso_time(*summary.finished_at))
             : std::string();
}

std::string to_line(const boost::json::object& object) {
  std::string line = "{";
  for (const auto& [name, value] : object) {
    line += line.size() > 1 ? "," : "";
    line += fmt::format(
        "{}:{}", boost::json::serialize(name),
        value.is_double() ? fmt::format("{}", value.get_double()) : boost::json::serialize(value));
  }
  return line + "}";
}

double rounded(double value, int digits) {
  const double scale = std::pow(10, digits);
  return std::round(value * scale) / scale;
}

std::string numbers_text(const RunSummary& summary) {
  const ScanProgress& progress = summary.progress;
  const pipeline::RunCounters& counters = progress.counters;
  const double seconds = seconds_of(summary);
  const auto delivered_bytes = static_cast<double>(counters.bytes_delivered);
  if (progress.filtered && progress.items_before + counters.items_read == 0) {
    return fmt::format(
        "0 of {} matched the filter. Are its attribute names and the types of its values (S for "
        "text, N for numbers) those of the items?",
        counted(counters.items_scanned, "item"));
  }
  std::string text;
  if (progress.filtered) {
    text = fmt::format("{} of {} matched the filter; ", grouped(counters.items_read),
                       counted(counters.items_scanned, "item"));
  }
  text += fmt::format(
      "{} ({}) delivered in {}: {} items/s, {}/s, {}", counted(counters.items_delivered, "item"),
      bytes(delivered_bytes), duration(summary.elapsed),
      grouped(static_cast<std::uint64_t>(static_cast<double>(counters.items_delivered) / seconds)),
      bytes(delivered_bytes / seconds),
      counted(static_cast<std::uint64_t>(std::ceil(counters.read_units)), "read unit"));
  if (progress.read_rate) {
    text += fmt::format(" ({:.1f} per second of {})", counters.read_units / seconds,
                        decimal(*progress.read_rate));
  }
  if (progress.items_before > 0 && progress.others_known) {
    text += fmt::format("; {} {}", grouped(progress.items_before),
                        progress.shared ? "by other processes" : "before");
  }
  if (progress.throttled_requests > 0) {
    text += fmt::format("; {} throttled", counted(progress.throttled_requests, "request"));
  }
  if (progress.requests_retried > 0) {
    text += fmt::format("; {} retried", counted(progress.requests_retried, "request"));
  }
  if (progress.records_sent_again > 0) {
    text += fmt::format("; {} sent again", counted(progress.records_sent_again, "record"));
  }
  return text;
}

}  // namespace everyitem::run
