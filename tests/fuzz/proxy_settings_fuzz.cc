// The first line is HTTPS_PROXY, the second NO_PROXY, the third an endpoint's host.
#include <algorithm>
#include <string>
#include <string_view>

#include "base/error.h"
#include "fuzz_target.h"
#include "identity/proxy_settings.h"

namespace everyitem::identity {
namespace {

using fuzz::require;

std::string take_line(std::string_view& text) {
  const std::string_view line = text.substr(0, text.find('\n'));
  text.remove_prefix(std::min(line.size() + 1, text.size()));
  return std::string(line);
}

void resolve(std::string_view text) {
  const std::string url = take_line(text);
  const std::string no_proxy = take_line(text);
  const http::Endpoint endpoint{.tls = true, .host = take_line(text), .port = 443};
  const bool exempt = is_exempt(endpoint, no_proxy);
  try {
    const auto proxy = resolve_proxy(endpoint, [&](std::string_view name) {
      return name == "HTTPS_PROXY" ? url : name == "NO_PROXY" ? no_proxy : std::string();
    });
    require(proxy.has_value() == (!exempt && !url.empty()), "only NO_PROXY exempts");
    if (proxy) {
      require(!proxy->endpoint.host.empty() && proxy->endpoint.port != 0, "host and port");
      require(proxy->authorization.find_first_of("\r\n") == std::string::npos, "one header line");
    }
  } catch (const Error& error) {
    require(error.kind() == ErrorKind::usage, "a wrong setting is a usage error");
    require(error.details().message.text().starts_with("HTTPS_PROXY: "), "the setting is named");
  }
}

}  // namespace
}  // namespace everyitem::identity

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  everyitem::identity::resolve(everyitem::fuzz::as_text(data, size));
  return 0;
}
