// What a machine of Amazon EC2 is told about itself: the instance metadata service, version 2.
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

/// From environment variables, else the profile's settings, else as here.
struct MetadataSettings {
  bool disabled = false;  ///< AWS_EC2_METADATA_DISABLED
  http::Endpoint endpoint;
  std::chrono::milliseconds timeout{1000};  ///< of the connection, and of each answer
  int attempts = 1;
  bool allows_version_1 = false;  ///< only where ec2_metadata_v1_disabled is set to false
};

/// Throws a usage error that names the setting whose value cannot be, or whose endpoint is plain
/// HTTP to another machine, unless `insecure_http` allows it.
MetadataSettings resolve_metadata_settings(const Profile& profile, const Environment& environment,
                                           bool insecure_http = false);

/// Thrown where there is no metadata to be had. `what()` says why in a short phrase for the user:
/// "no answer within 1 s".
class MetadataUnavailable : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// A few questions in a row, with one token. Used from one event loop; `connector` outlives it.
class InstanceMetadata {
 public:
  /// Throws what resolve_metadata_settings throws.
  explicit InstanceMetadata(Connector& connector);

  /// The answer to GET `path`, whose status is 200 or 404. Throws MetadataUnavailable for any other
  /// end.
  Awaitable<http::Response> get(std::string path);

 private:
  /// As often as the settings say. Throws http::TransportError.
  Awaitable<http::Response> ask(std::string_view method, std::string_view path,
                                http::Header header);
  Awaitable<http::Response> ask_with_token(const std::string& path);
  /// Empty where version 1 must do.
  Awaitable<std::string> fetch_token();

  Connector& connector_;
  MetadataSettings settings_;
  std::optional<std::string> token_;  ///< once it was asked for
};

/// The region that this machine is in, or nothing where it is not told. Throws what
/// resolve_metadata_settings throws.
Awaitable<std::optional<std::string>> region_from_metadata(Connector& connector);

}  // namespace everyitem::identity
