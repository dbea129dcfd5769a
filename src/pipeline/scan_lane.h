// What one event loop of a run has for itself: connections, a builder of batches, and a sink.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "aws/client.h"
#include "base/async.h"
#include "base/clock.h"
#include "batch/batch_builder.h"
#include "http/client.h"
#include "identity/identity.h"
#include "identity/service_connection.h"
#include "identity/shared_credentials.h"
#include "pipeline/lane.h"
#include "sink/sink.h"
#include "source/table_parts.h"

namespace everyitem::pipeline {

/// How a run calls its services.
struct RunServices {
  identity::IdentifiedService dynamodb;
  std::optional<identity::IdentifiedService> kinesis;
  http::Timeouts timeouts;
};

/// One of them as a lane calls it.
struct LaneService {
  /// The credentials are found on the loop of `home`.
  LaneService(const asio::any_io_executor& executor, const asio::any_io_executor& home,
              const aws::ServiceModel& model, const identity::IdentifiedService& service,
              http::Timeouts timeouts, Clock& clock, Random& random)
      : credentials(home, *service.credentials, clock),
        connection(executor, model, service.settings, timeouts, service.tls,
                   {.credentials = credentials, .clock = clock, .random = random}) {}

  aws::Client& client() { return connection.client; }

  identity::SharedCredentials credentials;
  identity::ServiceConnection connection;
};

/// Made before anything is known of the table; what depends on that is put in later. Taken apart
/// when its event loop has ended or is the caller's.
struct ScanLane {
  /// The services' identities, found on the loop of `home`, and the clock outlive the lane.
  ScanLane(const asio::any_io_executor& lane_executor, const asio::any_io_executor& home,
           const RunServices& services, Clock& clock, std::uint64_t random_seed)
      : executor(lane_executor),
        random(random_seed),
        dynamodb(executor, home, aws::kDynamoDb, services.dynamodb, services.timeouts, clock,
                 random) {
    if (services.kinesis) {
      kinesis.emplace(executor, home, aws::kKinesis, *services.kinesis, services.timeouts, clock,
                      random);
    }
  }

  /// Once all is there. `sink`: where the lane has none of its own.
  LaneParts lane_parts(sink::Sink* shared_sink) {
    return {.executor = executor,
            .source = *parts,
            .builder = *builder,
            .sink = sink ? *sink : *shared_sink};
  }

  asio::any_io_executor executor;
  Random random;
  LaneService dynamodb;
  std::optional<LaneService> kinesis;
  std::optional<source::TableParts> parts;
  std::unique_ptr<batch::BatchBuilder> builder;
  std::unique_ptr<sink::Sink> sink;
};

}  // namespace everyitem::pipeline
