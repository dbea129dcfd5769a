// The placeholders of DynamoDB's expressions: "#s = :open" uses the name #s and the value :open.
#pragma once

#include <set>
#include <string>
#include <string_view>

#include "base/setting_id.h"

namespace everyitem::source {

/// The names after `sigil` ('#' or ':') in an expression: "#s" in "#s = :open".
std::set<std::string, std::less<>> placeholders(std::string_view expression, char sigil);

/// Throws a usage error if one of `used` is not defined by
/// the setting `id`, or one that it defines is not used.
void require_same(SettingId id, const std::set<std::string, std::less<>>& defined,
                  const std::set<std::string, std::less<>>& used);

}  // namespace everyitem::source
