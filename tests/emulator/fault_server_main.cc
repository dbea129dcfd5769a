// The fault server as a program: prints one line of JSON with its port, and its report at the end.
#include <malloc.h>

#include <csignal>
#include <exception>
#include <fstream>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <fmt/format.h>

#include "emulator/fault_server.h"

namespace {

using everyitem::emulator::FaultServer;
using everyitem::emulator::FaultServerOptions;
using everyitem::emulator::KinesisWires;
using everyitem::emulator::MetadataMode;
using everyitem::emulator::Refusal;
using everyitem::emulator::StreamMode;

int run(const FaultServerOptions& options, const std::string& authority_file) {
  boost::asio::io_context loop(1);
  FaultServer server(loop.get_executor(), options);
  if (!authority_file.empty() && !(std::ofstream(authority_file) << server.authority()).flush()) {
    throw std::runtime_error("cannot write " + authority_file);
  }
  boost::asio::signal_set signals(loop, SIGINT, SIGTERM);
  signals.async_wait([&](const boost::system::error_code&, int) { server.stop(); });
  fmt::print("{{\"port\":{},\"url\":\"{}\"}}\n", server.port(), server.url());
  std::fflush(stdout);
  loop.run();
  fmt::print("{}\n", server.report());
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  // Keeps the memory of large bodies; otherwise the kernel would have to clear it each time.
  mallopt(M_MMAP_THRESHOLD, 64 << 20);
  mallopt(M_TRIM_THRESHOLD, 256 << 20);
  CLI::App program(
      "Serves a generated DynamoDB table and a Kinesis stream, with faults,\n"
      "and what identities are found with.\n"
      "GET /report says what has arrived.");
  FaultServerOptions options;
  std::size_t item_bytes = 400;
  std::int64_t scan_ms = 0;
  std::int64_t put_ms = 0;
  std::int64_t clock_offset_seconds = 0;
  std::int64_t session_lifetime_seconds = 0;
  std::int64_t sso_token_lifetime_seconds = options.identity.sso_token_lifetime.count();
  std::string authority_file;
  std::vector<std::string> faults;
  program.add_option("--address", options.address, "Address to listen on: 127.0.0.1, ::1");
  program.add_option("--port", options.port, "Port to listen on; 0: any free one");
  CLI::Option* const tls =
      program.add_flag("--tls", options.tls, "Use HTTPS with a generated certificate");
  program
      .add_option("--tls-ca", authority_file,
                  "File to write the CA certificate to that clients must trust")
      ->needs(tls);
  program.add_option("--items", options.table.items, "Number of items in the table");
  program.add_option("--item-bytes", item_bytes, "Size of an item's JSON in bytes");
  program.add_option("--max-item-bytes", options.table.max_item_bytes,
                     "Maximum size; items have between --item-bytes and this");
  program.add_option("--page-bytes", options.table.page_bytes, "Size of a page in bytes");
  program.add_option("--oversize-every", options.table.oversize_every,
                     "Every N-th item is too large for a record");
  program.add_option("--oversize-bytes", options.table.oversize_bytes,
                     "Size of such an item in bytes");
  program.add_option("--read-units-per-second", options.table.read_units_per_second,
                     "Provisioned capacity; 0: on-demand, unlimited");
  program.add_option("--shards", options.stream.shards, "Number of shards");
  program
      .add_option("--stream-mode", options.stream.mode,
                  "Reported stream mode: none, provisioned or on-demand")
      ->transform(CLI::CheckedTransformer(
          std::map<std::string, StreamMode>{{"none", StreamMode::none},
                                            {"provisioned", StreamMode::provisioned},
                                            {"on-demand", StreamMode::on_demand}}));
  program.add_option("--shards-per-page", options.stream.shards_per_page,
                     "Maximum page size of ListShards");
  program.add_option("--shard-records-per-second", options.stream.shard_limits.records_per_second,
                     "A shard's limit; Kinesis's own is 1000");
  program.add_option("--shard-bytes-per-second", options.stream.shard_limits.bytes_per_second,
                     "A shard's limit; Kinesis's own is 1048576");
  program.add_option("--split-at", options.stream.split_at,
                     "The PutRecords call (from 0) at which every shard is split");
  program.add_option("--refused-every", options.stream.refused_every,
                     "The record of every N-th item is never accepted");
  program
      .add_option("--refusal", options.stream.refusal,
                  "entry: that record is refused; request: the whole request")
      ->transform(CLI::CheckedTransformer(std::map<std::string, Refusal>{
          {"entry", Refusal::entry}, {"request", Refusal::request}}));
  program
      .add_option("--kinesis-wires", options.stream.wires,
                  "json: CBOR is refused with 400 UnknownOperationException; json-415: with 415")
      ->transform(CLI::CheckedTransformer(
          std::map<std::string, KinesisWires>{{"both", KinesisWires::both},
                                              {"json", KinesisWires::json},
                                              {"json-415", KinesisWires::json_415}}));
  program.add_option("--record-bytes", options.stream.record_bytes, "The stream's record limit");
  program.add_option("--scan-latency-ms", scan_ms, "Delay of each Scan response");
  program.add_option("--put-latency-ms", put_ms, "Delay of each PutRecords response");
  program.add_option("--clock-offset-s", clock_offset_seconds, "Offset of the server's clock");
  program.add_option("--access-key-id", options.credentials.access_key_id,
                     "Access key that may call");
  program.add_option("--secret-access-key", options.credentials.secret_access_key,
                     "Its secret key");
  program.add_option("--session-token", options.credentials.session_token, "Its session token");
  program.add_option("--session-lifetime-s", session_lifetime_seconds,
                     "Lifetime of issued sessions; 0: as requested");
  program.add_option("--sso-token-lifetime-s", sso_token_lifetime_seconds,
                     "Lifetime of tokens issued by CreateToken");
  program
      .add_option("--metadata", options.identity.metadata.mode,
                  "Instance metadata: v2, v1-and-v2, v1 or disabled")
      ->transform(CLI::CheckedTransformer(
          std::map<std::string, MetadataMode>{{"v2", MetadataMode::v2},
                                              {"v1-and-v2", MetadataMode::v1_and_v2},
                                              {"v1", MetadataMode::v1},
                                              {"disabled", MetadataMode::disabled}}));
  program.add_option("--metadata-role", options.identity.metadata.role,
                     "Role of the instance; none: no role");
  program.add_option("--metadata-region", options.identity.metadata.region,
                     "Region of the instance");
  program.add_option("--seed", options.seed, "Seed of the faults");
  program.add_option(
      "--fault", faults,
      "[OPERATION:]FAULT=RATE[xMOST][/APART] or [OPERATION:]FAULT@CALL, any number of times");
  CLI11_PARSE(program, argc, argv);
  try {
    options.table.min_item_bytes = item_bytes;
    options.table.max_item_bytes = std::max(options.table.max_item_bytes, item_bytes);
    options.scan_latency = std::chrono::milliseconds(scan_ms);
    options.put_latency = std::chrono::milliseconds(put_ms);
    options.clock_offset = std::chrono::seconds(clock_offset_seconds);
    if (session_lifetime_seconds > 0) {
      options.identity.session_lifetime = std::chrono::seconds(session_lifetime_seconds);
    }
    if (options.identity.metadata.role == "none") {
      options.identity.metadata.role.clear();
    }
    options.identity.sso_token_lifetime = std::chrono::seconds(sso_token_lifetime_seconds);
    for (const std::string& fault : faults) {
      options.faults.push_back(everyitem::emulator::parse_fault_rule(fault));
    }
    return run(options, authority_file);
  } catch (const std::exception& error) {
    fmt::print(stderr, "fault_server: {}\n", error.what());
    return 2;
  }
}
