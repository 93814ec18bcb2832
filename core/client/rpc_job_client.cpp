#include "client/rpc_job_client.h"

#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "control/alive.h"
#include "task/forked_child.h"

namespace freshet::core {

RowReader::~RowReader() = default;

namespace {

using Row = std::optional<std::string>;

Future<std::string> no_snapshots(const std::string& job_name, const char* what) {
  return failed<std::string>(Error(std::string(what) + " of job '" + job_name +
                                   "' is not supported by this job yet: it keeps no snapshots"));
}

}  // namespace

struct RpcJobClient::Rows final : public std::enable_shared_from_this<Rows> {
  struct Reading {
    std::shared_ptr<RowReader> reader;  // null: there is none, or its rows have ended
    Address worker;                     // that was read last
    bool has_handed_out = false;
    Row pending{};  // the first, of which the job manager does not know yet
  };

  Rows(std::shared_ptr<ClientSession> its_session, std::shared_ptr<const RowReaders> its_readers,
       std::string its_job_id, std::string its_job_name)
      : session(std::move(its_session)),
        readers(std::move(its_readers)),
        job_id(std::move(its_job_id)),
        job_name(std::move(its_job_name)) {}

  Future<Row> next(const std::string& vertex) {
    if (auto refusal = refusal_in_forked_child("rows of job '" + job_name + "' can't be collected"))
      return make_failed_future<Row>(std::move(refusal));
    if (!readers || !readers->make) {
      return failed<Row>(Error("rows of job '" + job_name + "' can't be collected by this client"));
    }
    std::shared_ptr<RowReader> reader;
    {
      const std::lock_guard lock(mutex);
      reader = by_vertex[vertex].reader;
    }
    return reader ? read(vertex, reader) : find(vertex, "");
  }

  // The worker that has the rows: of the attempt that runs, or of the next one after that whose
  // rows have ended here, by `error` or as they should. The job manager answers once there is
  // another, or the job has ended.
  Future<Row> find(const std::string& vertex, const std::string& error) {
    CollectAddress message;
    message.job_id = job_id;
    message.vertex_id = vertex;
    message.reader = readers->key;
    {
      const std::lock_guard lock(mutex);
      message.read = by_vertex[vertex].worker;
    }
    return session->ask(message).then(
        [self = shared_from_this(), vertex, error](const CollectAddress::Answer& answer) {
          if (answer.address.endpoint.empty()) return self->after_the_end(error);
          return self->begin(vertex, answer.address);
        });
  }

  Future<Row> begin(const std::string& vertex, const Address& worker) {
    {
      const std::lock_guard lock(mutex);
      Reading& reading = by_vertex[vertex];
      if (reading.has_handed_out) {  // its job manager would not have done that
        CancelJob cancel;
        cancel.id = job_id;
        static_cast<void>(session->ask(cancel));
        return failed<Row>(Error(
            "the rows of job '" + job_name +
            "' can't be handed out any more: another job manager "
            "has begun to run it again, and some had been handed out already, which would come "
            "twice: run it again for all of them, or let a sink keep them"));
      }
      reading.worker = worker;
    }
    std::shared_ptr<RowReader> made = readers->make(worker, job_id, vertex);
    {
      const std::lock_guard lock(mutex);
      by_vertex[vertex].reader = made;
      all_readers.push_back(made);
    }
    return read(vertex, made);
  }

  Future<Row> read(const std::string& vertex, const std::shared_ptr<RowReader>& reader) {
    Row pending;
    {
      const std::lock_guard lock(mutex);
      pending = std::exchange(by_vertex[vertex].pending, std::nullopt);
    }
    if (pending) return hand_out_first(vertex, pending);
    return reader->next().then([self = shared_from_this(), vertex](const Future<Row>& done) {
      const std::string error = error_of(done);
      const bool is_row = error.empty() && done.get().has_value();
      {
        const std::lock_guard lock(self->mutex);
        Reading& reading = self->by_vertex[vertex];
        if (!is_row) reading.reader.reset();
        if (is_row && reading.has_handed_out) return done;
      }
      return is_row ? self->hand_out_first(vertex, done.get()) : self->find(vertex, error);
    });
  }

