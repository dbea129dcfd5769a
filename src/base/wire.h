// The encoding of requests and responses.
#pragma once

#include <string_view>

namespace everyitem {

enum class Wire {
  json,
  cbor,  ///< RFC 8949: carries binary data unchanged. Of the services used here, only Kinesis
         ///< supports it
};

/// The media type of CBOR bodies in requests and responses, as AWS's SDK for Java sends it.
inline constexpr std::string_view kCborContentType = "application/x-amz-cbor-1.1";

}  // namespace everyitem
