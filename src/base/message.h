// A sentence for the user, made of words and of settings, which each door words in its own way.
// "Name another file with " + setting::kCheckpoint + "." is
// "Name another file with --checkpoint." on the command line, and
// "Name another file with CHECKPOINT." in the Lambda function's log.
#pragma once

#include <functional>
#include <initializer_list>
#include <iosfwd>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/setting_id.h"

namespace everyitem {

/// How a door writes a setting.
using SettingWording = std::function<std::string(const SettingUse& use)>;

/// "--read-units", "--read-units 100", "--filter 'a = :a'": as a shell takes them.
std::string as_flag(const SettingUse& use);

/// A value. Holds neither secrets nor items.
class Message {
 public:
  Message() = default;
  Message(std::string words);
  Message(std::string_view words) : Message(std::string(words)) {}
  Message(const char* words) : Message(std::string(words)) {}
  Message(SettingUse use) : parts_{std::move(use)} {}
  Message(SettingId id) : Message(id("")) {}

  Message& operator+=(const Message& more);

  bool empty() const { return parts_.empty(); }
  /// The whole text. May hold anything that a service said: shown through `printable`.
  std::string worded(const SettingWording& wording) const;
  /// With settings as flags.
  std::string text() const { return worded(as_flag); }

 private:
  std::vector<std::variant<std::string, SettingUse>> parts_;  ///< no words are empty
};

Message operator+(Message left, const Message& right);
bool operator==(const Message& left, const Message& right);
/// As text(): for tests.
std::ostream& operator<<(std::ostream& out, const Message& message);

/// "a, b and c".
Message enumerated(std::initializer_list<Message> messages);

/// Told to the user, each once, as they happen.
using Notice = std::function<void(const Message&)>;

}  // namespace everyitem
