// Responses of emulated services.
#pragma once

#include <algorithm>
#include <exception>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json.hpp>

#include "aws/sigv4.h"

namespace everyitem::emulator {

inline constexpr std::string_view kJsonContentType = "application/x-amz-json-1.0";
inline constexpr std::string_view kCborContentType = "application/x-amz-cbor-1.1";

/// A response, before the network damages it.
struct Reply {
  int status = 200;
  std::string body;
  std::vector<http::Header> headers;
  std::string_view content_type = kJsonContentType;
};

struct ServiceReply {
  int status = 200;
  std::string body = "{}";
};

/// Thrown to reject a request.
struct Refused {
  std::string code;
  std::string message;
};

inline ServiceReply to_reply(const Refused& refused) {
  const boost::json::object body{{"__type", "com.amazonaws.faults#" + refused.code},
                                 {"message", refused.message}};
  return {.status = refused.code == "InternalServerError" ? 500 : 400,
          .body = boost::json::serialize(body)};
}

/// An operation of an emulated service: takes the request and returns the response.
template <typename Service>
struct Operation {
  std::string_view name;
  boost::json::object (Service::*work)(const boost::json::object& request);
};

/// The service's response to a request for the operation of this name.
template <typename Service>
ServiceReply reply_of(Service& service, std::span<const Operation<Service>> operations,
                      std::string_view name, std::string_view body) {
  try {
    const auto operation = std::ranges::find(operations, name, &Operation<Service>::name);
    if (operation == operations.end()) {
      throw Refused{"UnknownOperationException", ""};
    }
    const boost::json::value request = boost::json::parse(body);
    return {.body = boost::json::serialize((service.*operation->work)(request.as_object()))};
  } catch (const Refused& refused) {
    return to_reply(refused);
  } catch (const std::exception& error) {  // Boost.JSON's, of several types
    return to_reply({"ValidationException", error.what()});
  }
}

}  // namespace everyitem::emulator
