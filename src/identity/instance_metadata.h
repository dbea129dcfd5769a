// Reads the instance metadata service of Amazon EC2, version 2.
// https://docs.aws.amazon.com/sdkref/latest/guide/feature-imds-credentials.html
#pragma once

#include <chrono>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

#include "base/async.h"
#include "base/environment.h"
#include "http/client.h"
#include "http/endpoint.h"
#include "identity/connector.h"
#include "identity/profile.h"

namespace everyitem::identity {

/// From environment variables, otherwise the profile, otherwise these defaults.
struct MetadataSettings {
  bool disabled = false;  ///< AWS_EC2_METADATA_DISABLED
  http::Endpoint endpoint;
  std::chrono::milliseconds timeout{1000};  ///< for the connection, and for each response
  int attempts = 1;
  bool allows_version_1 = false;  ///< only if ec2_metadata_v1_disabled is set to false
};

/// Throws a usage error that names the setting if its value is invalid, or if its endpoint is plain
/// HTTP on another machine and `insecure_http` does not allow that.
MetadataSettings resolve_metadata_settings(const Profile& profile, const Environment& environment,
                                           bool insecure_http = false);

/// Thrown if metadata is not available. `what()` says why in a short phrase for the user: "no
/// response within 1 s".
class MetadataUnavailable : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Makes a few requests in a row with one token. Used from one event loop; `connector` must outlive
/// it.
class InstanceMetadata {
 public:
  /// Throws what resolve_metadata_settings throws.
  explicit InstanceMetadata(Connector& connector);

  /// The response to GET `path`, with status 200 or 404. Throws MetadataUnavailable in all other
  /// cases.
  Awaitable<http::Response> get(std::string path);

 private:
  /// Retries as often as the settings say. Throws http::TransportError.
  Awaitable<http::Response> ask(std::string_view method, std::string_view path,
                                http::Header header);
  Awaitable<http::Response> ask_with_token(const std::string& path);
  /// Empty if version 1 has to be used.
  Awaitable<std::string> fetch_token();

  Connector& connector_;
  MetadataSettings settings_;
  std::optional<std::string> token_;  ///< once it has been requested
};

/// The region of this machine, or nothing if it is not available. Throws what
/// resolve_metadata_settings throws.
Awaitable<std::optional<std::string>> region_from_metadata(Connector& connector);

}  // namespace everyitem::identity
