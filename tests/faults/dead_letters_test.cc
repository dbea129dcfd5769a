// Dead letters in a table, whatever happens to the process and to the calls: every item that the
// stream never takes has one in the end.
#include <optional>
#include <string>
#include <string_view>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include "emulator/fault_server.h"
#include "fault_run.h"
#include "scan_process.h"

namespace everyitem::faults {
namespace {

using emulator::FaultServer;
using emulator::FaultServerOptions;
using emulator::Moment;

/// A small table in several pages, with items that the stream refuses and one that is too large.
FaultServerOptions small_table() {
  FaultServerOptions options{
      .table = {.items = 24, .min_item_bytes = 100, .max_item_bytes = 100, .page_bytes = 600}};
  options.table.oversize_every = 23;
  options.table.oversize_bytes = 5000;
  options.stream.record_bytes = 4000;
  options.stream.refused_every = 5;
  return options;
}

class DeadLettersTest : public testing::Test {
 protected:
  ScanSetup setup(const FaultServer& server) const {
    return {.url = server.url(),
            .credentials = FaultServerOptions().credentials,
            .segments = 2,
            .checkpoint = folder_->file("run.sqlite"),
            .letters_in_table = true};
  }

  /// Scans in this process, on the server's event loop.
  ScanEnd scan_here(const FaultServer& server) {
    std::optional<ScanEnd> end;
    asio::co_spawn(loop_, scan(setup(server)),
                   [&](const std::exception_ptr&, ScanEnd ended) { end = std::move(ended); });
    while (!end) {
      loop_.run_one();
    }
    return *end;
  }

  static void expect_all_accounted(const FaultServer& server) {
    const emulator::EmulatedServices& services = server.services();
    const emulator::GeneratedTable table(small_table().table);
    const emulator::ReceivedCounts letters = letters_in_table(services, table);
    EXPECT_GT(services.undeliverable(), 3U);
    EXPECT_EQ(letters.distinct, services.undeliverable());
    EXPECT_EQ(letters.duplicates + letters.altered + letters.unknown, 0U);
    EXPECT_EQ(services.received().missing(), letters.distinct);
  }

  std::optional<TemporaryFolder> folder_;  ///< of one run
  asio::io_context loop_{1};
};

class KilledDeadLettersTest : public DeadLettersTest {
 protected:
  /// Kills a scan at its request `number`, and lets another finish. False if there is none.
  bool kill_at(std::size_t number, Moment at) {
    FaultServerOptions options = small_table();
    std::optional<ScanProcess> process;
    std::size_t seen = 0;
    bool killed = false;
    options.watch = [&](Moment moment, std::string_view) {
      if (moment == at && seen++ == number && !killed) {
        process->kill_now();
        killed = true;
        return false;
      }
      return true;
    };
    FaultServer server(loop_.get_executor(), options);
    loop_.restart();
    process.emplace(setup(server));
    while (!process->ended()) {
      loop_.run_one_for(std::chrono::milliseconds(1));
    }
    if (killed) {
      EXPECT_EQ(scan_here(server).message, "");
    } else {
      EXPECT_EQ(process->failure(), "");
    }
    expect_all_accounted(server);
    server.stop();
    loop_.poll();
    return killed;
  }

  void kill_at_each(Moment at) {
    std::size_t number = 0;
    for (bool killed = true; killed && !HasFailure(); ++number) {
      SCOPED_TRACE(number);
      folder_.emplace();
      killed = kill_at(number, at);
    }
    EXPECT_GT(number, 15U) << "a run makes more requests";
  }
};

TEST_F(KilledDeadLettersTest, AsEachRequestArrives) { kill_at_each(Moment::arrived); }

TEST_F(KilledDeadLettersTest, AfterEachAnswer) { kill_at_each(Moment::answered); }

class FailingDeadLettersTest : public DeadLettersTest,
                               public testing::WithParamInterface<const char*> {};

/// Of the calls that write letters each in turn fails in this way, the one that checks included.
TEST_P(FailingDeadLettersTest, NothingIsLost) {
  bool struck = true;
  for (std::uint64_t call = 0; struck; ++call) {
    SCOPED_TRACE(call);
    ASSERT_LT(call, 20U);
    folder_.emplace();
    FaultServerOptions options = small_table();
    options.faults.push_back(emulator::parse_fault_rule("PutItem:" + std::string(GetParam()) + "@" +
                                                        std::to_string(call)));
    FaultServer server(loop_.get_executor(), options);
    loop_.restart();
    const ScanEnd end = scan_here(server);
    struck = !server.plan().struck().empty();
    const bool ends_the_run = struck && std::string_view(GetParam()) == "access_denied";
    EXPECT_EQ(end.complete, !ends_the_run) << end.message;
    if (ends_the_run) {
      EXPECT_EQ(end.code, "AccessDeniedException");
      EXPECT_NE(end.message.find("PutItem on dead letters dynamodb:letters/faults"),
                std::string::npos)
          << end.message;
      EXPECT_EQ(scan_here(server).message, "");
    }
    expect_all_accounted(server);
    server.stop();
    loop_.poll();
  }
}

INSTANTIATE_TEST_SUITE_P(Faults, FailingDeadLettersTest,
                         testing::Values("access_denied", "throttling", "internal_error",
                                         "reset_before", "reset_after", "cut_short", "garbage"));

}  // namespace
}  // namespace everyitem::faults
