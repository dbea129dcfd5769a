// Small JSON documents that hold secrets: nothing of them stays in memory that was given back.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <boost/json/object.hpp>

#include "base/padded_buffer.h"

namespace everyitem::identity {

/// Overwrites the bytes with zeros, and makes it empty.
void wipe(std::string& text);
void wipe(PaddedBuffer& bytes);

/// Wipes what it refers to at the end of its life, however that comes.
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

/// A JSON object whose memory is wiped before it is given back. What is taken out of it is the
/// caller's to wipe.
class SecretDocument {
 public:
  /// Nothing when the text is no JSON object.
  static std::optional<SecretDocument> parse(std::string_view text);
  /// Wipes the body too.
  static std::optional<SecretDocument> parse(PaddedBuffer body);

  SecretDocument(SecretDocument&&) noexcept = default;
  SecretDocument& operator=(SecretDocument&&) = default;
  SecretDocument(const SecretDocument&) = delete;  // a copy would be in ordinary memory
  SecretDocument& operator=(const SecretDocument&) = delete;
  ~SecretDocument() = default;

  const boost::json::object& members() const { return members_; }
  /// Empty where the member is absent or no text.
  std::string text(std::string_view name) const;
  void set(std::string_view name, std::string_view text);
  /// The document, as text.
  std::string serialized() const;

 private:
  explicit SecretDocument(boost::json::object&& members) : members_(std::move(members)) {}

  boost::json::object members_;
};

}  // namespace everyitem::identity
