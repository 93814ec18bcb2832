#include "high_availability/kept_jobs.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <map>
#include <optional>
#include <tuple>

#include "links/packing.h"
#include "messages/wire_types.h"

namespace freshet::core {
namespace {

using Ids = std::vector<std::string>;
using Bytes = std::optional<std::string>;

// Beside the graphs; the ids of jobs have 32 hex digits.
constexpr const char* kEndOfCluster = "cluster-ended";
constexpr std::string_view kCommit = ".commit";  // behind the id of a job

// Of the job whose commit is kept under that id; empty: it is no such id.
std::string job_of_commit(const std::string& id) {
  return id.ends_with(kCommit) ? id.substr(0, id.size() - kCommit.size()) : "";
}
std::string commit_of(const std::string& job_id) { return job_id + std::string(kCommit); }

// nullopt: it can't be read.
template <class T>
std::optional<T> unpacked(const char* kind, const std::string& job_id, const std::string& bytes) {
  try {
    return unpack_body<T>(kind, bytes);
  } catch (const std::exception& error) {
    spdlog::error("what is stored as the {} of job '{}' is left alone: {}", kind, job_id,
                  error.what());
    return std::nullopt;
  }
}

}  // namespace

JobInfo KeptResult::info() const {
  return {result.job_id, result.job_name, application_id, result.status,
          detail,        since_ms,        ended_ms};
}

KeptJobs::KeptJobs(ControlThread& thread, HighAvailability& service, Persistence& persistence)
    : thread_(thread), service_(service), persistence_(persistence) {}

KeptJobs::~KeptJobs() { alive_.end(); }

// ---- what was left ------------------------------------------------------------------------------

struct KeptJobs::Reading {
  std::map<std::string, std::string> graphs, results;  // bytes by job
  std::size_t missing = 0;                             // that were asked for and have not come
  Left left;
  std::function<void(Left)> done;
};

namespace {

// Gets what is there under each of the ids, then calls `then`.
void get_all(Persistence& persistence, JobStore& store, const Ids& ids, const char* kind,
             std::map<std::string, std::string>& into, std::size_t& missing,
             const std::function<void()>& then) {
  missing = ids.size() + 1;
  for (const std::string& id : ids) {
    persistence.until_done<Bytes>(
        std::string("the ") + kind + " of job '" + id + "' can't be read",
        [&store, id] { return store.get(id); },
        [&into, &missing, id, then](const Future<Bytes>& got) {
          if (const Bytes bytes = got.get()) into[id] = *bytes;
          if (--missing == 0) then();
        });
  }
  if (--missing == 0) then();
}

}  // namespace

void KeptJobs::read(std::function<void(Left)> done) {
  const auto reading = std::make_shared<Reading>();
  reading->done = std::move(done);
  persistence_.until_done<Ids>(
      "the graphs of jobs that run can't be listed", [this] { return service_.job_graphs().ids(); },
      [this, reading](const Future<Ids>& ids) {
        get_all(persistence_, service_.job_graphs(), ids.get(), "graph", reading->graphs,
                reading->missing, [this, reading] { read_results(reading); });
      });
}

void KeptJobs::read_results(const std::shared_ptr<Reading>& reading) {
  persistence_.until_done<Ids>(
      "the results of jobs that have ended can't be listed",
      [this] { return service_.job_results().ids(); },
      [this, reading](const Future<Ids>& ids) {
        get_all(persistence_, service_.job_results(), ids.get(), "result", reading->results,
                reading->missing, [this, reading] { read_graphs(reading); });
      });
}

// All bytes have come.
void KeptJobs::read_graphs(const std::shared_ptr<Reading>& reading) {
  Left& left = reading->left;
  for (const auto& [id, bytes] : reading->results) {
    if (auto result = unpacked<KeptResult>("result", id, bytes)) {
      left.results.push_back(*std::move(result));
    }
  }
  for (const auto& [id, bytes] : reading->graphs) {
    if (id == kEndOfCluster) {
      left.end = unpacked<KeptEnd>("end", id, bytes);
    } else if (const std::string job = job_of_commit(id); !job.empty()) {
      if (reading->results.count(job) || !reading->graphs.count(job)) {
        remove(id);
      } else if (auto commit = unpacked<JobCommit>("commit", job, bytes)) {
        committing_.insert(job);
        left.commits.emplace(job, *std::move(commit));
      }
    } else if (reading->results.count(id)) {
      remove(id);  // its leader went between the two
    } else if (auto graph = unpacked<KeptGraph>("graph", id, bytes)) {
      left.jobs.push_back(*std::move(graph));
    }
  }
  std::stable_sort(left.jobs.begin(), left.jobs.end(),
                   [](const KeptGraph& a, const KeptGraph& b) { return a.since_ms < b.since_ms; });
  std::stable_sort(
      left.results.begin(), left.results.end(),
      [](const KeptResult& a, const KeptResult& b) { return a.ended_ms < b.ended_ms; });
  reading->done(std::move(left));
}

// ---- what is kept -------------------------------------------------------------------------------

void KeptJobs::put_graph(const std::string& job_id, const KeptGraph& graph,
                         std::function<void(const std::string& error)> done) {
  if (removing_.count(job_id)) {
    done("an earlier graph of that id is still being removed: submit it again later");
    return;
  }
  auto call = [this, &job_id, bytes = pack_body(graph)] {
    return service_.job_graphs().put(term_, job_id, bytes);
  };
  on_control(thread_, alive_, answer_of<void>(call),
             [this, job_id, done = std::move(done)](const Future<void>& future) {
               std::string error;
               switch (Persistence::outcome_of(future, error)) {
                 case Persistence::Outcome::kDone:
                   done("");
                   return;
                 case Persistence::Outcome::kLost:
                   done(error);
                   persistence_.lose(error);
                   return;
                 case Persistence::Outcome::kFailed:
                   remove_graph(job_id);
                   done(error);
                   return;
               }
             });
}

void KeptJobs::remove(const std::string& id) {
  removing_.insert(id);
  persistence_.until_done<void>(
      "what is stored as '" + id + "' of jobs that run can't be removed",
      [this, id] { return service_.job_graphs().remove(term_, id); },
      [this, id](const Future<void>&) { removing_.erase(id); });
}

// The graph last: without it a commit is nobody's.
void KeptJobs::remove_graph(const std::string& job_id) {
  if (committing_.erase(job_id)) remove(commit_of(job_id));
  remove(job_id);
}

void KeptJobs::put_commit(const std::string& job_id, const JobCommit& commit,
                          std::function<void()> done,
                          std::function<void(const std::string& error)> waits) {
  committing_.insert(job_id);
  persistence_.until_done<void>(
      "what job '" + job_id + "' has to commit can't be stored, so that it waits",
      [this, id = commit_of(job_id), bytes = pack_body(commit)] {
        return service_.job_graphs().put(term_, id, bytes);
      },
      [done = std::move(done)](const Future<void>&) { done(); }, std::move(waits));
}

void KeptJobs::put_result(const KeptResult& result, std::function<void()> done,
                          std::function<void(const std::string& error)> waits) {
  const std::string& id = result.result.job_id;
  persistence_.until_done<void>(
      "the result of job '" + id + "' can't be stored, so that nobody is told of its end",
      [this, id, bytes = pack_body(result)] {
        return service_.job_results().put(term_, id, bytes);
      },
      [this, id, done = std::move(done)](const Future<void>&) {
        remove_graph(id);
        done();
      },
      std::move(waits));
}

void KeptJobs::remove_result(const std::string& job_id) {
  persistence_.until_done<void>(
      "the result of job '" + job_id + "' can't be removed from its store",
      [this, job_id] { return service_.job_results().remove(term_, job_id); },
      [](const Future<void>&) {});
}

void KeptJobs::put_end(const KeptEnd& end, std::function<void()> done) {
  persistence_.until_done<void>(
      "the end of the cluster can't be stored, so that others would go on",
      [this, bytes = pack_body(end)] {
        return service_.job_graphs().put(term_, kEndOfCluster, bytes);
      },
      [done = std::move(done)](const Future<void>&) { done(); });
}

void KeptJobs::remove_end() { remove(kEndOfCluster); }

}  // namespace freshet::core
