#include "run/run_progress.h"

#include <algorithm>

#include "run/run_summary.h"

namespace everyitem::run {

namespace {

constexpr std::chrono::seconds kRateWindow{5};
/// What is left is guessed from more, so that the guess is steady.
constexpr std::chrono::seconds kEstimateWindow{60};
constexpr std::chrono::milliseconds kBetweenSamples{500};

/// A rate this close to a limit is held back by it.
constexpr double kAtLimit = 0.9;

boost::json::value rounded_or_null(const std::optional<double>& number) {
  return number ? boost::json::value(rounded(*number, 1)) : boost::json::value();
}

boost::json::value word_or_null(const std::optional<Bottleneck>& limit) {
  if (!limit) {
    return {};
  }
  switch (*limit) {
    case Bottleneck::read_rate:
      return "read-rate";
    case Bottleneck::table:
      return "table";
    case Bottleneck::destination_records:
      return "destination-records";
    case Bottleneck::destination_bytes:
      break;
  }
  return "destination-bytes";
}

double per_second(std::uint64_t now, std::uint64_t before, double seconds) {
  return static_cast<double>(now - std::min(now, before)) / seconds;
}

}  // namespace

Rates ProgressWindow::update(const ScanProgress& progress,
                             std::chrono::steady_clock::time_point now) {
  while (samples_.size() > 1 && now - samples_[1].time >= kEstimateWindow) {
    samples_.pop_front();
  }
  const auto recent = std::ranges::find_if(
      samples_, [now](const Sample& sample) { return now - sample.time <= kRateWindow; });
  const Sample& base = recent == samples_.begin() ? *recent : *(recent - 1);
  Rates rates;
  const double seconds = std::chrono::duration<double>(now - base.time).count();
  if (seconds > 0) {
    const pipeline::RunCounters& before = base.progress.counters;
    const pipeline::RunCounters& counters = progress.counters;
    rates = {.items = per_second(counters.items_delivered, before.items_delivered, seconds),
             .bytes = per_second(counters.bytes_delivered, before.bytes_delivered, seconds),
             .records = per_second(counters.records_delivered, before.records_delivered, seconds),
             .read_units = (counters.read_units - before.read_units) / seconds,
             .throttled = progress.throttled_requests > base.progress.throttled_requests};
  }
  const Sample& oldest = samples_.front();
  if (const double span = std::chrono::duration<double>(now - oldest.time).count(); span > 0) {
    ScanProgress then = oldest.progress;
    then.items_before = progress.items_before;
    then.dead_letters_before = progress.dead_letters_before;
    rates.done = per_second(done_items(progress), done_items(then), span);
  }
  if (now - samples_.back().time >= kBetweenSamples) {
    samples_.push_back({.time = now, .progress = progress});
  }
  return rates;
}

boost::json::value with_others_or_null(const ScanProgress& progress, std::uint64_t count) {
  return progress.others_known ? boost::json::value(count) : boost::json::value();
}

std::uint64_t done_items(const ScanProgress& progress) {
  // What a filter leaves out is done when it was read; the rest when it was delivered.
  const pipeline::RunCounters& counters = progress.counters;
  const std::uint64_t left_out =
      counters.items_scanned - std::min(counters.items_scanned, counters.items_read);
  return progress.items_before + counters.items_delivered + progress.dead_letters() + left_out;
}

Estimate estimate(const ScanProgress& progress, const Rates& rates) {
  Estimate result;
  // What a filter left out before is not known.
  if (progress.estimated_items == 0 || (progress.filtered && progress.resumed)) {
    return result;
  }
  const auto whole = static_cast<double>(progress.estimated_items);
  const auto done = static_cast<double>(done_items(progress));
  result.exceeded = done > whole;
  if (!result.exceeded) {
    result.percent = 100 * done / whole;
    if (rates.done > 0) {
      result.seconds_left = (whole - done) / rates.done;
    }
  }
  return result;
}

std::optional<Bottleneck> bottleneck(const ScanProgress& progress, const Rates& rates) {
  const auto reached = [](double rate, double limit) {
    return limit > 0 && rate >= kAtLimit * limit;
  };
  if (reached(rates.records, progress.destination_limit.records_per_second)) {
    return Bottleneck::destination_records;
  }
  if (reached(rates.bytes, progress.destination_limit.bytes_per_second)) {
    return Bottleneck::destination_bytes;
  }
  if (reached(rates.read_units, progress.read_limit())) {
    return progress.read_rate ? Bottleneck::read_rate : Bottleneck::table;
  }
  return std::nullopt;
}

ScanProgress progress_before(const checkpoint::RunState& state) {
  ScanProgress progress;
  progress.segments = static_cast<std::uint32_t>(state.segments.size());
  progress.counters.segments_complete = static_cast<std::uint32_t>(std::ranges::count_if(
      state.segments, [](const auto& segment) { return segment.position.complete; }));
  progress.dead_letters_before = state.dead_letters();
  progress.items_before = state.items() - progress.dead_letters_before;
  progress.bytes_before = state.bytes();
  progress.resumed = true;
  progress.begun = true;
  return progress;
}

void count_others(ScanProgress& progress, const checkpoint::SegmentProgress& totals) {
  // What was delivered again is counted here.
  const auto beyond = [](std::uint64_t all, std::uint64_t own) { return all - std::min(all, own); };
  progress.others_known = true;
  progress.counters.segments_complete = progress.segments;
  progress.items_before =
      beyond(totals.items - totals.dead_letters, progress.counters.items_delivered);
  progress.bytes_before = beyond(totals.bytes, progress.counters.bytes_delivered);
  progress.dead_letters_before = beyond(totals.dead_letters, progress.counters.dead_letters);
}

boost::json::object progress_json(const ScanProgress& progress, const Rates& rates,
                                  std::chrono::duration<double> elapsed) {
  const pipeline::RunCounters& counters = progress.counters;
  const Estimate left = estimate(progress, rates);
  return {{"event", "progress"},
          {"items", counters.items_delivered},
          {"items_before", with_others_or_null(progress, progress.items_before)},
          {"items_total",
           with_others_or_null(progress, progress.items_before + counters.items_delivered)},
          {"items_scanned", counters.items_scanned},
          {"items_estimated", progress.estimated_items == 0
                                  ? boost::json::value()
                                  : boost::json::value(progress.estimated_items)},
          {"bytes", counters.bytes_delivered},
          {"seconds", rounded(elapsed.count(), 1)},
          {"items_per_second", rounded(rates.items, 1)},
          {"bytes_per_second", rounded(rates.bytes, 1)},
          {"read_units", rounded(counters.read_units, 1)},
          {"read_units_per_second", rounded(rates.read_units, 1)},
          {"limited_by", word_or_null(bottleneck(progress, rates))},
          {"segments_done", with_others_or_null(progress, counters.segments_complete)},
          {"segments_failed", counters.segments_failed},
          {"segments", progress.segments},
          {"dead_letters", progress.dead_letters()},
          {"throttled_requests", progress.throttled_requests},
          {"retried_requests", progress.requests_retried},
          {"records_sent_again", progress.records_sent_again},
          {"percent_estimated", rounded_or_null(left.percent)},
          {"seconds_left_estimated", rounded_or_null(left.seconds_left)}};
}

}  // namespace everyitem::run
