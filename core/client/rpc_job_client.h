// JobClient of a job on a cluster.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "client/client_session.h"
#include "freshet/api.h"
#include "freshet/job_client.h"

namespace freshet::core {

// Rows of one collecting vertex, from the worker that has its subtask. [any thread]
class FRESHET_API RowReader {
 public:
  virtual ~RowReader();
  // The next rows, nothing after the end; fails if the worker is lost.
  virtual Future<std::optional<std::string>> next() = 0;
};

// How a client of this process reads rows. [any thread]
struct RowReaders {
  PublicKey key;  // by which workers let the reader in
  // `vertex`: uid or id of the collecting operator.
  std::function<std::unique_ptr<RowReader>(const Address& worker, const std::string& job_id,
                                           const std::string& vertex)>
      make;
};

class FRESHET_API RpcJobClient final : public JobClient {
 public:
  RpcJobClient(std::shared_ptr<ClientSession> session, std::shared_ptr<const RowReaders> readers,
               std::string job_id, std::string job_name);
  ~RpcJobClient() override;

  const std::string& job_id() const override;
  const std::string& job_name() const override;
  Future<JobStatus> status() override;
  Future<JobResult> result() override;
  Future<void> cancel() override;
  Future<void> cancel_by_force() override;
  Future<AccumulatorValues> accumulators() override;
  Future<JobDetails> details() override;
  Future<std::string> stop(const std::string& directory, bool drain) override;
  Future<std::string> savepoint(const std::string& directory) override;
  Future<std::optional<std::string>> next_result(const std::string& vertex_id) override;
  Future<std::optional<JobMessage>> next_message(std::uint64_t after) override;

 private:
  // Outlives the client while a call of next_result() is under way.
  struct Rows;
  const std::shared_ptr<ClientSession> session_;
  const std::string job_id_, job_name_;
  const std::shared_ptr<Rows> rows_;
};

}  // namespace freshet::core
