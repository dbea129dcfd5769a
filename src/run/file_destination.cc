#include "run/file_destination.h"

#include <filesystem>
#include <utility>

#include <fmt/format.h>

#include "batch/ndjson_batch.h"
#include "sink/file_sink.h"

namespace everyitem::run {

namespace {

namespace fs = std::filesystem;

constexpr const char* kStandardOutput = "-";

/// Where a run with `token` writes first, when it restarts over a file that has content: next to
/// it, so that the old content stays until the new run has its first items.
fs::path new_file_of(const fs::path& file, const std::string& token) {
  return fmt::format("{}.restart-{}", file.string(), token.substr(0, 16));
}

bool has_content(const fs::path& file) {
  std::error_code ignored;
  return fs::is_regular_file(file, ignored) && fs::file_size(file, ignored) > 0;
}

class FileDestination final : public Destination {
 public:
  explicit FileDestination(const std::string& file) : file_(file) {}

  std::string name() const override { return fs::path(file_).filename().string(); }
  std::string location() const override {
    return keeps_items() ? fs::absolute(file_).lexically_normal().string() : "standard output";
  }
  checkpoint::RunIdentity identity() const override { return {{"file", location()}}; }
  checkpoint::RunIdentity shared_identity() const override {
    return {{"file", "one for each worker"}};
  }
  /// Nobody knows what became of the items that a pipe took.
  bool keeps_items() const override { return file_ != kStandardOutput; }
  bool may_refuse_items() const override { return false; }

  void prepare(const RunStart& start) override {
    if (!keeps_items()) {
      sink_ = std::make_shared<sink::FileSink>(file_, sink::FileStart::fresh, 0);
      return;
    }
    const std::uint64_t delivered_bytes = start.item_bytes + start.items;  // each is a line
    // Through a link, its target is replaced.
    const fs::path target = fs::is_symlink(file_) ? fs::weakly_canonical(file_) : fs::path(file_);
    const fs::path new_file = new_file_of(target, start.token);
    std::error_code ignored;
    const bool replaces =
        start.kind == RunStart::Kind::restart ? has_content(file_) : fs::exists(new_file, ignored);
    if (replaces) {
      const auto file_start =
          start.kind == RunStart::Kind::restart ? sink::FileStart::fresh : sink::FileStart::resume;
      sink_ = std::make_shared<sink::FileSink>(new_file.string(), file_start, delivered_bytes);
      sink_->replace_at_first_append(target.string());
    } else {
      const auto file_start =
          start.kind == RunStart::Kind::resume ? sink::FileStart::resume : sink::FileStart::fresh;
      sink_ = std::make_shared<sink::FileSink>(file_, file_start, delivered_bytes);
    }
  }

  LaneDestination open(RunLoop&, std::size_t) override {
    return {.builder = std::make_unique<batch::NdjsonBuilder>(), .sink = sink_};
  }

  /// A table without items leaves an empty file.
  void complete() override { sink_->replace_now(); }

 private:
  std::string file_;
  std::shared_ptr<sink::FileSink> sink_;
};

Awaitable<std::unique_ptr<Destination>> describe_file(DestinationContext context) {
  co_return std::make_unique<FileDestination>(context.settings.file);
}

}  // namespace

DestinationKind file_destination() {
  return {.name = "file",
          .is_wanted = [](const ScanSettings& settings) { return !settings.file.empty(); },
          .describe = describe_file};
}

}  // namespace everyitem::run
