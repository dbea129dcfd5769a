#include "run/joined_run.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "aws/service_error.h"
#include "base/error.h"
#include "run/sharing_times.h"

namespace everyitem::run {

JoinedRun::JoinedRun(std::unique_ptr<checkpoint::SharedRun> run, std::string name,
                     SharingTerms terms, const asio::any_io_executor& home, Clock& clock,
                     Random& random, Notice notice)
    : run_(std::move(run)),
      sharing_(*run_, std::move(name), std::move(terms), home, clock, random, std::move(notice)) {}

Awaitable<std::optional<checkpoint::RunState>> JoinedRun::claim() {
  std::optional<checkpoint::RunRecord> record;
  try {
    record = co_await sharing_.join();
  } catch (const checkpoint::DamagedCheckpoint& error) {
    ErrorDetails details = error.details();
    details.hint =
        "A new run needs another name: " + setting::kCheckpoint("dynamodb:TABLE/RUN") + ".";
    throw checkpoint::DamagedCheckpoint(error.kind(), std::move(details));
  } catch (const Error& error) {
    aws::require_known(error, setting::kCheckpoint);
    throw;
  }
  if (!record) {
    co_return std::nullopt;
  }
  co_return co_await state_of(*std::move(record));
}

Awaitable<checkpoint::RunState> JoinedRun::begin(checkpoint::RunState state) {
  std::optional<checkpoint::RunRecord> of_another = co_await sharing_.begin(state);
  if (!of_another) {
    co_return state;
  }
  co_return co_await state_of(*std::move(of_another));
}

/// How far a run of very many parts is, nobody asks who joins it: of 1,000 processes that start
/// together, each would read all of them.
Awaitable<checkpoint::RunState> JoinedRun::state_of(checkpoint::RunRecord record) {
  if (!record.finished && record.segments > kPartsPerLook) {
    checkpoint::RunState state = checkpoint::run_state(record, {}, location());
    state.segments = checkpoint::fresh_segments(record.segments);
    state.knows_progress = false;
    co_return state;
  }
  std::vector<checkpoint::StoredSegment> parts;
  if (!record.finished) {
    const checkpoint::PartRange all{.first = 0, .count = record.segments};
    parts = co_await run_->parts(all);
  }
  const auto is_complete = [](const checkpoint::StoredSegment& part) {
    return part.progress.position.complete;
  };
  if (std::ranges::all_of(parts, is_complete)) {  // it is finished, or nobody has said so yet
    record.finished = co_await run_->finish();
    if (!record.finished) {
      throw checkpoint::damaged_checkpoint(location(), "a part that was complete is not any more");
    }
    parts = checkpoint::finished_segments(record);
  }
  co_return checkpoint::run_state(record, parts, location());
}

Awaitable<void> JoinedRun::enter(Reading reading) {
  entered_ = true;
  return sharing_.enter(std::move(reading));
}

Awaitable<void> JoinedRun::release(const Notice& /*notice*/) {
  if (entered_) {
    co_await sharing_.leave();
  }
}

Awaitable<std::string> JoinedRun::hand_over(const Notice& notice) {
  co_await release(notice);
  co_return std::string();
}

std::optional<checkpoint::SegmentProgress> JoinedRun::totals() const {
  const std::optional<checkpoint::FinishedRun>& finished = sharing_.finished();
  return finished ? std::optional(finished->totals) : std::nullopt;
}

}  // namespace everyitem::run
