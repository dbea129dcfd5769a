// What one event loop of a run has for itself: connections, a builder of batches, and a sink.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "aws/client.h"
#include "aws/http_client.h"
#include "base/async.h"
#include "base/clock.h"
#include "batch/batch_builder.h"
#include "identity/service_connection.h"
#include "identity/service_settings.h"
#include "identity/shared_credentials.h"
#include "pipeline/lane.h"
#include "sink/sink.h"
#include "source/segment_scanner.h"

namespace everyitem::pipeline {

/// How a run calls its services.
struct RunServices {
  identity::ServiceSettings dynamodb;
  std::optional<identity::ServiceSettings> kinesis;
  std::shared_ptr<const aws::TlsSettings> tls;  ///< null where no endpoint wants it
  aws::HttpTimeouts timeouts;
};

/// Made before anything is known of the table; what depends on that is put in later. Taken apart
/// when its event loop has ended or is the caller's.
struct ScanLane {
  /// `finder` finds the credentials on the loop of `home`. It and the clock outlive the lane.
  ScanLane(const asio::any_io_executor& lane_executor, const asio::any_io_executor& home,
           const RunServices& services, aws::CredentialsProvider& finder, Clock& clock,
           std::uint64_t random_seed)
      : executor(lane_executor), random(random_seed), credentials(home, finder) {
    const aws::ClientContext context{.credentials = credentials, .clock = clock, .random = random};
    dynamodb.emplace(executor, aws::kDynamoDb, services.dynamodb, services.timeouts, services.tls,
                     context);
    if (services.kinesis) {
      kinesis.emplace(executor, aws::kKinesis, *services.kinesis, services.timeouts, services.tls,
                      context);
    }
  }

  /// Once all is there. `sink`: where the lane has none of its own.
  LaneParts parts(sink::Sink* shared_sink) {
    return {.executor = executor,
            .scan = *scan,
            .builder = *builder,
            .sink = sink ? *sink : *shared_sink};
  }

  asio::any_io_executor executor;
  Random random;
  identity::SharedCredentials credentials;
  std::optional<identity::ServiceConnection> dynamodb;
  std::optional<identity::ServiceConnection> kinesis;
  std::optional<source::ScanContext> scan;
  std::unique_ptr<batch::BatchBuilder> builder;
  std::unique_ptr<sink::Sink> sink;
};

}  // namespace everyitem::pipeline
