#include "base/message.h"

#include <ostream>
#include <utility>

#include "base/shell_word.h"

namespace everyitem {

std::string as_flag(const SettingUse& use) {
  std::string text = "--";
  text += use.id.name;
  if (!use.value.empty()) {
    text += ' ';
    text += shell_word(use.value);
  }
  return text;
}

Message::Message(std::string words) {
  if (!words.empty()) {
    parts_.emplace_back(std::move(words));
  }
}

Message& Message::operator+=(const Message& more) {
  parts_.insert(parts_.end(), more.parts_.begin(), more.parts_.end());
  return *this;
}

std::string Message::worded(const SettingWording& wording) const {
  std::string text;
  for (const auto& part : parts_) {
    const auto* words = std::get_if<std::string>(&part);
    text += words != nullptr ? *words : wording(std::get<SettingUse>(part));
  }
  return text;
}

Message operator+(Message left, const Message& right) {
  left += right;
  return left;
}

bool operator==(const Message& left, const Message& right) { return left.text() == right.text(); }

std::ostream& operator<<(std::ostream& out, const Message& message) {
  return out << message.text();
}

Message enumerated(std::initializer_list<Message> messages) {
  Message all;
  std::size_t left = messages.size();
  for (const Message& message : messages) {
    --left;
    all += message;
    if (left > 0) {
      all += left == 1 ? " and " : ", ";
    }
  }
  return all;
}

}  // namespace everyitem
