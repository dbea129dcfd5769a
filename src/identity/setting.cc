#include "identity/setting.h"

#include <utility>

#include <boost/beast/core/string.hpp>
#include <fmt/format.h>

#include "base/error.h"

namespace everyitem::identity {

Setting setting_of(std::string_view variable, std::string_view of_profile, const Profile& profile,
                   const Environment& environment) {
  if (std::string value = environment(variable); !value.empty()) {
    return {std::string(variable), std::move(value)};
  }
  return {fmt::format("{} of {}", of_profile, profile.place), profile.setting(of_profile)};
}

bool boolean(const Setting& setting, bool usual) {
  if (setting.value.empty()) {
    return usual;
  }
  const bool is_true = boost::beast::iequals(setting.value, "true");
  if (!is_true && !boost::beast::iequals(setting.value, "false")) {
    throw usage_error(setting.name +
                      fmt::format(": \"{}\" is neither true nor false", setting.value));
  }
  return is_true;
}

void require_secure(http::Endpoint& endpoint, const Setting& setting) {
  if (!endpoint.tls && !http::is_loopback(endpoint)) {
    throw usage_error(
        setting.name + fmt::format(": {} is plain HTTP to another machine; anyone on the network "
                                   "path can read and change the traffic",
                                   endpoint.url()),
        "Give an https:// URL, or set " + setting::kInsecureHttp + " if you trust the network.");
  }
  endpoint.must_be_local = !endpoint.tls;  // wherever its name may lead
}

}  // namespace everyitem::identity
