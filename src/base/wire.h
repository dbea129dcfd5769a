// How requests and answers are written between a client and a service.
#pragma once

#include <string_view>

namespace everyitem {

enum class Wire {
  json,
  cbor,  ///< RFC 8949: binary data as it is. Of the services used here only Kinesis speaks it
};

/// The media type of CBOR bodies, requests and answers alike (as AWS's SDK for Java sends it).
inline constexpr std::string_view kCborContentType = "application/x-amz-cbor-1.1";

}  // namespace everyitem
