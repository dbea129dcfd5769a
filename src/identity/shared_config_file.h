// The files that the AWS tools share: ~/.aws/config and ~/.aws/credentials, read as they read them.
// https://docs.aws.amazon.com/sdkref/latest/guide/file-format.html
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/environment.h"

namespace everyitem::identity {

/// Values by name. Names of settings are compared without case: they stand here in lower case.
using Settings = std::map<std::string, std::string, std::less<>>;

/// What stands under one heading. Of a setting that is given twice, the later one counts.
struct ConfigSection {
  Settings settings;
  /// The indented settings under one without a value, by its name: "dynamodb" -> endpoint_url.
  std::map<std::string, Settings, std::less<>> nested;
};

/// Sections by name; names are compared with case. Sections of one name are one section.
using ConfigSections = std::map<std::string, ConfigSection, std::less<>>;

struct SharedConfigFile {
  ConfigSections profiles;      ///< by the profile's name, without the word "profile"
  ConfigSections services;      ///< by the name that a profile's setting `services` gives
  ConfigSections sso_sessions;  ///< by the name that a profile's setting `sso_session` gives
};

/// The two files differ in their headings: a profile is `[profile x]` in the first and `[x]` in the
/// second. Sections of other kinds are left out, as are the other file's headings.
enum class SharedConfigKind { config, credentials };

/// Throws a usage error that names `path` and the line, never its content, for a line that is
/// neither heading nor setting nor comment.
SharedConfigFile parse_shared_config(std::string_view text, SharedConfigKind kind,
                                     std::string_view path);

/// A file that is looked for, and what it holds: nothing when it does not exist.
struct SharedConfigSource {
  std::string path;
  bool exists = false;
  SharedConfigFile content;
};

struct SharedConfig {
  SharedConfigSource config;
  SharedConfigSource credentials;
};

/// Reads the files named by AWS_CONFIG_FILE and AWS_SHARED_CREDENTIALS_FILE, or those in
/// ~/.aws. Throws Error naming path and reason for a file that exists and cannot be read or parsed.
SharedConfig load_shared_config(const Environment& environment);

}  // namespace everyitem::identity
