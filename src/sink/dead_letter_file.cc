#include "sink/dead_letter_file.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "base/error.h"
#include "base/on_loop.h"
#include "base/private_folder.h"

namespace everyitem::sink {

namespace {

std::string quoted(const std::string& text) {
  return boost::json::serialize(boost::json::string(text));
}

Error cannot_write(const std::string& path, std::string reason) {
  return Error(ErrorKind::failed,
               {.operation = "open",
                .object = fmt::format("dead letters {}", path),
                .message = std::move(reason),
                .hint = "Name a writable file with " + setting::kDeadLetters + "."});
}

/// Throws Error unless the file, or if it does not exist the nearest existing folder above it, is
/// writable.
void check_writable(const std::string& path) {
  std::filesystem::path location = std::filesystem::absolute(path);
  std::error_code ignored;
  const bool exists = std::filesystem::exists(location, ignored);
  while (!std::filesystem::exists(location, ignored) && location.has_relative_path()) {
    location = location.parent_path();
  }
  if (!exists && !std::filesystem::is_directory(location, ignored)) {
    throw cannot_write(path, fmt::format("{} is not a folder", location.string()));
  }
  if (access(location.c_str(), W_OK) != 0) {
    throw cannot_write(path, std::generic_category().message(errno));
  }
}

}  // namespace

std::string to_line(const DeadLetterOrigin& origin, const DeadLetter& letter) {
  std::string line = fmt::format(R"({{"table":{},"destination":{},"segment":{},"attempts":{},)",
                                 quoted(origin.table), quoted(origin.destination), letter.segment,
                                 letter.attempts);
  if (!letter.code.empty()) {
    line += fmt::format(R"("code":{},)", quoted(letter.code));
  }
  line += fmt::format(R"("reason":{},"key":{},"item":{}}})", quoted(letter.reason),
                      letter.key.empty() ? "null" : letter.key, letter.item);
  // Between tokens, spaces mean the same.
  std::ranges::replace_if(
      line, [](char c) { return c == '\n' || c == '\r'; }, ' ');
  return line + '\n';
}

DeadLetterFile::DeadLetterFile(std::string path, DeadLetterOrigin origin)
    : path_(std::move(path)), origin_(std::move(origin)) {
  check_writable(path_);
}

void DeadLetterFile::discard_earlier() {
  if (std::filesystem::exists(path_)) {
    file_ = std::make_unique<LineFile>(path_, FileStart::restart, 0);
  }
}

DeadLetterFile::~DeadLetterFile() { writer_.join(); }

Awaitable<void> DeadLetterFile::write(std::vector<DeadLetter> letters) {
  const auto write_all = [this, &letters]() -> Awaitable<void> {
    write_now(letters);
    co_return;
  };
  asio::any_io_executor writer = writer_.get_executor();
  Awaitable<void> work = write_all();
  co_await on_loop(std::move(writer), std::move(work));
}

void DeadLetterFile::write_now(const std::vector<DeadLetter>& letters) {
  if (!file_) {
    if (const auto error = make_private_folders(std::filesystem::path(path_).parent_path())) {
      throw cannot_write(path_, error.message());
    }
    file_ = std::make_unique<LineFile>(path_, FileStart::resume, 0);
  }
  std::string lines;
  for (const DeadLetter& letter : letters) {
    lines += to_line(origin_, letter);
  }
  file_->append(lines);
}

}  // namespace everyitem::sink
