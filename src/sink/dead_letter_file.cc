#include "sink/dead_letter_file.h"

#include <sys/stat.h>
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
#include "base/own_file.h"

namespace everyitem::sink {

namespace {

/// Of a run's token, in the names of its files.
constexpr std::size_t kTokenDigits = 16;

std::string quoted(const std::string& text) {
  return boost::json::serialize(boost::json::string(text));
}

Error cannot_write(const std::string& path, std::string reason, const std::string& remedy = {}) {
  return Error(ErrorKind::failed,
               {.operation = "open",
                .object = fmt::format("dead letters {}", path),
                .message = std::move(reason),
                .hint = remedy.empty() ? "Name another file with " + setting::kDeadLetters + "."
                                       : Message(remedy)});
}

/// What `work` returns. When it throws FileRefused, that is an Error about the file at `path`.
template <typename Work>
auto in_words_of_letters(const std::string& path, const Work& work) {
  try {
    return work();
  } catch (const FileRefused& refused) {
    throw cannot_write(path, refused.what(), refused.remedy());
  }
}

/// How each line of a run's letters begins.
std::string start_of_line(const std::string& run) { return fmt::format(R"({{"run":"{}",)", run); }

off_t size_of(const Descriptor& file) {
  struct stat status {};
  return fstat(file.get(), &status) == 0 ? status.st_size : 0;
}

/// Whether the file is empty, or begins as the letters of `run` do. A file that the first letter
/// has not wholly reached counts; that it has reached with zeros only, as after a loss of power, if
/// its name is the run's.
bool holds_letters_of(const Descriptor& file, const std::string& path, const std::string& run) {
  std::string start = start_of_line(run);
  start.resize(std::min(start.size(), static_cast<std::size_t>(size_of(file))));
  std::string found(start.size(), ' ');
  if (pread(file.get(), found.data(), found.size(), 0) != static_cast<ssize_t>(found.size())) {
    return false;
  }
  const bool is_named = path.find(run.substr(0, kTokenDigits)) != std::string::npos;
  return found == start || (is_named && found == std::string(found.size(), '\0'));
}

FileRefused not_letters_of_this_run() {
  return FileRefused("the file holds something else than dead letters of this run",
                     "Move it away, or name another file.");
}

/// Throws Error unless the nearest folder above the file that exists is writable.
void check_folder(const std::string& path) {
  std::filesystem::path folder = std::filesystem::absolute(path).parent_path();
  std::error_code ignored;
  while (!std::filesystem::exists(folder, ignored) && folder.has_relative_path()) {
    folder = folder.parent_path();
  }
  if (!std::filesystem::is_directory(folder, ignored)) {
    throw cannot_write(path, fmt::format("{} is not a folder", folder.string()));
  }
  if (access(folder.c_str(), W_OK) != 0) {
    throw cannot_write(path, std::generic_category().message(errno));
  }
}

bool is_there(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::exists(std::filesystem::symlink_status(path, ignored));
}

}  // namespace

std::string to_line(const DeadLetterOrigin& origin, const DeadLetter& letter) {
  std::string line = start_of_line(origin.token);
  line += fmt::format(R"("table":{},"destination":{},"segment":{},"attempts":{},)",
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

DeadLetterFile::DeadLetterFile(std::string path, DeadLetterOrigin origin, ReplacedLetters replaced)
    : path_(std::move(path)), origin_(std::move(origin)), replaced_(std::move(replaced)) {
  if (!is_there(path_)) {
    check_folder(path_);
    return;
  }
  in_words_of_letters(path_, [this] {
    const Descriptor file = open_own_file(path_, FilePresence::present, FileUse::letters);
    lock_own_file(file);
    const bool is_replaced = path_ == replaced_.path && !replaced_.run.empty() &&
                             holds_letters_of(file, replaced_.path, replaced_.run);
    if (!is_replaced && !holds_letters_of(file, path_, origin_.token)) {
      throw not_letters_of_this_run();
    }
  });
}

void DeadLetterFile::discard_earlier() {
  if (replaced_.run.empty() || !is_there(replaced_.path)) {
    return;
  }
  in_words_of_letters(replaced_.path, [this] {
    const Descriptor file = open_own_file(replaced_.path, FilePresence::present, FileUse::letters);
    lock_own_file(file);
    if (holds_letters_of(file, replaced_.path, replaced_.run)) {
      std::filesystem::remove(replaced_.path);
      sync_folder_of(replaced_.path);
    }
  });
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

LineFile DeadLetterFile::open_file() const {
  return in_words_of_letters(path_, [this] {
    make_private_folders(std::filesystem::path(path_).parent_path());
    Descriptor file = open_own_file(path_, FilePresence::any, FileUse::letters);
    lock_own_file(file);
    if (!holds_letters_of(file, path_, origin_.token)) {
      throw not_letters_of_this_run();
    }
    LineFile letters = LineFile::of_file(path_, std::move(file));
    letters.cut_to_whole_lines(0);
    sync_folder_of(path_);
    return letters;
  });
}

void DeadLetterFile::write_now(const std::vector<DeadLetter>& letters) {
  if (!file_) {
    file_.emplace(open_file());
  }
  std::string lines;
  for (const DeadLetter& letter : letters) {
    lines += to_line(origin_, letter);
  }
  file_->append(lines);
}

}  // namespace everyitem::sink
