// For tests: a Security Token Service that lets anyone assume any role.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "support/test_endpoint.h"
#include "support/test_server.h"

namespace everyitem::identity {

/// The form in a request, decoded as far as tests need it.
inline std::map<std::string, std::string> form_of(const std::string& request) {
  std::map<std::string, std::string> form;
  std::string_view body = std::string_view(request).substr(request.find("\r\n\r\n") + 4);
  while (!body.empty()) {
    const std::string_view part = body.substr(0, body.find('&'));
    body.remove_prefix(std::min(part.size() + 1, body.size()));
    std::string value(part.substr(part.find('=') + 1));
    for (const auto& [code, text] : {std::pair{"%3A", ":"}, std::pair{"%2F", "/"}}) {
      for (auto at = value.find(code); at != std::string::npos; at = value.find(code)) {
        value.replace(at, 3, text);
      }
    }
    form[std::string(part.substr(0, part.find('=')))] = value;
  }
  return form;
}

/// The access key that signed a request; empty if it is unsigned.
inline std::string signer_of(const std::string& request) {
  constexpr std::string_view kBefore = "Credential=";
  const std::size_t at = request.find(kBefore);
  return at == std::string::npos
             ? std::string()
             : request.substr(at + kBefore.size(), request.find('/', at) - at - kBefore.size());
}

/// A response to AssumeRole or AssumeRoleWithWebIdentity; the access key names the role and the
/// signer.
inline std::string assumed(const std::string& request) {
  const std::map<std::string, std::string> form = form_of(request);
  const std::string& role = form.at("RoleArn");
  const std::string by = signer_of(request);
  return http::answer(fmt::format(
      "<{0}Response xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><{0}Result><Credentials>"
      "<AccessKeyId>{1}-by-{2}</AccessKeyId><SecretAccessKey>the-secret+/=</SecretAccessKey>"
      "<SessionToken>the-token+/==</SessionToken><Expiration>2026-11-24T05:00:00Z</Expiration>"
      "</Credentials></{0}Result></{0}Response>",
      form.at("Action"), role.substr(role.rfind('/') + 1), by.empty() ? "nobody" : by));
}

inline std::string sts_refusal(std::string_view code, std::string_view message) {
  return http::answer(
      fmt::format("<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error>"
                  "<Type>Sender</Type><Code>{}</Code><Message>{}</Message></Error>"
                  "<RequestId>1</RequestId></ErrorResponse>",
                  code, message),
      "403 Forbidden");
}

}  // namespace everyitem::identity
