#include "aws/service_error.h"

#include <algorithm>
#include <array>
#include <utility>

#include <boost/json.hpp>
#include <fmt/format.h>
#include <pugixml.hpp>

#include "aws/json_members.h"
#include "aws/redaction.h"
#include "base/cbor.h"
#include "base/wire.h"

namespace everyitem::aws {

namespace {

using enum ErrorClass;

// Sources: the services' API references ("Common Errors" and each operation's "Errors"), and the
// retryable codes of the AWS SDKs' standard retry mode.
constexpr std::string_view kLookUpName = "Check the name, the region and the account.";
constexpr std::string_view kPermission =
    "The identity in use needs the permission that the message names.";
constexpr std::string_view kKeyRejected =
    "Check the access key, the secret and, for temporary keys, AWS_SESSION_TOKEN.";

constexpr std::string_view kNotFound = "ResourceNotFoundException";
constexpr std::string_view kRequestEntityTooLarge = "RequestEntityTooLarge";
constexpr std::string_view kUnsupportedMediaType = "UnsupportedMediaTypeException";

constexpr std::array kTable = {
    ServiceErrorRow{"ProvisionedThroughputExceededException", throttle, ""},
    ServiceErrorRow{"ThrottlingException", throttle, ""},
    ServiceErrorRow{"Throttling", throttle, ""},
    ServiceErrorRow{"ThrottledException", throttle, ""},
    ServiceErrorRow{"RequestLimitExceeded", throttle, ""},
    ServiceErrorRow{"RequestThrottled", throttle, ""},
    ServiceErrorRow{"RequestThrottledException", throttle, ""},
    ServiceErrorRow{"TooManyRequestsException", throttle, ""},
    ServiceErrorRow{"LimitExceededException", throttle, ""},
    ServiceErrorRow{"BandwidthLimitExceeded", throttle, ""},
    ServiceErrorRow{"SlowDown", throttle, ""},
    ServiceErrorRow{"KMSThrottlingException", throttle, ""},
    // SSM: "concurrent updates for a resource that supports one update at a time".
    ServiceErrorRow{"TooManyUpdates", throttle, ""},
    ServiceErrorRow{"InternalServerError", transient, ""},
    ServiceErrorRow{"ServiceException", transient, ""},
    ServiceErrorRow{"InternalFailure", transient, ""},
    ServiceErrorRow{"InternalServerException", transient, ""},
    ServiceErrorRow{"ServiceUnavailable", transient, ""},
    ServiceErrorRow{"ServiceUnavailableException", transient, ""},
    ServiceErrorRow{"RequestTimeout", transient, ""},
    ServiceErrorRow{"RequestTimeoutException", transient, ""},
    // STS: it could not reach the provider of a web identity.
    ServiceErrorRow{"IDPCommunicationError", transient, ""},
    // A stream or table that is being updated, which is temporary.
    ServiceErrorRow{"ResourceInUseException", transient, "Wait until it is ACTIVE."},
    ServiceErrorRow{"ExpiredToken", expired_credentials, "Renew the session's credentials."},
    ServiceErrorRow{"ExpiredTokenException", expired_credentials,
                    "Renew the session's credentials."},
    ServiceErrorRow{"UnrecognizedClientException", expired_credentials, kKeyRejected},
    ServiceErrorRow{"InvalidClientTokenId", expired_credentials, kKeyRejected},
    ServiceErrorRow{"RequestTimeTooSkewed", clock_skew, "Set this machine's clock."},
    ServiceErrorRow{"RequestExpired", clock_skew, "Set this machine's clock."},
    ServiceErrorRow{"RequestInTheFuture", clock_skew, "Set this machine's clock."},
    ServiceErrorRow{"InvalidSignatureException", clock_skew,
                    "Check the secret access key, and this machine's clock."},
    ServiceErrorRow{"SignatureDoesNotMatch", clock_skew,
                    "Check the secret access key, and this machine's clock."},
    ServiceErrorRow{"ValidationException", invalid, ""},
    ServiceErrorRow{"InvalidArgumentException", invalid, ""},
    ServiceErrorRow{"SerializationException", invalid, ""},
    ServiceErrorRow{kRequestEntityTooLarge, invalid, ""},
    ServiceErrorRow{kUnsupportedMediaType, fatal, "Set another format: ", setting::kKinesisWire},
    ServiceErrorRow{"AccessDeniedException", fatal, kPermission},
    ServiceErrorRow{"AccessDenied", fatal, kPermission},
    ServiceErrorRow{"MissingAuthenticationTokenException", fatal, kKeyRejected},
    ServiceErrorRow{"IncompleteSignatureException", fatal, kKeyRejected},
    ServiceErrorRow{
        "InvalidIdentityToken", fatal,
        "Check that the role trusts the token's issuer, and that the token has not expired."},
    ServiceErrorRow{"RegionDisabledException", fatal,
                    "Activate STS in that region (IAM, account settings), or use another."},
    ServiceErrorRow{kNotFound, fatal, kLookUpName},
    ServiceErrorRow{"ParameterLimitExceeded", fatal,
                    "An account can have 10,000 standard parameters per region: delete some."},
    ServiceErrorRow{"ParameterMaxVersionLimitExceeded", fatal,
                    "Its oldest version has a label and cannot be deleted: remove the label."},
    ServiceErrorRow{"HierarchyTypeMismatchException", fatal,
                    "A parameter stays a String or a SecureString: name another prefix, or remove "
                    "these."},
    ServiceErrorRow{"InvalidKeyId", fatal, "Check the KMS key, and that it is enabled."},
    ServiceErrorRow{"KMSAccessDeniedException", fatal,
                    "The identity in use needs kms:GenerateDataKey on the stream's key."},
    ServiceErrorRow{"KMSDisabledException", fatal, "Enable the stream's KMS key."},
    ServiceErrorRow{"KMSInvalidStateException", fatal, "Check the state of the stream's KMS key."},
    ServiceErrorRow{"KMSNotFoundException", fatal, "Check the stream's KMS key."},
    ServiceErrorRow{"KMSOptInRequired", fatal, "Check the stream's KMS key."},
};

const ServiceErrorRow* find_row(std::string_view code) {
  const auto* row = std::ranges::find(kTable, code, &ServiceErrorRow::code);
  return row == kTable.end() ? nullptr : row;
}

/// "com.amazonaws.dynamodb.v20120810#ValidationException:http://..." is ValidationException.
std::string_view bare_code(std::string_view type) {
  if (const auto hash = type.rfind('#'); hash != std::string_view::npos) {
    type.remove_prefix(hash + 1);
  }
  type = type.substr(0, type.find(':'));
  return is_error_code(type) ? type : std::string_view();
}

/// The body of the response, in either encoding; null if it is in neither.
boost::json::value document_of(const http::Response& response) {
  if (response.header("content-type") == kCborContentType) {
    try {
      return parse_cbor(response.body.view());
    } catch (const CborError&) {
      return nullptr;
    }
  }
  boost::system::error_code not_json;
  return boost::json::parse(response.body.view(), not_json);
}

/// STS reports errors in XML: <ErrorResponse><Error><Code>..</Code><Message>..</Message></Error>.
void read_xml(std::string_view body, ServiceError& error) {
  constexpr std::size_t kMaxBytes = 64U << 10;
  pugi::xml_document document;
  if (body.size() > kMaxBytes || !document.load_buffer(body.data(), body.size())) {
    return;
  }
  const pugi::xml_node said = document.child("ErrorResponse").child("Error");
  error.code = bare_code(said.child("Code").text().get());
  error.message = said.child("Message").text().get();
}

}  // namespace

std::span<const ServiceErrorRow> service_error_table() { return kTable; }

ErrorClass classify(int http_status, std::string_view code) {
  if (const auto* row = find_row(code)) {
    return row->error_class;
  }
  if (http_status == 429) {
    return throttle;
  }
  // These services give a reason for errors: a 400 without one was damaged in transit.
  const bool damaged = http_status == 400 && code.empty();
  return http_status >= 500 || http_status == 408 || damaged ? transient : fatal;
}

Message hint_for(std::string_view code) {
  const auto* row = find_row(code);
  if (row == nullptr) {
    return {};
  }
  return row->see.name.empty() ? Message(row->hint) : row->hint + Message(row->see) + ".";
}

void require_known(const Error& error, SettingId id) {
  if (error.details().code == kNotFound) {
    ErrorDetails details = error.details();
    details.hint = "Check " + Message(id) + ", the region and the account.";
    throw Error(ErrorKind::usage, std::move(details));
  }
}

bool may_be_about_format(std::string_view code) {
  const auto* row = find_row(code);
  return row == nullptr || row->error_class == invalid || row->error_class == transient ||
         code == kUnsupportedMediaType;
}

ServiceError read_service_error(const http::Response& response) {
  ServiceError error{.http_status = response.status, .code = {}, .message = {}};
  const boost::json::value body = document_of(response);
  if (body.is_object()) {
    const auto& object = body.get_object();
    error.code = bare_code(text_member(object, "__type"));
    error.message = text_member(object, "message");
    if (error.message.empty()) {
      error.message = text_member(object, "Message");
    }
  }
  if (response.body.view().starts_with('<')) {
    read_xml(response.body.view(), error);
  }
  if (error.code.empty()) {
    error.code = bare_code(response.header("x-amzn-errortype"));
  }
  if (error.code.empty() && response.status == 413) {
    error.code = kRequestEntityTooLarge;  // from a proxy, which has no codes
  }
  if (error.code.empty() && response.status == 415) {
    error.code = kUnsupportedMediaType;
  }
  if (error.message.empty()) {
    error.message = fmt::format("HTTP status {}", response.status);
  }
  error.error_class = classify(error.http_status, error.code);
  return error;
}

}  // namespace everyitem::aws
