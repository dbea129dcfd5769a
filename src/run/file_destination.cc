#include "run/file_destination.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/error.h"
#include "base/own_file.h"
#include "batch/ndjson_batch.h"
#include "identity/iso_time.h"
#include "run/record_format.h"
#include "sink/file_sink.h"
#include "sink/line_file.h"

namespace everyitem::run {

namespace {

namespace fs = std::filesystem;

constexpr const char* kStandardOutput = "-";

constexpr std::string_view kFileId = "file id";

/// How often a pipe is looked at until somebody reads it.
constexpr std::chrono::milliseconds kPipeInterval{50};

constexpr std::string_view kNewFile = ".restart-";
constexpr std::size_t kTokenDigits = 16;

/// Where a run with `token` writes first, when it restarts over a file that has content: next to
/// it, so that the old content stays until the new run has its first items.
fs::path new_file_of(const fs::path& file, const std::string& token) {
  return fmt::format("{}{}{}", file.string(), kNewFile, token.substr(0, kTokenDigits));
}

/// The new files of all runs that restarted over `file` and have not replaced it.
std::vector<fs::path> new_files_of(const fs::path& file) {
  const std::string start = fmt::format("{}{}", file.filename().string(), kNewFile);
  std::vector<fs::path> found;
  std::error_code unreadable;
  const fs::path folder = fs::absolute(file).parent_path();
  for (fs::directory_iterator entry(folder, unreadable), end; !unreadable && entry != end;
       entry.increment(unreadable)) {
    const std::string name = entry->path().filename().string();
    const auto is_digit = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
    if (name.starts_with(start) && name.size() == start.size() + kTokenDigits &&
        std::all_of(name.begin() + static_cast<std::ptrdiff_t>(start.size()), name.end(),
                    is_digit)) {
      found.push_back(entry->path());
    }
  }
  return found;
}

bool has_content(const fs::path& file) {
  std::error_code ignored;
  return fs::file_size(file, ignored) > 0 && !ignored;
}

/// Unless another process has it open.
void remove_unused(const fs::path& file) {
  try {
    const Descriptor open = open_own_file(file, FilePresence::present, FileUse::output);
    lock_own_file(open);
    fs::remove(file);
  } catch (const std::exception&) {
    // It only takes a name and some space.
  }
}

/// A file, as long as it is the one that the run began.
class FileDestination final : public Destination {
 public:
  FileDestination(const std::string& file, std::unique_ptr<batch::ItemFormat> format)
      : file_(file), format_(std::move(format)) {}

  std::string name() const override { return fs::path(file_).filename().string(); }
  std::string location() const override { return fs::absolute(file_).lexically_normal().string(); }
  Message text() const override { return "file " + location(); }
  checkpoint::RunIdentity identity() const override { return {{"file", location()}}; }
  bool may_refuse_items() const override { return false; }

  Awaitable<void> prepare(RunStart start) override {
    prepare_now(start);
    co_return;
  }

  checkpoint::RunIdentity marks() const override { return {{std::string(kFileId), id_}}; }

  /// What earlier restarts have left: that of the run which this one takes the place of, and those
  /// that never had an item.
  void begin() override {
    for (const fs::path& left : new_files_of(file_)) {
      if (left.filename() == new_file_of(file_, start_.token).filename()) {
        continue;
      }
      const bool is_replaced_runs =
          !start_.replaced_token.empty() &&
          left.filename() == new_file_of(file_, start_.replaced_token).filename();
      if (is_replaced_runs || !has_content(left)) {
        remove_unused(left);
      }
    }
  }

  LaneDestination open(RunLoop&, std::size_t) override {
    return {.builder = std::make_unique<batch::NdjsonBuilder>(format_.get()), .sink = sink_};
  }

  /// A table without items leaves an empty file.
  void complete() override {
    sink_->replace_now();
    if (file_id(fs::path(file_)) != id_) {
      throw lost("write", "the file was removed or replaced while the run wrote to it");
    }
  }

  Awaitable<void> complete_again(RunStart start) override {
    std::error_code ignored;
    if (fs::exists(new_file_of(file_, start.token), ignored)) {
      prepare_now(start);
      complete();
    } else {
      require_whole(start);
    }
    co_return;
  }

 private:
  void prepare_now(const RunStart& start) {
    const bool resumes = start.kind == RunStart::Kind::resume;
    const fs::path new_file = new_file_of(file_, start.token);
    std::error_code ignored;
    const bool replaces =
        start.kind == RunStart::Kind::restart ? has_content(file_) : fs::exists(new_file, ignored);
    const std::string writes_to = replaces ? new_file.string() : file_;
    // Before anything is created: what may not be replaced is found out here.
    std::optional<Descriptor> old_file =
        replaces ? sink::open_replaceable(file_) : std::optional<Descriptor>();
    sink::LineFile file =
        resumes ? sink::LineFile::resume(writes_to, {.bytes = bytes_of(start), .id = id_of(start)})
                : sink::LineFile::begin(writes_to);
    id_ = file_id(file.descriptor());
    sink_ = std::make_shared<sink::FileSink>(std::move(file));
    if (replaces) {
      sink_->replace_at_first_append(file_, std::move(old_file));
    }
    if (!resumes) {
      sink::in_words("sync", file_, [this] { sync_folder_of(file_); });
    }
    start_ = start;
  }

