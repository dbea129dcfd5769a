// Decides which request meets which fault: by rate, by count, or at a chosen call, from a seed.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace everyitem::emulator {

enum class Fault {
  provisioned_throughput,   ///< 400 ProvisionedThroughputExceededException
  throttling,               ///< 400 ThrottlingException
  request_limit,            ///< 400 RequestLimitExceeded
  limit_exceeded,           ///< 400 LimitExceededException
  internal_error,           ///< 500 InternalServerError
  internal_failure,         ///< 500 InternalFailure
  unavailable,              ///< 503 ServiceUnavailable, JSON
  unavailable_empty,        ///< 503 without a body
  unavailable_html,         ///< 503 with a proxy's page
  unavailable_retry_after,  ///< 503 with Retry-After
  expired_token,            ///< 400 ExpiredTokenException
  unrecognized_client,      ///< 400 UnrecognizedClientException: not yet known everywhere
  clock_skew,               ///< the services' clock jumps ahead: the signature is too old
  not_yet_valid,            ///< the services' clock jumps back: the signature is in the future
  access_denied,            ///< 400 AccessDeniedException
  not_found,                ///< 400 ResourceNotFoundException: deleted in the meantime
  wrong_crc,                ///< the response does not match its x-amz-crc32
  cut_short,                ///< 200, and the connection ends in the middle of the body
  reset_before,             ///< the connection is reset without a response; nothing was done
  reset_in_body,            ///< the connection is reset in the middle of the body
  reset_after,              ///< the request was applied, but there is no response
  stall,                    ///< the request was applied, and the connection stays silent forever
  slow_drip,                ///< the complete response arrives in small pieces
  garbage,                  ///< 200 and a body that is not JSON, with the right checksum
  // Only for PutRecords:
  partial_throttle,   ///< some records are throttled
  partial_failure,    ///< some records fail with InternalFailure
  all_refused,        ///< every record is throttled
  missing_results,    ///< the records were accepted, but the response has one result too few
  null_error_codes,   ///< "ErrorCode":null on success, as some servers send it
  no_failed_count,    ///< a response without FailedRecordCount, some records fail
  resource_in_use,    ///< 400 ResourceInUseException: the stream is being updated
  kms_throttling,     ///< 400 KMSThrottlingException
  kms_access_denied,  ///< 400 KMSAccessDeniedException
  kms_disabled,       ///< 400 KMSDisabledException
};

/// The fault's name in options and messages: "reset_in_body".
std::string_view to_string(Fault fault);
std::optional<Fault> fault_named(std::string_view name);
std::span<const Fault> all_faults();
/// Whether it only applies to PutRecords.
bool is_of_put_records(Fault fault);
/// Whether a client's remedy for it works only once, or a few times, per call.
bool is_remedied_once(Fault fault);

/// When a fault strikes: either `rate` or `at` applies.
struct FaultRule {
  Fault fault = Fault::throttling;
  std::string operation;  ///< "Scan", "PutRecords"; empty for every operation it applies to
  double rate = 0;        ///< the fraction of requests, 0 to 1
  std::optional<std::uint64_t> at;   ///< only this request of the operation, from 0
  std::optional<std::uint64_t> max;  ///< at most this often
  /// The minimum number of requests, of any operation, between strikes of all rules that set this.
  /// For faults that end a call if it meets them twice in a row.
  std::uint64_t apart = 0;
};

/// Reads "reset_in_body=0.05", "Scan:throttling@17", "PutRecords:stall=0.5x2" (at most twice),
/// "expired_token=0.1/300" (300 requests apart).
/// Throws std::invalid_argument that names the text.
FaultRule parse_fault_rule(std::string_view text);

/// One event loop.
class FaultPlan {
 public:
  FaultPlan(std::vector<FaultRule> rules, std::uint64_t seed);

  /// The fault for the next request of `operation`, if any.
  std::optional<Fault> next(std::string_view operation);

  /// In [0, bound): where to cut a body, which records to fail.
  std::uint64_t random(std::uint64_t bound);

  /// The number of strikes of each fault.
  const std::map<Fault, std::uint64_t>& struck() const { return struck_; }

 private:
  struct Rule {
    FaultRule rule;
    std::uint64_t times = 0;
  };

  std::vector<Rule> rules_;
  std::mt19937_64 random_;
  std::map<std::string, std::uint64_t, std::less<>> requests_;
  std::uint64_t all_requests_ = 0;
  std::optional<std::uint64_t> last_apart_;  ///< the last request hit by a rule with `apart`
  std::map<Fault, std::uint64_t> struck_;
};

}  // namespace everyitem::emulator
