#include "identity/process_credentials.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <system_error>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/system/system_error.hpp>
#include <fmt/format.h>

#include "base/descriptor.h"
#include "base/error.h"
#include "base/human_format.h"
#include "identity/credentials_document.h"
#include "identity/secret_json.h"

namespace everyitem::identity {

namespace {

constexpr std::string_view kSetting = "credential_process";

/// Credentials take a few hundred bytes, and tokens at most a few thousand.
constexpr std::size_t kMaxOutputBytes = 64U << 10;

/// Why a program produced no credentials: a phrase for the user, without the program's output.
class ProgramFailed : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

std::string words_of(int error) { return std::generic_category().message(error); }

/// How a program is started: its standard output is `output`, its standard input is empty, and it
/// does not inherit which signals this process ignores or blocks.
class SpawnSettings {
 public:
  explicit SpawnSettings(int output) {
    posix_spawn_file_actions_init(&actions_);
    posix_spawn_file_actions_addopen(&actions_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions_, output, STDOUT_FILENO);
    posix_spawn_file_actions_addclosefrom_np(&actions_, STDERR_FILENO + 1);
    posix_spawnattr_init(&attributes_);
    sigset_t signals;
    sigemptyset(&signals);
    posix_spawnattr_setsigmask(&attributes_, &signals);
    sigaddset(&signals, SIGPIPE);
    sigaddset(&signals, SIGXFSZ);
    posix_spawnattr_setsigdefault(&attributes_, &signals);
    posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }
  SpawnSettings(const SpawnSettings&) = delete;
  SpawnSettings& operator=(const SpawnSettings&) = delete;
  ~SpawnSettings() {
    posix_spawn_file_actions_destroy(&actions_);
    posix_spawnattr_destroy(&attributes_);
  }

  const posix_spawn_file_actions_t* actions() const { return &actions_; }
  const posix_spawnattr_t* attributes() const { return &attributes_; }

 private:
  posix_spawn_file_actions_t actions_;
  posix_spawnattr_t attributes_;
};

/// A running program. Killed by the destructor unless it has been waited for.
class Program {
 public:
  /// Throws ProgramFailed if it cannot be started. `words` is not empty.
  explicit Program(std::vector<std::string>& words) {
    std::array<int, 2> ends{};
    if (pipe2(ends.data(), O_CLOEXEC) != 0) {
      throw ProgramFailed("cannot be started: " + words_of(errno));
    }
    output_ = std::make_unique<Descriptor>(ends[0]);
    const Descriptor input(ends[1]);
    std::vector<char*> arguments;
    arguments.reserve(words.size() + 1);
    for (std::string& word : words) {
      arguments.push_back(word.data());
    }
    arguments.push_back(nullptr);
    const SpawnSettings settings(input.get());
    const int error = posix_spawnp(&id_, arguments.front(), settings.actions(),
                                   settings.attributes(), arguments.data(), environ);
    if (error != 0) {
      id_ = -1;
      throw ProgramFailed(fmt::format("{} cannot be started: {}", words.front(), words_of(error)));
    }
  }
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;
  ~Program() {
    if (id_ > 0) {
      kill(id_, SIGKILL);
      wait();
    }
  }

  /// The read end of its output. Call this once.
  int take_output() { return output_->release(); }
  /// Readable once the program has ended; negative if the kernel does not support it (before Linux
  /// 5.3).
  int open_end() const { return static_cast<int>(syscall(SYS_pidfd_open, id_, 0)); }
  /// Blocks until the program has ended. Returns its status, or nothing if someone else has
  /// collected it.
  std::optional<int> wait() {
    int status = 0;
    pid_t waited = 0;
    do {
      waited = waitpid(id_, &status, 0);
    } while (waited < 0 && errno == EINTR);
    id_ = -1;
    return waited < 0 ? std::nullopt : std::optional(status);
  }

 private:
  pid_t id_ = -1;
  std::unique_ptr<Descriptor> output_;
};

/// A wait on the event loop with a time limit.
class Watch {
 public:
  Watch(const asio::any_io_executor& executor, Clock& clock)
      : output(executor), end(executor), timer_(clock.make_timer(executor, [this] { ring(); })) {
    timer_->set(clock.now() + ProcessCredentials::kLimit);
  }

  asio::posix::stream_descriptor output;
  asio::posix::stream_descriptor end;
  bool is_late = false;

 private:
  void ring() {
    is_late = true;
    output.close();
    end.close();
  }

