#include "checkpoint/run_ownership.h"

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <gtest/gtest.h>

#include "checkpoint/lease.h"
#include "support/simulated_clock.h"

namespace everyitem::checkpoint {
namespace {

/// One record that all processes of a test share.
struct Shelf {
  StoredRecord stored;
  std::size_t writes = 0;

  bool put(const RunRecord& record, const StoredRecord& before) {
    const bool unchanged = before.record == stored.record && before.version == stored.version;
    if (unchanged) {
      stored = {.record = record};
      stored.version = record.version;
      ++writes;
    }
    return unchanged;
  }
};

/// A process's way to it, on which things get lost.
class TestRecords final : public RunRecords {
 public:
  enum class Fate { done, fails, cut_off, lands_late };

  explicit TestRecords(Shelf& shelf) : shelf_(shelf) {}

  Awaitable<StoredRecord> read_record() override {
    ++reads;
    if (!stale.empty()) {
      StoredRecord older = stale.front();
      stale.pop_front();
      co_return older;
    }
    co_return shelf_.stored;
  }
  Awaitable<bool> write_record(RunRecord record, StoredRecord before) override {
    if (before_write) {
      std::exchange(before_write, {})();
    }
    const Fate fate = std::exchange(next_write, Fate::done);
    if (fate == Fate::lands_late) {
      land = [this, record, before] { return shelf_.put(record, before); };
    }
    const bool written =
        (fate == Fate::done || fate == Fate::cut_off) && shelf_.put(record, before);
    if (fate == Fate::fails || fate == Fate::lands_late) {
      throw Error(ErrorKind::failed, {.operation = "write",
                                      .object = "a test",
                                      .code = {},
                                      .message = "no answer",
                                      .hint = {}});
    }
    co_return written&& fate != Fate::cut_off;
  }
  std::string record_location() const override { return "a test"; }

  Fate next_write = Fate::done;
  std::function<bool()> land;
  std::function<void()> before_write;
  std::deque<StoredRecord> stale;
  std::size_t reads = 0;

 private:
  Shelf& shelf_;
};

/// A process with its own view of the time of day.
struct Process {
  Process(Shelf& shelf, Clock& clock, std::string name, std::string handed_over = {})
      : records(shelf),
        ownership(
            records,
            StoreContext{.clock = clock,
                         .owner = std::move(name),
                         .kms_key = {},
                         .interval = {},
                         .client = {},
                         .notice = [this](const Message& text) { notices.push_back(text.text()); },
                         .handed_over = std::move(handed_over)}) {}

  TestRecords records;
  std::vector<std::string> notices;
  RunOwnership ownership;
};

class RunOwnershipTest : public testing::Test {
 protected:
  using Fate = TestRecords::Fate;

  static RunRecord fresh(const std::string& token = "one") {
    return {.token = token, .segments = 3, .identity = "[]"};
  }
  static FinishedRun finish() { return {.totals = {.items = 9}, .finished_at = 5}; }

  template <typename T>
  T run(Awaitable<T> work) {
    std::optional<T> result;
    std::exception_ptr failure;
    asio::co_spawn(loop_, std::move(work), [&](const std::exception_ptr& failed, T value) {
      failure = failed;
      result = std::move(value);
    });
    clock_.run();
    if (failure) {
      std::rethrow_exception(failure);
    }
    return *std::move(result);
  }
  void run(Awaitable<void> work) {
    std::exception_ptr failure;
    asio::co_spawn(loop_, std::move(work),
                   [&](const std::exception_ptr& failed) { failure = failed; });
    clock_.run();
    if (failure) {
      std::rethrow_exception(failure);
    }
  }
  void begin(Process& process, const RunRecord& record = fresh()) {
    run(process.ownership.claim_to_begin());
    run(process.ownership.begin(record));
  }
  void pass(std::chrono::nanoseconds time) { run(clock_.sleep(time)); }
  /// Renews for this long, as maintain() does.
  Awaitable<void> maintain(Process& process, std::chrono::seconds time) {
    const auto end = clock_.now() + time;
    while (clock_.now() < end) {
      co_await clock_.sleep(kLeaseRenewal);
      co_await process.ownership.renew_if_due();
    }
  }

