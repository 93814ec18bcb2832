// What of a job's committables is visible, what may be, what is still to be committed, and how a
// commit that has failed is reported.
//
// Threads    One at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "checkpoint/committable.h"
#include "freshet/api.h"
#include "freshet/plugin/job_graph.h"
#include "freshet/plugin/operator.h"

namespace freshet::core {

class FRESHET_API CommitProgress {
 public:
  CommitProgress(const JobGraph& graph, std::vector<Committable> committables);

  bool done() const { return committed_ == items_.size(); }
  // Some were refused: to try again is of no use.
  bool refused() const { return refused_; }
  std::vector<std::size_t> open() const;  // places of those that are not committed
  const Committable& at(std::size_t place) const { return items_[place].committable; }
  void note(std::size_t place, const CommitOutcome& outcome);
  // That of one subtask is visible; nothing if the job has no such output.
  void note_committed(std::uint32_t vertex, std::uint32_t subtask, const std::string& text);
  // The worker that was to commit it has ended before it answered: whether it is visible is not
  // known, until another one has committed it.
  void note_lost(std::size_t place, const std::string& why);
  // "2 of 3 outputs are committed, tried again: …"
  std::string detail() const;
  // `why` as in "within 10 min"; names what is visible, and what may be.
  FailureInfo failure(const std::string& why) const;

  // How long to wait before the next try.
  std::int64_t next_pause_ms();

 private:
  struct Item {
    Committable committable;
    CommitOutcome outcome;
    bool may_be_visible = false;
  };
  std::string text_of(const Item& item) const;
  // The first ones, by name; empty: there are none.
  template <class Which>
  std::string names(Which which) const;
  const Item* first_failed() const;

  std::vector<std::string> operators_;  // names, by place in the graph
  std::set<std::uint32_t> files_;       // places of those that are write_text()
  std::vector<Item> items_;
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::size_t> places_;  // by vertex and subtask
  std::size_t committed_ = 0;
  bool refused_ = false;
  std::int64_t pause_ms_ = 0;
};

}  // namespace freshet::core
