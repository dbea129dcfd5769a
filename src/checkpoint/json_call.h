// One call of a service, JSON both ways, as the remote stores make them.
#pragma once

#include <string>

#include <boost/json.hpp>

#include "aws/client.h"
#include "base/async.h"

namespace everyitem::checkpoint {

/// Throws as aws::Client::call. `object` is for messages. What the service says is shown without
/// what it quotes: the requests hold items' keys.
Awaitable<boost::json::object> call_json(aws::Client& client, std::string operation,
                                         std::string object, boost::json::object request);

}  // namespace everyitem::checkpoint
