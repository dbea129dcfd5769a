#include "identity/secret_json.h"

#include <array>
#include <cstddef>
#include <new>
#include <span>

#include <boost/json.hpp>
#include <openssl/crypto.h>

#include "aws/json_members.h"

namespace everyitem::identity {

namespace {

class WipingMemory final : public boost::json::memory_resource {
 private:
  // Nothing in Boost.JSON needs more than the default alignment, and 1.81 frees keys with a
  // different alignment than it allocated them with.
  void* do_allocate(std::size_t bytes, std::size_t /*alignment*/) override {
    return ::operator new(bytes);
  }
  void do_deallocate(void* memory, std::size_t bytes, std::size_t /*alignment*/) override {
    OPENSSL_cleanse(memory, bytes);
    ::operator delete(memory);
  }
  bool do_is_equal(const memory_resource& other) const noexcept override { return this == &other; }
};

}  // namespace

void wipe(std::string& text) {
  text.resize(text.capacity());  // bytes past the end may have been text before
  OPENSSL_cleanse(text.data(), text.size());
  text.clear();
}

void wipe(PaddedBuffer& bytes) {
  const std::size_t size = bytes.size();
  bytes.clear();
  if (size > 0) {
    const std::span<char> all = bytes.prepare(size);
    OPENSSL_cleanse(all.data(), all.size());
  }
}

std::optional<SecretDocument> SecretDocument::parse(std::string_view text) {
  const auto memory = boost::json::make_shared_resource<WipingMemory>();
  // The parser's temporary memory; otherwise it would be on the stack, and remain there.
  std::array<unsigned char, 512> place_for_parts;
  std::optional<SecretDocument> document;
  {
    boost::json::parser parser(memory, {}, place_for_parts.data(), place_for_parts.size());
    parser.reset(memory);
    boost::system::error_code not_json;
    parser.write(text, not_json);
    if (!not_json) {
      boost::json::value value = parser.release();
      if (value.is_object()) {
        document = SecretDocument(std::move(value.get_object()));
      }
    }
  }
  OPENSSL_cleanse(place_for_parts.data(), place_for_parts.size());
  return document;
}

std::optional<SecretDocument> SecretDocument::parse(PaddedBuffer body) {
  const WipedAtEnd wiped(body);
  return parse(body.view());
}

std::string SecretDocument::text(std::string_view name) const {
  return aws::text_member(members_, name);
}

void SecretDocument::set(std::string_view name, std::string_view text) {
  members_.insert_or_assign(name, boost::json::value(text, members_.storage()));
}

void SecretDocument::set_in(std::string_view object, std::string_view name, std::string_view text) {
  boost::json::value& member = members_[object];
  boost::json::object& inner = member.is_object() ? member.get_object() : member.emplace_object();
  inner.insert_or_assign(name, boost::json::value(text, members_.storage()));
}

std::string SecretDocument::serialized() const {
  boost::json::serializer serializer;
  serializer.reset(&members_);
  std::string text(4096, '\0');
  std::size_t size = 0;
  while (true) {
    size += serializer.read(text.data() + size, text.size() - size).size();
    if (serializer.done()) {
      break;
    }
    std::string longer(2 * text.size(), '\0');
    text.copy(longer.data(), size);
    text.swap(longer);
    wipe(longer);
  }
  text.resize(size);
  return text;
}

}  // namespace everyitem::identity
