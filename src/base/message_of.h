// For tests of messages.
#pragma once

#include <exception>
#include <string>

namespace everyitem {

/// The message of the exception `action` throws; empty if it throws none.
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
