// Signs requests from sigv4_against_botocore.py: one JSON object per line on standard input, one
// Authorization header per line on standard output.
#include <iostream>
#include <string>

#include <boost/json.hpp>

#include "aws/sigv4.h"

namespace json = boost::json;
namespace aws = everyitem::aws;

namespace {

std::string text(const json::object& object, std::string_view name) {
  return json::value_to<std::string>(object.at(name));
}

std::string authorization(const json::object& request) {
  std::vector<everyitem::http::Header> headers;
  for (const auto& [name, value] : request.at("headers").as_object()) {
    headers.push_back({name, json::value_to<std::string>(value)});
  }
  const std::string method = text(request, "method");
  const std::string path = text(request, "path");
  const std::string query = text(request, "query");
  const std::string body = text(request, "body");
  const std::string region = text(request, "region");
  const std::string service = text(request, "service");
  const aws::Credentials credentials{.access_key_id = text(request, "access_key_id"),
                                     .secret_access_key = text(request, "secret_access_key"),
                                     .session_token = text(request, "session_token"),
                                     .expires_at = {}};
  const std::chrono::seconds time(request.at("epoch_seconds").to_number<std::int64_t>());
  return aws::sign({.method = method,
                    .path = path,
                    .query = query,
                    .headers = headers,
                    .body = body,
                    .region = region,
                    .service = service,
                    .time = std::chrono::system_clock::time_point(time)},
                   credentials)
      .back()
      .value;
}

}  // namespace

int main() {
  for (std::string line; std::getline(std::cin, line);) {
    std::cout << authorization(json::parse(line).as_object()) << '\n';
  }
}
