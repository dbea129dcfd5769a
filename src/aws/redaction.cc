#include "aws/redaction.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cstdint>
#include <numeric>
#include <optional>
#include <utility>
#include <vector>

#include <openssl/crypto.h>
#include <openssl/evp.h>

namespace everyitem::aws {

namespace {

/// Of a long secret, this much in a row is never shown. An access key has at least 16 characters
/// (IAM API reference, AccessKey); shorter ones belong to test servers and may be part of any word.
constexpr std::size_t kWindow = 16;

/// Shorter texts are part of any sentence.
constexpr std::size_t kMinShortSecret = 3;

/// How often text may be encoded: a token in a URL in JSON in XML.
constexpr int kEncodings = 3;

/// More of a message is not looked at. What remains of it is cut once more, after what it hides.
constexpr std::size_t kMaxExaminedBytes = 8192;

/// "ProvisionedThroughputExceededException" has 38 characters; base64 of an item has more.
constexpr std::size_t kMaxWordBytes = 40;

constexpr std::size_t kMaxCodeBytes = 64;

constexpr std::string_view kCut = "...";

/// A message with some of its encodings taken off.
struct DecodedText {
  std::string text;
  std::vector<std::size_t> from;  ///< where each of its bytes begins in the message; and the end
};

struct DecodedByte {
  char32_t character = 0;
  std::size_t length = 0;  ///< of its encoding; 0: it is not encoded
};

std::optional<std::uint32_t> number(std::string_view digits, int base) {
  std::uint32_t value = 0;
  const char* const end = digits.data() + digits.size();
  const auto parsed = std::from_chars(digits.data(), end, value, base);
  return !digits.empty() && parsed.ec == std::errc() && parsed.ptr == end ? std::optional(value)
                                                                          : std::nullopt;
}

DecodedByte digits_after(std::string_view text, std::size_t prefix, std::size_t digits) {
  const auto value = text.size() >= prefix + digits ? number(text.substr(prefix, digits), 16)
                                                    : std::optional<std::uint32_t>();
  return value ? DecodedByte{*value, prefix + digits} : DecodedByte{};
}

/// \" \/ \n \u002f \x2f
DecodedByte unescaped(std::string_view text) {
  constexpr std::string_view kEscapes = "\"\\/'bfnrt";
  constexpr std::string_view kMeanings = "\"\\/'\b\f\n\r\t";
  if (text.size() < 2) {
    return {};
  }
  if (text[1] == 'u' || text[1] == 'x') {
    return digits_after(text, 2, text[1] == 'u' ? 4 : 2);
  }
  const std::size_t escape = kEscapes.find(text[1]);
  return escape == std::string_view::npos
             ? DecodedByte{}
             : DecodedByte{static_cast<unsigned char>(kMeanings[escape]), 2};
}

/// &amp; &#47; &#x2f;
DecodedByte without_entity(std::string_view text) {
  constexpr std::array<std::pair<std::string_view, char>, 5> kEntities = {
      {{"amp", '&'}, {"lt", '<'}, {"gt", '>'}, {"quot", '"'}, {"apos", '\''}}};
  constexpr std::size_t kMaxEntity = 10;
  const std::size_t end = text.substr(0, kMaxEntity).find(';');
  if (end == std::string_view::npos) {
    return {};
  }
  const std::string_view name = text.substr(1, end - 1);
  if (name.starts_with('#')) {
    const bool hex = name.substr(1).starts_with('x') || name.substr(1).starts_with('X');
    const auto value = number(name.substr(hex ? 2 : 1), hex ? 16 : 10);
    return value ? DecodedByte{*value, end + 1} : DecodedByte{};
  }
  const auto* const entity =
      std::ranges::find(kEntities, name, &std::pair<std::string_view, char>::first);
  return entity == kEntities.end() ? DecodedByte{}
                                   : DecodedByte{static_cast<char32_t>(entity->second), end + 1};
}

DecodedByte decoded(std::string_view text) {
  switch (text.front()) {
    case '%':
      return digits_after(text, 1, 2);
    case '\\':
      return unescaped(text);
    case '&':
      return without_entity(text);
    default:
      return {};
  }
}

/// With one encoding less. A percent sign encodes a byte, the others a character: both are the same
/// for those of a secret, which are of ASCII, and nearly so for the rest.
DecodedText decode_once(const DecodedText& encoded) {
  DecodedText result;
  const std::string_view text = encoded.text;
  for (std::size_t at = 0; at < text.size();) {
    const DecodedByte byte = decoded(text.substr(at));
    if (byte.length == 0 || byte.character > 0xff) {
      result.text += text[at];
      result.from.push_back(encoded.from[at]);
      ++at;
      continue;
    }
    result.text += static_cast<char>(byte.character);
    result.from.push_back(encoded.from[at]);
    at += byte.length;
  }
  result.from.push_back(encoded.from.back());
  return result;
}

bool is_word_character(std::string_view text, std::size_t at) {
  return at < text.size() && std::isalnum(static_cast<unsigned char>(text[at])) != 0;
}

/// What must not be shown of one text.
class Redactor {
 public:
  explicit Redactor(std::string& message) : message_(message), hidden_(message.size()) {
    DecodedText text{.text = message, .from = std::vector<std::size_t>(message.size() + 1)};
    std::iota(text.from.begin(), text.from.end(), std::size_t{0});
    texts_.push_back(std::move(text));
    for (int i = 0; i < kEncodings; ++i) {
      DecodedText next = decode_once(texts_.back());
      if (next.text.size() == texts_.back().text.size()) {
        break;
      }
      texts_.push_back(std::move(next));
    }
  }

