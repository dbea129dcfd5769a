#include "run/file_destination.h"

#include <algorithm>
#include <filesystem>
#include <string_view>
#include <utility>
#include <variant>

#include <fmt/format.h>

#include "base/error.h"
#include "batch/ndjson_batch.h"
#include "sink/file_sink.h"
#include "sink/line_file.h"

namespace everyitem::run {

namespace {

namespace fs = std::filesystem;

/// Where a run with `token` writes first, when it restarts over a file that has content: next to
/// it, so that the old content stays until the new run has its first items.
fs::path new_file_of(const fs::path& file, const std::string& token) {
  return fmt::format("{}.restart-{}", file.string(), token.substr(0, 16));
}

constexpr std::string_view kFileId = "file id";

bool has_content(const fs::path& file) {
  std::error_code ignored;
  return fs::is_regular_file(file, ignored) && fs::file_size(file, ignored) > 0;
}

class FileDestination final : public Destination {
 public:
  explicit FileDestination(const sink::OutputLocation& output)
      : file_(sink::to_text(output)),
        keeps_items_(std::holds_alternative<sink::OutputFile>(output)) {}

  std::string name() const override { return fs::path(file_).filename().string(); }
  std::string location() const override {
    return keeps_items() ? fs::absolute(file_).lexically_normal().string() : "standard output";
  }
  Message text() const override { return keeps_items() ? "file " + location() : location(); }
  checkpoint::RunIdentity identity() const override { return {{"file", location()}}; }
  checkpoint::RunIdentity shared_identity() const override {
    return {{"file", "one for each worker"}};
  }
  /// Nobody knows what became of the items that a pipe took.
  bool keeps_items() const override { return keeps_items_; }
  bool may_refuse_items() const override { return false; }

  void prepare(const RunStart& start) override {
    if (!keeps_items()) {
      sink_ = std::make_shared<sink::FileSink>(file_, sink::FileStart::fresh, 0);
      return;
    }
    const bool resumes = start.kind == RunStart::Kind::resume;
    const fs::path new_file = new_file_of(target(), start.token);
    std::error_code ignored;
    const bool replaces =
        start.kind == RunStart::Kind::restart ? has_content(file_) : fs::exists(new_file, ignored);
    const std::string writes_to = replaces ? new_file.string() : file_;
    if (resumes) {
      check_id(writes_to, start);
    }
    sink_ = std::make_shared<sink::FileSink>(
        writes_to, resumes ? sink::FileStart::resume : sink::FileStart::fresh,
        start.item_bytes + start.items);  // each is a line
    if (replaces) {
      sink_->replace_at_first_append(target().string());
    }
    id_ = sink::file_id(writes_to);
    if (!resumes && !id_.empty()) {
      sink::sync_folder_of(writes_to);
    }
  }

  checkpoint::RunIdentity marks() const override {
    return id_.empty() ? checkpoint::RunIdentity()
                       : checkpoint::RunIdentity{{std::string(kFileId), id_}};
  }

  LaneDestination open(RunLoop&, std::size_t) override {
    return {.builder = std::make_unique<batch::NdjsonBuilder>(), .sink = sink_};
  }

  /// A table without items leaves an empty file.
  void complete() override {
    sink_->replace_now();
    if (!id_.empty() && sink::file_id(file_) != id_) {
      throw other_file(file_, "was removed or replaced while the run wrote to it");
    }
  }

  void complete_again(const RunStart& start) override {
    std::error_code ignored;
    if (keeps_items() && fs::exists(new_file_of(target(), start.token), ignored)) {
      prepare(start);
      complete();
    }
  }

 private:
  /// Through a link, its target is replaced.
  fs::path target() const {
    return fs::is_symlink(file_) ? fs::weakly_canonical(file_) : fs::path(file_);
  }

  static Error other_file(const std::string& path, const std::string& what) {
    ErrorDetails details;
    details.operation = "write";
    details.object = path;
    details.message = "the file " + what;
    details.hint = "Put the file of the run back, or start over with " + setting::kRestart + ".";
    return {ErrorKind::failed, std::move(details)};
  }

  /// A file that another run has put in the place of this one's is not continued.
  static void check_id(const std::string& path, const RunStart& start) {
    const auto mark = std::ranges::find(start.marks, kFileId, &checkpoint::IdentityPart::name);
    const std::string id = sink::file_id(path);
    if (mark != start.marks.end() && !id.empty() && id != mark->value) {
      throw other_file(path, "is not the one that the run began");
    }
  }

  std::string file_;
  bool keeps_items_;
  std::string id_;  ///< of the file that is written; empty if it is not a regular file
  std::shared_ptr<sink::FileSink> sink_;
};

Awaitable<std::unique_ptr<Destination>> describe_file(DestinationContext context) {
  co_return std::make_unique<FileDestination>(*context.settings.output);
}

}  // namespace

DestinationKind file_destination() {
  return {.name = "file",
          .is_wanted = [](const ScanSettings& settings) { return settings.output.has_value(); },
          .describe = describe_file};
}

}  // namespace everyitem::run
