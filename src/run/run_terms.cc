#include "run/run_terms.h"

#include <algorithm>
#include <charconv>
#include <string_view>

#include <fmt/format.h>

#include "base/error.h"

namespace everyitem::run {

namespace {

constexpr std::string_view kRestartAskedAt = "restart asked at";

}  // namespace

std::vector<std::string> changed_terms(const checkpoint::RunIdentity& identity, std::size_t parts,
                                       const RunTerms& terms) {
  std::vector<std::string> changed = checkpoint::differences(identity, terms.identity);
  if (terms.parts && *terms.parts != parts) {
    changed.push_back(fmt::format("segments: was {}, is now {}", parts, *terms.parts));
  }
  return changed;
}

std::optional<checkpoint::RunState> resumable(std::optional<checkpoint::RunState> stored,
                                              const RunTerms& terms, const std::string& location) {
  if (!stored || terms.restart) {
    return std::nullopt;
  }
  const std::vector<std::string> changed =
      changed_terms(stored->identity, stored->segments.size(), terms);
  if (changed.empty()) {
    return stored;
  }
  const bool nothing_read =
      std::ranges::all_of(stored->segments, [](const checkpoint::SegmentProgress& segment) {
        return segment.position == source::ScanPosition{};
      });
  if (nothing_read) {
    return std::nullopt;
  }
  throw usage_error(fmt::format("the checkpoint {} belongs to another run; {}", location,
                                fmt::join(changed, "; ")),
                    "Repeat the settings of that run, start over with " + setting::kRestart +
                        ", or name another " + setting::kCheckpoint + ".");
}

checkpoint::RunIdentity restart_mark(const RunTerms& terms) {
  if (!terms.restart || !terms.restart_asked_at) {
    return {};
  }
  return {{std::string(kRestartAskedAt), std::to_string(*terms.restart_asked_at)}};
}

bool is_same_restart(const checkpoint::RunState& state, const RunTerms& terms) {
  const auto mark =
      std::ranges::find(state.identity, kRestartAskedAt, &checkpoint::IdentityPart::name);
  if (!terms.restart || !terms.restart_asked_at || mark == state.identity.end() ||
      !changed_terms(state.identity, state.segments.size(), terms).empty()) {
    return false;
  }
  std::int64_t begun_by = 0;
  std::from_chars(mark->value.data(), mark->value.data() + mark->value.size(), begun_by);
  const std::chrono::milliseconds later(*terms.restart_asked_at - begun_by);
  return later.count() == 0 ||
         (!state.complete() && std::chrono::abs(later) <= std::chrono::milliseconds(kSameRestart));
}

}  // namespace everyitem::run
