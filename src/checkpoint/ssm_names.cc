#include "checkpoint/ssm_names.h"

#include <charconv>
#include <string_view>
#include <system_error>

#include <fmt/format.h>

namespace everyitem::checkpoint {

namespace {

constexpr std::size_t kTokenCharacters = 32;

/// Reads a name from the left.
class NameReader {
 public:
  explicit NameReader(std::string_view name) : rest_(name) {}

  bool literal(std::string_view text) {
    const bool found = rest_.starts_with(text);
    if (found) {
      rest_.remove_prefix(text.size());
    }
    return found;
  }

  bool token(std::string& into) {
    into = rest_.substr(0, kTokenCharacters);
    rest_.remove_prefix(into.size());
    return into.size() == kTokenCharacters &&
           into.find_first_not_of("0123456789abcdef") == std::string::npos;
  }

  bool number(std::uint64_t& into) {
    const auto read = std::from_chars(rest_.data(), rest_.data() + rest_.size(), into);
    if (read.ec != std::errc()) {
      return false;
    }
    rest_.remove_prefix(static_cast<std::size_t>(read.ptr - rest_.data()));
    return true;
  }

  bool part(TextPart& into) {
    return literal(".") && number(into.part) && literal("-of-") && number(into.parts) &&
           into.part >= 1 && into.part <= into.parts;
  }

 private:
  std::string_view rest_;
};

std::string part_text(const TextPart& part) {
  return fmt::format(".{}-of-{}", part.part, part.parts);
}

/// A name has one form only: no zeros before a number, nothing behind the last part.
template <typename Name>
std::optional<Name> when_exact(bool read, const Name& parsed, std::string_view name) {
  return read && parsed.text() == name ? std::optional(parsed) : std::nullopt;
}

}  // namespace

std::string RecordName::text() const { return fmt::format("run-{}", version); }

std::string IdentityName::text() const {
  return fmt::format("identity-{}{}", token, part_text(part));
}

std::string GroupName::text() const {
  return fmt::format("segments-{}-{}-{}-{}{}", token, group, generation, write, part_text(part));
}

std::optional<RecordName> parse_record_name(std::string_view name) {
  RecordName parsed;
  NameReader reader(name);
  return when_exact(reader.literal("run-") && reader.number(parsed.version), parsed, name);
}

std::optional<IdentityName> parse_identity_name(std::string_view name) {
  IdentityName parsed;
  NameReader reader(name);
  return when_exact(
      reader.literal("identity-") && reader.token(parsed.token) && reader.part(parsed.part), parsed,
      name);
}

std::optional<GroupName> parse_group_name(std::string_view name) {
  GroupName parsed;
  NameReader reader(name);
  const bool read = reader.literal("segments-") && reader.token(parsed.token) &&
                    reader.literal("-") && reader.number(parsed.group) && reader.literal("-") &&
                    reader.number(parsed.generation) && reader.literal("-") &&
                    reader.number(parsed.write) && reader.part(parsed.part);
  return when_exact(read, parsed, name);
}

bool is_own_name(std::string_view name) {
  return parse_record_name(name) || parse_identity_name(name) || parse_group_name(name);
}

}  // namespace everyitem::checkpoint
