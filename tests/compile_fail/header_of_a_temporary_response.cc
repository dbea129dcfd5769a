// The value is a slice of the response's headers: it must not outlive them.
#include "http/client.h"

namespace everyitem::http {

Response response();

std::size_t length() {
#ifdef MUST_NOT_COMPILE
  const auto value = response().header("date");
#else
  const Response kept = response();
  const auto value = kept.header("date");
#endif
  return value.size();
}

}  // namespace everyitem::http
