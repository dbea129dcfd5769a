// Texts of any length in parameters of SSM Parameter Store, which hold 4 KB each.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json.hpp>

#include "checkpoint/checkpoint_store.h"

namespace everyitem::checkpoint {

/// Parameters under one prefix: PREFIX/NAME. A text that does not fit one is in several, PREFIX/
/// NAME.a-1, NAME.a-2, ..., and NAME, written last, says "parts a 3" and their hash. The next such
/// text goes to NAME.b-1, ..., so that whatever request is the last, NAME names parts that are
/// whole. Texts are JSON. Used from one event loop, one call at a time. Calls throw Error.
class SsmParameters {
 public:
  using Values = std::map<std::string, std::string>;  ///< by name

  SsmParameters(std::string prefix, const StoreContext& context);

  /// The text of a name that fits one parameter; nothing when it is not there.
  Awaitable<std::optional<std::string>> get(std::string name);
  Awaitable<void> put(std::string name, std::string text);
  /// Writes a text that fits one parameter, if the name is not there yet; false when it is.
  Awaitable<bool> create(std::string name, std::string text);
  /// All that is under the prefix, parts and all. `text_in` puts them together.
  Awaitable<Values> list();
  /// Those that are not there are no failure.
  Awaitable<void> remove(std::vector<std::string> names);

  /// The text of a name, or nothing when it is not there. Throws Error when a part is missing or is
  /// another text's.
  std::optional<std::string> text_in(const Values& values, const std::string& name) const;

  const std::string& prefix() const { return prefix_; }
  std::string location() const { return "ssm:" + prefix_; }

 private:
  Awaitable<boost::json::object> call(std::string operation, boost::json::object request);
  boost::json::object put_request(const std::string& name, std::string_view value,
                                  bool overwrite) const;

  std::string prefix_;
  aws::Client& client_;
  aws::RetryLimits limits_;
  std::string kms_key_;
  std::map<std::string, char> places_;  ///< where the parts of a name are: 'a' or 'b'
};

}  // namespace everyitem::checkpoint
