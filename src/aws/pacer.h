// Who decides when a call may be repeated, where that is not for the call alone to say.
#pragma once

#include "aws/service_error.h"
#include "base/async.h"

namespace everyitem::aws {

/// What a call's attempts take from a share that other calls want, too. Implemented by the caller,
/// who has taken it for the first attempt. One event loop; outlives the call.
class Pacer {
 public:
  Pacer() = default;
  Pacer(const Pacer&) = delete;
  Pacer& operator=(const Pacer&) = delete;
  virtual ~Pacer() = default;

  /// An attempt has failed; `may_be_done`: the service may have acted on it. The call now waits, or
  /// is given up.
  virtual void failed(ErrorClass error_class, bool may_be_done) = 0;

  /// Called behind that wait. Returns when the call may be repeated; the time that this takes does
  /// not count towards giving up. Throws boost::system::system_error(operation_aborted) when the
  /// call is cancelled.
  virtual Awaitable<void> before_repeat() = 0;
};

}  // namespace everyitem::aws
