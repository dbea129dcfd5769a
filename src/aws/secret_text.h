// A text that does not remain in memory.
#pragma once

#include <ostream>
#include <string>
#include <string_view>
#include <utility>

#include <openssl/crypto.h>

namespace everyitem::aws {

/// Overwritten when it is replaced, moved from or destroyed. The owner of a text it was copied from
/// has to wipe that text.
class SecretText {
 public:
  SecretText() = default;
  SecretText(std::string text)
      : text_(std::move(text)) {}  // implicit, like the strings it replaces
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
  /// For tests, which print values.
  friend std::ostream& operator<<(std::ostream& out, const SecretText& secret) {
    return out << (secret.empty() ? "(no secret)" : "(a secret)");
  }

 private:
  /// Short texts are stored in the string object itself, where a move leaves them.
  void wipe() noexcept {
    text_.resize(text_.capacity());
    OPENSSL_cleanse(text_.data(), text_.size());
    text_.clear();
  }

  std::string text_;
};

}  // namespace everyitem::aws
