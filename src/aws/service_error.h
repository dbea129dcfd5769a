// What the services' error codes mean for the caller: one table.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "http/message.h"

namespace everyitem::aws {

enum class ErrorClass {
  throttle,             ///< asked too fast: wait and repeat, for as long as it takes
  transient,            ///< the service's or the network's fault: repeat a bounded number of times
  expired_credentials,  ///< look for credentials anew and repeat once
  clock_skew,           ///< correct the clock from the answer's Date and repeat once
  invalid,              ///< this very request can never be accepted; another may be
  fatal,                ///< repeating cannot help
};

inline constexpr std::size_t kErrorClasses = static_cast<std::size_t>(ErrorClass::fatal) + 1;

struct ServiceErrorRow {
  std::string_view code;
  ErrorClass error_class;
  std::string_view hint;  ///< what the user can do; empty where the message says all
};

/// Every code that is known, sorted by class. A code that is not in it is classified by its status.
std::span<const ServiceErrorRow> service_error_table();

/// `code` as `read_service_error` gives it; empty when the answer had none.
ErrorClass classify(int http_status, std::string_view code);

/// The table's hint for a code, or an empty text.
std::string_view hint_for(std::string_view code);

/// Whether a refusal with this code may be because the endpoint does not understand how the request
/// is written. Endpoints say that in many ways; some even fail over it.
bool may_be_about_format(std::string_view code);

struct ServiceError {
  int http_status = 0;
  std::string code;     ///< without its namespace: "ValidationException"; empty if there was none
  std::string message;  ///< the service's own words; for a body that is not JSON, its status
  ErrorClass error_class = ErrorClass::fatal;
};

/// Reads an answer whose status is not 2xx. Takes any body: JSON, CBOR, the XML of STS, empty, or a
/// proxy's HTML.
ServiceError read_service_error(const http::Response& response);

}  // namespace everyitem::aws
