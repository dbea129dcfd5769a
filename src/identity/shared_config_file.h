// Reads the files shared by all AWS tools, ~/.aws/config and ~/.aws/credentials, the way they do.
// https://docs.aws.amazon.com/sdkref/latest/guide/file-format.html
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/environment.h"

namespace everyitem::identity {

/// Values by name. Setting names are case-insensitive; here they are in lower case.
using Settings = std::map<std::string, std::string, std::less<>>;

/// The content under one heading. If a setting is given twice, the later one wins.
struct ConfigSection {
  Settings settings;
  /// The indented settings below a setting without a value, by its name: "dynamodb" ->
  /// endpoint_url.
  std::map<std::string, Settings, std::less<>> nested;
};

/// Sections by name, which is case-sensitive. Sections with the same name are merged.
using ConfigSections = std::map<std::string, ConfigSection, std::less<>>;

struct SharedConfigFile {
  ConfigSections profiles;      ///< by the profile's name, without the word "profile"
  ConfigSections services;      ///< by the name in a profile's setting `services`
  ConfigSections sso_sessions;  ///< by the name in a profile's setting `sso_session`
};

/// The two files differ in their headings: a profile is `[profile x]` in the first and `[x]` in the
/// second. Other kinds of sections are ignored, as are headings in the style of the other file.
enum class SharedConfigKind { config, credentials };

/// Throws a usage error for a line that is neither a heading nor a setting nor a comment, or not
/// UTF-8. It names `path` and the line number, but never shows the line.
SharedConfigFile parse_shared_config(std::string_view text, SharedConfigKind kind,
                                     std::string_view path);

/// A file and its content, which is empty if the file was not read.
struct SharedConfigSource {
  std::string path;
  std::string problem;              ///< why it was not read: "no such file"; empty if it was
  bool absent = false;              ///< the problem is only that there is no such file
  bool readable_by_others = false;  ///< others than its owner and group
  SharedConfigFile content;
};

struct SharedConfig {
  SharedConfigSource config;
  SharedConfigSource credentials;
};

/// Reads the files named by AWS_CONFIG_FILE and AWS_SHARED_CREDENTIALS_FILE, or those in ~/.aws. As
/// in botocore, a file that cannot be read counts as one that does not exist: the credentials may
/// be elsewhere. Throws what parse_shared_config throws.
SharedConfig load_shared_config(const Environment& environment);

}  // namespace everyitem::identity
