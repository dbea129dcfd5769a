// A source that only tests have: parts of pages, made of the ids of their items.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "base/error.h"
#include "run/source.h"

namespace everyitem::run {

using Ids = std::vector<std::string>;
using Parts = std::vector<std::vector<Ids>>;  ///< of each part, its pages

/// Parts of pages of `items` items each; the first item of all is "0.0.0".
inline Parts parts_of(std::size_t parts, std::size_t pages, std::size_t items) {
  Parts all(parts);
  for (std::size_t part = 0; part < parts; ++part) {
    for (std::size_t page = 0; page < pages; ++page) {
      Ids& ids = all[part].emplace_back();
      for (std::size_t item = 0; item < items; ++item) {
        ids.push_back(fmt::format("{}.{}.{}", part, page, item));
      }
    }
  }
  return all;
}

class VectorReader final : public source::PageReader {
 public:
  VectorReader(const std::vector<Ids>& pages, source::ScanPosition position)
      : pages_(pages), position_(std::move(position)) {
    if (!position_.last_evaluated_key.empty()) {
      const boost::json::value key = boost::json::parse(position_.last_evaluated_key);
      next_ = std::stoul(std::string(key.at("page").at("N").as_string()));
    }
  }

  Awaitable<source::ScanPage> next(std::optional<std::uint64_t>, aws::Pacer*) override {
    boost::json::array items;
    for (const std::string& id : pages_.at(next_)) {
      items.push_back(boost::json::object{{"id", {{"S", id}}}});
    }
    ++next_;
    const auto count = static_cast<std::int64_t>(items.size());
    boost::json::object page{
        {"Items", std::move(items)}, {"Count", count}, {"ScannedCount", count}};
    position_ = {.last_evaluated_key = fmt::format(R"({{"page":{{"N":"{}"}}}})", next_)};
    if (next_ == pages_.size()) {
      position_ = {.complete = true};
    }
    PaddedBuffer body;
    body.append(boost::json::serialize(page));
    co_return source::ScanPage::parse(std::move(body), {.hash = "id", .range = {}});
  }

  const source::ScanPosition& position() const override { return position_; }

 private:
  const std::vector<Ids>& pages_;
  source::ScanPosition position_;
  std::size_t next_ = 0;
};

class VectorParts final : public source::PartSource {
 public:
  explicit VectorParts(const Parts& parts) : parts_(parts) {}

  std::unique_ptr<source::PageReader> open(std::uint32_t part,
                                           source::ScanPosition position) override {
    return std::make_unique<VectorReader>(parts_.at(part), std::move(position));
  }
  const source::KeyNames& keys() const override { return keys_; }
  std::optional<source::ScanPosition> position_after(const source::Item&) const override {
    return std::nullopt;
  }
  std::optional<std::uint64_t> page_limit(std::uint64_t items_left) const override {
    return items_left;
  }

 private:
  const Parts& parts_;
  source::KeyNames keys_{.hash = "id", .range = {}};
};

class VectorSource final : public Source {
 public:
  /// `refusal`: what reading it fails with; empty: nothing.
  VectorSource(const Parts& parts, std::string refusal, source::ReadCapacity capacity)
      : parts_(parts), refusal_(std::move(refusal)), capacity_(capacity) {}

  std::string name() const override { return "vector"; }
  std::string location() const override { return "vector"; }
  checkpoint::RunIdentity identity() const override { return {{"vector", "test"}}; }
  Message text() const override { return "a vector"; }
  std::uint64_t estimated_items() const override {
    std::uint64_t items = 0;
    for (const auto& pages : parts_) {
      for (const Ids& page : pages) {
        items += page.size();
      }
    }
    return items;
  }
  const source::ReadCapacity& read_capacity() const override { return capacity_; }
  double max_page_units() const override { return 1; }
  source::SegmentChoice choose_parts(std::optional<unsigned>) const override {
    return {.segments = static_cast<std::uint32_t>(parts_.size()),
            .reason = "as many as there are"};
  }
  Awaitable<std::optional<double>> try_read() override {
    if (!refusal_.empty()) {
      throw Error(ErrorKind::failed, {.operation = "read",
                                      .object = "the vector",
                                      .code = {},
                                      .message = refusal_,
                                      .hint = {}});
    }
    co_return 0.5;
  }
  std::unique_ptr<source::PartSource> open(RunLoop&, std::uint32_t) override {
    return std::make_unique<VectorParts>(parts_);
  }

 private:
  const Parts& parts_;
  std::string refusal_;
  source::ReadCapacity capacity_;
};

/// Its line in the list. `parts` outlives it.
inline SourceKind vector_source(const Parts& parts, const std::string& refusal = {},
                                const source::ReadCapacity& capacity = {}) {
  return {
      .name = "vector",
      .is_wanted = [](const ScanSettings&) { return true; },
      .describe = [&parts, refusal, capacity](SourceContext) -> Awaitable<std::unique_ptr<Source>> {
        co_return std::make_unique<VectorSource>(parts, refusal, capacity);
      }};
}

}  // namespace everyitem::run
