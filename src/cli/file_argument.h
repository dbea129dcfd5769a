// Arguments that are read from a file, as the AWS CLI has it: --values file://values.json.
#pragma once

#include <map>
#include <span>
#include <string>

#include "base/environment.h"
#include "base/error.h"
#include "options/setting_entry.h"

namespace everyitem::cli {

/// The path of "file://PATH", where "~/" is the home directory; empty if `text` is not that.
std::string path_of_file_argument(std::string_view text, const Environment& environment);

/// The content of the file, without white space at its ends. Throws a usage error that names the
/// setting and the file: it cannot be read, is empty, or larger than any request may be.
std::string read_file_argument(SettingId id, const std::string& path);

/// The files that settings were read from, by SettingId::name.
using ArgumentFiles = std::map<std::string, std::string, std::less<>>;

/// `error`, and which file holds the setting that it is about.
Error with_files_named(const Error& error, const ArgumentFiles& files);

/// Puts the content in the place of each file that is given for an entry that takes one.
template <typename Target>
ArgumentFiles read_file_arguments(std::span<const options::SettingEntry<Target>> entries,
                                  options::GivenSettings& given, const Environment& environment) {
  ArgumentFiles files;
  for (const options::SettingEntry<Target>& entry : entries) {
    const auto text = given.find(entry.id.name);
    if (!entry.takes_file || text == given.end()) {
      continue;
    }
    if (const std::string path = path_of_file_argument(text->second, environment); !path.empty()) {
      text->second = read_file_argument(entry.id, path);
      files[text->first] = path;
    }
  }
  return files;
}

}  // namespace everyitem::cli
