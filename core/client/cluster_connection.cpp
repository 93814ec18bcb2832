#include "client/cluster_connection.h"

#include <unistd.h>

#include "client/client_session.h"
#include "client/cluster_node.h"
#include "client/collect_reader.h"
#include "control/id_source.h"
#include "task/shared_end.h"

namespace freshet::core {
namespace {

// Lives as long as anybody uses the session, whose last user may be on one of its threads.
struct ClientNode {
  ClientNode(const Clock& clock, KeyPair keys, const PeerInfo& self)
      : node(clock, std::move(keys)) {
    node.run([&] {
      links = std::make_unique<Links>(node.control(), node.transport(), self, LinkOptions{});
    });
  }
  ~ClientNode() {
    node.run([this] { links.reset(); });
  }

  ClusterNode node;
  RandomIds ids;
  std::unique_ptr<Links> links;
};

// The node outlives it: a job's client lets go of its readers before its session. Rows come where
// all else of a client does, on the control thread: there a continuation may wait for the client.
class NodeRowReader final : public RowReader {
 public:
  NodeRowReader(ClusterNode& node, const Address& worker, const std::string& job_id,
                const std::string& vertex)
      : control_(node.control()), reader_(node.network(), node.keys(), worker, job_id, vertex) {}

  Future<std::optional<std::string>> next() override {
    using Rows = Future<std::optional<std::string>>;
    const auto promise = std::make_shared<Promise<std::optional<std::string>>>();
    const auto ignored = reader_.next().then([&control = control_, promise](const Rows& rows) {
      control.post("client: rows", [promise, rows] {
        try {
          promise->set_value(rows.get());
        } catch (...) {
          promise->set_error(std::current_exception());
        }
      });
    });
    static_cast<void>(ignored);
    return promise->future();
  }

 private:
  ControlThread& control_;
  CollectReader reader_;
};

std::shared_ptr<const RowReaders> readers_of(ClusterNode& node) {
  auto readers = std::make_shared<RowReaders>();
  readers->key = node.keys().public_key;
  readers->make = [&node](const Address& worker, const std::string& job_id,
                          const std::string& vertex) -> std::unique_ptr<RowReader> {
    return std::make_unique<NodeRowReader>(node, worker, job_id, vertex);
  };
  return readers;
}

}  // namespace

std::unique_ptr<RpcClusterClient> connect_to_cluster(const Clock& clock,
                                                     const ClusterConnection& connection) {
  PeerInfo self;
  self.role = connection.role;
  self.name =
      connection.name.empty() ? "client (pid " + std::to_string(::getpid()) + ")" : connection.name;
  self.incarnation = RandomIds().draw();
  const auto node = share_with_own_threads(
      std::make_unique<ClientNode>(clock, key_pair_of(connection.secret_key), self));

  ClientSessionOptions options;
  options.cluster_id = connection.cluster_id;
  options.job_manager = connection.job_manager;
  options.patience_ms = connection.patience_ms;
  options.keeps_jobs = connection.keeps_jobs;
  options.owner = node;
  ClientHost host;
  host.applications_end_with_it = connection.applications_end_with_it;
  host.readers = readers_of(node->node);
  auto client = std::make_unique<RpcClusterClient>(node->node.run([&] {
    return ClientSession::start(node->node.control(), *node->links, std::move(options));
  }),
                                                   node->ids, std::move(host));
  constexpr std::int64_t kLookMs = 50;
  const Future<ClusterInfo> answer = client->status();
  while (!answer.wait_for(kLookMs)) {
    if (connection.has_ended() && !answer.wait_for(kLookMs))
      throw ClusterUnreachable("cluster '" + connection.cluster_id + "' has ended");
  }
  static_cast<void>(answer.get());
  return client;
}

}  // namespace freshet::core
