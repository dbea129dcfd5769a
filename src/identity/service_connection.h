// One service as it is called: a client over connections to where it is.
#pragma once

#include <memory>
#include <utility>

#include "aws/client.h"
#include "aws/http_client.h"
#include "base/async.h"
#include "identity/service_settings.h"

namespace everyitem::identity {

/// Used from one event loop. What `context` names outlives it; `tls` may be null for an endpoint
/// without TLS.
struct ServiceConnection {
  ServiceConnection(const asio::any_io_executor& executor, aws::ServiceModel model,
                    const ServiceSettings& settings, aws::HttpTimeouts timeouts,
                    std::shared_ptr<const aws::TlsSettings> tls, aws::ClientContext context)
      : http(executor, settings.endpoint, std::move(tls), timeouts, settings.proxy),
        client(model, settings.region, http, context) {}

  aws::HttpClient http;
  aws::Client client;
};

}  // namespace everyitem::identity
