// Writes CBOR for tests.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <string>
#include <string_view>

#include <boost/json.hpp>

#include "base/cbor.h"

namespace everyitem {

/// How the ends of maps, arrays and texts are encoded.
enum class CborLengths { definite, indefinite };

inline void append_cbor(std::string& to, const boost::json::value& value, CborLengths lengths) {
  const auto head = [&](CborType type, std::uint64_t number) {
    std::array<char, kMaxCborHead> bytes;
    to.append(bytes.data(), write_cbor_head(type, number, bytes.data()));
  };
  const auto text = [&](std::string_view whole) {
    if (lengths == CborLengths::definite) {
      append_cbor_text(to, whole);
      return;
    }
    to += '\x7f';
    append_cbor_text(to, whole.substr(0, whole.size() / 2));
    append_cbor_text(to, whole.substr(whole.size() / 2));
    to += kCborBreak;
  };
  const auto open = [&](CborType type, std::size_t items) {
    if (lengths == CborLengths::definite) {
      head(type, items);
    } else {
      to += type == CborType::map ? kCborOpenMap : kCborOpenArray;
    }
  };
  const auto close = [&] {
    if (lengths == CborLengths::indefinite) {
      to += kCborBreak;
    }
  };
  switch (value.kind()) {
    case boost::json::kind::object:
      open(CborType::map, value.get_object().size());
      for (const auto& member : value.get_object()) {
        text(member.key());
        append_cbor(to, member.value(), lengths);
      }
      close();
      return;
    case boost::json::kind::array:
      open(CborType::array, value.get_array().size());
      for (const auto& element : value.get_array()) {
        append_cbor(to, element, lengths);
      }
      close();
      return;
    case boost::json::kind::string:
      text(value.get_string());
      return;
    case boost::json::kind::null:
      to += '\xf6';
      return;
    case boost::json::kind::bool_:
      to += value.get_bool() ? '\xf5' : '\xf4';
      return;
    case boost::json::kind::double_: {
      const auto bits = std::bit_cast<std::uint64_t>(value.get_double());
      to += '\xfb';
      for (int byte = 7; byte >= 0; --byte) {
        to += static_cast<char>(bits >> (8 * byte));
      }
      return;
    }
    default:
      const auto number = value.to_number<std::int64_t>();
      number < 0 ? head(CborType::negative_integer, static_cast<std::uint64_t>(-1 - number))
                 : head(CborType::unsigned_integer, static_cast<std::uint64_t>(number));
  }
}

inline std::string to_cbor(const boost::json::value& value,
                           CborLengths lengths = CborLengths::definite) {
  std::string bytes;
  append_cbor(bytes, value, lengths);
  return bytes;
}

}  // namespace everyitem
