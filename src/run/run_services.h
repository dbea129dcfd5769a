// The AWS services that a run calls: who calls them, where they are, and a client per event loop.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "aws/arn.h"
#include "aws/client.h"
#include "base/async.h"
#include "base/clock.h"
#include "identity/identity.h"
#include "identity/service_connection.h"
#include "identity/shared_credentials.h"
#include "run/run_loops.h"
#include "run/scan_settings.h"

namespace everyitem::run {

/// How all calls of a run are made.
struct CallTerms {
  aws::Patience patience;
  Notice notice;  ///< told on the run's own loop of calls that keep failing
};

/// One service: a client for each event loop, with connections of its own.
class ServiceClients {
 public:
  /// `service` is found and its credentials are looked up on `home`.
  ServiceClients(asio::any_io_executor home, const aws::ServiceModel& model,
                 identity::IdentifiedService service, http::Timeouts timeouts, Clock& clock,
                 CallTerms calls)
      : home_(std::move(home)),
        model_(model),
        service_(std::move(service)),
        timeouts_(timeouts),
        clock_(clock),
        calls_(std::move(calls)) {}

  /// The client of `loop`, used on that loop alone. Makes it if there is none yet, on the run's own
  /// loop, while the run is set up.
  aws::Client& on(RunLoop& loop);

  const std::string& region() const { return service_.settings.region; }
  const http::Endpoint& endpoint() const { return service_.settings.endpoint; }

  /// The sum over its clients. On the run's own loop.
  aws::ClientCounters counters() const;

 private:
  struct Connected {
    Connected(const ServiceClients& service, RunLoop& loop);

    identity::SharedCredentials credentials;
    identity::ServiceConnection connection;
  };

  asio::any_io_executor home_;
  const aws::ServiceModel& model_;
  identity::IdentifiedService service_;
  http::Timeouts timeouts_;
  Clock& clock_;
  CallTerms calls_;
  std::vector<std::unique_ptr<Connected>> clients_;  ///< by the index of their loop
};

/// Whose credentials a call is signed with: the run's own, or those that only write.
enum class Caller { reader, writer };

/// Used on the run's own event loop. Outlives the clients that it hands out.
class RunServices {
 public:
  /// Reads the shared configuration files; connects to nothing. `loops`, the settings and what
  /// `context` refers to outlive this. Throws what identity::Identity throws.
  RunServices(RunLoops& loops, const ScanSettings& settings, const RunContext& context,
              const Notice& notice);
  ~RunServices();
  RunServices(const RunServices&) = delete;
  RunServices& operator=(const RunServices&) = delete;

  /// Finds the service's region and endpoint for this table or stream. Asks the machine's metadata
  /// for a region if nothing else gives one, and finds the credentials if the endpoint depends on
  /// their account; connects to nothing else. Throws Error.
  Awaitable<ServiceClients*> find(const aws::ServiceModel& model, Caller caller,
                                  aws::ResourceName resource);

  /// The account of a resource that may not be described: the ARN's, or that of the caller's
  /// credentials, for which STS is asked; that needs no permission. Empty, and said so, if STS does
  /// not answer soon: it may have no endpoint in a private network.
  Awaitable<std::string> account_of(Caller caller, aws::ResourceName resource);
  /// As `find` does for the reader, in a region that is known; empty: that of the first service
  /// found.
  ServiceClients& in_region(const aws::ServiceModel& model, const std::string& region,
                            http::Timeouts timeouts);

  RunLoops& loops() const { return loops_; }
  Clock& clock() const { return clock_; }
  http::Timeouts timeouts() const { return timeouts_; }

  /// The sum over all clients.
  aws::ClientCounters counters() const;

  /// Ends the renewal of credentials. Call it last.
  void stop();

 private:
  identity::Identity& identity_of(Caller caller) const {
    return caller == Caller::writer && writer_ ? *writer_ : *reader_;
  }
  ServiceClients& add(const aws::ServiceModel& model, identity::IdentifiedService service,
                      http::Timeouts timeouts);

  RunLoops& loops_;
  Clock& clock_;
  http::Timeouts timeouts_;
  CallTerms calls_;
  Random random_;  ///< of those who look for credentials
  std::unique_ptr<identity::Identity> reader_;
  std::unique_ptr<identity::Identity> writer_;  ///< null if that is the reader
  std::vector<std::unique_ptr<ServiceClients>> services_;
};

}  // namespace everyitem::run