  /// What is passed on by a process that waits for the run and has only this much time.
  std::string wait_in_vain(Process& process, std::chrono::seconds time) {
    asio::cancellation_signal end;
    const auto end_later = [&]() -> Awaitable<void> {
      co_await clock_.sleep(time);
      end.emit(asio::cancellation_type::terminal);
    };
    asio::co_spawn(loop_, end_later(), asio::detached);
    const auto ended = [](const std::exception_ptr& failure, bool) { EXPECT_TRUE(failure); };
    asio::co_spawn(loop_, process.ownership.claim(),
                   asio::bind_cancellation_slot(end.slot(), ended));
    clock_.run();
    return run(process.ownership.hand_over());
  }

  asio::io_context loop_;
  SimulatedClock clock_{loop_};
  Shelf shelf_;
  Process first_{shelf_, clock_, "first"};
  Process second_{shelf_, clock_, "second"};
};

TEST_F(RunOwnershipTest, NothingIsThere) {
  EXPECT_FALSE(run(first_.ownership.claim()));
  EXPECT_FALSE(first_.ownership.owns());
  EXPECT_FALSE(run(first_.ownership.release("one", finish())));
  EXPECT_EQ(run(first_.ownership.hand_over()), "");
  EXPECT_EQ(shelf_.writes, 0U);
}

TEST_F(RunOwnershipTest, ReleasedRunClaimedImmediately) {
  begin(first_);
  EXPECT_FALSE(run(first_.ownership.release("one", std::nullopt)));
  const auto before = clock_.now();
  EXPECT_TRUE(run(second_.ownership.claim()));
  EXPECT_EQ(clock_.now(), before);
  EXPECT_EQ(second_.ownership.record().generation, 2U);
  EXPECT_EQ(second_.ownership.record().token, "one");
  EXPECT_TRUE(second_.notices.empty());
}

TEST_F(RunOwnershipTest, KilledOwnerAwaitedOnce) {
  begin(first_);
  const auto before = clock_.now();
  EXPECT_TRUE(run(second_.ownership.claim()));
  EXPECT_EQ(clock_.now() - before, kLease);
  EXPECT_EQ(second_.notices, std::vector<std::string>{"waiting up to 30 s for the lease of first"});
}

TEST_F(RunOwnershipTest, LivingOwnerSeenSoon) {
  begin(first_);
  asio::co_spawn(loop_, maintain(first_, std::chrono::seconds(60)), asio::detached);
  const auto before = clock_.now();
  std::optional<std::chrono::nanoseconds> refused_after;
  asio::co_spawn(loop_, second_.ownership.claim(), [&](const std::exception_ptr& failure, bool) {
    EXPECT_THROW(std::rethrow_exception(failure), OwnedByAnother);
    refused_after = clock_.now() - before;
  });
  clock_.run();
  ASSERT_TRUE(refused_after.has_value());
  EXPECT_LE(*refused_after, kLeaseRenewal + kLookInterval);
  EXPECT_TRUE(first_.ownership.owns());
}

TEST_F(RunOwnershipTest, WallClocksAreIgnored) {
  for (const std::int64_t renewed_at : {std::int64_t{0}, std::int64_t{1} << 40}) {
    shelf_ = {};
    Process killed(shelf_, clock_, "killed");
    begin(killed);
    shelf_.stored.record->renewed_at = renewed_at;
    Process next(shelf_, clock_, "next");
    const auto before = clock_.now();
    EXPECT_TRUE(run(next.ownership.claim()));
    EXPECT_EQ(clock_.now() - before, kLease);
  }
}

TEST_F(RunOwnershipTest, ReleaseEndsTheWait) {
  begin(first_);
  const auto before = clock_.now();
  const auto release_later = [&]() -> Awaitable<void> {
    co_await clock_.sleep(std::chrono::milliseconds(4500));
    co_await first_.ownership.release("one", std::nullopt);
  };
  asio::co_spawn(loop_, release_later(), asio::detached);
  EXPECT_TRUE(run(second_.ownership.claim()));
  EXPECT_EQ(clock_.now() - before, std::chrono::seconds(5));
}

TEST_F(RunOwnershipTest, HandOverSkipsWait) {
  begin(first_);
  const std::string text = run(first_.ownership.hand_over());
  EXPECT_FALSE(first_.ownership.owns());
  const std::size_t reads = first_.records.reads;
  EXPECT_FALSE(run(first_.ownership.release("one", finish())));
  EXPECT_EQ(first_.records.reads, reads) << "it knows that it owns nothing";
  EXPECT_TRUE(shelf_.stored.record->owned) << "it is the bearer's";
  const auto before = clock_.now();
  Process bearer(shelf_, clock_, "bearer", text);
  EXPECT_TRUE(run(bearer.ownership.claim()));
  EXPECT_EQ(clock_.now(), before);
  // Whoever else has the text waits as everybody does.
  Process late(shelf_, clock_, "late", text);
  EXPECT_TRUE(run(late.ownership.claim()));
  EXPECT_EQ(clock_.now() - before, kLease);
}

TEST_F(RunOwnershipTest, ShortWaitsAddUp) {
  begin(first_);
  const auto before = clock_.now();
  std::string text;
  for (const char* name : {"round 1", "round 2"}) {
    Process round(shelf_, clock_, name, text);
    text = wait_in_vain(round, std::chrono::seconds(12));
    EXPECT_FALSE(round.ownership.owns());
  }
  Process last(shelf_, clock_, "round 3", text);
  EXPECT_TRUE(run(last.ownership.claim()));
  EXPECT_GE(clock_.now() - before, kLease);
  EXPECT_LE(clock_.now() - before, kLease + 3 * kLookInterval);
}

TEST_F(RunOwnershipTest, RenewalEndsEarlierWaits) {
  begin(first_);
  Process round(shelf_, clock_, "round 1");
  const std::string text = wait_in_vain(round, std::chrono::seconds(29));
  run(first_.ownership.require());  // it was there after all
  const auto before = clock_.now();
  Process next(shelf_, clock_, "round 2", text);
  EXPECT_TRUE(run(next.ownership.claim()));
  EXPECT_EQ(clock_.now() - before, kLease);
}

TEST_F(RunOwnershipTest, ForeignHandOverIgnored) {
  begin(first_);
  const std::string text = run(first_.ownership.hand_over());
  Process restarting(shelf_, clock_, "restarting", text);
  begin(restarting, fresh("two"));
  const auto before = clock_.now();
  Process late(shelf_, clock_, "late", text);
  EXPECT_TRUE(run(late.ownership.claim()));
  EXPECT_EQ(clock_.now() - before, kLease);
}

TEST_F(RunOwnershipTest, StalledOwnerIsTold) {
  begin(first_);
  pass(kLease);
  EXPECT_TRUE(run(second_.ownership.claim()));
  EXPECT_THROW(run(first_.ownership.renew_if_due()), OwnedByAnother);
  EXPECT_FALSE(first_.ownership.owns());
  EXPECT_FALSE(run(first_.ownership.release("one", finish())));
  EXPECT_FALSE(shelf_.stored.record->finished.has_value());
  EXPECT_EQ(shelf_.stored.record->owner, "second");
}

TEST_F(RunOwnershipTest, UnownedReleaseCallsNothing) {
  const auto reads_of_release = [this](Process& process) {
    const std::size_t before = process.records.reads;
    EXPECT_FALSE(run(process.ownership.release("one", std::nullopt)));
    return process.records.reads - before;
  };
  EXPECT_EQ(reads_of_release(first_), 0U);
  begin(first_);
  pass(kLease);
  EXPECT_TRUE(run(second_.ownership.claim()));
  EXPECT_THROW(run(first_.ownership.renew_if_due()), OwnedByAnother);
  EXPECT_EQ(reads_of_release(first_), 0U) << "it knows that another owns the run";
  run(second_.ownership.hand_over());
  EXPECT_EQ(reads_of_release(second_), 0U) << "it gave the run to another";
  EXPECT_TRUE(run(first_.ownership.claim()));
  EXPECT_FALSE(run(first_.ownership.release("one", std::nullopt)));
  EXPECT_EQ(reads_of_release(first_), 0U) << "it has released the run";
  first_.records.next_write = Fate::fails;
  EXPECT_THROW(run(first_.ownership.claim()), Error);
  EXPECT_EQ(reads_of_release(first_), 1U) << "it may own the run";
  EXPECT_EQ(reads_of_release(first_), 0U) << "it has found that it does not";
}

TEST_F(RunOwnershipTest, LateRenewalUndoesNothing) {
  begin(first_);
  pass(kLeaseRenewal);
  first_.records.next_write = Fate::lands_late;
  EXPECT_THROW(run(first_.ownership.renew_if_due()), Error);
  EXPECT_TRUE(run(first_.ownership.release("one", finish())));
  EXPECT_FALSE(first_.records.land());
  EXPECT_TRUE(shelf_.stored.record->finished.has_value());
  EXPECT_FALSE(shelf_.stored.record->owned);
}

TEST_F(RunOwnershipTest, LateBeginUndoesNothing) {
  begin(first_);
  first_.records.next_write = Fate::lands_late;
  EXPECT_THROW(run(first_.ownership.begin(fresh("two"))), Error);
  run(first_.ownership.release("one", std::nullopt));
  EXPECT_FALSE(first_.records.land());
  EXPECT_EQ(shelf_.stored.record->token, "one");
}

TEST_F(RunOwnershipTest, LostAnswersAreResolved) {
  first_.records.next_write = Fate::cut_off;
  begin(first_);
  pass(kLeaseRenewal);
  first_.records.next_write = Fate::cut_off;
  run(first_.ownership.renew_if_due());
  EXPECT_EQ(shelf_.writes, 2U);
  first_.records.next_write = Fate::cut_off;
  EXPECT_TRUE(run(first_.ownership.release("one", finish())));
  second_.records.next_write = Fate::cut_off;
  EXPECT_TRUE(run(second_.ownership.claim()));
  EXPECT_EQ(shelf_.writes, 4U);
}

TEST_F(RunOwnershipTest, FailedBeginReleasedUnchanged) {
  begin(first_, fresh("old"));
  run(first_.ownership.release("old", std::nullopt));
  for (const Fate fate : {Fate::fails, Fate::lands_late}) {
    Process restarting(shelf_, clock_, "restarting");
    run(restarting.ownership.claim_to_begin());
    restarting.records.next_write = fate;
    EXPECT_THROW(run(restarting.ownership.begin(fresh("new"))), Error);
    // The old run's end is not for this process to state.
    EXPECT_FALSE(run(restarting.ownership.release("", std::nullopt)));
    EXPECT_EQ(shelf_.stored.record->token, "old");
    EXPECT_FALSE(shelf_.stored.record->owned);
  }
}

TEST_F(RunOwnershipTest, LateBeginReleasedUnfinished) {
  begin(first_, fresh("old"));
  // The write is done; what fails is to look what became of it.
  first_.records.next_write = Fate::lands_late;
  EXPECT_THROW(run(first_.ownership.begin(fresh("new"))), Error);
  EXPECT_TRUE(first_.records.land());
  EXPECT_FALSE(run(first_.ownership.release("old", finish())));
  EXPECT_EQ(shelf_.stored.record->token, "new");
  EXPECT_FALSE(shelf_.stored.record->owned);
  EXPECT_FALSE(shelf_.stored.record->finished.has_value()) << "that was the old run's";
}

TEST_F(RunOwnershipTest, PossiblyBegunRunReleased) {
  run(first_.ownership.claim_to_begin());
  first_.records.next_write = Fate::lands_late;
  EXPECT_THROW(run(first_.ownership.begin(fresh())), Error);
  EXPECT_TRUE(first_.records.land());
  run(first_.ownership.release("", std::nullopt));
  EXPECT_FALSE(shelf_.stored.record->owned);
}

TEST_F(RunOwnershipTest, PossiblyClaimedRunReleased) {
  begin(first_);
  run(first_.ownership.release("one", std::nullopt));
  second_.records.next_write = Fate::lands_late;
  EXPECT_THROW(run(second_.ownership.claim()), Error);
  EXPECT_TRUE(second_.records.land());
  run(second_.ownership.release("one", std::nullopt));
  EXPECT_FALSE(shelf_.stored.record->owned);
}

TEST_F(RunOwnershipTest, OneOfTwoBegins) {
  run(first_.ownership.claim_to_begin());
  run(second_.ownership.claim_to_begin());
  run(first_.ownership.begin(fresh("one")));
  EXPECT_THROW(run(second_.ownership.begin(fresh("two"))), OwnedByAnother);
  EXPECT_FALSE(run(second_.ownership.release("two", finish())));
  EXPECT_EQ(shelf_.stored.record->token, "one");
  EXPECT_TRUE(shelf_.stored.record->owned);
}

TEST_F(RunOwnershipTest, ClaimRaceLoserWaits) {
  begin(first_);
  run(first_.ownership.release("one", std::nullopt));
  // Another claims between this one's read and its write.
  Process third(shelf_, clock_, "third");
  second_.records.before_write = [&] {
    RunRecord theirs = *shelf_.stored.record;
    ++theirs.version;
    ++theirs.generation;
    theirs.owner = "third";
    theirs.owned = true;
    shelf_.put(theirs, shelf_.stored);
  };
  const auto before = clock_.now();
  EXPECT_TRUE(run(second_.ownership.claim())) << "the third never renews";
  EXPECT_EQ(clock_.now() - before, kLease);
  EXPECT_EQ(shelf_.stored.record->generation, 3U);
}

TEST_F(RunOwnershipTest, StaleReadIsSurvived) {
  begin(first_);
  const StoredRecord older = shelf_.stored;
  pass(kLeaseRenewal);
  run(first_.ownership.renew_if_due());
  pass(kLeaseRenewal);
  first_.records.next_write = Fate::cut_off;
  first_.records.stale = {older, {}};
  run(first_.ownership.renew_if_due());
  EXPECT_TRUE(first_.ownership.owns());
  EXPECT_TRUE(first_.records.stale.empty());
}

TEST_F(RunOwnershipTest, DamageIsBegunOver) {
  shelf_.stored = {
      .record = {},
      .damage = DamagedCheckpoint(
          ErrorKind::failed,
          {.operation = "read", .object = "a test", .code = {}, .message = "damaged", .hint = {}}),
      .version = 7};
  EXPECT_THROW(run(first_.ownership.claim()), DamagedCheckpoint);
  run(first_.ownership.release("", std::nullopt));
  EXPECT_EQ(shelf_.writes, 0U);
  begin(first_);
  EXPECT_EQ(shelf_.stored.version, 8U);
  EXPECT_TRUE(first_.ownership.owns());
}

TEST_F(RunOwnershipTest, RenewalsDoNotMeet) {
  begin(first_);
  pass(kLeaseRenewal);
  asio::co_spawn(loop_, first_.ownership.renew_if_due(), asio::detached);
  asio::co_spawn(loop_, first_.ownership.renew_if_due(), asio::detached);
  clock_.run();
  EXPECT_EQ(shelf_.writes, 2U) << "begun, and renewed once";
}

}  // namespace
}  // namespace everyitem::checkpoint