  std::unique_ptr<Timer> timer_;
};

/// Reads until the program has closed its output. Throws system_error if cancelled or too late.
Awaitable<void> read_all(asio::posix::stream_descriptor& output, PaddedBuffer& text) {
  constexpr std::size_t kPartBytes = 4096;
  text.reserve(kMaxOutputBytes +
               kPartBytes);  // it never has to grow, which would leave copies in memory
  for (;;) {
    const std::span<char> room = text.prepare(kPartBytes);
    const auto [error, size] = co_await output.async_read_some(
        asio::buffer(room.data(), room.size()), asio::as_tuple(asio::use_awaitable));
    if (error == asio::error::eof) {
      co_return;
    }
    if (error) {
      throw boost::system::system_error(error);
    }
    text.commit(size);
    if (text.size() > kMaxOutputBytes) {
      throw ProgramFailed("wrote more than credentials can take up");
    }
  }
}

void require_success(const std::optional<int>& status) {
  if (!status) {
    throw ProgramFailed("ended with an unknown status");
  }
  if (WIFSIGNALED(*status)) {
    const char* name = sigabbrev_np(WTERMSIG(*status));
    throw ProgramFailed(fmt::format("was ended by signal {}{}", name == nullptr ? "" : "SIG",
                                    name == nullptr ? std::to_string(WTERMSIG(*status)) : name));
  }
  if (WEXITSTATUS(*status) != 0) {
    throw ProgramFailed(fmt::format("ended with exit status {}", WEXITSTATUS(*status)));
  }
}

/// Fills `text` with the program's output. Throws ProgramFailed, or system_error if cancelled.
Awaitable<void> run_program(std::vector<std::string> words, Clock& clock, PaddedBuffer& text) {
  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  Program program(words);
  Watch watch(executor, clock);
  watch.output.assign(program.take_output());
  if (const int end = program.open_end(); end >= 0) {
    watch.end.assign(end);
  }
  try {
    co_await read_all(watch.output, text);
    if (watch.end.is_open()) {
      co_await watch.end.async_wait(asio::posix::stream_descriptor::wait_read, asio::use_awaitable);
    }
  } catch (const boost::system::system_error&) {
    if (watch.is_late) {
      throw ProgramFailed("had not ended after " + duration(ProcessCredentials::kLimit));
    }
    throw;
  }
  require_success(program.wait());
}

Error failure_of(const Profile& profile, std::string reason) {
  return {ErrorKind::failed,
          {.operation = fmt::format("{} of profile \"{}\"", kSetting, profile.name),
           .object = {},
           .code = {},
           .message = std::move(reason),
           .hint = "Run the command by hand to see why."}};
}

aws::Credentials read_output(PaddedBuffer text, std::chrono::system_clock::time_point now) {
  try {
    const std::optional<SecretDocument> document = SecretDocument::parse(std::move(text));
    if (!document) {
      throw UnusableDocument("is not a JSON object");
    }
    require_process_version(*document);
    aws::Credentials credentials = read_credentials_document(*document, "SessionToken");
    if (credentials.expires_at && *credentials.expires_at <= now) {
      throw UnusableDocument("holds credentials that have expired");
    }
    return credentials;
  } catch (const UnusableDocument& unusable) {
    throw ProgramFailed(fmt::format("its output {}", unusable.what()));
  }
}

}  // namespace

std::optional<std::vector<std::string>> split_command(std::string_view command) {
  std::vector<std::string> words;
  bool in_word = false;
  char quote = '\0';  // the quote that is open
  for (std::size_t i = 0; i < command.size(); ++i) {
    const char c = command[i];
    if (quote == '\0' && (c == ' ' || c == '\t' || c == '\r' || c == '\n')) {
      in_word = false;
      continue;
    }
    if (!in_word) {
      words.emplace_back();
      in_word = true;
    }
    std::string& word = words.back();
    if (c == '\\' && quote != '\'') {
      if (++i == command.size()) {
        return std::nullopt;
      }
      if (quote == '"' && command[i] != '"' && command[i] != '\\') {
        word += c;
      }
      word += command[i];
    } else if (quote != '\0' ? c == quote : (c == '"' || c == '\'')) {
      quote = quote == '\0' ? c : '\0';
    } else {
      word += c;
    }
  }
  if (quote != '\0') {
    return std::nullopt;
  }
  return words;
}

ProcessCredentials::ProcessCredentials(Connector& connector, Profile profile)
    : connector_(connector), profile_(std::move(profile)) {}

Awaitable<std::optional<aws::Credentials>> ProcessCredentials::find() {
  const std::string command = profile_.setting(kSetting);
  if (command.empty()) {
    co_return std::nullopt;
  }
  std::optional<std::vector<std::string>> words = split_command(command);
  if (!words || words->empty() || words->front().empty()) {
    throw usage_error(
        fmt::format("{} of profile \"{}\" is not a command", kSetting, profile_.name),
        "Give a program with its arguments, and close quotes; it is run without a shell.");
  }
  std::optional<aws::Credentials> credentials;
  std::string failure;
  try {
    PaddedBuffer text;
    const WipedAtEnd wiped(text);
    co_await run_program(std::move(*words), connector_.clock(), text);
    credentials = read_output(std::move(text), connector_.clock().wall_now());
  } catch (const ProgramFailed& failed) {
    failure = failed.what();
  }
  if (!credentials) {
    throw failure_of(profile_, std::move(failure));
  }
  credentials->source = fmt::format("profile \"{}\" ({})", profile_.name, kSetting);
  if (credentials->account_id.empty()) {
    credentials->account_id = profile_.setting("aws_account_id");
  }
  co_return credentials;
}

std::string ProcessCredentials::place() const {
  return fmt::format("{} of profile \"{}\"{}", kSetting, profile_.name,
                     profile_.setting(kSetting).empty() ? " (not set)" : "");
}

}  // namespace everyitem::identity
