#include "identity/container_credentials.h"

#include <algorithm>
#include <array>
#include <memory>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <boost/asio/ip/address.hpp>
#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>
#include <fmt/format.h>

#include "base/error.h"
#include "identity/credentials_document.h"
#include "identity/secret_file.h"

namespace everyitem::identity {

namespace {

constexpr std::string_view kRelative = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI";
constexpr std::string_view kFull = "AWS_CONTAINER_CREDENTIALS_FULL_URI";
constexpr std::string_view kToken = "AWS_CONTAINER_AUTHORIZATION_TOKEN";
constexpr std::string_view kTokenFile = "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE";

constexpr std::string_view kAgentAddress = "169.254.170.2";

/// The endpoints of Amazon ECS and EKS, which are on the machine itself (SDK reference guide).
constexpr std::array kLocalAddresses = {kAgentAddress, std::string_view("169.254.170.23"),
                                        std::string_view("fd00:ec2::23")};

constexpr aws::ServiceModel kModel{"container", "", ""};

// The same as botocore's ContainerMetadataFetcher.
constexpr http::Timeouts kTimeouts{.connect = std::chrono::seconds(2),
                                   .idle = std::chrono::seconds(2)};

/// Whether requests to this host stay on the machine, so that TLS is not needed.
bool is_local(std::string_view host) {
  boost::system::error_code not_an_address;
  const auto address = asio::ip::make_address(std::string(host), not_an_address);
  if (not_an_address) {
    return host == "localhost";
  }
  return address.is_loopback() || std::ranges::any_of(kLocalAddresses, [&](std::string_view local) {
           return address == asio::ip::make_address(std::string(local));
         });
}

/// The endpoint to ask, and the variable that names it.
struct Place {
  std::string_view variable;
  http::Endpoint endpoint;
  std::string path;  ///< including the query
};

std::string target_of(const boost::urls::url_view& url) {
  std::string target(url.encoded_path());
  if (target.empty()) {
    target = "/";
  }
  if (url.has_query()) {
    target.append("?").append(std::string_view(url.encoded_query()));
  }
  return target;
}

Place relative_place(const std::string& uri, http::Endpoint agent) {
  const auto parsed = boost::urls::parse_origin_form(uri);
  if (!parsed) {
    throw usage_error(fmt::format("{} is not a path such as /v2/credentials/ID", kRelative),
                      "Amazon ECS sets it; leave it as it is.");
  }
  return {.variable = kRelative, .endpoint = std::move(agent), .path = target_of(*parsed)};
}

Place full_place(const std::string& uri) {
  const auto parsed = boost::urls::parse_uri(uri);
  // Boost.URL parses "127.0.0.1.example.com" as an address and a path without a slash.
  if (!parsed || !parsed->has_authority() || !target_of(*parsed).starts_with('/')) {
    throw usage_error(fmt::format("{} is not a URL", kFull),
                      "Give a URL such as http://localhost:8080/credentials.");
  }
  const std::string base = fmt::format("{}://{}", std::string_view(parsed->scheme()),
                                       std::string_view(parsed->encoded_authority()));
  Place place{
      .variable = kFull, .endpoint = http::parse_endpoint(base, kFull), .path = target_of(*parsed)};
  if (!place.endpoint.tls && !is_local(place.endpoint.host)) {
    throw usage_error(
        fmt::format("{}: {} is not on this machine, and without TLS others could read the "
                    "credentials",
                    kFull, place.endpoint.url()),
        "Use an https URL, or an address of this machine.");
  }
  place.endpoint.must_be_local = !place.endpoint.tls && http::is_loopback(place.endpoint);
  return place;
}

/// Nothing if the environment names no endpoint.
std::optional<Place> find_place(const Environment& environment, const http::Endpoint& agent) {
  if (const std::string uri = environment(kRelative); !uri.empty()) {
    return relative_place(uri, agent);
  }
  if (const std::string uri = environment(kFull); !uri.empty()) {
    return full_place(uri);
  }
  return std::nullopt;
}

std::string read_token_file(const std::string& path) {
  std::string reason = "it is empty";
  try {
    PaddedBuffer text = read_secret_file(path);
    const WipedAtEnd wiped(text);
    if (!text.empty()) {
      return std::string(text.view());
    }
  } catch (const std::system_error& error) {
    reason = error.code().message();
  }
  throw Error(ErrorKind::failed, {.operation = fmt::format("read {}", kTokenFile),
                                  .object = path,
                                  .code = {},
                                  .message = std::move(reason),
                                  .hint = {}});
}

/// Read each time, because the file is rewritten when the token is renewed. Empty if there is no
/// token.
std::string authorization(const Environment& environment) {
  std::string_view variable = kToken;
  std::string token = environment(kToken);
  if (const std::string path = environment(kTokenFile); !path.empty()) {
    variable = kTokenFile;
    wipe(token);
    token = read_token_file(path);
  }
  if (token.find_first_of(std::string_view("\r\n\0", 3)) != std::string::npos) {
    wipe(token);
    throw usage_error(fmt::format("the token in {} contains a line break", variable),
                      "Remove it, even at the end.");
  }
  return token;
}

std::string name_of(const Place& place) {
  return fmt::format("the container's endpoint {} ({})", place.endpoint.url(), place.variable);
}

Error failure_of(const Place& place, std::string code, Message reason) {
  return {ErrorKind::failed,
          {.operation = "find credentials",
           .object = name_of(place),
           .code = std::move(code),
           .message = std::move(reason),
           .hint = fmt::format("Check that whatever set {} is running.", place.variable)}};
}

/// Throws Error.
aws::Credentials read_answer(http::Response response, const Place& place,
                             std::chrono::system_clock::time_point now) {
  try {
    aws::Credentials credentials = read_credentials_document(std::move(response.body), "Token");
    if (credentials.expires_at && *credentials.expires_at <= now) {
      throw UnusableDocument("holds credentials that have expired");
    }
    credentials.source = name_of(place);
    return credentials;
  } catch (const UnusableDocument& unusable) {
    throw failure_of(place, {}, fmt::format("the response {}", unusable.what()));
  }
}

}  // namespace

http::Endpoint ContainerCredentials::agent_endpoint() {
  return {.tls = false, .host = std::string(kAgentAddress), .port = 80};
}

ContainerCredentials::ContainerCredentials(Connector& connector, http::Endpoint agent)
    : connector_(connector), agent_(std::move(agent)) {}

Awaitable<std::optional<aws::Credentials>> ContainerCredentials::find() {
  const std::optional<Place> place = find_place(connector_.environment(), agent_);
  if (!place) {
    co_return std::nullopt;
  }
  std::string token = authorization(connector_.environment());
  const WipedAtEnd token_wiped(token);
  std::vector<http::Header> headers;
  headers.emplace_back();
  headers.back().name = "Accept";
  headers.back().value = "application/json";
  if (!token.empty()) {
    headers.emplace_back();
    headers.back().name = "Authorization";
    headers.back().value = token;
  }
  const WipedAtEnd header_wiped(headers.back().value);
  const aws::Call call{.operation = "find credentials",
                       .object = place->variable,
                       .body = {},
                       .method = "GET",
                       .path = place->path,
                       .is_signed = false,
                       .secrets = {token},
                       .headers = headers};
  const auto connection =
      connector_.place(co_await asio::this_coro::executor, kModel, place->endpoint, kTimeouts);
  http::Response response;
  const aws::Client::Accept accept = [&response](http::Response arrived) {
    response = std::move(arrived);
  };
  std::optional<Error> failure;
  try {
    co_await connection->client.call(call, accept);
  } catch (const Error& error) {
    failure = failure_of(*place, error.details().code, error.details().message);
  }
  if (failure) {
    throw Error(*failure);
  }
  co_return read_answer(std::move(response), *place, connector_.clock().wall_now());
}

std::string ContainerCredentials::place() const {
  const Environment& environment = connector_.environment();
  for (const std::string_view variable : {kRelative, kFull}) {
    if (!environment(variable).empty()) {
      return fmt::format("the container's endpoint ({})", variable);
    }
  }
  return fmt::format("the container's endpoint ({} and {} are not set)", kRelative, kFull);
}

}  // namespace everyitem::identity
