#include "run/run_ends.h"

#include <algorithm>
#include <iterator>

#include <fmt/format.h>

#include "base/human_format.h"
#include "base/usable_cores.h"
#include "pace/read_rate.h"
#include "run/record_format.h"

namespace everyitem::run {

namespace {

RunOutlook outlook(const RunEnds& ends, const ScanSettings& settings, std::uint64_t items_before) {
  const std::uint64_t items = ends.source->estimated_items();
  const std::uint64_t left = items - std::min(items, items_before);
  return {.items = items,
          .bytes = ends.source->estimated_bytes(),
          .items_left = std::min(left, settings.limit.value_or(left)),
          .bytes_per_read_unit = ends.source->bytes_per_read_unit(),
          .read_rate = ends.rate,
          .read_capacity = ends.source->read_capacity().units_per_second.value_or(0),
          .destination = ends.destination->limit(),
          .filtered = !settings.scan.filter_expression.empty(),
          .aggregated = settings.aggregate,
          .kept_for = ends.destination->keeps_for()};
}

}  // namespace

Awaitable<RunEnds> describe_ends(const RunKinds& kinds, const ScanSettings& settings,
                                 RunServices& services) {
  RunEnds ends;
  // Named, both: GCC 12 destroys temporaries of a co_await twice.
  const SourceContext of_source{.settings = settings, .services = services};
  ends.source = co_await source_kind(kinds, settings).describe(of_source);
  const DestinationContext of_destination{.settings = settings, .services = services};
  ends.destination = co_await destination_kind(kinds, settings).describe(of_destination);
  ends.rate = pace::units_per_second(settings.read_rate, ends.source->read_capacity());
  co_return ends;
}

RunTerms terms_of(const RunEnds& ends, const ScanSettings& settings, const RunContext& context) {
  RunTerms terms{.identity = ends.source->identity(),
                 .parts = settings.segments,
                 .restart = settings.restart,
                 .restart_asked_at = context.restart_asked_at,
                 .only_resumes = context.only_resumes};
  for (const checkpoint::RunIdentity& more :
       {ends.destination->identity(), format_identity(settings)}) {
    std::ranges::copy(more, std::back_inserter(terms.identity));
  }
  return terms;
}

PartsChoice choose_parts(const RunEnds& ends, const ScanSettings& settings) {
  const std::optional<unsigned> cores =
      settings.share ? std::nullopt : std::optional(usable_cores());
  const source::SegmentChoice choice = ends.source->choose_parts(cores);
  return {.parts = choice.segments,
          .notice = fmt::format("using {} ({}); set ", counted(choice.segments, "segment"),
                                choice.reason) +
                    setting::kSegments("N") + " to override"};
}

std::vector<Message> opening_notices(const RunEnds& ends, const ScanSettings& settings,
                                     std::uint64_t items_before) {
  std::vector<Message> notices{
      "from " + ends.source->text(), "to " + ends.destination->text(),
      pace::read_rate_text(settings.read_rate, ends.source->read_capacity(), settings.share)};
  for (const std::vector<Message>& more :
       {ends.source->notices(), ends.destination->notices(),
        forecast_notices(outlook(ends, settings, items_before))}) {
    std::ranges::copy(more, std::back_inserter(notices));
  }
  return notices;
}

}  // namespace everyitem::run
