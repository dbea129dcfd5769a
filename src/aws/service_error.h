// The meaning of the services' error codes for the caller, in one table.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/message.h"
#include "http/message.h"

namespace everyitem::aws {

enum class ErrorClass {
  throttle,             ///< throttled: wait and retry for as long as it takes
  transient,            ///< a fault of the service or the network: retry within bounds
  expired_credentials,  ///< refresh the credentials and retry once
  clock_skew,           ///< correct the clock from the response's Date and retry once
  invalid,              ///< this request can never be accepted, but others may be
  fatal,                ///< retrying cannot help
};

inline constexpr std::size_t kErrorClasses = static_cast<std::size_t>(ErrorClass::fatal) + 1;

struct ServiceErrorRow {
  std::string_view code;
  ErrorClass error_class;
  std::string_view hint;  ///< what the user can do; empty if the message says enough
  SettingId see = {};     ///< with which setting, if any
};

/// All known codes, sorted by class. Other codes are classified by the HTTP status.
std::span<const ServiceErrorRow> service_error_table();

/// `code` as returned by `read_service_error`; empty if the response had none.
ErrorClass classify(int http_status, std::string_view code);

/// The table's hint for a code, or an empty text.
Message hint_for(std::string_view code);

/// Throws a usage error if that is what `error` means: the service does not know what the setting
/// `id` names.
void require_known(const Error& error, SettingId id);

/// Whether an error with this code may mean that the endpoint does not understand the encoding of
/// the request. Endpoints report that in many ways; some even fail, or give no code, as no AWS
/// service does.
bool may_be_about_format(std::string_view code);

struct ServiceError {
  int http_status = 0;
  std::string code;     ///< without its namespace: "ValidationException"; empty if there was none
  std::string message;  ///< the service's message; for a body that is not JSON, the HTTP status
  ErrorClass error_class = ErrorClass::fatal;
};

/// Reads a response whose status is not 2xx. Accepts any body: JSON, CBOR, the XML of STS, an empty
/// one, or a proxy's HTML.
ServiceError read_service_error(const http::Response& response);

}  // namespace everyitem::aws
