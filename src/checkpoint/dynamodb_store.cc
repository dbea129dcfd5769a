#include "checkpoint/dynamodb_store.h"

#include <map>
#include <utility>

#include <fmt/format.h>

#include "base/error.h"
#include "checkpoint/lease.h"
#include "checkpoint/side_by_side.h"

namespace everyitem::checkpoint {

namespace {

/// How often a segment's item is written again that was refused because it is not as it was read.
constexpr int kMaxSegmentWrites = 4;

}  // namespace

DynamoDbStore::DynamoDbStore(const DynamoDbLocation& location, const StoreContext& context)
    : RemoteStore(context), items_(location, context) {}

Awaitable<void> DynamoDbStore::save(std::vector<SegmentProgress> moved) {
  if (!ownership().owns()) {
    co_await ownership().require();  // throws
  }
  co_await ownership().renew_if_due();
  std::map<std::uint32_t, SegmentProgress> last;  // of each segment
  for (SegmentProgress& progress : moved) {
    last.insert_or_assign(progress.segment, std::move(progress));
  }
  moved.clear();
  for (auto& [number, progress] : last) {
    moved.push_back(std::move(progress));
  }
  const auto put = [this](const SegmentProgress& progress) { return put_segment(progress); };
  co_await work_side_by_side(moved, kMaxWritesAtOnce, put);
}

Awaitable<void> DynamoDbStore::put_segment(const SegmentProgress& progress) {
  StoredSegment& stored = segment(progress.segment);
  for (int writes = 0; writes < kMaxSegmentWrites; ++writes) {
    const StoredSegment wanted{.progress = progress, .version = stored.version + 1};
    const bool written = co_await items_.write_segment(run_token(), wanted);
    if (written) {
      stored = wanted;
      co_return;
    }
    // It was written and the answer was lost; or an earlier owner's write has landed late; or the
    // run is another's.
    co_await ownership().require();
    const std::optional<StoredSegment> there =
        co_await items_.read_segment(run_token(), progress.segment);
    stored.version = there ? there->version : 0;
    if (there == wanted) {
      stored = wanted;
      co_return;
    }
  }
  throw Error(ErrorKind::failed,
              {.operation = "write",
               .object = "checkpoint " + location(),
               .code = {},
               .message = fmt::format("segment {} is refused again and again", progress.segment),
               .hint = {}});
}

Awaitable<void> DynamoDbStore::maintain() {
  while (ownership().owns()) {
    co_await clock().sleep(kLeaseRenewal);
    co_await ownership().renew_if_due();
  }
}

Awaitable<void> DynamoDbStore::remove(std::vector<std::string> names) {
  const std::function<Awaitable<void>()> renew = [this] { return ownership().renew_if_due(); };
  co_await items_.remove(std::move(names), renew);
}

}  // namespace everyitem::checkpoint
