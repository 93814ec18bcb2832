// MainsInClient over the link of a client. The client's jobs carry what it has begun.
//
// Threads    Any.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "client/client_session.h"
#include "client/mains_in_client.h"

namespace freshet::core {

class RpcMainsInClient final : public MainsInClient {
 public:
  explicit RpcMainsInClient(std::shared_ptr<ClientSession> session)
      : session_(std::move(session)) {}

  Future<void> begin(const std::string& application_id, const std::string& name,
                     const std::string& ticket) override;
  Future<void> end(const std::string& application_id, int exit_code, const MainEnd& end) override;
  bool has_lost_records() const override { return session_->has_lost_records(); }

  // Name and ticket, if its main is here: a job manager that has restarted begins the application
  // again with its next job.
  void add_begun(SubmitJob& job) const;

 private:
  struct Begun {
    std::string name, ticket;
  };

  const std::shared_ptr<ClientSession> session_;
  mutable std::mutex mutex_;
  std::map<std::string, Begun> begun_;  // by application
};

}  // namespace freshet::core
