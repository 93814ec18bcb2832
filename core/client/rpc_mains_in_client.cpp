#include "client/rpc_mains_in_client.h"

namespace freshet::core {

MainsInClient::~MainsInClient() = default;

Future<void> RpcMainsInClient::begin(const std::string& application_id, const std::string& name,
                                     const std::string& ticket) {
  {
    const std::lock_guard lock(mutex_);
    begun_[application_id] = {name, ticket};
  }
  BeginApplication message;
  message.ticket = ticket;
  message.id = application_id;
  message.name = name;
  return session_->ask(message).then([](const Done&) {});
}

Future<void> RpcMainsInClient::end(const std::string& application_id, int exit_code,
                                   const MainEnd& end) {
  EndApplication message;
  message.id = application_id;
  message.exit_code = exit_code;
  message.canceled = end.canceled;
  message.reason = end.reason;
  return session_->ask(message).then([](const Done&) {});
}

void RpcMainsInClient::add_begun(SubmitJob& job) const {
  const std::lock_guard lock(mutex_);
  const auto begun = begun_.find(job.application_id);
  if (begun == begun_.end()) return;
  job.application_ticket = begun->second.ticket;
  job.application_name = begun->second.name;
}

}  // namespace freshet::core
