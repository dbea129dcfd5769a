#include "fault_run.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/json.hpp>
#include <fmt/format.h>

#include "batch/kinesis_limits.h"
#include "emulator/fault_server.h"
#include "scan_process.h"

namespace everyitem::faults {

using emulator::all_faults;
using emulator::Fault;
using emulator::FaultRule;
using emulator::FaultServer;
using emulator::FaultServerOptions;
using emulator::GeneratedTable;
using emulator::is_remedied_once;
using emulator::KinesisWires;
using emulator::kMinItemBytes;
using emulator::Moment;
using emulator::PagesServed;
using emulator::ReceivedItems;
using emulator::Refusal;
using emulator::StreamMode;

namespace {

/// More requests than are in flight at once: faults with a single remedy must not strike the same
/// call twice.
constexpr std::uint64_t kRequestsApart = 300;

/// Everything a run derives from its seed.
struct Draw {
  explicit Draw(std::uint64_t seed) : random(seed) {
    server.seed = seed;
    server.table.items = between(1, 10'000);
    server.table.min_item_bytes = between(kMinItemBytes, 300);
    server.table.max_item_bytes = server.table.min_item_bytes + between(0, 400);
    server.table.page_bytes = between(2000, 20'000);
    server.stream.shards = static_cast<std::uint32_t>(between(1, 16));
    // Not drawn at random, so that existing seeds keep their runs; for even and odd seeds alike.
    server.stream.wires = seed % 8 < 2 ? KinesisWires::json : KinesisWires::both;
    server.tls = seed % 3 == 0;
    aggregate = seed % 5 < 2;
    letters_in_table = seed % 7 < 3;
    threads = 1 + static_cast<std::uint32_t>(seed / 2 % 3);
    // Only modes that the program paces.
    if (seed % 5 == 0) {
      server.stream.mode = seed % 2 == 0 ? StreamMode::provisioned : StreamMode::on_demand;
    }
    segments = static_cast<std::uint32_t>(between(1, 12));

    // The clocks of both sides never jump in the same run, because one call might meet two jumps.
    clock_jumps = between(0, 1) == 0 && threads == 1;
    if (between(0, 1) == 0) {
      server.stream.split_at = between(0, 100);
    }
    if (between(0, 9) == 0) {
      server.stream.shard_limits.records_per_second = between(2000, 5000);
    }

    // Some runs have items that are too large, or that the stream rejects, alone or with the whole
    // request.
    if (between(0, 7) == 0) {
      server.table.oversize_every = std::max<std::uint64_t>(100, server.table.items / 8);
    }
    if (between(0, 3) == 0) {
      server.stream.refused_every = between(5, 200);
      server.stream.refusal = between(0, 1) == 0 ? Refusal::entry : Refusal::request;
    }
    if (aggregate) {
      // Nearly every record would contain a rejected item, and the stream would be blamed.
      server.stream.refused_every = 0;
    }

    const double total_rate = 0.01 + 0.19 * std::uniform_real_distribution<double>(0, 1)(random);
    std::vector<Fault> kinds;
    std::ranges::copy_if(all_faults(), std::back_inserter(kinds), can_be_survived);
    std::ranges::shuffle(kinds, random);
    kinds.resize(between(1, kinds.size()));
    for (const Fault fault : kinds) {
      FaultRule rule{.fault = fault, .rate = total_rate / static_cast<double>(kinds.size())};
      if (fault == Fault::stall) {
        rule.max = 2;  // each costs the client's whole timeout
        idle_timeout = std::chrono::seconds(1);
      }
      if (is_remedied_once(fault)) {
        // While one thread waits for the processor, others continue.
        rule.apart = threads > 1 ? 20 * kRequestsApart : kRequestsApart;
      }
      if (clock_jumps && (fault == Fault::clock_skew || fault == Fault::not_yet_valid)) {
        continue;
      }
      server.faults.push_back(rule);
    }
  }

  std::uint64_t between(std::uint64_t least, std::uint64_t most) {
    return std::uniform_int_distribution<std::uint64_t>(least, most)(random);
  }

  std::uint64_t max_items_per_page() const {
    return server.table.page_bytes / server.table.min_item_bytes + 1;
  }
  /// An aggregated request may contain everything that is read and not yet checkpointed.
  std::uint64_t max_items_per_request() const {
    return aggregate ? 2ULL * segments * max_items_per_page() : batch::kMaxRecordsPerRequest;
  }

  std::mt19937_64 random;
  FaultServerOptions server;
  std::uint32_t segments = 1;
  std::uint32_t threads = 1;
  bool aggregate = false;
  bool letters_in_table = false;
  bool clock_jumps = false;  ///< the client's
  std::chrono::milliseconds idle_timeout{30'000};
};

/// When to kill a process: at the first such moment after both numbers are reached.
struct Kill {
  KillMoment moment = KillMoment::scan_arrives;
  std::uint64_t requests = 0;  ///< of the process
  std::uint64_t distinct = 0;  ///< items that have arrived in the whole run
};

class Killer {
 public:
  Killer(asio::io_context& loop, Draw& draw) : draw_(draw), timer_(loop) {}

  void aim(ScanProcess& process, const Kill& kill, const ReceivedItems& received) {
    process_ = &process;
    kill_ = kill;
    received_ = &received;
    requests_ = 0;
    state_ = State::waiting;
  }
  /// Call when the process has ended, killed or by itself.
  void put_away() {
    process_ = nullptr;
    timer_.cancel();
  }
  bool has_killed() const { return state_ == State::killed; }

  /// Implements the server's Watch.
  bool see(Moment moment, std::string_view operation) {
    requests_ += moment == Moment::arrived ? 1 : 0;
    if (process_ == nullptr || state_ != State::waiting || requests_ < kill_.requests ||
        received_->counts().distinct < kill_.distinct || !is_moment(moment, operation)) {
      return true;
    }
    if (moment == Moment::arrived) {
      kill_now();
      return false;
    }
    state_ = State::about_to;
    timer_.expires_after(std::chrono::microseconds(draw_.between(0, 3000)));
    timer_.async_wait([this](const boost::system::error_code& cancelled) {
      if (!cancelled && process_ != nullptr) {
        kill_now();
      }
    });
    return true;
  }

 private:
  enum class State { waiting, about_to, killed };

  bool is_moment(Moment moment, std::string_view operation) const {
    switch (kill_.moment) {
      case KillMoment::scan_arrives:
        return moment == Moment::arrived && operation == "Scan";
      case KillMoment::put_arrives:
        return moment == Moment::arrived && operation == "PutRecords";
      case KillMoment::put_answered:
        return moment == Moment::answered && operation == "PutRecords";
      case KillMoment::letter_arrives:
        return moment == Moment::arrived && operation == "PutItem";
      case KillMoment::letter_answered:
        return moment == Moment::answered && operation == "PutItem";
    }
    return false;
  }

  void kill_now() {
    if (!process_->ended()) {
      process_->kill_now();
      state_ = State::killed;
    }
  }

  Draw& draw_;
  asio::steady_timer timer_;
  ScanProcess* process_ = nullptr;
  const ReceivedItems* received_ = nullptr;
  Kill kill_;
  std::uint64_t requests_ = 0;
  State state_ = State::waiting;
};

/// Counts the pages of a segment that are read again after a kill.
class RepeatedPages {
 public:
  /// `served`: the pages served to one process, from its start to its end.
  void add(const PagesServed& served) {
    for (const auto& [segment, pages] : served) {
      // A process reads a segment starting at its checkpoint.
      const std::set<std::uint64_t>& before = last_[segment];
      const auto repeated = std::distance(before.lower_bound(*pages.begin()), before.end());
      most_ = std::max(most_, static_cast<std::uint64_t>(repeated));
      last_[segment] = pages;
    }
  }
  std::uint64_t most() const { return most_; }

 private:
  PagesServed last_;  ///< per segment, to the last process that read it
  std::uint64_t most_ = 0;
};

/// Compares the items in a dead-letter file with the table's.
ReceivedItems read_dead_letters(const std::string& path, const GeneratedTable& table) {
  constexpr std::string_view kItem = R"(,"item":)";
  ReceivedItems letters(table);
  std::ifstream lines(path);
  for (std::string line; std::getline(lines, line);) {
    const std::string_view text(line);
    const auto item = text.find(kItem);
    letters.add(item == std::string_view::npos || lines.eof()
                    ? text  // not a dead letter, or an incomplete one: counts as unknown
                    : text.substr(item + kItem.size(), text.size() - item - kItem.size() - 1));
  }
  return letters;
}

/// Scans to the end with as many processes as it takes, all but the last killed as planned.
FaultRunResult run(Draw& draw, const std::vector<Kill>& kills) {
  const TemporaryFolder folder;
  asio::io_context loop(1);
  Killer killer(loop, draw);
  draw.server.watch = [&](Moment moment, std::string_view operation) {
    return killer.see(moment, operation);
  };
  FaultServer server(loop.get_executor(), draw.server);
  if (draw.server.tls) {
    std::ofstream(folder.file("ca.pem")) << server.authority();
  }
  FaultRunResult result{.seed = draw.server.seed, .items = draw.server.table.items};

  ScanSetup setup{.url = server.url(),
                  .ca_bundle = draw.server.tls ? folder.file("ca.pem") : "",
                  .credentials = draw.server.credentials,
                  .segments = draw.segments,
                  .threads = draw.threads,
                  .aggregate = draw.aggregate,
                  .checkpoint = folder.file("run.sqlite"),
                  .letters_in_table = draw.letters_in_table,
                  .seed = draw.server.seed,
                  .clock_jumps = draw.clock_jumps,
                  .idle_timeout = draw.idle_timeout};
  RepeatedPages repeated_pages;
  auto kill = kills.begin();
  for (bool ended = false; !ended; ++setup.seed) {
    ScanProcess process(setup);
    if (kill != kills.end()) {
      killer.aim(process, *kill, server.services().received());
    }
    while (!process.ended()) {
      loop.run_one_for(std::chrono::milliseconds(1));
    }
    ended = kill == kills.end() || !killer.has_killed();
    killer.put_away();
    // Requests sent by a killed process do not count for the next one.
    while (loop.poll() > 0) {
    }
    repeated_pages.add(server.take_pages_served());
    if (ended) {
      result.failure = process.failure();
    } else {
      ++result.kills[kill->moment];
      ++kill;
      result.duplicates_allowed += 2ULL * draw.segments * draw.max_items_per_page();
    }
  }
  server.stop();
  loop.poll();

  result.pages_repeated = repeated_pages.most();
  const GeneratedTable table(draw.server.table);
  result.dead_letters = draw.letters_in_table
                            ? letters_in_table(server.services(), table)
                            : read_dead_letters(folder.file("run.sqlite.letters"), table).counts();
  result.undeliverable = server.services().undeliverable();
  result.missing = server.services().received().missing() - result.dead_letters.distinct;
  result.received = server.services().received().counts();
  result.requests_over_limits = server.services().counts().requests_over_limits;
  result.signatures_refused = server.services().counts().signatures_refused;
  result.signatures_out_of_time = server.services().counts().signatures_out_of_time;
  for (const auto& [fault, times] : server.plan().struck()) {
    result.faults += times;
    result.duplicates_allowed += loses_the_answer(fault) ? draw.max_items_per_request() * times : 0;
  }
  return result;
}

std::uint64_t sum(const std::map<KillMoment, std::uint64_t>& kills) {
  std::uint64_t all = 0;
  for (const auto& [moment, times] : kills) {
    all += times;
  }
  return all;
}

}  // namespace

emulator::ReceivedCounts letters_in_table(const emulator::EmulatedServices& services,
                                          const GeneratedTable& table) {
  ReceivedItems letters(table);
  const auto written = services.items().tables.find(kLetters.table);
  if (written == services.items().tables.end()) {
    return letters.counts();
  }
  for (const auto& [name, letter] : written->second) {
    const std::string key = boost::json::serialize(letter.at("key").at("M"));
    const auto digits = std::min(key.find_first_of("0123456789"), key.size());
    const std::uint64_t number = std::strtoull(key.c_str() + digits, nullptr, 10);
    std::string item;  // empty: of none of the table's
    if (number < table.shape().items && key == GeneratedTable::key(number)) {
      table.append_item(item, number);
    }
    letters.add(item);
  }
  return letters.counts();
}

bool can_be_survived(Fault fault) {
  return fault != Fault::access_denied && fault != Fault::not_found &&
         fault != Fault::kms_access_denied && fault != Fault::kms_disabled;
}

bool loses_the_answer(Fault fault) {
  switch (fault) {
    case Fault::wrong_crc:
    case Fault::cut_short:
    case Fault::reset_in_body:
    case Fault::reset_after:
    case Fault::stall:
    case Fault::slow_drip:  // on a busy machine slow enough for the client's short timeout
    case Fault::garbage:
    case Fault::missing_results:
      return true;
    default:
      return false;
  }
}

FaultRunResult run_with_faults(std::uint64_t seed) {
  Draw draw(seed);
  std::vector<Kill> kills(seed % 2 == 0 ? 0 : draw.between(1, 4));
  for (Kill& kill : kills) {
    kill = {.moment = static_cast<KillMoment>(draw.between(0, 2)),
            .requests = draw.between(1, 200)};
    if (draw.letters_in_table && &kill != &kills.front()) {
      kill.moment = kill.requests % 2 == 0 ? KillMoment::letter_arrives  // drawn already
                                           : KillMoment::letter_answered;
    }
  }
  return run(draw, kills);
}

FaultRunResult run_with_kills(std::uint64_t seed, std::uint64_t kills, bool calm) {
  constexpr std::uint64_t kItemsBetweenKills = 1000;
  constexpr std::uint64_t kMaxRequests = 60;
  Draw draw(seed);
  // Every process may have read far ahead of what has arrived, and each request before the last
  // kill may bring as much as one may hold.
  draw.server.table.items = kills * kItemsBetweenKills +
                            20ULL * draw.segments * draw.max_items_per_page() +
                            kMaxRequests * batch::kMaxRecordsPerRequest;
  draw.server.stream.shard_limits = {};
  if (calm) {
    draw.server.faults.clear();
    draw.clock_jumps = false;
  }
  std::vector<Kill> planned;
  for (std::uint64_t i = 1; i <= kills; ++i) {
    planned.push_back({.moment = static_cast<KillMoment>(i % 3),
                       .requests = draw.between(1, kMaxRequests),
                       .distinct = i * kItemsBetweenKills});
  }
  FaultRunResult result = run(draw, planned);
  if (result.failure.empty() && sum(result.kills) != kills) {
    result.failure = "the run was complete before all kills";
  }
  return result;
}

bool FaultRunResult::as_promised() const {
  return failure.empty() && missing == 0 && received.altered == 0 && received.unknown == 0 &&
         dead_letters.distinct == undeliverable && dead_letters.altered == 0 &&
         dead_letters.unknown == 0 && received.duplicates <= duplicates_allowed &&
         pages_repeated <= 2 && requests_over_limits == 0 && signatures_refused == 0;
}

std::string to_text(const std::map<KillMoment, std::uint64_t>& kills) {
  const auto times = [&](KillMoment moment) {
    const auto found = kills.find(moment);
    return found == kills.end() ? 0 : found->second;
  };
  return fmt::format(
      "{} kills ({} as a Scan arrived, {} as a PutRecords arrived, {} after one was answered, {} "
      "as "
      "a dead letter was written)",
      sum(kills), times(KillMoment::scan_arrives), times(KillMoment::put_arrives),
      times(KillMoment::put_answered),
      times(KillMoment::letter_arrives) + times(KillMoment::letter_answered));
}

std::string FaultRunResult::to_line() const {
  return fmt::format(
      "seed {}: {} items, {} of them undeliverable, {} faults, {}, {} requests out of time: {} "
      "missing, {} altered, {} unknown, {} in the dead letters, {} duplicates (at most {} "
      "allowed), {} pages of a segment read again after a "
      "kill{}{}",
      seed, items, undeliverable, faults, to_text(kills), signatures_out_of_time, missing,
      received.altered + dead_letters.altered, received.unknown + dead_letters.unknown,
      dead_letters.distinct, received.duplicates, duplicates_allowed, pages_repeated,
      failure.empty() ? "" : ", failed: ", failure);
}

void FaultRunResult::add(const FaultRunResult& other) {
  items += other.items;
  faults += other.faults;
  undeliverable += other.undeliverable;
  missing += other.missing;
  dead_letters.distinct += other.dead_letters.distinct;
  received.altered += other.received.altered;
  received.duplicates += other.received.duplicates;
  signatures_out_of_time += other.signatures_out_of_time;
  duplicates_allowed += other.duplicates_allowed;
  pages_repeated = std::max(pages_repeated, other.pages_repeated);
  for (const auto& [moment, times] : other.kills) {
    kills[moment] += times;
  }
}

}  // namespace everyitem::faults
