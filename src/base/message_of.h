// For tests of messages.
#pragma once

#include <exception>
#include <string>

namespace everyitem {

/// The message of what `action` throws; empty when it throws nothing.
template <typename Action>
std::string message_of(Action action) {
  try {
    action();
  } catch (const std::exception& error) {
    return error.what();
  }
  return {};
}

}  // namespace everyitem
