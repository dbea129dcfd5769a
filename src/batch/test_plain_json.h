// Restores items from the record format `plain` with types, for tests, with simdjson's reader.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include <fmt/format.h>
#include <simdjson.h>

namespace everyitem::batch {

/// Reads one item. One use.
class PlainReader {
 public:
  /// The item's DynamoDB JSON, without spaces. Nothing if two members of an object have the same
  /// name, so that it is not known which one a path means. Throws simdjson::simdjson_error when
  /// `text` is not JSON.
  std::optional<std::string> restore(std::string_view text) {
    const simdjson::padded_string padded(text);
    simdjson::ondemand::document types = parser_.iterate(padded);
    for (auto field : types.get_object()) {
      if (std::string_view(field.unescaped_key()) == "$types") {
        for (auto type : field.value().get_object()) {
          const std::string path(std::string_view(type.unescaped_key()));
          types_[path] = std::string(std::string_view(type.value().get_string()));
        }
      }
    }
    simdjson::ondemand::document document = parser_.iterate(padded);
    members(document.get_object(), "");
    if (twice_) {
      return std::nullopt;
    }
    return item_;
  }

 private:
  using Value = simdjson::ondemand::value;

  static std::string_view raw_name(const char* begin) {
    const char* end = begin;
    while (*end != '"') {
      end += *end == '\\' ? 2 : 1;
    }
    return {begin, static_cast<std::size_t>(end - begin)};
  }
  static std::string_view token(Value& value) {
    std::string_view text = value.raw_json_token();
    return text.substr(0, text.find_last_not_of(" \n\r\t") + 1);
  }
  static std::string step(std::string_view name) {
    std::string escaped;
    for (const char c : name) {
      escaped += c == '~' ? "~0" : c == '/' ? "~1" : std::string(1, c);
    }
    return escaped;
  }
  /// `within`: the path that leads to them, with a slash at its end; empty for the item's.
  void members(simdjson::ondemand::object object, const std::string& within) {
    item_ += '{';
    bool first = true;
    for (auto field : object) {
      std::string_view raw = raw_name(simdjson::ondemand::raw_json_string(field.key()).raw());
      const std::string name(std::string_view(field.unescaped_key()));
      const std::string path = within + step(name);
      if (within.empty() && name == "$types") {
        continue;
      }
      if (within.empty() && name.ends_with("$types") &&
          name.find_first_not_of('$') == name.size() - 5) {
        raw.remove_prefix(1);
      }
      twice_ = !seen_.emplace(path, true).second || twice_;
      item_ += first ? "" : ",";
      first = false;
      item_ += fmt::format("\"{}\":", raw);
      Value value = field.value();
      read(value, path);
    }
    item_ += '}';
  }

  /// With its type in front.
  void read(Value& value, const std::string& path) {
    const auto found = types_.find(path);
    const std::string type = found == types_.end() ? "" : found->second;
    switch (value.type()) {
      case simdjson::ondemand::json_type::object:
        item_ += R"({"M":)";
        members(value.get_object(), path + "/");
        break;
      case simdjson::ondemand::json_type::array:
        item_ += fmt::format(R"({{"{}":)", type.empty() ? "L" : type);
        elements(value, path, type);
        break;
      case simdjson::ondemand::json_type::string:
        item_ += fmt::format(R"({{"{}":{})", type.empty() ? "S" : type, token(value));
        break;
      case simdjson::ondemand::json_type::number:
        item_ += fmt::format(R"({{"N":"{}")", token(value));
        break;
      case simdjson::ondemand::json_type::boolean:
        item_ += fmt::format(R"({{"BOOL":{})", token(value));
        break;
      case simdjson::ondemand::json_type::null:
        item_ += R"({"NULL":true)";
        break;
    }
    item_ += '}';
  }

  /// Those of a set have no type of their own.
  void elements(Value& value, const std::string& path, const std::string& set) {
    item_ += '[';
    std::size_t index = 0;
    for (auto element : value.get_array()) {
      item_ += index > 0 ? "," : "";
      Value one = element.value();
      if (set.empty()) {
        read(one, fmt::format("{}/{}", path, index));
      } else if (one.type() == simdjson::ondemand::json_type::number) {
        item_ += fmt::format("\"{}\"", token(one));
      } else {
        item_ += token(one);
      }
      ++index;
    }
    item_ += ']';
  }

  simdjson::ondemand::parser parser_;
  std::map<std::string, std::string> types_;
  std::map<std::string, bool> seen_;
  std::string item_;
  bool twice_ = false;
};

}  // namespace everyitem::batch
