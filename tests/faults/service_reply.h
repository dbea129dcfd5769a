// What an emulated service says.
#pragma once

#include <string>
#include <string_view>

#include <boost/json.hpp>

namespace everyitem::faults {

struct ServiceReply {
  int status = 200;
  std::string body = "{}";
};

/// Thrown by whatever refuses a request.
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

}  // namespace everyitem::faults
