#include "shared_objects/judged_file.h"

#include "shared_objects/build_tag.h"

namespace freshet::core {
namespace {

constexpr std::size_t kMostRemembered = 10'000;

bool is_older_than(const FileIdentity& file, std::chrono::nanoseconds age) {
  using namespace std::chrono;
  const auto now = duration_cast<nanoseconds>(system_clock::now().time_since_epoch());
  return seconds(file.modified_s) + nanoseconds(file.modified_ns) + age <= now;
}

}  // namespace

CatalogEntry judged_file(const std::filesystem::path& file) {
  CatalogEntry entry;
  entry.file.path = file;
  entry.reason = read_what_can_be_read(entry.file);
  if (!entry.file.identity.build_tag.empty()) {
    const BuildTag tag(entry.file.identity.build_tag);
    entry.differences = tag.shown_differences(BuildTag::of_core());
    if (entry.reason.empty())
      entry.reason = tag.refusal(BuildTag::of_core(), host_has_instructions);
  }
  if (!entry.reason.empty()) entry.state = CatalogEntry::State::kRefused;
  return entry;
}

JudgedFiles::JudgedFiles(std::chrono::nanoseconds settled) : settled_(settled) {}

JudgedFiles& JudgedFiles::of_this_process() {
  static auto* const files = new JudgedFiles();
  return *files;
}

CatalogEntry JudgedFiles::judged(const std::filesystem::path& file) {
  const auto is_there = FileIdentity::of(file);
  if (is_there) {
    const std::lock_guard lock(mutex_);
    if (const auto known = known_.find(*is_there); known != known_.end()) {
      CatalogEntry entry = known->second;
      entry.file.path = file;
      return entry;
    }
  }

  CatalogEntry entry = judged_file(file);
  const std::lock_guard lock(mutex_);
  ++reads_;
  // The name of an application may come from its path, so one file can have several.
  const bool is_the_files_own = entry.file.identity.kind != FRESHET_KIND_APPLICATION;
  if (is_there && entry.file.file == *is_there && FileIdentity::of(file) == is_there &&
      is_the_files_own && is_older_than(*is_there, settled_)) {
    if (known_.size() >= kMostRemembered) known_.clear();
    known_.emplace(*is_there, entry);
  }
  return entry;
}

std::uint64_t JudgedFiles::reads() const {
  const std::lock_guard lock(mutex_);
  return reads_;
}

}  // namespace freshet::core
