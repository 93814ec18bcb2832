// What the tasks of this worker have to do with those of other workers: channels, splits, and
// clients that collect rows.
//
// Threads    Everything before start() from one thread; then as each call says.
// Order      connect..., join, spawn, and leave() once no fiber of the tasks is left.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "exchange/collect_server.h"
#include "exchange/data_plane.h"
#include "exchange/remote_receiver.h"
#include "exchange/remote_sender.h"
#include "freshet/api.h"
#include "freshet/plugin/job_graph.h"
#include "freshet/plugin/operator.h"
#include "graph/execution_graph.h"
#include "task/fiber.h"

namespace freshet::core {

// Which subtasks of the job run in this worker, and how the others are reached.
struct WorkerPart {
  std::uint32_t number = 0;                      // of this worker
  std::vector<std::uint32_t> worker_of_subtask;  // by place in ExecutionGraph::subtasks()
  std::vector<Address> workers;                  // data addresses, by number
  DataPlane* plane = nullptr;                    // listens; outlives the tasks
};

// What remote channels ask of the tasks.
class RemoteHost {
 public:
  virtual ~RemoteHost() = default;
  virtual void remote_failed(FailureInfo failure) = 0;  // [any thread]
  // The connection to another worker has ended. [network thread]
  virtual void peer_lost(std::uint32_t worker, FailureInfo failure) = 0;
  // Everything that the senders of a subtask had has been sent. [its fiber]
  virtual void sender_finished() = 0;
  // The rows that the subtask at `place` reads from that input. [its thread, when it has opened]
  virtual const RecordType& type_of_input(std::uint32_t place, std::uint32_t input) = 0;
  // A split of a source whose coordinator is here. [a fiber]
  virtual std::optional<std::string> local_split(std::uint32_t vertex, std::uint32_t subtask) = 0;
  // Throws InvalidInput unless such a subtask may ask for splits here. [network thread]
  virtual void expect_splits_of(std::uint32_t vertex, std::uint32_t subtask) = 0;
  // False: no fibers are run now. [any thread]
  virtual bool start_fiber(std::string name, FiberFunction function) = 0;
  // Null: no such vertex collects here. [network thread]
  virtual ResultQueue* results_of(const std::string& vertex) = 0;
};

class FRESHET_API RemoteTasks final : private DataHandler {
 public:
  // Everything outlives it. `channels` counts those of the job; `credits` are for each channel that
  // comes in.
  RemoteTasks(RemoteHost& host, const JobGraph& graph, const ExecutionGraph& execution,
              const WorkerPart& part, std::size_t channels, FrameCredits credits);
  ~RemoteTasks() override;

  // The waiter of the fiber that reads what the subtask at `place` writes for other workers.
  Waiter& sender(std::uint32_t place) { return sender_of(place).waiter(); }
  void connect_output(std::uint32_t place, Channel& channel, std::uint32_t number,
                      std::uint32_t worker);
  // The waiter of the fiber that writes what other workers have for the subtask at `place`.
  Waiter& receiver(std::uint32_t place) { return receiver_of(place).waiter(); }
  void connect_input(std::uint32_t place, Channel& channel, std::uint32_t input,
                     std::uint32_t number, std::uint32_t worker);
  std::size_t senders() const { return senders_.size(); }

  void join();
  // Calls spawn(place, name, function) for every sender and receiver. `opened` is the gate that
  // receivers wait for.
  void spawn(const std::function<void(std::uint32_t place, std::string name, FiberFunction)>& spawn,
             const std::atomic<bool>& opened);
  void gate_opened();
  void leave();

  // From the coordinator in another worker. Suspends the fiber; throws Canceled.
  std::optional<std::string> next_split(std::uint32_t worker, std::uint32_t vertex,
                                        std::uint32_t subtask);
  // Every subtask here has finished: other workers may go.
  void finished() { finished_.store(true, std::memory_order_release); }
  CollectServer& collects() { return collects_; }

 private:
  struct Asked {
    std::uint32_t worker;
    Promise<std::optional<std::string>> promise;
  };

  RemoteSender& sender_of(std::uint32_t place);
  RemoteReceiver& receiver_of(std::uint32_t place);
  void run_sender(std::uint32_t place, RemoteSender& sender) noexcept;
  void run_receiver(std::uint32_t place, RemoteReceiver& receiver,
                    const std::atomic<bool>& opened) noexcept;
  FailureInfo failure_of(std::uint32_t place, std::string message) const;
  std::string name_of(std::uint32_t worker) const;

  void message_of_worker(std::uint32_t worker, DataKind kind,
                         std::unique_ptr<NetworkMessage> message) override;
  void take_frame(std::uint32_t worker, std::unique_ptr<NetworkMessage> frame);
  void take_credits(std::uint32_t worker, std::string_view message);
  void serve_split(std::uint32_t worker, const SplitWanted& wanted);
  void take_split(std::uint32_t worker, SplitAnswer answer);
  void worker_lost(std::uint32_t worker, const std::string& reason) override;
  void reader_joined(ReaderId reader, const DataHello& hello) override;
  void message_of_reader(ReaderId reader, DataKind kind, std::string_view message) override;
  void reader_left(ReaderId reader) override;

  RemoteHost& host_;
  const JobGraph& graph_;
  const ExecutionGraph& execution_;
  const WorkerPart& part_;
  DataPlane& plane_;
  const FrameCredits credits_;
  const std::shared_ptr<FramePool> pool_;
  std::map<std::uint32_t, std::unique_ptr<RemoteSender>> senders_;  // by place
  std::map<std::uint32_t, std::unique_ptr<RemoteReceiver>> receivers_;
  std::vector<RemoteSender::Output*> outputs_;  // by number of the channel
  std::vector<RemoteReceiver::Input*> inputs_;
  std::atomic<bool> finished_{false};
  CollectServer collects_;

  std::mutex mutex_;
  std::uint64_t next_request_ = 1;
  std::map<std::uint64_t, Asked> asked_;
  std::map<std::uint32_t, std::string> lost_;  // reason by worker
};

}  // namespace freshet::core
