#include "operators/committer.h"

#include <algorithm>

#include "bounds/bounds.h"
#include "freshet/error.h"
#include "freshet/options.h"
#include "freshet/serde.h"
#include "task/scheduler.h"

namespace freshet::core {
namespace {

constexpr std::size_t kMostThreads = 4;

// In a catch (...) block; handlers only take notes.
CommitOutcome outcome_of_exception() {
  CommitOutcome outcome;
  try {
    throw;
  } catch (const CommitRefused& refused) {
    outcome.refused = true;
    outcome.text = refused.what();
  } catch (const DecodeError& error) {  // these bytes will never be others
    outcome.refused = true;
    outcome.text = error.what();
  } catch (...) {
    outcome.text = detail::current_exception_message();
  }
  return outcome;
}

std::string commit(const PreparedJob& job, const Committable& committable) {
  const JobGraph& graph = job.graph();
  for (std::uint32_t task = 0; task < graph.tasks.size(); ++task) {
    const auto& links = graph.tasks[task].links;
    for (std::uint32_t link = 0; link < links.size(); ++link) {
      const auto& vertices = links[link].vertices;
      const auto stage = std::find(vertices.begin(), vertices.end(), committable.vertex);
      if (stage == vertices.end()) continue;
      return job.make_operator(task, link)
          ->commit_prepared(static_cast<std::uint32_t>(stage - vertices.begin()),
                            committable.bytes);
    }
  }
  throw CommitRefused("job '" + graph.name + "' has no operator " +
                      std::to_string(committable.vertex) + ": what is to be committed is damaged");
}

}  // namespace

std::size_t most_text_of_commit(std::size_t committables) {
  return std::clamp<std::size_t>(kMostCommitTextBytes / std::max<std::size_t>(committables, 1), 64,
                                 kMostMessageBytes);
}

void commit_all(const Clock& clock, const PreparedJob& job,
                const std::vector<Committable>& committables, const Configuration& configuration,
                const OutcomeTold& told) {
  if (committables.empty()) return;
  const std::size_t most_text = most_text_of_commit(committables.size());
  std::size_t begun = 0;
  try {
    SchedulerOptions options;
    options.name = "fr-commit";
    options.stack_size.bytes =
        static_cast<std::size_t>(configuration.get(options::kTaskStackSize).bytes());
    SchedulerPool pool(clock, std::min(committables.size(), kMostThreads), options);
    for (; begun < committables.size(); ++begun) {
      static_cast<void>(pool.spawn(begun % pool.size(), "commit", [&, i = begun] {
        CommitOutcome outcome;
        try {
          outcome.text = commit(job, committables[i]);
          outcome.committed = true;
        } catch (...) {
          outcome = outcome_of_exception();
        }
        outcome.text = cut_to(most_text, std::move(outcome.text));
        told(i, std::move(outcome));
      }));
    }
    // The pool waits for them.
  } catch (...) {  // no thread or stack is to be had; those that have begun report
    CommitOutcome outcome;
    outcome.text = cut_to(most_text, "it could not be run: " + detail::current_exception_message());
    for (std::size_t i = begun; i < committables.size(); ++i) told(i, outcome);
  }
}

}  // namespace freshet::core
