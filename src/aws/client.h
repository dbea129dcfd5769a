// Calls one service: signs and sends requests, classifies errors, retries.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "aws/credentials.h"
#include "aws/pacer.h"
#include "aws/payload_hasher.h"
#include "aws/retry.h"
#include "aws/sigv4.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/guarded.h"
#include "base/sha256.h"
#include "base/wire.h"
#include "http/client.h"

namespace everyitem::aws {

/// The differences between the services that use AWS's JSON protocols, or the same in CBOR.
struct ServiceModel {
  std::string_view signing_name;   ///< also the endpoint prefix
  std::string_view target_prefix;  ///< empty if the path or the body names the operation
  std::string_view content_type;   ///< of bodies that are not CBOR; not sent if empty
  /// Its name in the shared settings, if that is not the endpoint prefix.
  std::string_view settings_name = {};
  /// What follows the account in the name of its endpoint for one account; empty if it has none.
  std::string_view account_endpoint = {};
};

inline constexpr ServiceModel kDynamoDb{
    .signing_name = "dynamodb",
    .target_prefix = "DynamoDB_20120810",
    .content_type = "application/x-amz-json-1.0",
    .account_endpoint = "ddb",
};
/// Calls that write and read records. Those about streams have another endpoint for one account.
inline constexpr ServiceModel kKinesis{
    .signing_name = "kinesis",
    .target_prefix = "Kinesis_20131202",
    .content_type = "application/x-amz-json-1.1",
    .account_endpoint = "data-kinesis",
};
inline constexpr ServiceModel kKinesisControl{
    .signing_name = "kinesis",
    .target_prefix = "Kinesis_20131202",
    .content_type = "application/x-amz-json-1.1",
    .account_endpoint = "control-kinesis",
};
inline constexpr ServiceModel kLambda{"lambda", "", "application/json"};
inline constexpr ServiceModel kSsm{"ssm", "AmazonSSM", "application/x-amz-json-1.1"};
inline constexpr ServiceModel kSts{"sts", "", "application/x-www-form-urlencoded; charset=utf-8"};
/// Single sign-on: credentials for assigned roles, and the tokens of logins. Calls are not signed.
inline constexpr ServiceModel kSsoPortal{"portal.sso", "", "", "sso"};
inline constexpr ServiceModel kSsoOidc{"oidc", "", "application/json", "sso_oidc"};
/// Refreshes the sessions of `aws login`. Calls are not signed.
inline constexpr ServiceModel kSignin{"signin", "", "application/json"};

/// One operation on one object. The texts are borrowed until the call returns.
// In the order of what they say; there is one per call.
// NOLINTNEXTLINE(clang-analyzer-optin.performance.Padding)
struct Call {
  std::string_view operation;  ///< "Scan"
  std::string_view object;     ///< for messages: "table orders"
  std::string_view body;
  std::optional<Sha256> body_sha256 = {};  ///< if it is already known
  std::string_view method = "POST";
  std::string_view path = "/";  ///< percent-encoded, as sent; including the query in unsigned calls
  /// Whether it is signed with the client's credentials. Looking for credentials takes unsigned
  /// calls.
  bool is_signed = true;
  /// What of the body and the headers is never shown, even if the service's message repeats it.
  std::vector<std::string_view> secrets = {};
  std::span<const http::Header> headers = {};  ///< in addition to those of every call
  int success = 200;                           ///< the status of a successful response
  Wire wire = Wire::json;                      ///< the encoding of the body and the response
  /// Whether the endpoint may not know this wire: an answer that may mean so ends the call at once
  /// with WireRefused.
  bool tries_wire = false;
  std::size_t max_answer_bytes = http::kSmallAnswerBytes;  ///< of a successful response's body
  Repetition repetition = Repetition::safe;
  std::optional<Patience> patience = {};  ///< if not the client's
  bool holds_items = false;               ///< the service's message may repeat some of the body
  Pacer* pacer = nullptr;                 ///< null: the call decides by itself when to retry
};

/// Thrown by the `accept` of a call if a successful response is not valid for the operation.
/// Retried like a failure of the service.
class MalformedResponse : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Thrown by the `accept` of a call that found what it asks about, but not ready to be used: "the
/// stream is CREATING". Retried like a failure of the service, and reported at once.
class NotReady : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Thrown by a call that tries a wire.
class WireRefused : public Error {
 public:
  WireRefused(ErrorDetails details, bool may_pass)
      : Error(ErrorKind::failed, std::move(details)), may_pass_(may_pass) {}

