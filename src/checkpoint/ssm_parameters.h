// A checkpoint's own parameters of SSM Parameter Store, all directly below one prefix.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json.hpp>

#include "checkpoint/checkpoint_store.h"

namespace everyitem::checkpoint {

/// Reads, writes and deletes what has a name of its own kind (ssm_names.h) and nothing else. Used
/// from one event loop, one call at a time. Calls throw Error.
class SsmParameters {
 public:
  using Values = std::map<std::string, std::string>;  ///< by name behind the prefix

  SsmParameters(SsmLocation location, const StoreContext& context);

  /// All of them. Throws Error when others are there, before anything of theirs is decrypted.
  Awaitable<Values> list();
  /// Writes a value that is not there yet; false when it is, which may be by this very call after
  /// its first answer was lost.
  Awaitable<bool> create(std::string name, std::string text);
  /// Writes a value, whatever is there.
  Awaitable<void> put(std::string name, std::string text);
  /// Ignores names that are gone.
  Awaitable<void> remove(std::vector<std::string> names);

  std::string location() const { return location_.text(); }

 private:
  Awaitable<boost::json::object> call(std::string operation, boost::json::object request);
  Awaitable<Values> list_as(bool decrypted, bool& has_secrets);
  boost::json::object put_request(const std::string& name, std::string_view value,
                                  bool overwrite) const;

  SsmLocation location_;
  aws::Client& client_;
  std::string kms_key_;
};

/// Cuts JSON into values that a parameter holds, which are the text again when put together.
/// Parameter Store refuses "{{": it is written otherwise, which JSON allows in its texts.
std::vector<std::string> parameter_parts(std::string_view json);

}  // namespace everyitem::checkpoint
