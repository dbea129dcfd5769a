// Decides when a call may be retried, if the call cannot decide that by itself.
#pragma once

#include "aws/service_error.h"
#include "base/async.h"
#include "http/message.h"

namespace everyitem::aws {

/// Accounts for a call's attempts and answers in limits that are shared with other calls.
/// Implemented by the caller, who has accounted for the first attempt. One event loop; must outlive
/// the call.
class Pacer : public http::AnswerRoom {
 public:
  /// An attempt has failed. `may_have_been_applied`: the service may have acted on it. The call now
  /// waits, or gives up.
  virtual void failed(ErrorClass error_class, bool may_have_been_applied) = 0;

  /// Called after that wait. Returns when the call may be retried; the time this takes does not
  /// count towards giving up. Throws boost::system::system_error(operation_aborted) when the call
  /// is cancelled.
  virtual Awaitable<void> before_repeat() = 0;
};

}  // namespace everyitem::aws
