// A client's link to the job manager of one cluster, kept up as long as anybody uses it: what was
// asked and not answered when the link was lost is asked again.
//
// Begin here; rpc_cluster_client.h and rpc_job_client.h are the clients, uploads.h brings files.
//
// Threads    ask(), listen() and the destructor from any thread; the rest on the control thread,
//            where futures complete and the listener is told. Each may let go of the session.
// End        The session ends with the last copy of its shared_ptr; a request that is not answered
//            yet holds one.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "control/control_thread.h"
#include "freshet/api.h"
#include "freshet/cluster_client.h"
#include "links/link.h"
#include "links/not_known.h"
#include "messages/messages.h"

namespace freshet::core {

// The job manager that answers has been started since this client came to its cluster, and has no
// records of what was submitted before: the result of that is unknown.
class FRESHET_API RecordsLost final : public ClusterUnreachable {
 public:
  using ClusterUnreachable::ClusterUnreachable;
  ~RecordsLost() override;
};

struct ClientSessionOptions {
  std::string cluster_id;
  // Where the job manager is: asked for each time that it is looked for.
  std::function<Address()> job_manager;
  std::int64_t patience_ms = 5'000;  // client.timeout
  // What the cluster accepts of jobs is known to every later job manager of it.
  bool keeps_jobs = false;
  // Of whom control thread and links are; let go last. What waits in its destructor is shared by
  // share_with_own_threads(), since the session may end on the control thread.
  std::shared_ptr<void> owner;
};

// What becomes of a request whose link is lost before the answer.
enum class Repeat : std::uint8_t {
  kAlways,          // asked again
  kSameJobManager,  // asked again unless the job manager has restarted: it might be done twice
  kKeptJobs,        // the same, but always of a cluster that keeps jobs
  kNever,           // fails with LinkLost
};

class FRESHET_API ClientSession : public std::enable_shared_from_this<ClientSession> {
 public:
  // `links` are those of the control thread.
  static std::shared_ptr<ClientSession> start(ControlThread& thread, Links& links,
                                              ClientSessionOptions options);
  ~ClientSession();

  const std::string& cluster_id() const;
  // Fails with InvalidInput, RemoteError, RecordsLost, or ClusterUnreachable if there is no job
  // manager for so long.
  template <class M>
  Future<typename M::Answer> ask(M message, Repeat repeat = Repeat::kAlways);
  void listen(std::shared_ptr<ClusterListener> listener);
  // Whether a request has failed with RecordsLost.
  bool has_lost_records() const;
  // Ends it at once: what is not answered fails with ClusterUnreachable. [control thread, or once
  // nothing runs on it any more]
  void close();

 private:
  // The first argument: ask on this link. Then it is told how that went: whether it is over.
  using Send = std::function<void(Link&, std::function<void(bool over)>)>;
  using Fail = std::function<void(std::exception_ptr)>;
  class Inner;
  explicit ClientSession(std::shared_ptr<Inner> inner, std::shared_ptr<void> owner);
  void add(const char* kind, Repeat repeat, Send send, Fail fail);
  // Itself, or RecordsLost. [control thread]
  static std::exception_ptr meant_by(const NotKnown& not_known, const std::weak_ptr<Inner>& inner);

  const std::shared_ptr<Inner> inner_;
  std::shared_ptr<void> owner_;
};

template <class M>
Future<typename M::Answer> ClientSession::ask(M message, Repeat repeat) {
  using Answer = typename M::Answer;
  const auto promise = std::make_shared<Promise<Answer>>();
  auto future = promise->future();
  Send send = [promise, repeat, message = std::move(message), inner = std::weak_ptr(inner_)](
                  Link& link, std::function<void(bool)> told) {
    const auto ignored =
        link.ask(message).then([promise, repeat, inner, told](const Future<Answer>& done) {
          try {
            promise->set_value(done.get());
          } catch (const LinkLost&) {
            if (repeat != Repeat::kNever) {
              told(false);
              return;
            }
            promise->set_error(std::current_exception());
          } catch (const NotKnown& not_known) {
            promise->set_error(meant_by(not_known, inner));
          } catch (...) {
            promise->set_error(std::current_exception());
          }
          told(true);
        });
    static_cast<void>(ignored);
  };
  add(M::kKind, repeat, std::move(send),
      [promise](std::exception_ptr error) { promise->set_error(std::move(error)); });
  return future;
}

}  // namespace freshet::core
