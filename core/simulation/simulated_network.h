// The network between simulated processes: connections with delays that break, nodes that crash and
// come back, pairs of nodes that don't hear each other. A seed draws every delay.
//
//   SimulatedThread thread(seed);
//   SimulatedNetwork network(seed, thread);
//   auto process = thread.process("job manager");
//   Transport& transport = network.node("jm", *process, key);
//
// A frame arrives if its connection lives until then; frames of one connection keep their order,
// those of different ones don't. Endpoints are those of the real transport; the host becomes the
// node's name: a listener on "tcp://127.0.0.1:*" is told to peers as "tcp://jm:50001".
//
// Threads    That of the SimulatedThread; node() and the faults outside of fibers, too.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "network/transport.h"
#include "simulation/seeded_random.h"
#include "simulation/simulated_thread.h"

namespace freshet::core {

class FRESHET_API SimulatedNetwork {
 public:
  SimulatedNetwork(std::uint64_t seed, SimulatedThread& thread);
  ~SimulatedNetwork();
  SimulatedNetwork(const SimulatedNetwork&) = delete;
  SimulatedNetwork& operator=(const SimulatedNetwork&) = delete;

  // The transport of one life of a node, valid as long as the network; its events run in `process`.
  // At most one life at a time. With a key, listeners let it in only if they admit it; without one
  // it comes in everywhere, as over ipc.
  Transport& node(const std::string& name, ControlThread& process, const PublicKey& key = {});

  // Ends the life: listeners and connections go, what is in flight is lost, calls do nothing.
  // Before its ControlThread ends. The others see their connections break; if `silently`, they
  // don't: as when a host loses power.
  void crash(const std::string& name, bool silently = false);
  // Nothing gets through between the two until heal(): what is sent waits, or is lost with its
  // connection if the seed lets that break.
  void part(const std::string& a, const std::string& b);
  void heal();
  // Breaks one of those that are up; what is in flight on it is lost. False: there is none.
  bool break_a_connection();

  std::size_t connections() const;  // that are up
  std::size_t listeners() const;
  std::uint64_t frames_lost() const { return frames_lost_; }
  std::uint64_t frames_delivered() const { return frames_delivered_; }

 private:
  class Node;
  struct Outgoing;
  struct Pipe;
  friend class Node;

  std::int64_t draw_delay_ns();
  bool parted(const Node& a, const Node& b) const;
  void try_to_connect(std::uint64_t outgoing);
  void deliver(std::uint64_t pipe, bool to_dialer);
  void schedule(Pipe& pipe, bool to_dialer);
  void break_pipe(std::uint64_t pipe, const std::string& reason, bool tell_dialer,
                  bool tell_listener);

  SimulatedThread& thread_;
  SeededRandom random_;
  std::uint64_t last_id_ = 0;  // of connections and pipes
  int last_port_ = 50'000;
  std::uint64_t frames_lost_ = 0;
  std::uint64_t frames_delivered_ = 0;
  std::vector<std::unique_ptr<Node>> nodes_;  // all lives
  std::map<std::string, Node*> alive_;
  std::map<std::string, Node*> listening_;  // by endpoint
  std::map<std::uint64_t, std::unique_ptr<Outgoing>> outgoing_;
  std::map<std::uint64_t, std::unique_ptr<Pipe>> pipes_;  // that are up
  std::set<std::pair<std::string, std::string>> parted_;
};

}  // namespace freshet::core
