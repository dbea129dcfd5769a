#include "scan_process.h"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <exception>
#include <filesystem>
#include <stdexcept>
#include <string_view>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include "base/error.h"
#include "run/scan_run.h"

namespace everyitem::faults {

namespace {

constexpr std::chrono::minutes kMaxOffset{40};

run::ScanSettings settings_of(const ScanSetup& setup) {
  run::ScanSettings settings;
  settings.table.name = "table";
  settings.stream = aws::ResourceName{.name = "stream"};
  settings.segments = setup.segments;
  settings.threads = setup.threads;
  settings.aggregate = setup.aggregate;
  settings.checkpoint = checkpoint::SqliteLocation{.path = setup.checkpoint};
  if (setup.letters_in_table) {
    settings.dead_letters = kLetters;
  } else {
    settings.dead_letters = run::DeadLettersInFile{.path = setup.checkpoint + ".letters"};
  }
  settings.identity.endpoint_url = setup.url;
  return settings;
}

std::unique_ptr<run::ScanRun> make_run(const asio::any_io_executor& executor,
                                       const ScanSetup& setup, Clock& clock) {
  run::RunContext context{.environment = environment_with(setup.credentials, setup.ca_bundle),
                          .clock = clock,
                          .random_seed = setup.seed,
                          .timeouts = {.idle = setup.idle_timeout}};
  return std::make_unique<run::ScanRun>(executor, settings_of(setup), std::move(context),
                                        [](const Message&) {});
}

/// What the child process reports to its parent.
std::string scan_alone(const ScanSetup& setup) {
  asio::io_context loop(1);
  std::string message = "the scan did not end";
  asio::co_spawn(loop, scan(setup), [&](const std::exception_ptr& failure, const ScanEnd& end) {
    message = failure ? "the scan could not be tried" : end.message;
  });
  loop.run();
  return message;
}

}  // namespace

Environment environment_with(aws::Credentials credentials, std::string ca_bundle) {
  return [credentials = std::move(credentials),
          ca_bundle = std::move(ca_bundle)](std::string_view name) -> std::string {
    if (name == "AWS_ACCESS_KEY_ID") {
      return credentials.access_key_id;
    }
    if (name == "AWS_SECRET_ACCESS_KEY") {
      return credentials.secret_access_key;
    }
    if (name == "AWS_CA_BUNDLE") {
      return ca_bundle;
    }
    return name == "AWS_REGION" ? "us-east-1" : "";
  };
}

HastyClock::HastyClock(std::uint64_t seed_of_jumps) : random_(seed_of_jumps) { jump(); }

std::chrono::system_clock::time_point HastyClock::wall_now() const {
  const std::lock_guard lock(mutex_);
  if (random_ && calls_to_jump_-- == 0) {
    jump();
  }
  return std::chrono::system_clock::now() + offset_;
}

std::chrono::steady_clock::time_point HastyClock::now() const {
  return std::chrono::steady_clock::now();
}

Awaitable<void> HastyClock::sleep(std::chrono::nanoseconds duration) {
  asio::steady_timer timer(co_await asio::this_coro::executor, duration / 1000);
  co_await timer.async_wait(asio::use_awaitable);
}

std::unique_ptr<Timer> HastyClock::make_timer(const asio::any_io_executor& executor,
                                              std::function<void()> ring) {
  return SystemClock().make_timer(executor, std::move(ring));
}

void HastyClock::jump() const {
  const std::int64_t most = std::chrono::seconds(kMaxOffset).count();
  offset_ =
      std::chrono::seconds(std::uniform_int_distribution<std::int64_t>(-most, most)(*random_));
  calls_to_jump_ = std::uniform_int_distribution<std::uint64_t>(kCallsBetweenJumps,
                                                                3 * kCallsBetweenJumps)(*random_);
}

TemporaryFolder::TemporaryFolder() {
  std::string name = (std::filesystem::temp_directory_path() / "fault_run_XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) {
    throw std::runtime_error("no temporary folder");
  }
  path_ = name;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

Awaitable<ScanEnd> scan(ScanSetup setup) {
  const auto clock =
      setup.clock_jumps ? std::make_unique<HastyClock>(setup.seed) : std::make_unique<HastyClock>();
  const auto run = make_run(co_await asio::this_coro::executor, setup, *clock);
  ScanEnd end;
  try {
    const run::ScanOutcome outcome = co_await run->run();
    end.complete = outcome.status == pipeline::RunStatus::complete;
    end.message = end.complete ? "" : "not complete";
  } catch (const Error& error) {
    end.code = error.details().code;
    end.hint = error.details().hint.text();
    end.message = error.what();
  } catch (const std::exception& error) {
    end.message = error.what();
  }
  co_return end;
}

ScanProcess::ScanProcess(const ScanSetup& setup) {
  std::array<int, 2> ends{};
  if (pipe(ends.data()) != 0 || (pid_ = fork()) < 0) {
    throw std::runtime_error("no process");
  }
  if (pid_ == 0) {
    close(ends[0]);
    const std::string failure = scan_alone(setup);
    [[maybe_unused]] const ssize_t told = write(ends[1], failure.data(), failure.size());
    _exit(failure.empty() ? 0 : 1);  // does not run the parent's clean-up
  }
  close(ends[1]);
  message_ = ends[0];
}

ScanProcess::~ScanProcess() {
  kill_now();
  close(message_);
}

bool ScanProcess::ended() {
  int status = 0;
  if (pid_ > 0 && waitpid(pid_, &status, WNOHANG) == pid_) {
    pid_ = 0;
  }
  return pid_ == 0;
}

void ScanProcess::kill_now() {
  if (pid_ > 0) {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
    pid_ = 0;
  }
}

std::string ScanProcess::failure() const {
  std::array<char, 4096> text{};
  const ssize_t length = read(message_, text.data(), text.size());
  return {text.data(), static_cast<std::size_t>(std::max<ssize_t>(length, 0))};
}

}  // namespace everyitem::faults