  // If they are of an attempt that has failed meanwhile they are nobody's.
  Future<Row> hand_out_first(const std::string& vertex, const Row& row) {
    KeepRows message;
    message.job_id = job_id;
    message.vertex_id = vertex;
    {
      const std::lock_guard lock(mutex);
      message.worker = by_vertex[vertex].worker;
    }
    return session->ask(message).then(
        [self = shared_from_this(), vertex, row](const Future<KeepRows::Answer>& done) {
          const bool is_answered = error_of(done).empty();
          const bool count = is_answered && done.get().count;
          {
            const std::lock_guard lock(self->mutex);
            Reading& reading = self->by_vertex[vertex];
            reading.has_handed_out = count;
            if (!is_answered) reading.pending = row;
            if (is_answered && !count) reading.reader.reset();
          }
          if (!is_answered) static_cast<void>(done.get());
          return count ? make_ready_future(row)
                       : self->find(vertex, "they were of an attempt that has failed");
        });
  }

  // No rows follow: as the job's result has it.
  Future<Row> after_the_end(const std::string& error) {
    AwaitJob message;
    message.id = job_id;
    return session->ask(message).then([error](const JobResult& result) -> Row {
      if (result.status == JobStatus::kFailed) {
        throw JobFailed(result.job_name, result.failure.value_or(FailureInfo{}));
      }
      if (result.status == JobStatus::kCanceled) throw JobCanceled(result.job_name);
      if (!error.empty()) {
        throw Error("rows of job '" + result.job_name + "' were lost: " + error);
      }
      return std::nullopt;
    });
  }

  const std::shared_ptr<ClientSession> session;
  const std::shared_ptr<const RowReaders> readers;
  const std::string job_id, job_name;
  std::mutex mutex;
  std::map<std::string, Reading> by_vertex;
  // None is let go by what it calls.
  std::vector<std::shared_ptr<RowReader>> all_readers;
};

RpcJobClient::RpcJobClient(std::shared_ptr<ClientSession> session,
                           std::shared_ptr<const RowReaders> readers, std::string job_id,
                           std::string job_name)
    : session_(std::move(session)),
      job_id_(std::move(job_id)),
      job_name_(std::move(job_name)),
      rows_(std::make_shared<Rows>(session_, std::move(readers), job_id_, job_name_)) {}
RpcJobClient::~RpcJobClient() {
  // Readers wait for threads that are not there: kept for good.
  if (is_forked_child()) static_cast<void>(new auto(rows_));
}

const std::string& RpcJobClient::job_id() const { return job_id_; }
const std::string& RpcJobClient::job_name() const { return job_name_; }

Future<JobStatus> RpcJobClient::status() {
  DescribeJob message;
  message.id = job_id_;
  return session_->ask(message).then([](const JobInfo& info) { return info.status; });
}

Future<JobResult> RpcJobClient::result() {
  AwaitJob message;
  message.id = job_id_;
  return session_->ask(message);
}

Future<void> RpcJobClient::cancel() {
  CancelJob message;
  message.id = job_id_;
  return session_->ask(message).then([](const Done&) {});
}

Future<void> RpcJobClient::cancel_by_force() {
  CancelJob message;
  message.id = job_id_;
  message.force = true;
  return session_->ask(message).then([](const Done&) {});
}

Future<AccumulatorValues> RpcJobClient::accumulators() {
  GetAccumulators message;
  message.id = job_id_;
  return session_->ask(message).then(
      [](const GetAccumulators::Answer& answer) { return answer.values; });
}

Future<JobDetails> RpcJobClient::details() {
  GetJobDetails message;
  message.id = job_id_;
  return session_->ask(message);
}

Future<std::string> RpcJobClient::stop(const std::string&, bool) {
  return no_snapshots(job_name_, "stop");
}

Future<std::string> RpcJobClient::savepoint(const std::string&) {
  return no_snapshots(job_name_, "savepoint");
}

Future<Row> RpcJobClient::next_result(const std::string& vertex_id) {
  return rows_->next(vertex_id);
}

Future<std::optional<JobMessage>> RpcJobClient::next_message(std::uint64_t after) {
  NextMessage message;
  message.job_id = job_id_;
  message.after = after;
  return session_->ask(message).then(
      [](const NextMessage::Answer& answer) { return answer.message; });
}

}  // namespace freshet::core
