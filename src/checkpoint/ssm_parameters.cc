#include "checkpoint/ssm_parameters.h"

#include <utility>

#include <fmt/format.h>

#include "aws/json_members.h"
#include "checkpoint/json_call.h"
#include "checkpoint/ssm_limits.h"
#include "checkpoint/ssm_names.h"

namespace everyitem::checkpoint {

namespace json = boost::json;

namespace {

bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U; }

/// Parameter Store takes "{{" for a reference to another parameter. In JSON it occurs in texts
/// only, which may be written otherwise.
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

}  // namespace

std::vector<std::string> parameter_parts(std::string_view json) {
  const std::string text = without_references(json);
  std::vector<std::string> parts;
  for (std::string_view rest = text; !rest.empty(); rest.remove_prefix(parts.back().size())) {
    parts.emplace_back(rest.substr(0, part_length(rest)));
  }
  return parts;
}

SsmParameters::SsmParameters(SsmLocation location, const StoreContext& context)
    : location_(std::move(location)),
      client_(context.client(aws::kSsm, "")),
      kms_key_(context.kms_key) {}

Awaitable<json::object> SsmParameters::call(std::string operation, json::object request) {
  std::string object = fmt::format("checkpoint {} in {}", location(), client_.region());
  return call_json(client_, std::move(operation), std::move(object), std::move(request));
}

json::object SsmParameters::put_request(const std::string& name, std::string_view value,
                                        bool overwrite) const {
  json::object request{{"Name", location_.prefix + "/" + name},
                       {"Value", value},
                       {"Type", kms_key_.empty() ? "String" : "SecureString"},
                       {"Tier", "Standard"},
                       {"Overwrite", overwrite}};
  if (!kms_key_.empty()) {
    request["KeyId"] = kms_key_;
  }
  return request;
}

Awaitable<void> SsmParameters::put(std::string name, std::string text) {
  json::object request = put_request(name, text, true);
  co_await call("PutParameter", std::move(request));
}

Awaitable<bool> SsmParameters::create(std::string name, std::string text) {
  json::object request = put_request(name, text, false);
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
  bool has_secrets = false;
  Values values = co_await list_as(false, has_secrets);
  if (has_secrets) {  // of this checkpoint's own: nothing else is there
    values = co_await list_as(true, has_secrets);
  }
  co_return values;
}

Awaitable<SsmParameters::Values> SsmParameters::list_as(bool decrypted, bool& has_secrets) {
  Values values;
  std::string token;
  do {
    json::object request{{"Path", location_.prefix},
                         {"Recursive", false},
                         {"WithDecryption", decrypted},
                         {"MaxResults", kMaxParametersAPage}};
    if (!token.empty()) {
      request["NextToken"] = token;
    }
    const json::object answer = co_await call("GetParametersByPath", std::move(request));
    const json::value* page = answer.if_contains("Parameters");
    for (const json::value& element :
         page != nullptr && page->is_array() ? page->get_array() : json::array{}) {
      if (!element.is_object()) {
        continue;
      }
      const json::object& parameter = element.get_object();
      const std::string path = aws::text_member(parameter, "Name");
      const std::string name = path.substr(std::min(path.size(), location_.prefix.size() + 1));
      if (!is_own_name(name)) {
        throw Error(ErrorKind::failed,
                    {.operation = "read",
                     .object = "checkpoint " + location(),
                     .code = {},
                     .message = fmt::format("the parameter {} is not a checkpoint's, or of an "
                                            "older format",
                                            path),
                     .hint = "Name a prefix with nothing else below it, or delete the parameters "
                             "of the older checkpoint."});
      }
      has_secrets = has_secrets || aws::text_member(parameter, "Type") == "SecureString";
      values[name] = aws::text_member(parameter, "Value");
    }
    token = aws::text_member(answer, "NextToken");
  } while (!token.empty());
  co_return values;
}

Awaitable<void> SsmParameters::remove(std::vector<std::string> names) {
  while (!names.empty()) {
    json::array batch;
    for (; !names.empty() && batch.size() < kMaxDeletedParameters; names.pop_back()) {
      batch.emplace_back(location_.prefix + "/" + names.back());
    }
    json::object request{{"Names", std::move(batch)}};
    co_await call("DeleteParameters", std::move(request));
  }
}

}  // namespace everyitem::checkpoint
