#include "checkpoint/ssm_parameters.h"

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <utility>

#include <fmt/format.h>

#include "aws/json_members.h"
#include "checkpoint/json_call.h"
#include "checkpoint/run_record.h"
#include "checkpoint/ssm_limits.h"
#include "checkpoint/stable_hash.h"

namespace everyitem::checkpoint {

namespace json = boost::json;

namespace {

constexpr std::string_view kPartsHead = "parts ";
bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U; }

/// Parameter Store refuses values with "{{", as references to others. In JSON that stands in texts
/// alone, which may have it otherwise.
std::string without_references(std::string_view text) {
  std::string escaped;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '{' && i > 0 && text[i - 1] == '{') {
      escaped += "\\u007b";
    } else {
      escaped += text[i];
    }
  }
  return escaped;
}

/// The length of the next part of a text: no more than a parameter holds, no character is cut, and
/// no part begins or ends with a space, which somebody may trim.
std::size_t part_length(std::string_view text) {
  if (text.size() <= kMaxParameterBytes) {
    return text.size();
  }
  std::size_t length = kMaxParameterBytes;
  while (length > kMaxParameterBytes / 2 &&
         (is_continuation(text[length]) || text[length] == ' ' || text[length - 1] == ' ')) {
    --length;
  }
  return length;
}

std::string part_name(std::string_view name, char place, std::size_t number) {
  return fmt::format("{}.{}-{}", name, place, number);
}

std::string parts_head(char place, std::size_t parts, std::string_view text) {
  return fmt::format("{}{} {} {:016x}", kPartsHead, place, parts, stable_hash(text));
}

}  // namespace

SsmParameters::SsmParameters(std::string prefix, const StoreContext& context)
    : prefix_(std::move(prefix)),
      client_(context.client(aws::kSsm, "")),
      limits_(context.limits),
      kms_key_(context.kms_key) {}

Awaitable<json::object> SsmParameters::call(std::string operation, json::object request) {
  std::string object = fmt::format("checkpoint {} in {}", location(), client_.region());
  return call_json(client_, std::move(operation), std::move(object), std::move(request), limits_);
}

json::object SsmParameters::put_request(const std::string& name, std::string_view value,
                                        bool overwrite) const {
  json::object request{{"Name", prefix_ + "/" + name},
                       {"Value", value},
                       {"Type", kms_key_.empty() ? "String" : "SecureString"},
                       {"Tier", "Standard"},
                       {"Overwrite", overwrite}};
  if (!kms_key_.empty()) {
    request["KeyId"] = kms_key_;
  }
  return request;
}

Awaitable<std::optional<std::string>> SsmParameters::get(std::string name) {
  json::object request{{"Name", prefix_ + "/" + name}, {"WithDecryption", true}};
  std::optional<std::string> text;
  try {
    const json::object answer = co_await call("GetParameter", std::move(request));
    const json::value* parameter = answer.if_contains("Parameter");
    if (parameter != nullptr && parameter->is_object()) {
      text = aws::text_member(parameter->get_object(), "Value");
    }
  } catch (const Error& error) {
    if (error.details().code != "ParameterNotFound") {
      throw;
    }
  }
  co_return text;
}

Awaitable<void> SsmParameters::put(std::string name, std::string text) {
  text = without_references(text);
  if (text.size() > kMaxParameterBytes) {
    const char place = places_[name] == 'a' ? 'b' : 'a';
    std::size_t parts = 0;
    for (std::string_view rest = text; !rest.empty(); rest.remove_prefix(part_length(rest))) {
      json::object part =
          put_request(part_name(name, place, ++parts), rest.substr(0, part_length(rest)), true);
      co_await call("PutParameter", std::move(part));
    }
    text = parts_head(place, parts, text);
    places_[name] = place;
  }
  json::object request = put_request(name, text, true);
  co_await call("PutParameter", std::move(request));
}

Awaitable<bool> SsmParameters::create(std::string name, std::string text) {
  json::object request = put_request(name, without_references(text), false);
  bool created = true;
  try {
    co_await call("PutParameter", std::move(request));
  } catch (const Error& error) {
    if (error.details().code != "ParameterAlreadyExists") {
      throw;
    }
    created = false;
  }
  co_return created;
}

Awaitable<SsmParameters::Values> SsmParameters::list() {
  Values values;
  std::string token;
  do {
    json::object request{{"Path", prefix_},
                         {"Recursive", false},
                         {"WithDecryption", true},
                         {"MaxResults", kMaxParametersAPage}};
    if (!token.empty()) {
      request["NextToken"] = token;
    }
    const json::object answer = co_await call("GetParametersByPath", std::move(request));
    if (const json::value* page = answer.if_contains("Parameters");
        page != nullptr && page->is_array()) {
      for (const json::value& parameter : page->get_array()) {
        if (parameter.is_object()) {
          const std::string name = aws::text_member(parameter.get_object(), "Name");
          if (name.size() > prefix_.size() + 1) {
            values[name.substr(prefix_.size() + 1)] =
                aws::text_member(parameter.get_object(), "Value");
          }
        }
      }
    }
    token = aws::text_member(answer, "NextToken");
  } while (!token.empty());
  for (const auto& [name, value] : values) {
    if (value.starts_with(kPartsHead) && value.size() > kPartsHead.size()) {
      places_[name] = value[kPartsHead.size()];
    }
  }
  co_return values;
}

Awaitable<void> SsmParameters::remove(std::vector<std::string> names) {
  while (!names.empty()) {
    json::array batch;
    for (; !names.empty() && batch.size() < kMaxDeletedParameters; names.pop_back()) {
      batch.emplace_back(prefix_ + "/" + names.back());
    }
    json::object request{{"Names", std::move(batch)}};
    co_await call("DeleteParameters", std::move(request));
  }
}

std::optional<std::string> SsmParameters::text_in(const Values& values,
                                                  const std::string& name) const {
  const auto found = values.find(name);
  if (found == values.end() || !found->second.starts_with(kPartsHead)) {
    return found == values.end() ? std::nullopt : std::optional(found->second);
  }
  const std::string& head = found->second;
  std::string text;
  char place = 0;
  std::size_t parts = 0;
  if (std::sscanf(head.c_str(), "parts %c %zu", &place, &parts) == 2) {
    for (std::size_t number = 1; number <= parts; ++number) {
      const auto part = values.find(part_name(name, place, number));
      if (part == values.end()) {
        break;
      }
      text += part->second;
    }
  }
  if (parts_head(place, parts, text) != head) {
    throw not_a_checkpoint(location(),
                           fmt::format("the parts of {} are not those that it names", name));
  }
  return text;
}

}  // namespace everyitem::checkpoint
