// Small JSON documents with secrets: none of them remains in freed memory.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <boost/json/object.hpp>

#include "base/padded_buffer.h"

namespace everyitem::identity {

/// Overwrites the bytes with zeros and empties the buffer.
void wipe(std::string& text);
void wipe(PaddedBuffer& bytes);

/// Wipes what it refers to when it is destroyed.
template <typename Bytes>
class WipedAtEnd {
 public:
  explicit WipedAtEnd(Bytes& bytes) : bytes_(bytes) {}
  WipedAtEnd(const WipedAtEnd&) = delete;
  WipedAtEnd& operator=(const WipedAtEnd&) = delete;
  ~WipedAtEnd() { wipe(bytes_); }

 private:
  Bytes& bytes_;
};

/// A JSON object whose memory is wiped before it is freed. Callers have to wipe what they copy out
/// of it.
class SecretDocument {
 public:
  /// Nothing if the text is not a JSON object.
  static std::optional<SecretDocument> parse(std::string_view text);
  /// Also wipes the body.
  static std::optional<SecretDocument> parse(PaddedBuffer body);

  SecretDocument(SecretDocument&&) noexcept = default;
  SecretDocument& operator=(SecretDocument&&) = default;
  SecretDocument(const SecretDocument&) = delete;  // a copy would be in ordinary memory
  SecretDocument& operator=(const SecretDocument&) = delete;
  ~SecretDocument() = default;

  const boost::json::object& members() const { return members_; }
  /// Empty if the member is missing or not a string.
  std::string text(std::string_view name) const;
  void set(std::string_view name, std::string_view text);
  /// In the member `object`, which becomes an object if it is not one.
  void set_in(std::string_view object, std::string_view name, std::string_view text);
  /// The document, as text.
  std::string serialized() const;

 private:
  explicit SecretDocument(boost::json::object&& members) : members_(std::move(members)) {}

  boost::json::object members_;
};

}  // namespace everyitem::identity
