#include "http/client.h"

#include <deque>
#include <utility>

#include <boost/beast/core/string.hpp>

#include "base/error.h"
#include "http/connection.h"
#include "http/tunnel.h"

namespace everyitem::http {

namespace {

void append_header(std::string& head, std::string_view name, std::string_view value) {
  // A token read from a file may end with a line break, and anything after it would become a header
  // of its own. The value may be a secret.
  if (value.find_first_of(std::string_view("\r\n\0", 3)) != std::string_view::npos) {
    throw usage_error("the value of the HTTP header " + std::string(name) +
                      " contains a line break");
  }
  head.append(name).append(": ").append(value).append("\r\n");
}

/// If a proxy forwards the request, `origin` precedes the target and `proxy_header` the other
/// headers.
std::string build_head(const Request& request, std::string_view authority, std::string_view origin,
                       std::string_view proxy_header) {
  std::string head;
  head.reserve(1024);
  head.append(request.method).append(" ").append(origin).append(request.target);
  head.append(" HTTP/1.1\r\n").append(proxy_header);
  append_header(head, "Host", authority);
  for (const Header& header : request.headers) {
    append_header(head, header.name, header.value);
  }
  head.append("Accept-Encoding: identity\r\n");
  append_header(head, "Content-Length", std::to_string(request.body.size()));
  head.append("\r\n");
  return head;
}

}  // namespace

std::string_view Response::header(std::string_view name) const& {
  for (const Header& header : headers) {
    if (boost::beast::iequals(header.name, name)) {
      return header.value;
    }
  }
  return {};
}

struct Client::Impl {
  Impl(asio::any_io_executor loop, Clock& time, NameLookup& lookup)
      : executor(std::move(loop)), clock(time), names(lookup) {}

  using ConnectionPtr = std::unique_ptr<Connection>;

  /// The most recently used connection that can be reused, or null. It is the least likely to have
  /// been closed, and surplus ones are left to expire.
  ConnectionPtr take_idle();
  void give_back(ConnectionPtr connection);
  /// Throws if the response comes from the proxy, which did not forward the request because of
  /// missing credentials. Its other errors look like the endpoint's.
  void check_passed_on(const Response& response) const;

  asio::any_io_executor executor;
  Clock& clock;
  NameLookup& names;
  Endpoint endpoint;
  std::shared_ptr<const TlsSettings> tls;
  Timeouts timeouts;
  std::string authority;
  std::optional<Proxy> proxy;
  std::string origin;        ///< "http://host" where a proxy passes the requests on, else empty
  std::string proxy_header;  ///< the complete line, if every request carries it
  std::deque<ConnectionPtr> idle;  ///< the most recently used one is at the back
};

Client::Impl::ConnectionPtr Client::Impl::take_idle() {
  while (!idle.empty()) {
    ConnectionPtr connection = std::move(idle.back());
    idle.pop_back();
    if (!connection->expired() && connection->quiet()) {
      return connection;
    }
  }
  return nullptr;
}

void Client::Impl::give_back(ConnectionPtr connection) {
  if (connection->reusable()) {
    idle.push_back(std::move(connection));
  }
  while (!idle.empty() && idle.front()->expired()) {
    idle.pop_front();
  }
}

void Client::Impl::check_passed_on(const Response& response) const {
  if (proxy && !endpoint.tls && response.status == kProxyAuthenticationRequired) {
    throw refusal(*proxy, response.status);
  }
}

Client::Client(asio::any_io_executor executor, Clock& clock, Endpoint endpoint,
               std::shared_ptr<const TlsSettings> tls, Timeouts timeouts,
               std::optional<Proxy> proxy, NameLookup& names)
    : impl_(std::make_unique<Impl>(std::move(executor), clock, names)) {
  if (endpoint.tls && !tls) {
    throw std::invalid_argument("a https endpoint without TLS settings");
  }
  impl_->authority = endpoint.authority();
  if (proxy && !endpoint.tls) {
    impl_->origin = "http://" + impl_->authority;
    impl_->proxy_header = authorization_line(*proxy);
  }
  impl_->proxy = std::move(proxy);
  impl_->endpoint = std::move(endpoint);
  impl_->tls = std::move(tls);
  impl_->timeouts = timeouts;
}

Client::~Client() = default;

Awaitable<Response> Client::send(const Request& request) {
  std::string head = build_head(request, impl_->authority, impl_->origin, impl_->proxy_header);
  const bool head_only = request.method == "HEAD";

  bool sent_before = false;
  if (Impl::ConnectionPtr pooled = impl_->take_idle()) {
    try {
      Response response = co_await pooled->exchange(head, request.body, head_only, request.limits);
      impl_->check_passed_on(response);
      impl_->give_back(std::move(pooled));
      co_return response;
    } catch (const TransportError& error) {
      if (error.cause() != TransportError::Cause::closed || pooled->answer_begun()) {
        throw;
      }
      sent_before = error.request_sent();
    }
  }

  try {
    auto fresh =
        std::make_unique<Connection>(impl_->executor, impl_->clock, impl_->timeouts, impl_->names);
    co_await fresh->open(impl_->endpoint, impl_->endpoint.tls ? impl_->tls.get() : nullptr,
                         impl_->proxy ? &*impl_->proxy : nullptr, request.limits.silence);
    Response response =
        co_await fresh->exchange(std::move(head), request.body, head_only, request.limits);
    impl_->check_passed_on(response);
    impl_->give_back(std::move(fresh));
    co_return response;
  } catch (const TransportError& error) {
    if (sent_before && !error.request_sent()) {
      throw TransportError(error.cause(), true, error.what(), error.hint());
    }
    throw;
  }
}

const Endpoint& Client::endpoint() const { return impl_->endpoint; }

}  // namespace everyitem::http
