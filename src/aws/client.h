// One service, called: signed, sent, its errors classified, retried.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

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

/// What differs between the services that speak AWS's JSON protocols, or the same in CBOR.
struct ServiceModel {
  std::string_view signing_name;   ///< also the endpoint prefix
  std::string_view target_prefix;  ///< empty where the path or the body says what is called
  std::string_view content_type;   ///< of bodies that are not CBOR; none is sent where it is empty
  /// What the shared settings call it, where that is not the endpoint prefix.
  std::string_view settings_name = {};
};

inline constexpr ServiceModel kDynamoDb{"dynamodb", "DynamoDB_20120810",
                                        "application/x-amz-json-1.0"};
inline constexpr ServiceModel kKinesis{"kinesis", "Kinesis_20131202", "application/x-amz-json-1.1"};
inline constexpr ServiceModel kLambda{"lambda", "", "application/json"};
inline constexpr ServiceModel kSsm{"ssm", "AmazonSSM", "application/x-amz-json-1.1"};
inline constexpr ServiceModel kSts{"sts", "", "application/x-www-form-urlencoded; charset=utf-8"};
/// Single sign-on: who may have which role, and the tokens of logins. Their calls are not signed.
inline constexpr ServiceModel kSsoPortal{"portal.sso", "", "", "sso"};
inline constexpr ServiceModel kSsoOidc{"oidc", "", "application/json", "sso_oidc"};

/// One operation on one object. The texts are borrowed until the call returns.
struct Call {
  std::string_view operation;  ///< "Scan"
  std::string_view object;     ///< for messages: "table orders"
  std::string_view body;
  std::optional<Sha256> body_sha256 = {};  ///< where it is known already
  std::string_view method = "POST";
  std::string_view path = "/";  ///< percent-encoded, as it is sent; unsigned calls: with the query
  /// Whether the client's credentials sign it. What finds credentials makes calls without any.
  bool is_signed = true;
  std::string_view secret = {};  ///< never shown, should the service's words repeat it
  std::span<const http::Header> headers = {};  ///< beside those that every call has
  int success = 200;                           ///< the status of an answer that is no error
  Wire wire = Wire::json;                      ///< how the body is written, and the answer to it
  Repetition repetition = Repetition::safe;
  RetryLimits limits = {};
  bool holds_items = false;  ///< the body: the service's words may repeat some of it
  Pacer* pacer = nullptr;    ///< null: the call alone says when it is repeated
};

/// Thrown by the `accept` of a call when an answer of success is not what the operation answers.
/// It is retried like a failure of the service.
class MalformedResponse : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// How often calls had to be repeated, since the client was made.
struct ClientCounters {
  std::uint64_t calls = 0;      ///< answered as asked
  std::uint64_t throttles = 0;  ///< refused as too fast
  std::uint64_t retries = 0;    ///< repeated for another reason
};

/// What a client needs from outside. All must outlive it.
struct ClientContext {
  CredentialsProvider& credentials;
  Clock& clock;
  Random& random;
};

/// Used from one event loop; any number of calls at once (the caller bounds them).
class Client {
 public:
  Client(ServiceModel service, std::string region, http::Client& http, ClientContext context);

  /// Takes the whole answer of the call's status of success. May throw MalformedResponse; called
  /// once per answer.
  using Accept = std::function<void(http::Response)>;

  /// Repeats the call until `accept` took an answer. Where an answer has x-amz-crc32, its body is
  /// checked against it. Throws Error, whose details().code is the service's error code, with
  /// what was tried, how often and why it stopped; system_error(operation_aborted) when cancelled.
  Awaitable<void> call(const Call& call, const Accept& accept);

  /// From any thread.
  ClientCounters counters() const { return counters_.get(); }
  const std::string& region() const { return region_; }

 private:
  /// Whose signature a request bore, and of when.
  struct SignedAs {
    Credentials credentials;
    std::chrono::system_clock::time_point time;
  };
  struct Failure {
    ErrorClass error_class = ErrorClass::fatal;
    bool may_be_done = true;  ///< the service may have acted on the request
    std::string code;
    std::string message;
    std::string hint;
    std::string server_date;                              ///< the answer's Date header
    std::optional<std::chrono::nanoseconds> retry_after;  ///< what the service asked for
    SignedAs signed_as;
  };

  Awaitable<std::optional<Failure>> try_once(const Call& call, const Accept& accept);
  /// Tells in `signed_as` how, before it sends.
  Awaitable<http::Response> send_signed(const Call& call, SignedAs& signed_as);
  void add_signature(http::Request& request, const SignedAs& signed_as,
                     std::string_view payload_hash);
  /// How long to wait after the call's `failures`-th failure of this class.
  std::chrono::nanoseconds pause_after(const Failure& failure, int failures);
  /// Has credentials looked for anew, unless others than the refused ones are there already.
  Awaitable<void> renew_credentials(const Credentials& refused);
  /// Adopts the server's clock; false when it agrees with the time of the signature that the server
  /// refused, so that this was not the fault.
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
  Guarded<ClientCounters> counters_;
};

}  // namespace everyitem::aws
