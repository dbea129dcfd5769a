#include "emulator/signature_check.h"

#include <algorithm>
#include <ctime>
#include <utility>

#include <boost/algorithm/string.hpp>
#include <boost/beast/core/string.hpp>
#include <fmt/format.h>

namespace everyitem::emulator {

namespace {

constexpr std::chrono::minutes kTolerance{5};  // SigV4 documentation

/// "Credential" of "AWS4-HMAC-SHA256 Credential=..., SignedHeaders=..., Signature=...".
std::string_view part(std::string_view authorization, std::string_view name) {
  const std::string sought = std::string(name) + "=";
  const auto found = authorization.find(sought);
  if (found == std::string_view::npos) {
    return {};
  }
  const std::string_view rest = authorization.substr(found + sought.size());
  return rest.substr(0, rest.find(','));
}

std::optional<std::chrono::system_clock::time_point> parse_time(std::string_view text) {
  std::tm fields{};
  const std::string copy(text);
  if (strptime(copy.c_str(), "%Y%m%dT%H%M%SZ", &fields) == nullptr) {
    return std::nullopt;
  }
  return std::chrono::system_clock::from_time_t(timegm(&fields));
}

SignatureRefusal does_not_match() {
  return {"InvalidSignatureException",
          "The request signature we calculated does not match the signature you provided. Check "
          "your AWS Secret Access Key and signing method."};
}

}  // namespace

std::string_view ReceivedRequest::header(std::string_view name) const {
  const auto found = std::ranges::find_if(
      headers, [&](const http::Header& one) { return boost::beast::iequals(one.name, name); });
  return found == headers.end() ? std::string_view() : found->value;
}

std::string_view access_key_id_of(const ReceivedRequest& request) {
  const std::string_view scope = part(request.header("authorization"), "Credential");
  return scope.substr(0, scope.find('/'));
}

std::optional<SignatureRefusal> check_signature(const ReceivedRequest& request,
                                                const aws::Credentials& credentials,
                                                std::string_view service,
                                                std::chrono::system_clock::time_point now) {
  const std::string_view authorization = request.header("authorization");
  if (authorization.empty()) {
    return SignatureRefusal{"MissingAuthenticationTokenException",
                            "Request is missing Authentication Token"};
  }
  std::vector<std::string> scope;  // access key, date, region, service, "aws4_request"
  boost::split(scope, part(authorization, "Credential"), boost::is_any_of("/"));
  const auto time = parse_time(request.header("x-amz-date"));
  if (scope.size() != 5 || !time) {
    return SignatureRefusal{"IncompleteSignatureException", "Authorization header is incomplete"};
  }
  if (credentials.access_key_id.empty() || scope[0] != credentials.access_key_id ||
      request.header("x-amz-security-token") != credentials.session_token) {
    return SignatureRefusal{"UnrecognizedClientException",
                            "The security token included in the request is invalid."};
  }
  if (std::chrono::abs(now - *time) > kTolerance) {
    return SignatureRefusal{
        "InvalidSignatureException",
        fmt::format("Signature {}: {} is too far from the current time",
                    *time < now ? "expired" : "not yet current", request.header("x-amz-date")),
        true};
  }

  // Sign again what the request says was signed, without the headers that `sign` adds.
  std::vector<std::string> names;
  boost::split(names, part(authorization, "SignedHeaders"), boost::is_any_of(";"));
  for (const http::Header& header : request.headers) {
    const std::string name = boost::to_lower_copy(header.name);
    if ((name.starts_with("x-amz-") || name == "host") && std::ranges::count(names, name) == 0) {
      return does_not_match();
    }
  }
  std::vector<http::Header> signed_headers;
  for (const std::string& name : names) {
    if (name != "x-amz-date" && name != "x-amz-security-token") {
      signed_headers.push_back({name, std::string(request.header(name))});
    }
  }
  const std::vector<http::Header> expected = aws::sign({.method = request.method,
                                                        .path = request.target,
                                                        .query = {},
                                                        .headers = signed_headers,
                                                        .body = request.body,
                                                        .region = scope[2],
                                                        .service = service,
                                                        .time = *time},
                                                       credentials);
  const auto found = std::ranges::find_if(expected, [](const http::Header& header) {
    return boost::beast::iequals(header.name, "authorization");
  });
  if (part(found->value, "Signature") != part(authorization, "Signature")) {
    return does_not_match();
  }
  return std::nullopt;
}

}  // namespace everyitem::emulator
