#include "shared_fault_run.h"

#include <sched.h>

#include <algorithm>
#include <deque>
#include <iterator>
#include <memory>
#include <random>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "batch/kinesis_limits.h"
#include "fault_run.h"
#include "promise_watch.h"
#include "run/sharing.h"
#include "simulated_sharer.h"

namespace everyitem::faults {

using emulator::EmulatedServices;
using emulator::Fault;
using emulator::FaultRule;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

/// A run that has not ended by then hangs.
constexpr std::chrono::hours kLongest{1};

/// How long the kernel may take to carry bytes from a socket to another one of this process.
constexpr int kMaxYields = 20'000;

/// One that was cut off for longer may give up, as its patience says.
constexpr seconds kBearable{90};

/// What happens to a process, and when.
struct Fate {
  SharerTerms terms;
  std::chrono::nanoseconds starts{0};
  std::optional<std::chrono::nanoseconds> terminated = {};
  std::optional<std::chrono::nanoseconds> killed = {};
  std::optional<std::chrono::nanoseconds> stopped = {};
  std::chrono::nanoseconds stopped_for{0};
  std::optional<std::chrono::nanoseconds> cut_off = {};
  std::chrono::nanoseconds cut_off_for{0};
  CutOff how = CutOff::refused;
  bool is_foreign = false;  ///< it has other settings than the run
};

/// The clocks are wrong anyway, and the network of a simulation is slow and silent by itself.
bool suits_simulation(Fault fault) {
  return can_be_survived(fault) && !emulator::is_remedied_once(fault) &&
         fault != Fault::clock_skew && fault != Fault::not_yet_valid && fault != Fault::stall &&
         fault != Fault::slow_drip;
}

/// Everything a shared run derives from its seed.
struct SharedDraw {
  explicit SharedDraw(std::uint64_t seed) : random(seed) {
    server.seed = seed;
    const bool is_paced = chance(2);
    server.table.items = is_paced ? between(10'000, 20'000) : between(500, 8000);
    server.table.min_item_bytes = between(emulator::kMinItemBytes, 300);
    server.table.max_item_bytes = server.table.min_item_bytes + between(0, 400);
    server.table.page_bytes = between(2000, is_paced ? 6000 : 20'000);
    server.stream.shards = static_cast<std::uint32_t>(between(1, 16));
    if (chance(4)) {
      server.stream.refused_every = between(5, 200);
      server.stream.refusal = chance(2) ? emulator::Refusal::entry : emulator::Refusal::request;
    }
    const auto segments = static_cast<std::uint32_t>(between(1, 100));
    // So that it lasts about that long, if nothing comes between.
    const auto lasts = static_cast<double>(between(60, 240));
    const auto bytes =
        static_cast<double>(server.table.items) / 2 *
        static_cast<double>(server.table.min_item_bytes + server.table.max_item_bytes);
    double page_seconds = 0.1;
    if (is_paced) {
      rate = bytes / 8192 / lasts;
    } else {
      const double pages = bytes / static_cast<double>(server.table.page_bytes) / segments;
      page_seconds = std::min(10.0, lasts / (pages + 1));
    }
    const bool calm = chance(4);
    const std::uint64_t count = between(2, 20);
    for (std::uint64_t i = 0; i < count; ++i) {
      Fate& fate = fates.emplace_back();
      fate.terms = {.name = fmt::format("sharer {}", i),
                    .seed = seed * 100 + i,
                    .segments = segments,
                    .rate = rate,
                    .clock_wrong_by = std::chrono::hours(static_cast<int>(between(0, 100)) - 50),
                    .page_time = seconds_of(page_seconds * (0.5 + uniform())),
                    .call_time = milliseconds(between(2, 100))};
      if (!calm) {
        fate.terms.faults = draw_faults();
      }
      if (i == 0) {  // it begins the run, if no fault delays it, and stays until the end
        fate.starts = milliseconds(between(0, 1) * between(0, 5000));
        draw_trouble(fate);
        continue;
      }
      fate.starts = chance(3) ? milliseconds(0) : milliseconds(between(0, 150'000));
      if (chance(10) && fate.starts > seconds(30)) {
        fate.is_foreign = true;
        if (chance(2)) {
          fate.terms.filter = "attribute_exists(something)";
        } else {
          ++fate.terms.segments;
        }
        continue;
      }
      draw_trouble(fate);
      const std::chrono::nanoseconds ends = fate.starts + milliseconds(between(0, 150'000));
      if (chance(4)) {
        fate.terminated = ends;
      } else if (chance(3)) {
        fate.killed = ends;
      }
    }
  }

  void draw_trouble(Fate& fate) {
    const std::chrono::nanoseconds begins = fate.starts + milliseconds(between(0, 120'000));
    if (chance(4)) {
      fate.stopped = begins;
      fate.stopped_for = milliseconds(between(100, 100'000));
    } else if (chance(4)) {
      fate.cut_off = begins;
      fate.cut_off_for = milliseconds(between(100, 100'000));
      fate.how = static_cast<CutOff>(between(0, 2));
    }
  }

  std::vector<FaultRule> draw_faults() {
    const double total_rate = 0.05 * uniform();
    std::vector<Fault> kinds;
    std::ranges::copy_if(emulator::all_faults(), std::back_inserter(kinds), suits_simulation);
    if (rate) {
      std::erase_if(kinds, loses_the_answer);  // a page's units, without the client knowing
    }
    std::ranges::shuffle(kinds, random);
    kinds.resize(between(1, kinds.size()));
    std::vector<FaultRule> rules;
    rules.reserve(kinds.size());
    for (const Fault fault : kinds) {
      rules.push_back({.fault = fault, .rate = total_rate / static_cast<double>(kinds.size())});
    }
    return rules;
  }

  std::uint64_t between(std::uint64_t least, std::uint64_t most) {
    return std::uniform_int_distribution<std::uint64_t>(least, most)(random);
  }
  double uniform() { return std::uniform_real_distribution<double>(0, 1)(random); }
  static std::chrono::nanoseconds seconds_of(double seconds) {
    return std::chrono::nanoseconds(static_cast<std::int64_t>(seconds * 1e9));
  }
  bool chance(std::uint64_t one_in) { return between(1, one_in) == 1; }
  std::uint64_t max_items_per_page() const {
    return server.table.page_bytes / server.table.min_item_bytes + 1;
  }

  std::mt19937_64 random;
  emulator::FaultServerOptions server;
  std::optional<double> rate;
  std::deque<Fate> fates;
};

/// All processes of a run, and the time that they share.
class SharedWorld {
 public:
  explicit SharedWorld(const SharedDraw& draw)
      : draw_(draw),
        services_(std::make_shared<EmulatedServices>(draw.server.table, draw.server.stream,
                                                     draw.server.credentials,
                                                     emulator::IdentityOptions(), &clock_)),
        watch_(*services_, clock_) {
    for (const Fate& fate : draw.fates) {
      sharers_.push_back(std::make_unique<SimulatedSharer>(loop_, clock_, services_, draw.server,
                                                           watch_, fate.terms));
      asio::co_spawn(loop_, live(fate, *sharers_.back()), asio::detached);
    }
  }
  ~SharedWorld() {
    for (const auto& sharer : sharers_) {
      sharer->take_down();
    }
    run_until([this] { return std::ranges::all_of(sharers_, &SimulatedSharer::is_down, at); });
  }
  SharedWorld(const SharedWorld&) = delete;
  SharedWorld& operator=(const SharedWorld&) = delete;

  /// Until all processes have ended. False if they hang.
  bool run() {
    return run_until([this] { return fates_done_ == draw_.fates.size() && all_ended(); });
  }

  const EmulatedServices& services() const { return *services_; }
  const PromiseWatch& watch() const { return watch_; }
  const SimulatedSharer& sharer(std::size_t number) const { return *sharers_.at(number); }
  /// From the death of a process until another claimed one of its parts; nothing if none did.
  std::optional<std::chrono::nanoseconds> taking_after(std::size_t number) const {
    const std::string name = sharer(number).terms().name + " (";
    for (const auto& [owner, times] : watch_.takings()) {
      if (owner.starts_with(name)) {
        return times.front() - start_ - draw_.fates.at(number).killed.value_or(now());
      }
    }
    return std::nullopt;
  }
  std::chrono::nanoseconds now() const { return clock_.now() - start_; }

 private:
  static const SimulatedSharer& at(const std::unique_ptr<SimulatedSharer>& sharer) {
    return *sharer;
  }
  bool all_ended() const {
    return std::ranges::all_of(sharers_, [](const auto& sharer) {
      return !sharer->started() || sharer->killed() || sharer->end();
    });
  }

  template <typename Done>
  bool run_until(Done done) {
    const auto hangs_at = clock_.now() + kLongest;
    for (;;) {
      settle();
      if (done()) {
        return true;
      }
      if (!clock_.advance() || clock_.now() > hangs_at) {
        return false;
      }
    }
  }
  /// Until nobody has anything left to do at this instant.
  void settle() {
    for (int yields = 0; yields < kMaxYields;) {
      std::size_t done = loop_.poll();
      for (const auto& sharer : sharers_) {
        done += sharer->poll();
      }
      if (done > 0) {
        yields = 0;
        continue;
      }
      if (std::ranges::none_of(sharers_, &SimulatedSharer::has_bytes_under_way, at)) {
        return;
      }
      sched_yield();
      ++yields;
    }
  }

  Awaitable<void> live(const Fate& fate, SimulatedSharer& sharer) {
    std::vector<std::pair<std::chrono::nanoseconds, std::function<void()>>> events;
    events.emplace_back(fate.starts, [&] { sharer.start(); });
    if (fate.terminated) {
      events.emplace_back(*fate.terminated, [&] { sharer.terminate(); });
    }
    if (fate.killed) {
      events.emplace_back(*fate.killed, [&] { sharer.kill(); });
    }
    if (fate.stopped) {
      events.emplace_back(*fate.stopped, [&] { sharer.stop(); });
      events.emplace_back(*fate.stopped + fate.stopped_for, [&] { sharer.go_on(); });
    }
    if (fate.cut_off) {
      events.emplace_back(*fate.cut_off, [&] { sharer.cut_off(fate.how, fate.cut_off_for); });
    }
    std::ranges::stable_sort(events, {}, [](const auto& event) { return event.first; });
    for (const auto& [time, happens] : events) {
      co_await clock_.sleep(time - now());
      happens();
    }
    ++fates_done_;
  }

  const SharedDraw& draw_;
  SimulatedClock clock_{loop_};  // outlives those who wait on the loop
  asio::io_context loop_{1};
  asio::executor_work_guard<asio::io_context::executor_type> work_{loop_.get_executor()};
  std::chrono::steady_clock::time_point start_ = clock_.now();
  std::shared_ptr<EmulatedServices> services_;
  PromiseWatch watch_;
  std::vector<std::unique_ptr<SimulatedSharer>> sharers_;
  std::size_t fates_done_ = 0;
};

/// Requests whose records may have been taken without the client knowing.
std::uint64_t answers_lost(const emulator::FaultPlan& plan) {
  std::uint64_t lost = 0;
  for (const auto& [fault, times] : plan.struck()) {
    lost += loses_the_answer(fault) ? times : 0;
  }
  return lost;
}

/// How a process ended, against what it met.
void judge_end(const Fate& fate, const SimulatedSharer& sharer, SharedFaultResult& result) {
  const auto broken = [&](std::string_view what) {
    result.broken.push_back(fmt::format("{} {}{}", fate.terms.name, what,
                                        sharer.end() ? ": " + sharer.end()->error : ""));
  };
  result.killed += sharer.killed() ? 1 : 0;
  result.terminated += fate.terminated ? 1 : 0;
  result.stopped += fate.stopped ? 1 : 0;
  result.cut_off += fate.cut_off ? 1 : 0;
  if (sharer.killed()) {
    return;
  }
  if (!sharer.end()) {
    broken("did not end");
    return;
  }
  const SharerEnd& end = *sharer.end();
  if (fate.is_foreign) {
    if (end.complete) {
      return;  // the run was complete before, and is replaced by its own
    }
    result.refused += 1;
    if (end.error.find("other settings") == std::string::npos) {
      broken("was not refused, as it has other settings");
    }
    return;
  }
  if (end.complete || (end.interrupted && fate.terminated)) {
    return;
  }
  if (fate.cut_off && (fate.terminated || fate.cut_off_for > kBearable)) {
    ++result.failed;
    return;
  }
  broken("failed");
}

}  // namespace

std::string SharedFaultResult::to_text() const {
  std::string text = fmt::format(
      "seed {}: {} sharers ({} terminated, {} killed, {} stopped, {} cut off, {} refused, {} "
      "failed), {} items, {} faults, {} parts taken over, after {:.1f} s at most; {} missing, {} "
      "in the dead letters, {} duplicates (at most {} allowed), {:.0f} s",
      seed, sharers, terminated, killed, stopped, cut_off, refused, failed, items, faults,
      taken_over, slowest_taking.count(), missing, dead_letters.distinct, received.duplicates,
      duplicates_allowed, took.count());
  if (rate > 0) {
    text += fmt::format(", {:.1f} percent of the rate in any minute",
                        100 * max_in_a_minute / 60 / rate);
  }
  for (const std::string& promise : broken) {
    text += "\n  BROKEN PROMISE: " + promise;
  }
  return text;
}

SharedFaultResult share_with_faults(std::uint64_t seed, bool verbose) {
  const SharedDraw draw(seed);
  SharedWorld world(draw);
  SharedFaultResult result{.seed = seed,
                           .sharers = draw.fates.size(),
                           .items = draw.server.table.items,
                           .rate = draw.rate.value_or(0)};
  if (!world.run()) {
    result.broken.emplace_back("processes hang");
  }
  result.took = world.now();
  std::ranges::copy(world.watch().broken(), std::back_inserter(result.broken));

  std::uint64_t lost = 0;
  for (std::size_t i = 0; i < draw.fates.size(); ++i) {
    const SimulatedSharer& sharer = world.sharer(i);
    judge_end(draw.fates[i], sharer, result);
    lost += answers_lost(sharer.plan());
    if (sharer.killed() && !draw.fates[i].stopped && !draw.fates[i].cut_off) {
      result.slowest_taking = std::max<std::chrono::duration<double>>(
          result.slowest_taking, world.taking_after(i).value_or(seconds(0)));
    }
    for (const auto& [fault, times] : sharer.plan().struck()) {
      result.faults += times;
    }
    if (verbose) {
      fmt::print("{}: {}\n", sharer.terms().name,
                 sharer.end() ? sharer.end()->complete      ? "complete"
                                : sharer.end()->interrupted ? "interrupted"
                                                            : sharer.end()->error
                              : "killed");
      for (const std::string& notice : sharer.notices()) {
        fmt::print("  {}\n", notice);
      }
    }
  }
  const EmulatedServices& services = world.services();
  const emulator::GeneratedTable& table = services.table();
  result.received = services.received().counts();
  result.undeliverable = services.undeliverable();
  result.dead_letters = letters_in_table(services, table);
  result.missing = services.received().missing() - result.dead_letters.distinct;
  result.taken_over = world.watch().taken_over();
  result.duplicates_allowed =
      2 * result.taken_over * draw.max_items_per_page() + lost * batch::kMaxRecordsPerRequest;
  result.max_in_a_minute = world.watch().read_units_in_any_minute();

  const auto expect = [&result](bool kept, std::string what) {
    if (!kept) {
      result.broken.push_back(std::move(what));
    }
  };
  expect(result.missing == 0, "items are missing");
  expect(result.received.altered + result.received.unknown == 0, "items were altered");
  expect(result.dead_letters.distinct == result.undeliverable &&
             result.dead_letters.altered + result.dead_letters.unknown == 0,
         "the dead letters are not the items that could not be delivered");
  expect(result.received.duplicates <= result.duplicates_allowed, "more duplicates than allowed");
  if (draw.rate) {
    const double at_most = 60 * *draw.rate * 1.03;
    expect(result.max_in_a_minute <= at_most, fmt::format("{:.1f} read units in a minute of {:.1f}",
                                                          result.max_in_a_minute, 60 * *draw.rate));
  }
  return result;
}

}  // namespace everyitem::faults
