#include "emulator/emulated_sts.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <regex>
#include <utility>

#include <boost/url/params_encoded_view.hpp>
#include <boost/url/parse_query.hpp>
#include <fmt/format.h>

namespace everyitem::emulator {

namespace {

constexpr std::string_view kFormContentType = "application/x-www-form-urlencoded";
constexpr std::string_view kVersion = "2011-06-15";
// API reference, AssumeRole.
constexpr std::chrono::seconds kShortest{900};
constexpr std::chrono::seconds kLongest{43200};
constexpr std::chrono::seconds kDefault{3600};
/// The longest session that a role's session may request for another role (role chaining).
constexpr std::chrono::seconds kLongestChained{3600};

struct StsRefusal {
  int status = 400;
  std::string code;
  std::string message;
};

std::map<std::string, std::string, std::less<>> fields_of(std::string_view body) {
  std::map<std::string, std::string, std::less<>> fields;
  const auto query = boost::urls::parse_query(body);
  if (!query) {
    throw StsRefusal{400, "MalformedQueryString", "The query string is malformed"};
  }
  boost::urls::encoding_opts of_forms;
  of_forms.space_as_plus = true;
  for (const auto& field : *query) {
    fields[field.key.decode(of_forms)] = field.value.decode(of_forms);
  }
  return fields;
}

const std::string& text(const std::map<std::string, std::string, std::less<>>& fields,
                        std::string_view name) {
  static const std::string nothing;
  const auto found = fields.find(name);
  return found == fields.end() ? nothing : found->second;
}

std::string escaped(std::string_view value) {
  std::string out;
  for (const char c : value) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

StsRefusal invalid(std::string_view name) {
  return {
      400, "ValidationError",
      fmt::format("1 validation error detected: Value at '{}' failed to satisfy constraint", name)};
}

std::chrono::seconds lifetime_of(const std::string& asked, bool chained) {
  if (asked.empty()) {
    return kDefault;
  }
  std::int64_t seconds = 0;
  const auto read = std::from_chars(asked.data(), asked.data() + asked.size(), seconds);
  const std::chrono::seconds lifetime(seconds);
  if (read.ec != std::errc() || read.ptr != asked.data() + asked.size() || lifetime < kShortest ||
      lifetime > kLongest) {
    throw invalid("durationSeconds");
  }
  if (chained && lifetime > kLongestChained) {
    throw StsRefusal{400, "ValidationError",
                     "The requested DurationSeconds exceeds the 1 hour session limit for roles "
                     "assumed by role chaining."};
  }
  return lifetime;
}

/// Errors common to all services have different names here.
std::string_view code_of(const SignatureRefusal& refusal) {
  constexpr std::array kNames = {
      std::pair{"ExpiredTokenException", "ExpiredToken"},
      std::pair{"InvalidSignatureException", "SignatureDoesNotMatch"},
      std::pair{"UnrecognizedClientException", "InvalidClientTokenId"},
      std::pair{"MissingAuthenticationTokenException", "MissingAuthenticationToken"},
      std::pair{"IncompleteSignatureException", "IncompleteSignature"}};
  const auto* found =
      std::ranges::find_if(kNames, [&](const auto& name) { return name.first == refusal.code; });
  return found == kNames.end() ? std::string_view(refusal.code) : found->second;
}

/// The rest of the role's name if it starts with this.
std::string_view behind(std::string_view role, std::string_view beginning) {
  return role.starts_with(beginning) ? role.substr(beginning.size()) : std::string_view();
}

/// "NAME" from user/NAME or assumed-role/NAME/SESSION.
std::string_view name_in(std::string_view arn) {
  const std::string_view rest = arn.substr(arn.find('/') + 1);
  return rest.substr(0, rest.find('/'));
}

}  // namespace

std::string EmulatedSts::operation_of(const ReceivedRequest& request) {
  constexpr std::string_view kAction = "Action=";
  if (request.method != "POST" || request.target != "/" ||
      !request.header("content-type").starts_with(kFormContentType)) {
    return {};
  }
  const std::string_view body = request.body;
  for (std::size_t at = 0; at < body.size(); at = std::min(body.size(), body.find('&', at)) + 1) {
    if (body.substr(at).starts_with(kAction)) {
      const std::string_view action = body.substr(at + kAction.size());
      return std::string(action.substr(0, action.find('&')));
    }
  }
  return {};
}

Reply EmulatedSts::answer(const ReceivedRequest& request, IdentityRegister::Time now) {
  try {
    const Fields fields = fields_of(request.body);
    const std::string& action = text(fields, "Action");
    if (text(fields, "Version") != kVersion) {
      throw StsRefusal{400, "InvalidAction", "Could not find that operation for that version"};
    }
    const Identity* caller = nullptr;
    if (action != "AssumeRoleWithWebIdentity") {
      if (const auto refused = identities_.check(request, "sts", now)) {
        throw StsRefusal{403, std::string(code_of(*refused)), refused->message};
      }
      caller = &identities_.caller_of(request);
    }
    std::string result;
    if (action == "GetCallerIdentity") {
      const std::string& arn = caller->arn;
      const std::string behind_service = arn.substr(arn.find("::") + 2);
      result =
          fmt::format("<Arn>{}</Arn><UserId>{}</UserId><Account>{}</Account>", escaped(arn),
                      escaped(caller->user_id), behind_service.substr(0, behind_service.find(':')));
    } else if (action == "AssumeRole" || action == "AssumeRoleWithWebIdentity") {
      result = assume_role(fields, caller, now);
    } else {
      throw StsRefusal{400, "InvalidAction", "Could not find operation " + action};
    }
    return {
        .body = fmt::format("<{0}Response xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\n"
                            "  <{0}Result>{1}</{0}Result>\n"
                            "  <ResponseMetadata><RequestId>faults</RequestId></ResponseMetadata>\n"
                            "</{0}Response>\n",
                            action, result),
        .headers = {},
        .content_type = "text/xml"};
  } catch (const StsRefusal& refused) {
    return sts_error(refused.status, refused.code, refused.message);
  }
}

std::string EmulatedSts::assume_role(const Fields& fields, const Identity* caller,
                                     IdentityRegister::Time now) {
  static const std::regex role_arn_form("arn:(aws[a-z-]*):iam::([0-9]{12}):role/(?:.*/)?([^/]+)");
  static const std::regex session_name_form("[A-Za-z0-9_+=,.@-]{2,64}");
  static const std::regex external_id_form("[A-Za-z0-9_+=,.@:/-]{2,1224}");
  const std::string& arn = text(fields, "RoleArn");
  const std::string& session = text(fields, "RoleSessionName");
  const std::string& external_id = text(fields, "ExternalId");
  std::smatch parts;
  if (!std::regex_match(arn, parts, role_arn_form)) {
    throw invalid("roleArn");
  }
  if (!std::regex_match(session, session_name_form)) {
    throw invalid("roleSessionName");
  }
  if (!external_id.empty() && !std::regex_match(external_id, external_id_form)) {
    throw invalid("externalId");
  }
  const std::string role = parts[3];
  const bool chained = caller != nullptr && !caller->credentials.session_token.empty();
  const std::chrono::seconds lifetime = lifetime_of(text(fields, "DurationSeconds"), chained);
  if (caller == nullptr) {
    const std::string& token = text(fields, "WebIdentityToken");
    if (token.starts_with("web-expired")) {
      throw StsRefusal{400, "ExpiredTokenException", "Token expired: current date/time is later"};
    }
    if (!token.starts_with("web-live")) {
      throw StsRefusal{400, "InvalidIdentityToken",
                       "The ID Token provided is not a valid JWT. (You may see this error if you "
                       "sent an Access Token)"};
    }
  }
  const std::string_view mfa_code = behind(role, "mfa-");
  if (!mfa_code.empty() && !text(fields, "SerialNumber").empty() &&
      text(fields, "TokenCode") != mfa_code) {
    throw StsRefusal{403, "AccessDenied",
                     "MultiFactorAuthentication failed with invalid MFA one time pass code. "};
  }
  const std::string_view wanted_id = behind(role, "external-id-");
  const std::string_view wanted_name = behind(role, "only-");
  const bool refused =
      role.find("refused") != std::string::npos ||
      (!wanted_id.empty() && external_id != wanted_id) ||
      (!mfa_code.empty() && text(fields, "SerialNumber").empty()) ||
      (!wanted_name.empty() && (caller == nullptr || name_in(caller->arn) != wanted_name));
  if (refused) {
    const std::string operation = text(fields, "Action");
    throw StsRefusal{
        403, "AccessDenied",
        caller == nullptr
            ? fmt::format("Not authorized to perform sts:{}", operation)
            : fmt::format("User: {} is not authorized to perform: sts:{} on resource: {}",
                          caller->arn, operation, arn)};
  }
  const Identity& issued =
      identities_.issue({.account = parts[2],
                         .role = role,
                         .session = session,
                         .lifetime = lifetime,
                         .partition = parts[1],
                         .operation = text(fields, "Action"),
                         .caller = caller == nullptr ? "" : caller->credentials.access_key_id},
                        now);
  return fmt::format(
      "<AssumedRoleUser><AssumedRoleId>{}</AssumedRoleId><Arn>{}</Arn></AssumedRoleUser>"
      "<Credentials><AccessKeyId>{}</AccessKeyId><SecretAccessKey>{}</SecretAccessKey>"
      "<SessionToken>{}</SessionToken><Expiration>{}</Expiration></Credentials>",
      escaped(issued.user_id), escaped(issued.arn), issued.credentials.access_key_id,
      issued.credentials.secret_access_key, issued.credentials.session_token,
      iso_time(*issued.credentials.expires_at));
}

Reply sts_error(int status, std::string_view code, std::string_view message) {
  return {
      .status = status,
      .body = fmt::format("<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\n"
                          "  <Error>\n    <Type>{}</Type>\n    <Code>{}</Code>\n    "
                          "<Message>{}</Message>\n  </Error>\n  <RequestId>faults</RequestId>\n"
                          "</ErrorResponse>\n",
                          status < 500 ? "Sender" : "Receiver", code, escaped(message)),
      .headers = {},
      .content_type = "text/xml"};
}

}  // namespace everyitem::emulator
