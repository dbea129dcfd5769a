#include "emulator/emulated_identity.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace everyitem::emulator {

namespace {

/// How a service that is not the one that was asked for refuses, whatever its protocol.
struct IdentityRefusal {
  Fault fault = Fault::throttling;
  int status = 400;
  std::string_view code;
  std::string_view message;
};

constexpr std::array kRefusals = {
    IdentityRefusal{Fault::throttling, 400, "Throttling", "Rate exceeded"},
    IdentityRefusal{Fault::provisioned_throughput, 400, "Throttling", "Rate exceeded"},
    IdentityRefusal{Fault::request_limit, 400, "RequestLimitExceeded", "Rate exceeded"},
    IdentityRefusal{Fault::limit_exceeded, 429, "TooManyRequestsException", "Rate exceeded"},
    IdentityRefusal{Fault::internal_error, 500, "InternalServerError", "Internal server error"},
    IdentityRefusal{Fault::internal_failure, 500, "InternalFailure", "Internal failure"},
    IdentityRefusal{Fault::unavailable, 503, "ServiceUnavailable", "Service unavailable"},
    IdentityRefusal{Fault::unavailable_retry_after, 503, "ServiceUnavailable", "Unavailable"},
    IdentityRefusal{Fault::expired_token, 403, "ExpiredToken", "The security token is expired"},
    IdentityRefusal{Fault::unrecognized_client, 403, "InvalidClientTokenId",
                    "The security token is invalid"},
    IdentityRefusal{Fault::access_denied, 403, "AccessDenied", "Not authorized"},
    IdentityRefusal{Fault::not_found, 404, "ResourceNotFoundException", "Not found"},
};

}  // namespace

std::string EmulatedIdentity::operation_of(const ReceivedRequest& request) {
  for (const std::string& operation :
       {EmulatedSts::operation_of(request), EmulatedSso::operation_of(request),
        EmulatedSignin::operation_of(request), EmulatedInstanceMetadata::operation_of(request),
        EmulatedContainer::operation_of(request)}) {
    if (!operation.empty()) {
      return operation;
    }
  }
  return {};
}

Reply EmulatedIdentity::answer(const ReceivedRequest& request, std::optional<Fault> fault,
                               IdentityRegister::Time now) {
  const bool of_sts = !EmulatedSts::operation_of(request).empty();
  if (fault == Fault::unavailable_empty) {
    return {.status = 503, .body = {}, .headers = {}};
  }
  if (fault == Fault::unavailable_html) {
    return {.status = 503,
            .body = "<html><h1>503</h1></html>",
            .headers = {},
            .content_type = "text/html"};
  }
  const auto* refusal = std::ranges::find(kRefusals, fault, &IdentityRefusal::fault);
  if (refusal != kRefusals.end()) {
    return of_sts ? sts_error(refusal->status, refusal->code, refusal->message)
                  : rest_error(refusal->status, refusal->code, refusal->message);
  }
  Reply reply;
  if (of_sts) {
    reply = sts_.answer(request, now);
  } else if (!EmulatedSso::operation_of(request).empty()) {
    reply = sso_.answer(request, now);
  } else if (!EmulatedSignin::operation_of(request).empty()) {
    reply = signin_.answer(request, now);
  } else if (!EmulatedContainer::operation_of(request).empty()) {
    reply = container_.answer(request, now);
  } else {
    reply = metadata_.answer(request, now);
  }
  if (fault == Fault::garbage) {
    reply.body.resize(reply.body.size() / 2);
  }
  return reply;
}

}  // namespace everyitem::emulator
