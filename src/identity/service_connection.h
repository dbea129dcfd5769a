// A client of one service, with connections to its endpoint.
#pragma once

#include <memory>
#include <utility>

#include "aws/client.h"
#include "base/async.h"
#include "http/client.h"
#include "identity/service_settings.h"

namespace everyitem::identity {

/// Used from one event loop. What `context` refers to must outlive it; `tls` may be null for an
/// endpoint without TLS.
struct ServiceConnection {
  ServiceConnection(const asio::any_io_executor& executor, aws::ServiceModel model,
                    const ServiceSettings& settings, http::Timeouts timeouts,
                    std::shared_ptr<const http::TlsSettings> tls, aws::ClientContext context)
      : http(executor, context.clock, settings.endpoint, std::move(tls), timeouts, settings.proxy),
        client(model, settings.region, http, context) {}

  http::Client http;
  aws::Client client;
};

}  // namespace everyitem::identity
