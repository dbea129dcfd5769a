// The value is a slice of the response's headers: it must not outlive them.
#include "aws/http_client.h"

namespace everyitem::aws {

HttpResponse response();

std::size_t length() {
#ifdef MUST_NOT_COMPILE
  const auto value = response().header("date");
#else
  const HttpResponse kept = response();
  const auto value = kept.header("date");
#endif
  return value.size();
}

}  // namespace everyitem::aws
