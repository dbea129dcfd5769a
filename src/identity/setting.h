// Settings that stand in a variable or in the profile.
#pragma once

#include <string>
#include <string_view>

#include "base/environment.h"
#include "base/message.h"
#include "http/endpoint.h"
#include "identity/profile.h"

namespace everyitem::identity {

/// A setting's value, and what to call it in messages.
struct Setting {
  Message name;
  std::string value;  ///< empty when it is nowhere given
};

/// The variable's, else the profile's.
Setting setting_of(std::string_view variable, std::string_view of_profile, const Profile& profile,
                   const Environment& environment);

/// `usual` when it is nowhere given. Throws a usage error for what is neither true nor false.
bool boolean(const Setting& setting, bool usual = false);

/// Throws a usage error for an endpoint, which `setting` gives, that is neither HTTPS nor on this
/// machine.
void require_secure(const http::Endpoint& endpoint, const Setting& setting);

}  // namespace everyitem::identity
