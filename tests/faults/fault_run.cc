#include "fault_run.h"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <iterator>
#include <random>
#include <stdexcept>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <fmt/format.h>

#include "batch/kinesis_limits.h"
#include "fault_server.h"
#include "pipeline/scan_run.h"

namespace everyitem::faults {

namespace {

/// Short, because a stall costs all of it; a busy machine may make it strike without a stall, which
/// costs a repeated request and nothing else.
constexpr std::chrono::milliseconds kIdleTimeout{100};

/// Waits a thousandth of what it is asked for: the order of things stays, the time does not.
class HastyClock final : public Clock {
 public:
  std::chrono::system_clock::time_point wall_now() const override {
    return std::chrono::system_clock::now();
  }
  std::chrono::steady_clock::time_point now() const override {
    return std::chrono::steady_clock::now();
  }
  Awaitable<void> sleep(std::chrono::nanoseconds duration) override {
    asio::steady_timer timer(co_await asio::this_coro::executor, duration / 1000);
    co_await timer.async_wait(asio::use_awaitable);
  }
};

class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "fault_run_XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) {
      throw std::runtime_error("no temporary folder");
    }
    path_ = name;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  std::string file(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

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

aws::Environment environment_of(const FaultServerOptions& server) {
  return [credentials = server.credentials](std::string_view name) -> std::string {
    if (name == "AWS_ACCESS_KEY_ID") {
      return credentials.access_key_id;
    }
    if (name == "AWS_SECRET_ACCESS_KEY") {
      return credentials.secret_access_key;
    }
    return name == "AWS_REGION" ? "us-east-1" : "";
  };
}

pipeline::ScanSettings settings_of(const Draw& draw, const FaultServer& server,
                                   const std::string& checkpoint) {
  pipeline::ScanSettings settings;
  settings.table.name = "table";
  settings.stream = aws::ResourceName{.name = "stream"};
  settings.segments = draw.segments;
  settings.checkpoint = checkpoint;
  settings.endpoint_url = server.url();
  return settings;
}

/// A scan in a process of its own, which can be killed as a real one.
class ScanProcess {
 public:
  ScanProcess(const Draw& draw, const FaultServer& server, const std::string& checkpoint) {
    std::array<int, 2> ends{};
    if (pipe(ends.data()) != 0 || (pid_ = fork()) < 0) {
      throw std::runtime_error("no process");
    }
    if (pid_ == 0) {
      close(ends[0]);
      const std::string failure = scan(draw, server, checkpoint);
      [[maybe_unused]] const ssize_t told = write(ends[1], failure.data(), failure.size());
      _exit(failure.empty() ? 0 : 1);  // nothing of the parent's is torn down here
    }
    close(ends[1]);
    message_ = ends[0];
  }
  ~ScanProcess() {
    kill_now();
    close(message_);
  }
  ScanProcess(const ScanProcess&) = delete;
  ScanProcess& operator=(const ScanProcess&) = delete;

  /// Whether it has ended by itself; looks, does not wait.
  bool ended() {
    int status = 0;
    if (pid_ > 0 && waitpid(pid_, &status, WNOHANG) == pid_) {
      pid_ = 0;
    }
    return pid_ == 0;
  }

  void kill_now() {
    if (pid_ > 0) {
      kill(pid_, SIGKILL);
      waitpid(pid_, nullptr, 0);
      pid_ = 0;
    }
  }

  /// What it failed of; empty if it did not. Once it has ended.
  std::string failure() const {
    std::array<char, 4096> text{};
    const ssize_t length = read(message_, text.data(), text.size());
    return {text.data(), static_cast<std::size_t>(std::max<ssize_t>(length, 0))};
  }

 private:
  static std::string scan(const Draw& draw, const FaultServer& server,
                          const std::string& checkpoint) {
    asio::io_context loop(1);
    HastyClock clock;
    pipeline::ScanRun run(loop.get_executor(), settings_of(draw, server, checkpoint),
                          {.environment = environment_of(draw.server),
                           .clock = clock,
                           .random_seed = draw.server.seed,
                           .timeouts = {.idle = kIdleTimeout}},
                          [](std::string_view) {});
    std::string failed = "not complete";
    asio::co_spawn(loop, run.run(),
                   [&](const std::exception_ptr& failure, const pipeline::ScanOutcome& outcome) {
                     try {
                       if (failure) {
                         std::rethrow_exception(failure);
                       }
                       failed = outcome.status == pipeline::RunStatus::complete ? "" : failed;
                     } catch (const std::exception& error) {
                       failed = error.what();
                     }
                   });
    loop.run();
    return failed;
  }

  pid_t pid_ = 0;
  int message_ = -1;
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

  std::uint64_t kills = seed % 2 == 0 ? 0 : draw.between(1, 4);
  for (bool ended = false; !ended;) {
    ScanProcess process(draw, server, folder.file("run.sqlite"));
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