  /// Each item is a line.
  static std::uint64_t bytes_of(const RunStart& start) { return start.item_bytes + start.items; }

  static std::string id_of(const RunStart& start) {
    const auto mark = std::ranges::find(start.marks, kFileId, &checkpoint::IdentityPart::name);
    return mark == start.marks.end() ? std::string() : mark->value;
  }

  /// Of a run that is complete: its file is not touched again, but its user may count on it.
  void require_whole(const RunStart& start) const {
    const std::string when =
        start.finished_at
            ? fmt::format("was complete at {}", identity::format_iso_time(*start.finished_at))
            : "is complete";
    const auto refuse = [&](std::string_view fault) {
      return lost("check", fmt::format("the run into this file {}, but {}", when, fault));
    };
    std::error_code missing;
    const std::uintmax_t size = fs::file_size(file_, missing);
    if (missing) {
      throw refuse("the file is gone");
    }
    if (const std::string id = id_of(start); !id.empty() && file_id(fs::path(file_)) != id) {
      throw refuse("another file is in its place");
    }
    if (size < bytes_of(start)) {
      throw refuse(fmt::format("the file has {} bytes of the {} that were delivered to it", size,
                               bytes_of(start)));
    }
  }

  Error lost(const std::string& operation, std::string message) const {
    return sink::file_error(
        operation, file_, std::move(message),
        "Put the file of the run back, or start over with " + setting::kRestart + ".");
  }

  std::string file_;
  const std::unique_ptr<batch::ItemFormat> format_;
  RunStart start_;
  std::string id_;  ///< of the file that is written
  std::shared_ptr<sink::FileSink> sink_;
};

/// Nobody knows what became of the items that a stream took, so it is never continued.
class StreamDestination final : public Destination {
 public:
  StreamDestination(const std::string& path, std::unique_ptr<batch::ItemFormat> format,
                    Clock& clock)
      : path_(path), format_(std::move(format)), clock_(clock) {}

  std::string name() const override { return fs::path(path_).filename().string(); }
  std::string location() const override {
    return path_ == kStandardOutput ? "standard output" : fs::absolute(path_).string();
  }
  Message text() const override { return location(); }
  checkpoint::RunIdentity identity() const override { return {{"file", location()}}; }
  bool keeps_items() const override { return false; }
  bool may_refuse_items() const override { return false; }
  std::vector<Message> notices() const override {
    std::error_code ignored;
    return fs::is_fifo(path_, ignored)
               ? std::vector<Message>{fmt::format("writing to the pipe {} as soon as something "
                                                  "reads it",
                                                  path_)}
               : std::vector<Message>();
  }

  /// Waits until somebody reads a named pipe.
  Awaitable<void> prepare(RunStart) override {
    std::optional<Descriptor> stream = sink::open_stream(path_);
    while (!stream) {
      co_await clock_.sleep(kPipeInterval);
      stream = sink::open_stream(path_);
    }
    sink_ = std::make_shared<sink::FileSink>(sink::LineFile::of_stream(path_, *std::move(stream)));
  }

  LaneDestination open(RunLoop&, std::size_t) override {
    return {.builder = std::make_unique<batch::NdjsonBuilder>(format_.get()), .sink = sink_};
  }

 private:
  std::string path_;
  const std::unique_ptr<batch::ItemFormat> format_;
  Clock& clock_;
  std::shared_ptr<sink::FileSink> sink_;
};

Awaitable<std::unique_ptr<Destination>> describe_file(DestinationContext context) {
  const ScanSettings& settings = context.settings;
  const std::string path = sink::to_text(*settings.output);
  if (!sink::is_stream(path)) {
    co_return std::make_unique<FileDestination>(path, record_format(settings));
  }
  if (settings.restart && !settings.checkpoint) {
    throw usage_error(
        setting::kRestart +
            fmt::format(" has nothing to start over: {} is not a regular file", path),
        "Leave out " + setting::kRestart + ": without a checkpoint every run starts over.");
  }
  co_return std::make_unique<StreamDestination>(path, record_format(settings),
                                                context.services.clock());
}

}  // namespace

DestinationKind file_destination() {
  return {.name = "file",
          .is_wanted = [](const ScanSettings& settings) { return settings.output.has_value(); },
          .describe = describe_file};
}

}  // namespace everyitem::run
