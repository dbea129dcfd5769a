#include "emulator/emulated_parameters.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <exception>

#include <fmt/format.h>

namespace everyitem::emulator {

namespace json = boost::json;

namespace {

// API reference and User Guide of Systems Manager.
constexpr std::size_t kMaxValueBytes = 4096;
constexpr std::size_t kMaxNameCharacters = 1011;
constexpr std::ptrdiff_t kMaxLevels = 15;
constexpr std::size_t kMaxPage = 10;
constexpr std::size_t kMaxDeleted = 10;
constexpr std::uint64_t kHistory = 100;

std::string text_of(const json::object& request, std::string_view name) {
  return std::string(request.at(name).as_string());
}

bool flag_of(const json::object& request, std::string_view name) {
  const json::value* value = request.if_contains(name);
  return value != nullptr && value->as_bool();
}

/// Without decryption, a value is returned as stored.
json::object shown(const std::string& name, const EmulatedParameters::Parameter& parameter,
                   bool decrypt) {
  const bool secret = parameter.type == "SecureString" && !decrypt;
  return {{"Name", name},
          {"Type", parameter.type},
          {"Value", secret ? "AQICAHencrypted" : parameter.value},
          {"Version", parameter.version},
          {"ARN", "arn:aws:ssm:us-east-1:000000000000:parameter" + name},
          {"DataType", "text"}};
}

void require_name(const std::string& name) {
  const bool characters = std::ranges::all_of(name, [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '_' || c == '.' || c == '-' || c == '/';
  });
  if (name.empty() || !characters || name.size() > kMaxNameCharacters || name.ends_with('/') ||
      (name.find('/') != std::string::npos && name.front() != '/')) {
    throw Refused{"ValidationException", "Parameter name must be a fully qualified name"};
  }
  if (std::ranges::count(name, '/') > kMaxLevels) {
    throw Refused{"HierarchyLevelLimitExceededException", "15 levels at most"};
  }
  std::string lower = name;
  std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return std::tolower(c); });
  if (lower.starts_with("/aws") || lower.starts_with("/ssm")) {
    throw Refused{"ValidationException", "No access to reserved parameter name"};
  }
}

}  // namespace

std::span<const Operation<EmulatedParameters>> EmulatedParameters::operations() {
  static constexpr std::array<Operation<EmulatedParameters>, 4> kOperations = {{
      {"GetParameter", &EmulatedParameters::get},
      {"GetParametersByPath", &EmulatedParameters::get_by_path},
      {"PutParameter", &EmulatedParameters::put},
      {"DeleteParameters", &EmulatedParameters::remove},
  }};
  return kOperations;
}

bool EmulatedParameters::knows(std::string_view operation) {
  return std::ranges::find(operations(), operation, &Operation<EmulatedParameters>::name) !=
         operations().end();
}

ServiceReply EmulatedParameters::answer(std::string_view operation, std::string_view body) {
  return reply_of(*this, operations(), operation, body);
}

json::object EmulatedParameters::get(const json::object& request) {
  const auto found = parameters.find(text_of(request, "Name"));
  if (found == parameters.end()) {
    throw Refused{"ParameterNotFound", ""};
  }
  return {{"Parameter", shown(found->first, found->second, flag_of(request, "WithDecryption"))}};
}

json::object EmulatedParameters::get_by_path(const json::object& request) {
  const std::string path = text_of(request, "Path");
  require_name(path);
  const std::string prefix = path + "/";
  std::size_t most = parameters_per_page;
  if (const json::value* value = request.if_contains("MaxResults")) {
    if (value->to_number<std::size_t>() > kMaxPage) {
      throw Refused{"ValidationException", "MaxResults: at most 10"};
    }
    most = std::min(most, value->to_number<std::size_t>());
  }
  auto next = parameters.lower_bound(prefix);
  if (const json::value* token = request.if_contains("NextToken")) {
    next = parameters.lower_bound(std::string(token->as_string()));
  }
  json::object answer;
  json::array page;
  for (; next != parameters.end() && next->first.starts_with(prefix); ++next) {
    if (!flag_of(request, "Recursive") &&
        next->first.find('/', prefix.size()) != std::string::npos) {
      continue;
    }
    if (page.size() == most) {
      answer["NextToken"] = next->first;
      break;
    }
    page.push_back(shown(next->first, next->second, flag_of(request, "WithDecryption")));
  }
  answer["Parameters"] = std::move(page);
  return answer;
}

json::object EmulatedParameters::put(const json::object& request) {
  const std::string name = text_of(request, "Name");
  const std::string value = text_of(request, "Value");
  require_name(name);
  if (value.empty() || value.size() > kMaxValueBytes) {
    throw Refused{"ValidationException",
                  "Standard tier parameters support a maximum parameter value of 4096 characters."};
  }
  if (value.find("{{") != std::string::npos) {
    throw Refused{"ValidationException", "Parameter value can't nest another parameter."};
  }
  const auto found = parameters.find(name);
  if (found == parameters.end()) {
    const std::string type = text_of(request, "Type");
    if (type != "String" && type != "SecureString") {
      throw Refused{"UnsupportedParameterType", "The parameter type isn't supported."};
    }
    if (parameters.size() == max_parameters) {
      throw Refused{"ParameterLimitExceeded", "Delete some parameters."};
    }
    Parameter parameter{.value = value, .type = type, .key_id = {}, .version = 1, .labelled = {}};
    if (const json::value* key = request.if_contains("KeyId")) {
      parameter.key_id = std::string(key->as_string());
    }
    parameters.emplace(name, std::move(parameter));
    return {{"Version", 1}, {"Tier", "Standard"}};
  }
  Parameter& parameter = found->second;
  if (!flag_of(request, "Overwrite")) {
    throw Refused{"ParameterAlreadyExists", "The parameter already exists."};
  }
  if (parameter.version >= kHistory &&
      parameter.labelled.contains(parameter.version - kHistory + 1)) {
    throw Refused{"ParameterMaxVersionLimitExceeded", "The oldest version has a label."};
  }
  if (const json::value* type = request.if_contains("Type")) {
    if (type->as_string() != json::string_view(parameter.type)) {
      throw Refused{"HierarchyTypeMismatchException", "The type of a parameter cannot be changed."};
    }
  }
  if (const json::value* key = request.if_contains("KeyId")) {
    parameter.key_id = std::string(key->as_string());
  }
  parameter.value = value;
  return {{"Version", ++parameter.version}, {"Tier", "Standard"}};
}

json::object EmulatedParameters::remove(const json::object& request) {
  const json::array& names = request.at("Names").as_array();
  if (names.empty() || names.size() > kMaxDeleted) {
    throw Refused{"ValidationException", "1 to 10 names"};
  }
  json::array deleted;
  json::array invalid;
  for (const json::value& name : names) {
    (parameters.erase(std::string(name.as_string())) > 0 ? deleted : invalid).push_back(name);
  }
  return {{"DeletedParameters", std::move(deleted)}, {"InvalidParameters", std::move(invalid)}};
}

}  // namespace everyitem::emulator
