#include "fault_run.h"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <random>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <fmt/format.h>

#include "batch/kinesis_limits.h"
#include "fault_server.h"
#include "scan_process.h"

namespace everyitem::faults {

namespace {

/// Those that a scan is to survive, however often they strike; the others end it by design.
bool can_be_survived(Fault fault) {
  return fault != Fault::access_denied && fault != Fault::not_found &&
         fault != Fault::kms_access_denied && fault != Fault::kms_disabled &&
         !is_remedied_once(fault);
}

/// After these the records of a PutRecords request may have been taken without the client knowing.
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

/// Everything that a run draws from its seed.
struct Draw {
  explicit Draw(std::uint64_t seed) : random(seed) {
    server.seed = seed;
    server.table.items = between(1, 10'000);
    server.table.min_item_bytes = between(kMinItemBytes, 300);
    server.table.max_item_bytes = server.table.min_item_bytes + between(0, 400);
    server.table.page_bytes = between(2000, 20'000);
    server.stream.shards = static_cast<std::uint32_t>(between(1, 16));
    segments = static_cast<std::uint32_t>(between(1, 12));

    const double total_rate = 0.01 + 0.19 * std::uniform_real_distribution<double>(0, 1)(random);
    std::vector<Fault> kinds;
    std::ranges::copy_if(all_faults(), std::back_inserter(kinds), can_be_survived);
    std::ranges::shuffle(kinds, random);
    kinds.resize(between(1, kinds.size()));
    for (const Fault fault : kinds) {
      // A stall costs the client's whole timeout: seldom is enough.
      const double share = fault == Fault::stall ? 0.1 : 1.0;
      server.faults.push_back(
          {.fault = fault, .rate = share * total_rate / static_cast<double>(kinds.size())});
    }
  }

  std::uint64_t between(std::uint64_t least, std::uint64_t most) {
    return std::uniform_int_distribution<std::uint64_t>(least, most)(random);
  }

  std::uint64_t most_items_of_a_page() const {
    return server.table.page_bytes / server.table.min_item_bytes + 1;
  }

  std::mt19937_64 random;
  FaultServerOptions server;
  std::uint32_t segments = 1;
};

std::uint64_t requests_of(const FaultServer& server) {
  std::uint64_t sum = 0;
  for (const auto& [operation, count] : server.services().counts().requests) {
    sum += count;
  }
  return sum;
}

}  // namespace

FaultRunResult run_with_faults(std::uint64_t seed) {
  Draw draw(seed);
  const TemporaryFolder folder;
  asio::io_context loop(1);
  FaultServer server(loop.get_executor(), draw.server);
  FaultRunResult result{.seed = seed, .items = draw.server.table.items};

  const ScanSetup setup{.url = server.url(),
                        .credentials = draw.server.credentials,
                        .segments = draw.segments,
                        .checkpoint = folder.file("run.sqlite"),
                        .seed = seed};
  std::uint64_t kills = seed % 2 == 0 ? 0 : draw.between(1, 4);
  for (bool ended = false; !ended;) {
    ScanProcess process(setup);
    const std::uint64_t last_request =
        kills > 0 ? requests_of(server) + draw.between(1, 200) : UINT64_MAX;
    while (!ended && requests_of(server) < last_request) {
      loop.run_one_for(std::chrono::milliseconds(1));
      ended = process.ended();
    }
    if (ended) {
      result.failure = process.failure();
    } else {
      --kills;
      ++result.interruptions;
      process.kill_now();
      result.duplicates_allowed += 2ULL * draw.segments * draw.most_items_of_a_page();
    }
  }
  server.stop();
  loop.poll();

  result.missing = server.services().received().missing();
  result.received = server.services().received().counts();
  result.requests_over_limits = server.services().counts().requests_over_limits;
  result.signatures_refused = server.services().counts().signatures_refused;
  for (const auto& [fault, times] : server.plan().struck()) {
    result.faults += times;
    result.duplicates_allowed += loses_the_answer(fault) ? batch::kMaxRecordsPerRequest * times : 0;
  }
  return result;
}

bool FaultRunResult::as_promised() const {
  return failure.empty() && missing == 0 && received.altered == 0 && received.unknown == 0 &&
         received.duplicates <= duplicates_allowed && requests_over_limits == 0 &&
         signatures_refused == 0;
}

std::string FaultRunResult::to_line() const {
  return fmt::format(
      "seed {}: {} items, {} faults, {} interruptions: {} missing, {} altered, {} unknown, "
      "{} duplicates of at most {}{}{}",
      seed, items, faults, interruptions, missing, received.altered, received.unknown,
      received.duplicates, duplicates_allowed, failure.empty() ? "" : ", failed: ", failure);
}

}  // namespace everyitem::faults
