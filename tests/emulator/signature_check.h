// Refuses requests as AWS does when their signature is not right.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "aws/sigv4.h"

namespace everyitem::emulator {

/// A request as it came.
struct ReceivedRequest {
  std::string method;
  std::string target;
  std::vector<http::Header> headers;
  std::string body;

  /// The first header of that name, compared without case; empty when there is none.
  std::string_view header(std::string_view name) const;
};

struct SignatureRefusal {
  std::string code;
  std::string message;
  bool because_of_time = false;  ///< the clocks differ
  bool because_expired = false;  ///< the caller's session has ended; all else is right
};

/// Whom a request says that it is of; empty where it is not signed. Valid as long as the request.
std::string_view access_key_id_of(const ReceivedRequest& request);

/// Nothing when the request is signed with `credentials` for `service`, within five minutes of
/// `now`, over its body, its host and every x-amz- header.
std::optional<SignatureRefusal> check_signature(const ReceivedRequest& request,
                                                const aws::Credentials& credentials,
                                                std::string_view service,
                                                std::chrono::system_clock::time_point now);

}  // namespace everyitem::emulator
