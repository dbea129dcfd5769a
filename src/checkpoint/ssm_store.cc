#include "checkpoint/ssm_store.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "checkpoint/lease.h"
#include "checkpoint/ssm_limits.h"
#include "checkpoint/stable_hash.h"
#include "source/dynamodb_limits.h"

namespace everyitem::checkpoint {

namespace json = boost::json;

namespace {

/// How often `maintain` looks whether something is due.
constexpr std::chrono::seconds kLookInterval{1};

/// How often it is looked for what was just written: nothing says that a read sees it at once.
constexpr int kLooks = 5;

constexpr const char* kRun = "run";

std::string group_name(std::size_t group) { return fmt::format("segments-{}", group); }

std::string identity_name(std::string_view text) {
  return fmt::format("identity-{:016x}", stable_hash(text));
}

json::array progress_array(const SegmentProgress& progress) {
  return {progress.segment,
          progress.position.last_evaluated_key,
          progress.position.complete,
          progress.items,
          progress.bytes,
          progress.dead_letters};
}

/// Throws where it is none, as Boost.JSON does.
SegmentProgress progress_of(const json::array& array) {
  return {.segment = array.at(0).to_number<std::uint32_t>(),
          .position = {.last_evaluated_key = std::string(array.at(1).as_string()),
                       .complete = array.at(2).as_bool()},
          .items = array.at(3).to_number<std::uint64_t>(),
          .bytes = array.at(4).to_number<std::uint64_t>(),
          .dead_letters = array.at(5).to_number<std::uint64_t>()};
}

/// Whether `there` may be what was there before `wanted` was written.
bool may_be_before(const std::optional<RunRecord>& there, const RunRecord& wanted) {
  return !there || there->epoch < wanted.epoch ||
         (there->epoch == wanted.epoch && there->owner == wanted.owner);
}

std::size_t groups_of(std::size_t segments) {
  return (segments + SsmStore::kSegmentsAGroup - 1) / SsmStore::kSegmentsAGroup;
}

}  // namespace

SsmStore::SsmStore(const SsmLocation& location, StoreContext context)
    : context_(std::move(context)), parameters_(location.prefix, context_) {}

std::string SsmStore::run_text(const RunRecord& record) const {
  const json::object run{{"format", kRemoteFormat},
                         {"identity", identity_name_},
                         {"segments", record.segments},
                         {"owner", record.owner},
                         {"epoch", record.epoch},
                         {"begun", record.begun},
                         {"lease_until", record.lease_until}};
  return json::serialize(run);
}

RunRecord SsmStore::parse_run(const std::string& text) {
  try {
    const json::value parsed = json::parse(text);
    const json::object& run = parsed.as_object();
    require_format(location(), run.at("format").to_number<std::uint64_t>());
    identity_name_ = std::string(run.at("identity").as_string());
    RunRecord record{.segments = run.at("segments").to_number<std::uint32_t>(),
                     .owner = std::string(run.at("owner").as_string()),
                     .epoch = run.at("epoch").to_number<std::uint64_t>(),
                     .begun = run.at("begun").to_number<std::uint64_t>(),
                     .lease_until = run.at("lease_until").to_number<std::int64_t>()};
    if (record.segments == 0 || record.segments > source::kMaxSegments) {
      throw std::out_of_range("the number of segments cannot be");
    }
    return record;
  } catch (const Error&) {
    throw;
  } catch (const std::exception& error) {  // Boost.JSON's, of several types, and our own
    throw not_a_checkpoint(location(), fmt::format("the parameter \"run\": {}", error.what()));
  }
}

/// Those of its segments that have moved.
std::string SsmStore::group_text(std::size_t group) const {
  json::array segments;
  const std::size_t end = std::min(segments_.size(), (group + 1) * kSegmentsAGroup);
  for (std::size_t i = group * kSegmentsAGroup; i < end; ++i) {
    if (segments_[i] != SegmentProgress{.segment = segments_[i].segment}) {
      segments.push_back(progress_array(segments_[i]));
    }
  }
  return json::serialize(
      json::object{{"epoch", record_->epoch}, {"segments", std::move(segments)}});
}

/// Leaves out what an earlier run has left.
void SsmStore::take_group(const std::string& text, std::vector<SegmentProgress>& segments) const {
  try {
    const json::value parsed = json::parse(text);
    const json::object& group = parsed.as_object();
    if (group.at("epoch").to_number<std::uint64_t>() < record_->begun) {
      return;
    }
    for (const json::value& element : group.at("segments").as_array()) {
      SegmentProgress progress = progress_of(element.as_array());
      segments.at(progress.segment) = std::move(progress);
    }
  } catch (const std::exception& error) {  // Boost.JSON's, of several types
    throw not_a_checkpoint(location(), fmt::format("the parameter of segments: {}", error.what()));
  }
}

Awaitable<std::optional<RunRecord>> SsmStore::read_record() {
  const std::optional<std::string> text = co_await parameters_.get(kRun);
  if (!text) {
    co_return std::nullopt;
  }
  co_return parse_run(*text);
}

/// Makes the run that is there this process's, if there is one.
Awaitable<void> SsmStore::claim() {
  record_ = co_await read_record();
  if (!record_) {
    co_return;
  }
  if (is_owned(*record_, context_.clock)) {
    throw owned_by_another(location(), *record_, context_.clock);
  }
  co_await own(claimed(*record_, context_.owner, context_.clock));
}

/// Writes the run's parameter, and looks whether another did so at the same time: then the last one
/// has it.
Awaitable<void> SsmStore::own(RunRecord wanted) {
  const auto now = context_.clock.now();
  const std::string name = identity_name_;
  if (record_) {
    co_await parameters_.put(kRun, run_text(wanted));
  } else {
    co_await parameters_.create(kRun, run_text(wanted));
  }
  std::optional<RunRecord> there = co_await read_record();
  for (int looks = 1; there != wanted && may_be_before(there, wanted) && looks < kLooks; ++looks) {
    co_await context_.clock.sleep(kLookInterval);
    there = co_await read_record();
  }
  if (there != wanted || identity_name_ != name) {
    owned_ = false;
    if (there) {
      throw owned_by_another(location(), *there, context_.clock);
    }
    throw taken_over(location(), there);
  }
  record_ = std::move(wanted);
  owned_ = true;
  renewed_at_ = now;
}

Awaitable<void> SsmStore::require_ownership() {
  const std::optional<RunRecord> there = co_await read_record();
  if (!there || there->owner != record_->owner || there->epoch != record_->epoch) {
    owned_ = false;
    record_ = there;
    throw taken_over(location(), there);
  }
  if (renewal_is_due()) {
    co_await own(renewed(*record_, context_.clock));
  }
}

bool SsmStore::renewal_is_due() const {
  return context_.clock.now() - renewed_at_ >= kLeaseRenewal;
}

void SsmStore::start_from(std::vector<SegmentProgress> segments) {
  segments_ = std::move(segments);
  groups_.assign(groups_of(segments_.size()), Group{.written_at = context_.clock.now()});
}

Awaitable<std::optional<RunView>> SsmStore::look() {
  if (!owned_) {
    record_ = co_await read_record();
  }
  if (!record_) {
    co_return std::nullopt;
  }
  RunView view{.state = co_await read_state()};
  if (is_owned(*record_, context_.clock)) {
    view.owner = owner_of(*record_);
  }
  co_return view;
}

Awaitable<std::optional<RunState>> SsmStore::load() {
  if (!owned_) {
    co_await claim();
  }
  if (!record_) {
    co_return std::nullopt;
  }
  RunState state = co_await read_state();
  start_from(state.segments);
  co_return state;
}

Awaitable<RunState> SsmStore::read_state() {
  const SsmParameters::Values values = co_await parameters_.list();
  RunState state;
  state.segments = fresh_segments(record_->segments);
  const std::optional<std::string> identity = parameters_.text_in(values, identity_name_);
  if (!identity) {
    throw not_a_checkpoint(location(), "its identity is not there");
  }
  try {
    state.identity = parse_identity(*identity);
  } catch (const std::exception& error) {
    throw not_a_checkpoint(location(), fmt::format("its identity: {}", error.what()));
  }
  for (std::size_t group = 0; group < groups_of(state.segments.size()); ++group) {
    if (const auto text = parameters_.text_in(values, group_name(group))) {
      take_group(*text, state.segments);
    }
  }
  co_return state;
}

Awaitable<void> SsmStore::begin(RunState state) {
  if (!owned_) {
    co_await claim();
  }
  // Its name is its hash, so it is no other run's, and nobody reads it before the run names it.
  const std::string identity = identity_text(state.identity);
  const std::string name = identity_name(identity);
  co_await parameters_.put(name, identity);
  // From this write on it is the new run: what the old one's segments have is of an earlier epoch.
  identity_name_ = name;
  co_await own(begun(record_, state.segments.size(), context_.owner, context_.clock));
  co_await remove_leftovers();
  start_from(fresh_segments(record_->segments));
  std::vector<SegmentProgress> moved;
  std::ranges::copy_if(state.segments, std::back_inserter(moved), [this](const auto& segment) {
    return segment != segments_.at(segment.segment);
  });
  co_await save(std::move(moved));
  co_await flush();
}

/// Of runs that were here before, and of one that was killed before it began.
Awaitable<void> SsmStore::remove_leftovers() {
  const SsmParameters::Values values = co_await parameters_.list();
  std::vector<std::string> names;
  for (const auto& [name, value] : values) {
    if (name != kRun && !name.starts_with(identity_name_)) {
      names.push_back(name);
    }
  }
  co_await parameters_.remove(std::move(names));
}

Awaitable<void> SsmStore::save(std::vector<SegmentProgress> moved) {
  if (!owned_) {
    throw taken_over(location(), record_);
  }
  for (SegmentProgress& progress : moved) {
    const std::uint32_t segment = progress.segment;
    segments_.at(segment) = std::move(progress);
    groups_[segment / kSegmentsAGroup].moved = true;
  }
  co_return;
}

bool SsmStore::is_due(const Group& group, bool whenever) const {
  const auto interval = context_.interval.value_or(kParameterInterval);
  return group.moved && (whenever || context_.clock.now() - group.written_at >= interval);
}

Awaitable<void> SsmStore::write_moved(bool whenever) {
  const auto due = [&](const Group& group) { return is_due(group, whenever); };
  if (!renewal_is_due() && std::ranges::none_of(groups_, due)) {
    co_return;
  }
  co_await require_ownership();
  for (std::size_t group = 0; group < groups_.size(); ++group) {
    if (is_due(groups_[group], whenever)) {
      co_await write_group(group);
      if (renewal_is_due()) {  // writes were throttled, and time has passed
        co_await require_ownership();
      }
    }
  }
}

/// What moves while it is being written is written the next time.
Awaitable<void> SsmStore::write_group(std::size_t group) {
  groups_[group].moved = false;
  groups_[group].written_at = context_.clock.now();
  std::exception_ptr failure;
  try {
    co_await parameters_.put(group_name(group), group_text(group));
  } catch (...) {
    failure = std::current_exception();
  }
  if (failure) {
    groups_[group].moved = true;
    std::rethrow_exception(failure);
  }
}

Awaitable<void> SsmStore::maintain() {
  while (owned_) {
    co_await context_.clock.sleep(kLookInterval);
    co_await write_moved(false);
  }
}

Awaitable<void> SsmStore::flush() {
  while (owned_ && std::ranges::any_of(groups_, &Group::moved)) {
    co_await write_moved(true);
  }
}

Awaitable<void> SsmStore::release() {
  if (!owned_) {
    co_return;
  }
  co_await require_ownership();
  owned_ = false;
  co_await parameters_.put(kRun, run_text(released(*record_)));
}

}  // namespace everyitem::checkpoint
