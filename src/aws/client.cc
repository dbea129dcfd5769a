#include "aws/client.h"

#include <algorithm>
#include <charconv>
#include <ctime>
#include <utility>

#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>
#include <fmt/format.h>
#include <libdeflate.h>

#include "aws/redaction.h"
#include "aws/service_error.h"
#include "aws/sigv4.h"
#include "base/human_format.h"

namespace everyitem::aws {

namespace {

/// The services accept a signature for 5 minutes (SigV4 documentation). A smaller difference than
/// this is not the reason for a rejection.
constexpr std::chrono::minutes kToleratedSkew{4};

/// After how long a call that keeps failing is reported, and how often: a second of an outage is
/// not worth a line, and throttling is part of reading as fast as a table allows.
constexpr std::chrono::seconds kTellFailing{3};
constexpr std::chrono::seconds kTellThrottled{30};
constexpr std::chrono::seconds kTellApart{60};

/// Throws MalformedResponse if the body is not what the service sent.
void verify_crc32(const http::Response& response) {
  const std::string_view header = response.header("x-amz-crc32");
  if (header.empty()) {
    return;
  }
  std::uint32_t expected = 0;
  const auto parsed = std::from_chars(header.data(), header.data() + header.size(), expected);
  const std::string_view body = response.body.view();
  if (parsed.ec != std::errc() || libdeflate_crc32(0, body.data(), body.size()) != expected) {
    throw MalformedResponse("the response does not match its checksum (x-amz-crc32)");
  }
}

/// An HTTP date such as "Mon, 23 Nov 2026 03:44:38 GMT".
std::optional<std::chrono::system_clock::time_point> parse_http_date(const std::string& text) {
  std::tm fields{};
  if (strptime(text.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &fields) == nullptr) {
    return std::nullopt;
  }
  // In nanoseconds, the unit of the system clock, times end in the year 2262.
  constexpr int kFirstYear = 1970;
  constexpr int kLastYear = 2199;
  const int year = fields.tm_year + 1900;
  if (year < kFirstYear || year > kLastYear) {
    return std::nullopt;
  }
  return std::chrono::system_clock::from_time_t(timegm(&fields));
}

/// The target of a redirect, as far as a user may see it.
std::string redirect_target(const http::Response& response) {
  const auto location = boost::urls::parse_uri_reference(response.header("location"));
  return location && !location->encoded_host().empty()
             ? "to " + std::string(location->encoded_host_and_port())
             : std::string("to another path");
}

ErrorClass classify(http::TransportError::Cause cause) {
  switch (cause) {
    case http::TransportError::Cause::tls:
    case http::TransportError::Cause::proxy_refused:
    case http::TransportError::Cause::not_local:
    case http::TransportError::Cause::encoded:
      return ErrorClass::fatal;
    case http::TransportError::Cause::resolve:
    case http::TransportError::Cause::connect:
    case http::TransportError::Cause::proxy:
    case http::TransportError::Cause::idle:
    case http::TransportError::Cause::closed:
    case http::TransportError::Cause::bad_response:
      return ErrorClass::transient;
  }
  return ErrorClass::transient;
}

Message hint_for(http::TransportError::Cause cause) {
  switch (cause) {
    case http::TransportError::Cause::resolve:
    case http::TransportError::Cause::connect:
      return "Check the region, " + setting::kEndpointUrl + " and the network.";
    case http::TransportError::Cause::tls:
      return "If the endpoint uses a private CA, set AWS_CA_BUNDLE to its certificate.";
    case http::TransportError::Cause::not_local:
      return "Use https, name the endpoint in NO_PROXY if there is a proxy, or allow it with " +
             setting::kInsecureHttp + ".";
    case http::TransportError::Cause::encoded:
      return "A proxy or gateway on the way must not compress responses.";
    case http::TransportError::Cause::proxy:
    case http::TransportError::Cause::proxy_refused:
    case http::TransportError::Cause::idle:
    case http::TransportError::Cause::closed:
    case http::TransportError::Cause::bad_response:
      return "";
  }
  return "";
}

}  // namespace

Client::Client(ServiceModel service, std::string region, http::Client& http, ClientContext context)
    : service_(service), region_(std::move(region)), http_(http), context_(std::move(context)) {}

namespace {

/// The caller's room for an answer, and how long the answer had to wait for it.
class TimedRoom final : public http::AnswerRoom {
 public:
  TimedRoom(http::AnswerRoom& room, Clock& clock) : room_(room), clock_(clock) {}

  Awaitable<void> before_body(std::size_t max_bytes) override {
    const auto asked = clock_.now();
    co_await room_.before_body(max_bytes);
    waited_ += clock_.now() - asked;
  }
  std::chrono::nanoseconds waited() const { return waited_; }

