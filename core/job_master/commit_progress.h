// What of a job's committables is visible, what is still to be committed, and how a commit that has
// failed is told.
//
// Threads    One at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "freshet/api.h"
#include "freshet/job_graph.h"
#include "freshet/operator.h"
#include "operators/committable.h"

namespace freshet {

class FRESHET_API CommitProgress {
 public:
  CommitProgress(const JobGraph& graph, std::vector<Committable> committables);

  bool done() const { return committed_ == items_.size(); }
  // Some were refused: to try again is of no use.
  bool refused() const { return refused_; }
  std::vector<std::size_t> open() const;  // places of those that are not committed
  const Committable& at(std::size_t place) const { return items_[place].committable; }
  void note(std::size_t place, const CommitOutcome& outcome);
  // "2 of 3 parts are committed; the others: …"
  std::string detail() const;
  // `why` as in "within 10 min"; names what is visible.
  FailureInfo failure(const std::string& why) const;

  // How long to wait before the next try.
  std::int64_t next_pause_ms();

 private:
  struct Item {
    Committable committable;
    CommitOutcome outcome;
  };
  std::string text_of(const Item& item) const;
  const Item* first_failed() const;

  std::vector<std::string> operators_;  // names, by place in the graph
  std::vector<Item> items_;
  std::size_t committed_ = 0;
  bool refused_ = false;
  std::int64_t pause_ms_ = 0;
};

}  // namespace freshet
