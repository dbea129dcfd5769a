// The effect of each single fault on a whole scan.
#include <fstream>
#include <set>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "emulator/fault_server.h"
#include "fault_run.h"
#include "scan_process.h"

namespace everyitem::faults {
namespace {

using emulator::all_faults;
using emulator::Fault;
using emulator::FaultServer;
using emulator::FaultServerOptions;
using emulator::parse_fault_rule;
using emulator::ReceivedItems;
using emulator::to_string;

struct Row {
  Fault fault;
  std::vector<std::string> rules;
  std::string code;  ///< of the error that ends the run; empty if it completes
  std::uint32_t segments = 4;
};

/// With this distance between strikes, a fault may still strike one call twice, because threads
/// overtake each other.
std::uint32_t threads_for(const Row& row) {
  return row.rules.front().find('/') == std::string::npos ? 2 : 1;
}

using enum Fault;

const std::vector<Row>& rows() {
  // A fault with a single remedy ends the run if it strikes the same call twice. With one segment,
  // there is only one Scan call at a time.
  static const std::vector<Row> table = {
      {provisioned_throughput, {"provisioned_throughput=0.3"}, ""},
      {throttling, {"throttling=0.3"}, ""},
      {request_limit, {"request_limit=0.3"}, ""},
      {limit_exceeded, {"limit_exceeded=0.3"}, ""},
      {internal_error, {"internal_error=0.3"}, ""},
      {internal_failure, {"internal_failure=0.3"}, ""},
      {unavailable, {"unavailable=0.3"}, ""},
      {unavailable_empty, {"unavailable_empty=0.3"}, ""},
      {unavailable_html, {"unavailable_html=0.3"}, ""},
      {unavailable_retry_after, {"unavailable_retry_after=0.3"}, ""},
      {expired_token, {"expired_token=0.3/50"}, ""},
      {expired_token, {"Scan:expired_token@5", "Scan:expired_token@6"}, "ExpiredTokenException", 1},
      {unrecognized_client, {"unrecognized_client=0.3/50"}, ""},
      {unrecognized_client,
       {"Scan:unrecognized_client@5", "Scan:unrecognized_client@6"},
       "UnrecognizedClientException",
       1},
      {clock_skew, {"clock_skew=0.3/50"}, ""},
      {clock_skew, {"Scan:clock_skew@5", "Scan:clock_skew@6"}, "", 1},
      {clock_skew,
       {"Scan:clock_skew@5", "Scan:clock_skew@6", "Scan:clock_skew@7", "Scan:clock_skew@8",
        "Scan:clock_skew@9"},
       "InvalidSignatureException",
       1},
      {not_yet_valid, {"not_yet_valid=0.3/50"}, ""},
      {not_yet_valid, {"Scan:not_yet_valid@5", "Scan:not_yet_valid@6"}, "", 1},
      {not_yet_valid,
       {"Scan:not_yet_valid@5", "Scan:not_yet_valid@6", "Scan:not_yet_valid@7",
        "Scan:not_yet_valid@8", "Scan:not_yet_valid@9"},
       "InvalidSignatureException",
       1},
      // A table may be scanned and a stream written to without being described.
      {access_denied, {"DescribeTable:access_denied@0"}, ""},
      {access_denied, {"DescribeStreamSummary:access_denied@0"}, ""},
      {access_denied, {"Scan:access_denied@5"}, "AccessDeniedException"},
      {access_denied, {"PutRecords:access_denied@5"}, "AccessDeniedException"},
      {not_found, {"DescribeTable:not_found@0"}, "ResourceNotFoundException"},
      {not_found, {"DescribeStreamSummary:not_found@0"}, "ResourceNotFoundException"},
      {not_found, {"Scan:not_found@5"}, "ResourceNotFoundException"},
      {not_found, {"PutRecords:not_found@5"}, "ResourceNotFoundException"},
      {wrong_crc, {"wrong_crc=0.3"}, ""},
      {cut_short, {"cut_short=0.3"}, ""},
      {reset_before, {"reset_before=0.3"}, ""},
      {reset_in_body, {"reset_in_body=0.3"}, ""},
      {reset_after, {"reset_after=0.3"}, ""},
      {stall, {"stall=0.3x5"}, ""},  // each costs the client's whole timeout
      {slow_drip, {"slow_drip=0.3"}, ""},
      {garbage, {"garbage=0.3"}, ""},
      {partial_throttle, {"partial_throttle=0.3"}, ""},
      {partial_failure, {"partial_failure=0.3"}, ""},
      {all_refused, {"all_refused=0.3"}, ""},
      {missing_results, {"missing_results=0.3"}, ""},
      {null_error_codes, {"null_error_codes=0.3"}, ""},
      {no_failed_count, {"no_failed_count=0.3"}, ""},
      {resource_in_use, {"resource_in_use=0.3"}, ""},
      {kms_throttling, {"kms_throttling=0.3"}, ""},
      {kms_access_denied, {"PutRecords:kms_access_denied@5"}, "KMSAccessDeniedException"},
      {kms_disabled, {"PutRecords:kms_disabled@5"}, "KMSDisabledException"},
  };
  return table;
}

TEST(FaultOutcomes, EveryFaultHasRow) {
  std::set<Fault> known;
  for (const Row& row : rows()) {
    known.insert(row.fault);
  }
  for (const Fault fault : all_faults()) {
    EXPECT_TRUE(known.contains(fault)) << to_string(fault);
  }
}

std::ostream& operator<<(std::ostream& out, const Row& row) {
  return out << testing::PrintToString(row.rules);
}

class FaultOutcome : public testing::TestWithParam<Row> {};

/// One scan in this process, on the server's event loop.
ScanEnd run(asio::io_context& loop, const ScanSetup& setup) {
  std::optional<ScanEnd> end;
  asio::co_spawn(loop, scan(setup), [&](const std::exception_ptr& failure, ScanEnd ended) {
    if (failure) {
      std::rethrow_exception(failure);
    }
    end = std::move(ended);
  });
  while (!end) {
    loop.run_one();
  }
  return *end;
}

void expect_as_it_says(const Row& row, bool tls) {
  asio::io_context loop(1);
  FaultServerOptions options{
      .table = {.items = 3000, .min_item_bytes = 100, .max_item_bytes = 300, .page_bytes = 5000}};
  options.tls = tls;
  for (const std::string& rule : row.rules) {
    options.faults.push_back(parse_fault_rule(rule));
  }
  FaultServer server(loop.get_executor(), options);
  const TemporaryFolder folder;
  std::ofstream(folder.file("ca.pem")) << server.authority();
  const ScanSetup setup{.url = server.url(),
                        .ca_bundle = tls ? folder.file("ca.pem") : "",
                        .credentials = options.credentials,
                        .segments = row.segments,
                        .threads = threads_for(row),
                        .checkpoint = folder.file("run.sqlite"),
                        .idle_timeout = row.fault == stall ? std::chrono::milliseconds(200)
                                                           : std::chrono::milliseconds(30'000)};

  ScanEnd end = run(loop, setup);
  EXPECT_GE(server.plan().struck().at(row.fault), row.rules.size()) << "seed " << options.seed;
  if (!row.code.empty()) {
    EXPECT_FALSE(end.complete);
    EXPECT_EQ(end.code, row.code) << end.message;
    EXPECT_NE(end.hint, "") << end.message;
    EXPECT_GT(server.services().received().missing(), 0U);
    end = run(loop, setup);  // the fault has struck as often as it should
  }
  EXPECT_TRUE(end.complete) << end.message << "; seed " << options.seed;
  const ReceivedItems& received = server.services().received();
  EXPECT_EQ(received.missing(), 0U);
  if (row.code.empty() && !loses_the_answer(row.fault)) {
    EXPECT_EQ(received.counts().duplicates, 0U);
  }
  EXPECT_EQ(received.counts().altered, 0U);
  EXPECT_EQ(received.counts().unknown, 0U);
  EXPECT_EQ(server.services().counts().signatures_refused, 0U);
  EXPECT_EQ(server.services().counts().requests_over_limits, 0U);
  server.stop();
  loop.poll();
}

TEST_P(FaultOutcome, MatchesItsRow) { expect_as_it_says(GetParam(), false); }

TEST_P(FaultOutcome, SameOverTls) { expect_as_it_says(GetParam(), true); }

INSTANTIATE_TEST_SUITE_P(Rows, FaultOutcome, testing::ValuesIn(rows()),
                         [](const testing::TestParamInfo<Row>& row) {
                           return std::to_string(row.index) + "_" +
                                  std::string(to_string(row.param.fault));
                         });

}  // namespace
}  // namespace everyitem::faults
