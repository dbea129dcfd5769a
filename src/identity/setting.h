// Settings from an environment variable or the profile.
#pragma once

#include <string>
#include <string_view>

#include "base/environment.h"
#include "base/message.h"
#include "http/endpoint.h"
#include "identity/profile.h"

namespace everyitem::identity {

/// A setting's value, and its name for messages.
struct Setting {
  Message name;
  std::string value;  ///< empty if it is not set anywhere
};

/// The variable's value, otherwise the profile's.
Setting setting_of(std::string_view variable, std::string_view of_profile, const Profile& profile,
                   const Environment& environment);

/// `usual` if it is not set anywhere. Throws a usage error for a value that is neither true nor
/// false.
bool boolean(const Setting& setting, bool usual = false);

/// Sees to it that plain HTTP to the endpoint, which comes from `setting`, does not leave this
/// machine. Throws a usage error if it would.
void require_secure(http::Endpoint& endpoint, const Setting& setting);

}  // namespace everyitem::identity
