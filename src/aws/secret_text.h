// A text that is not left behind in memory.
#pragma once

#include <ostream>
#include <string>
#include <string_view>
#include <utility>

#include <openssl/crypto.h>

namespace everyitem::aws {

/// Is overwritten when it is replaced, moved from or goes. A text that it is made of by copying is
/// its owner's to wipe.
class SecretText {
 public:
  SecretText() = default;
  SecretText(std::string text) : text_(std::move(text)) {}  // as the strings that it replaces
  SecretText(const char* text) : text_(text) {}
  SecretText(const SecretText&) = default;
  SecretText(SecretText&& other) noexcept : text_(std::move(other.text_)) { other.wipe(); }
  SecretText& operator=(const SecretText& other) {
    if (this != &other) {
      wipe();
      text_ = other.text_;
    }
    return *this;
  }
  SecretText& operator=(SecretText&& other) noexcept {
    if (this != &other) {
      wipe();
      text_ = std::move(other.text_);
      other.wipe();
    }
    return *this;
  }
  ~SecretText() { wipe(); }

  bool empty() const { return text_.empty(); }
  operator const std::string&() const { return text_; }
  operator std::string_view() const { return text_; }

  friend bool operator==(const SecretText&, const SecretText&) = default;
  /// For tests, which print what they find.
  friend std::ostream& operator<<(std::ostream& out, const SecretText& secret) {
    return out << (secret.empty() ? "(no secret)" : "(a secret)");
  }

 private:
  /// Short texts stand in the string itself, where a move leaves them.
  void wipe() noexcept {
    text_.resize(text_.capacity());
    OPENSSL_cleanse(text_.data(), text_.size());
    text_.clear();
  }

  std::string text_;
};

}  // namespace everyitem::aws