  void hide(std::string_view secret) {
    hide_text(secret);
    // What surrounds a text in base64 decides which of three forms it has.
    for (std::size_t before = 0; before < 3; ++before) {
      std::string form = in_base64(secret, before);
      hide_text(form);
      std::ranges::replace(form, '+', '-');
      std::ranges::replace(form, '/', '_');
      hide_text(form);
      OPENSSL_cleanse(form.data(), form.size());
    }
  }

  std::string shown() const {
    std::string text;
    for (std::size_t at = 0; at < message_.size(); ++at) {
      if (!hidden_[at]) {
        text += message_[at];
      } else if (at == 0 || !hidden_[at - 1]) {
        text += "***";
      }
    }
    return text;
  }

 private:
  /// The characters that `secret` alone decides, if this many bytes are before it.
  static std::string in_base64(std::string_view secret, std::size_t before) {
    std::string bytes(before, '\0');
    bytes.reserve(before + secret.size());
    bytes += secret;
    std::string form(4 * (bytes.size() / 3 + 1) + 1, '\0');
    EVP_EncodeBlock(reinterpret_cast<unsigned char*>(form.data()),
                    reinterpret_cast<const unsigned char*>(bytes.data()),
                    static_cast<int>(bytes.size()));
    OPENSSL_cleanse(bytes.data(), bytes.size());
    form.resize(bytes.size() * 8 / 6);
    return form.substr(std::min(form.size(), (before * 8 + 5) / 6));
  }

  void hide_text(std::string_view secret) {
    for (const DecodedText& text : texts_) {
      if (secret.size() >= kWindow) {
        hide_windows(text, secret);
      } else if (secret.size() >= kMinShortSecret) {
        hide_words(text, secret);
      }
    }
  }

  void hide_windows(const DecodedText& text, std::string_view secret) {
    for (std::size_t at = 0; at + kWindow <= secret.size(); ++at) {
      const std::string_view window = secret.substr(at, kWindow);
      for (auto found = text.text.find(window); found != std::string::npos;
           found = text.text.find(window, found + 1)) {
        hide_range(text, found, kWindow);
      }
    }
  }

  void hide_words(const DecodedText& text, std::string_view word) {
    for (auto found = text.text.find(word); found != std::string::npos;
         found = text.text.find(word, found + 1)) {
      if (!is_word_character(text.text, found - 1) &&
          !is_word_character(text.text, found + word.size())) {
        hide_range(text, found, word.size());
      }
    }
  }

  void hide_range(const DecodedText& text, std::size_t begin, std::size_t size) {
    std::fill(hidden_.begin() + static_cast<std::ptrdiff_t>(text.from[begin]),
              hidden_.begin() + static_cast<std::ptrdiff_t>(text.from[begin + size]), true);
  }

  std::string& message_;
  std::vector<bool> hidden_;        ///< of the message's bytes
  std::vector<DecodedText> texts_;  ///< the message with 0, 1, 2, ... encodings taken off
};

}  // namespace

std::string without_secrets(std::string message, const Credentials& credentials,
                            std::span<const std::string_view> others) {
  message.resize(std::min(message.size(), kMaxExaminedBytes));
  Redactor redactor(message);
  for (const std::string_view secret :
       {std::string_view(credentials.secret_access_key),
        std::string_view(credentials.session_token), std::string_view(credentials.access_key_id)}) {
    if (secret.size() >= kWindow) {
      redactor.hide(secret);
    }
  }
  for (const std::string_view secret : others) {
    redactor.hide(secret);
  }
  std::string shown = redactor.shown();
  if (shown.size() > kMaxMessageBytes) {
    shown.resize(kMaxMessageBytes);
    shown += kCut;
  }
  return shown;
}

std::string without_items(std::string message) {
  // From the first to the last, because quoted text may itself contain braces and quotes.
  const auto first = message.find_first_of("{[\"'`");
  if (first != std::string::npos) {
    const auto last = message.find_last_of("}]\"'`");
    const auto end = last == std::string::npos || last <= first ? message.size() : last + 1;
    message.replace(first, end - first, kCut);
  }
  for (std::size_t at = 0; at < message.size();) {
    const auto end = std::min(message.find(' ', at), message.size());
    if (end - at > kMaxWordBytes && message.compare(at, 4, "arn:") != 0) {
      message.replace(at, end - at, kCut);
      at += kCut.size() + 1;
    } else {
      at = end + 1;
    }
  }
  return message;
}

bool is_error_code(std::string_view text) {
  return !text.empty() && text.size() <= kMaxCodeBytes &&
         std::ranges::all_of(
             text, [](unsigned char c) { return std::isalnum(c) != 0 || c == '_' || c == '.'; });
}

}  // namespace everyitem::aws
