#include "job_master/commit_progress.h"

#include <algorithm>
#include <utility>

#include "bounds/bounds.h"
#include "bounds/failure_text.h"
#include "rare_paths/rare_paths.h"

namespace freshet::core {

CommitProgress::CommitProgress(const JobGraph& graph, std::vector<Committable> committables) {
  for (const JobVertex& vertex : graph.vertices) {
    if (vertex.kind == "write_text") files_.insert(static_cast<std::uint32_t>(operators_.size()));
    operators_.push_back(vertex.name);
  }
  for (Committable& each : committables) {
    places_.emplace(std::pair(each.vertex, each.subtask), items_.size());
    items_.push_back({std::move(each), {}});
  }
}

std::vector<std::size_t> CommitProgress::open() const {
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < items_.size(); ++i) {
    if (!items_[i].outcome.committed) places.push_back(i);
  }
  return places;
}

void CommitProgress::note(std::size_t place, const CommitOutcome& outcome) {
  Item& item = items_[place];
  if (item.outcome.committed) return;
  item.outcome = outcome;
  item.outcome.text = as_text_of_failure(cut_to(kMostMessageBytes, std::move(item.outcome.text)));
  if (outcome.committed) ++committed_;
  refused_ |= outcome.refused;
}

void CommitProgress::note_committed(std::uint32_t vertex, std::uint32_t subtask,
                                    const std::string& text) {
  const auto found = places_.find({vertex, subtask});
  if (found != places_.end()) note(found->second, {true, false, text});
}

void CommitProgress::note_lost(std::size_t place, const std::string& why) {
  note(place, {false, false, why});
  items_[place].may_be_visible = true;
}

std::string CommitProgress::text_of(const Item& item) const {
  if (item.outcome.committed && !item.outcome.text.empty()) return "'" + item.outcome.text + "'";
  const std::uint32_t vertex = item.committable.vertex;
  return "that of '" + (vertex < operators_.size() ? operators_[vertex] : "?") + "' (subtask " +
         std::to_string(item.committable.subtask) + ")";
}

const CommitProgress::Item* CommitProgress::first_failed() const {
  const Item* first = nullptr;
  for (const Item& item : items_) {
    if (item.outcome.committed) continue;
    if (item.outcome.refused) return &item;
    if (!first || (first->outcome.text.empty() && !item.outcome.text.empty())) first = &item;
  }
  return first;
}

std::string CommitProgress::detail() const {
  std::string text = std::to_string(committed_) + " of " + std::to_string(items_.size()) +
                     " outputs are committed";
  const Item* failed = first_failed();
  if (failed && !failed->outcome.text.empty()) text += ", tried again: " + failed->outcome.text;
  return text;
}

template <class Which>
std::string CommitProgress::names(Which which) const {
  constexpr std::size_t kMostNames = 20;
  std::string text;
  std::size_t named = 0;
  for (const Item& item : items_) {
    if (!which(item) || named++ >= kMostNames) continue;
    text += (text.empty() ? "" : ", ") + text_of(item);
  }
  if (named > kMostNames) text += " and " + std::to_string(named - kMostNames) + " more";
  return text;
}

FailureInfo CommitProgress::failure(const std::string& why) const {
  FailureInfo failure;
  const Item* failed = first_failed();
  if (failed && failed->committable.vertex < operators_.size()) {
    failure.operator_name = operators_[failed->committable.vertex];
    failure.subtask = failed->committable.subtask;
  }
  failure.message = std::to_string(items_.size() - committed_) + " of " +
                    std::to_string(items_.size()) + " outputs could not be committed " + why;
  if (failed && !failed->outcome.text.empty()) failure.message += ": " + failed->outcome.text;
  const std::string visible = names([](const Item& item) { return item.outcome.committed; });
  const std::string perhaps =
      names([](const Item& item) { return item.may_be_visible && !item.outcome.committed; });
  if (!visible.empty()) failure.message += ". Visible of this job are: " + visible;
  if (!perhaps.empty()) {
    failure.message +=
        ". Look for these, which may be visible, because their worker has ended before it "
        "answered: " +
        perhaps;
  }
  if (visible.empty() && perhaps.empty()) failure.message += ". Nothing of the job is visible";
  failure.message += ". What is prepared and not committed may be left";
  const bool of_files = std::any_of(items_.begin(), items_.end(), [this](const Item& item) {
    return !item.outcome.committed && files_.count(item.committable.vertex) > 0;
  });
  if (of_files) {
    failure.message +=
        ", as hidden '.part-N.prepared-...' files of write_text(): remove them, since the next run "
        "into that folder is refused while they are there";
  }
  return failure;
}

std::int64_t CommitProgress::next_pause_ms() {
  constexpr std::int64_t kFirstMs = 100, kLongestMs = 10'000;
  passes_rare_path(RarePath::kCommitTriedAgain);
  pause_ms_ = pause_ms_ == 0 ? kFirstMs : std::min(2 * pause_ms_, kLongestMs);
  if (takes_rare_path(RarePath::kCommitPutOff)) pause_ms_ = kLongestMs;
  return pause_ms_;
}

}  // namespace freshet::core
