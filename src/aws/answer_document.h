// The small documents that control calls answer with.
#pragma once

#include <exception>
#include <string_view>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "aws/client.h"
#include "base/cbor.h"
#include "base/error.h"
#include "base/wire.h"

namespace everyitem::aws {

/// Calls `read` with the object that the answer to `operation` is. Throws MalformedResponse if it
/// is none, or if `read` throws what Boost.JSON throws where a member is missing or of another
/// type: its own words name source files. What `read` throws on purpose passes.
template <typename Read>
void read_document(std::string_view operation, std::string_view body, Wire wire, Read read) {
  std::string_view fault = wire == Wire::cbor ? "it is not CBOR" : "it is not JSON";
  try {
    const boost::json::value parsed =
        wire == Wire::cbor ? parse_cbor(body) : boost::json::parse(body);
    fault = "a member is missing or of another type";
    read(parsed.as_object());
    return;
  } catch (const Error&) {
    throw;
  } catch (const NotReady&) {
    throw;
  } catch (const MalformedResponse&) {
    throw;
  } catch (const std::exception&) {
    // CborError, and Boost.JSON's, of several types.
  }
  throw MalformedResponse(fmt::format("the response to {} cannot be read: {}", operation, fault));
}

}  // namespace everyitem::aws