 private:
  http::AnswerRoom& room_;
  Clock& clock_;
  std::chrono::nanoseconds waited_{};
};

}  // namespace

Awaitable<void> Client::call(const Call& call, const Accept& accept) {
  const auto started = context_.clock.now();
  const Patience patience = call.patience.value_or(context_.patience);
  Retries retries(patience, started);
  for (int attempt = 1;; ++attempt) {
    std::optional<TimedRoom> room;
    if (call.pacer != nullptr) {
      room.emplace(*call.pacer, context_.clock);
    }
    const http::AnswerLimits limits{.bytes = call.max_answer_bytes,
                                    .silence = retries.max_silence(context_.clock.now()),
                                    .room = room ? &*room : nullptr};
    const auto failure = co_await try_once(call, accept, limits);
    if (!failure) {
      counters_.with([](ClientCounters& counters) { ++counters.calls; });
      budget_.earn();
      co_return;
    }
    const ErrorClass error_class = failure->error_class;
    if (call.pacer != nullptr) {
      call.pacer->failed(error_class, failure->may_have_been_applied);
    }
    if (call.tries_wire && failure->about_wire) {
      throw WireRefused(details_of(call, *failure), error_class == ErrorClass::transient);
    }
    if (room) {
      retries.exclude(room->waited());
    }
    const auto now = context_.clock.now();
    const auto left = retries.failed(error_class, now);
    const bool remediable = error_class != ErrorClass::clock_skew ||
                            correct_clock(failure->server_date, failure->signed_as.time);
    if (!left || !remediable || !may_repeat(call.repetition, failure->may_have_been_applied)) {
      ErrorDetails details = details_of(call, *failure);
      if (attempt > 1) {
        const std::string reason = retries.reason(error_class);
        details.message += fmt::format(" (gave up after {} attempts in {}{}{})", attempt,
                                       duration(now - started), reason.empty() ? "" : ": ", reason);
      }
      throw Error(ErrorKind::failed, std::move(details));
    }
    tell(call, *failure, retries, patience);
    if (error_class == ErrorClass::expired_credentials) {
      co_await renew_credentials(failure->signed_as.credentials);
    }
    counters_.with([&](ClientCounters& counters) {
      ++(error_class == ErrorClass::throttle ? counters.throttles : counters.retries);
    });
    const auto pause = pause_after(*failure, retries.failures(error_class));
    co_await context_.clock.sleep(std::min(pause, *left));
    if (call.pacer != nullptr) {
      const auto asked = context_.clock.now();
      co_await call.pacer->before_repeat();
      retries.exclude(context_.clock.now() - asked);
    }
  }
}

ErrorDetails Client::details_of(const Call& call, const Failure& failure) {
  return {.operation = std::string(call.operation),
          .object = std::string(call.object),
          .code = failure.code,
          .message = failure.message,
          .hint = failure.hint};
}

void Client::tell(const Call& call, const Failure& failure, const Retries& retries,
                  const Patience& patience) {
  const bool throttled = failure.error_class == ErrorClass::throttle;
  const auto now = context_.clock.now();
  const auto failing_for = now - retries.since(failure.error_class);
  const std::chrono::nanoseconds patient_for = throttled ? kTellThrottled : kTellFailing;
  if (!context_.notice || now < tell_again_ || (failing_for < patient_for && !failure.not_ready)) {
    return;
  }
  tell_again_ = now + kTellApart;
  const std::chrono::nanoseconds bound = throttled ? patience.throttled : patience.failing;
  ErrorDetails details = details_of(call, failure);
  details.message += failure.not_ready ? "; waiting for it" : "; retrying";
  if (bound < std::chrono::nanoseconds::max()) {
    details.message += " for at most " + duration(bound);
  }
  context_.notice(Error(ErrorKind::failed, std::move(details)).message());
}

std::chrono::nanoseconds Client::pause_after(const Failure& failure, int failures) {
  const Backoff backoff;
  const double uniform = context_.random.uniform();
  const bool paid_for = failure.error_class == ErrorClass::throttle || budget_.spend();
  const auto pause = paid_for ? backoff.wait(failures, uniform) : Backoff::longest(uniform);
  // Full jitter on top of the requested wait; otherwise all callers would return at the same
  // moment.
  return failure.retry_after ? *failure.retry_after + pause : pause;
}

Awaitable<std::optional<Client::Failure>> Client::try_once(const Call& call, const Accept& accept,
                                                           const http::AnswerLimits& limits) {
  Failure failure;
  try {
    http::Response response = co_await send_signed(call, limits, failure.signed_as);
    verify_crc32(response);
    if (response.status == call.success) {
      accept(std::move(response));
      co_return std::nullopt;
    }
    if (response.status / 100 == 3) {
      // AWS services do not redirect, and a request signed for one host must not be sent to
      // another.
      failure.error_class = ErrorClass::fatal;
      failure.may_have_been_applied = false;
      failure.message =
          fmt::format("{} redirects {} (status {}), which is not followed", http_.endpoint().url(),
                      redirect_target(response), response.status);
      failure.hint =
          "Check the endpoint's URL and region, and whether a proxy or a network's "
          "sign-in page responded.";
      co_return failure;
    }
    ServiceError error = read_service_error(response);
    failure.error_class = error.error_class;
    // Every other error means that the request was not applied.
    failure.may_have_been_applied = error.error_class == ErrorClass::transient;
    failure.about_wire = may_be_about_format(error.code);
    failure.hint = hint_for(error.code);
    const Credentials& credentials = failure.signed_as.credentials;
    failure.code = without_secrets(std::move(error.code), credentials, call.secrets);
    failure.message = without_secrets(std::move(error.message), credentials, call.secrets);
    if (call.holds_items) {
      failure.message = without_items(std::move(failure.message));
    }
    failure.server_date = response.header("date");
    failure.retry_after = parse_retry_after(response.header("retry-after"));
  } catch (const http::TransportError& error) {
    failure.error_class = classify(error.cause());
    failure.may_have_been_applied = error.request_sent();
    failure.message = fmt::format("{}: {}", http_.endpoint().url(), error.what());
    failure.hint = error.hint().empty() ? hint_for(error.cause()) : Message(error.hint());
  } catch (const MalformedResponse& error) {
    failure.error_class = ErrorClass::transient;
    failure.about_wire = true;
    failure.message = error.what();
  } catch (const NotReady& error) {
    failure.error_class = ErrorClass::transient;
    failure.not_ready = true;
    failure.message = error.what();
  }
  co_return failure;
}

Awaitable<http::Response> Client::send_signed(const Call& call, const http::AnswerLimits& limits,
                                              SignedAs& signed_as) {
  signed_as = {.credentials = {}, .time = context_.clock.wall_now() + clock_offset_};
  std::optional<Credentials> credentials;
  if (call.is_signed) {
    credentials = co_await context_.credentials.find();
  }
  if (call.is_signed && !credentials) {
    throw Error(ErrorKind::failed,
                {
                    .operation = std::string(call.operation),
                    .object = std::string(call.object),
                    .message = "no credentials in " + context_.credentials.place(),
                });
  }
  const std::string target = http_.endpoint().target(call.path);
  http::Request request;
  request.method = call.method;
  request.target = target;
  request.limits = limits;
  request.body = call.body;
  const std::string_view content_type =
      call.wire == Wire::cbor ? kCborContentType : service_.content_type;
  if (!content_type.empty()) {
    request.headers.push_back({"Content-Type", std::string(content_type)});
  }
  if (!service_.target_prefix.empty()) {
    request.headers.push_back(
        {"X-Amz-Target", fmt::format("{}.{}", service_.target_prefix, call.operation)});
  }
  request.headers.insert(request.headers.end(), call.headers.begin(), call.headers.end());
  if (credentials) {
    signed_as.credentials = *credentials;
    std::optional<Sha256> digest = call.body_sha256;
    if (!digest) {
      digest = co_await payloads_.hash(request.body);
    }
    add_signature(request, signed_as, hex(*digest));
  }
  request.headers.push_back({"User-Agent", "everyitem/" EVERYITEM_VERSION});
  co_return co_await http_.send(request);
}

void Client::add_signature(http::Request& request, const SignedAs& signed_as,
                           std::string_view payload_hash) {
  request.headers.push_back({"Host", http_.endpoint().authority()});
  const SigningInput input{.method = request.method,
                           .path = request.target,
                           .query = {},
                           .headers = request.headers,
                           .body = request.body,
                           .region = region_,
                           .service = service_.signing_name,
                           .time = signed_as.time,
                           .payload_hash = payload_hash};
  std::vector<http::Header> signature = sign(input, signed_as.credentials, signing_key_);
  request.headers.pop_back();  // the HTTP client adds this one
  std::move(signature.begin(), signature.end(), std::back_inserter(request.headers));
}

Awaitable<void> Client::renew_credentials(const Credentials& refused) {
  // Calls in flight are rejected together: the first one renews for all.
  const auto held = co_await context_.credentials.find();
  if (held == refused) {
    context_.credentials.invalidate();
  }
}

bool Client::correct_clock(const std::string& server_date,
                           std::chrono::system_clock::time_point signed_at) {
  // Compared with the time this request was signed with: since then another call may have corrected
  // the clock, or the clock may have jumped.
  const auto server_time = parse_http_date(server_date);
  if (!server_time || std::chrono::abs(*server_time - signed_at) < kToleratedSkew) {
    return false;
  }
  clock_offset_ =
      std::chrono::duration_cast<std::chrono::seconds>(*server_time - context_.clock.wall_now());
  return true;
}

}  // namespace everyitem::aws
