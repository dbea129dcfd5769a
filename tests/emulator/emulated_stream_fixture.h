// Calls the services of the fault server without a network, for tests of their stream.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json.hpp>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "aws/client.h"
#include "batch/base64.h"
#include "emulator/emulated_services.h"

namespace everyitem::emulator {

class EmulatedStream : public testing::Test {
 protected:
  void start(TableShape table, StreamShape stream) {
    table_.emplace(table);
    services_.emplace(table, stream, credentials_);
  }

  /// The body of the response to a request with the records of these items.
  boost::json::value put(const std::vector<std::uint64_t>& items) {
    std::string records;
    for (const std::uint64_t item : items) {
      const std::string data = item_of(item);
      std::string encoded(batch::base64_size(data.size()), '?');
      batch::encode_base64(data, encoded.data());
      records += fmt::format(R"({}{{"Data":"{}","PartitionKey":"{}"}})", records.empty() ? "" : ",",
                             encoded, item);
    }
    return ask("PutRecords", fmt::format(R"({{"StreamName":"s","Records":[{}]}})", records));
  }

  boost::json::value ask(std::string_view operation, const std::string& body) {
    return boost::json::parse(send(operation, body, kJsonContentType).body);
  }

  /// The response to a correctly signed request.
  Reply send(std::string_view operation, const std::string& body, std::string_view content_type,
             std::optional<Fault> fault = std::nullopt) {
    ReceivedRequest request{
        .method = "POST",
        .target = "/",
        .headers = {{"Host", "localhost"},
                    {"Content-Type", std::string(content_type)},
                    {"X-Amz-Target", fmt::format("{}.{}", aws::kKinesis.target_prefix, operation)}},
        .body = body};
    const auto signature = aws::sign({.method = request.method,
                                      .path = request.target,
                                      .query = {},
                                      .headers = request.headers,
                                      .body = request.body,
                                      .region = "us-east-1",
                                      .service = aws::kKinesis.signing_name,
                                      .time = std::chrono::system_clock::now()},
                                     credentials_);
    request.headers.insert(request.headers.end(), signature.begin(), signature.end());
    return services_->answer(request, fault, plan_);
  }

  std::string item_of(std::uint64_t number) const {
    std::string item;
    table_->append_item(item, number);
    return item;
  }

  std::string sink(const std::string& body) {
    ReceivedRequest request{.method = "POST",
                            .target = "/",
                            .headers = {{"X-Amz-Target", std::string(kSink)}},
                            .body = body};
    return services_->answer(request, std::nullopt, plan_).body;
  }

  EmulatedServices& services() { return *services_; }

 private:
  aws::Credentials credentials_{.access_key_id = "AKID", .secret_access_key = "not-a-secret"};
  FaultPlan plan_{{}, 1};
  std::optional<GeneratedTable> table_;
  std::optional<EmulatedServices> services_;
};

}  // namespace everyitem::emulator