  /// The answer may as well have been a failure that passes.
  bool may_pass() const { return may_pass_; }

 private:
  bool may_pass_;
};

/// How often calls had to be retried since the client was created.
struct ClientCounters {
  std::uint64_t calls = 0;      ///< successful calls
  std::uint64_t throttles = 0;  ///< throttled attempts
  std::uint64_t retries = 0;    ///< retries for other reasons
};

/// What a client depends on. All of it must outlive the client.
struct ClientContext {
  CredentialsProvider& credentials;
  Clock& clock;
  Random& random;
  Patience patience = {};  ///< of every call, unless it has its own
  Notice notice = {};      ///< told of calls that keep failing; may be empty
};

/// Used from one event loop; any number of calls at once (the caller bounds them).
class Client {
 public:
  Client(ServiceModel service, std::string region, http::Client& http, ClientContext context);

  /// Receives the complete response with the call's success status. May throw MalformedResponse;
  /// called once per response.
  using Accept = std::function<void(http::Response)>;

  /// Retries the call until `accept` accepts a response. If a response has x-amz-crc32, its body is
  /// checked against that. Throws Error, whose details().code is the service's error code,
  /// including what was tried, how often, and why it stopped; system_error(operation_aborted) when
  /// cancelled. Takes no longer than the call's patience and one short attempt (kMinSilence),
  /// unless a large body keeps moving (http::kMinBytesPerSecond).
  Awaitable<void> call(const Call& call, const Accept& accept);

  /// From any thread.
  ClientCounters counters() const { return counters_.get(); }
  const std::string& region() const { return region_; }
  const Patience& patience() const { return context_.patience; }

 private:
  /// The signer of a request, and the time it was signed with.
  struct SignedAs {
    Credentials credentials;
    std::chrono::system_clock::time_point time;
  };
  struct Failure {
    ErrorClass error_class = ErrorClass::fatal;
    bool may_have_been_applied = true;  ///< the service may have acted on the request
    bool about_wire = false;            ///< the endpoint may not understand the call's wire
    bool not_ready = false;             ///< it works, but has to be waited for
    std::string code;
    std::string message;
    Message hint;
    std::string server_date;                              ///< the Date header of the response
    std::optional<std::chrono::nanoseconds> retry_after;  ///< what the service asked for
    SignedAs signed_as;
  };

  Awaitable<std::optional<Failure>> try_once(const Call& call, const Accept& accept,
                                             const http::AnswerLimits& limits);
  /// Stores in `signed_as` how the request is signed, before sending it.
  Awaitable<http::Response> send_signed(const Call& call, const http::AnswerLimits& limits,
                                        SignedAs& signed_as);
  void add_signature(http::Request& request, const SignedAs& signed_as,
                     std::string_view payload_hash);
  static ErrorDetails details_of(const Call& call, const Failure& failure);
  /// Tells the user that the call is retried, if it has been for some time.
  void tell(const Call& call, const Failure& failure, const Retries& retries,
            const Patience& patience);
  /// How long to wait after the call's `failures`-th failure of this class.
  std::chrono::nanoseconds pause_after(const Failure& failure, int failures);
  /// Has credentials refreshed, unless there are already others than the rejected ones.
  Awaitable<void> renew_credentials(const Credentials& refused);
  /// Adopts the server's clock. False if it agrees with the time of the rejected signature, so that
  /// the clock was not the problem.
  bool correct_clock(const std::string& server_date,
                     std::chrono::system_clock::time_point signed_at);

  ServiceModel service_;
  std::string region_;
  http::Client& http_;
  ClientContext context_;
  std::chrono::seconds clock_offset_{0};  ///< added to the wall clock when signing
  SigningKey signing_key_;
  PayloadHasher payloads_;
  RetryBudget budget_;
  std::chrono::steady_clock::time_point tell_again_;  ///< not before
  Guarded<ClientCounters> counters_;
};

}  // namespace everyitem::aws
