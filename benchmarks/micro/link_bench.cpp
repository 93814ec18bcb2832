// A link over loopback with CURVE: the round trip of a small request, and messages a second one
// way. Beside them the limit: a ping-pong of two raw ZeroMQ sockets with CURVE, each on its own
// thread.
#include <benchmark/benchmark.h>
#include <sys/resource.h>
#include <zmq.h>

#include <array>
#include <atomic>
#include <chrono>
#include <optional>
#include <string>
#include <thread>

#include "clock/clock.h"
#include "links/link.h"
#include "links/packing.h"
#include "network/zeromq_transport.h"

namespace freshet {
using namespace core;
namespace {

struct Ping {
  static constexpr const char* kKind = "ping";
  struct Answer {
    int number = 0;
    MSGPACK_DEFINE_MAP(number)
  };
  int number = 0;
  MSGPACK_DEFINE_MAP(number)
};
struct Note {
  static constexpr const char* kKind = "note";
  int number = 0;
  std::string text;
  MSGPACK_DEFINE_MAP(number, text)
};

class Process : public LinkListener {
 public:
  explicit Process(const std::string& name)
      : keys(make_key_pair()), zap(SystemClock::instance(), network) {
    run([&] {
      transport.emplace(control, network, zap, keys);
      links.emplace(control, *transport,
                    PeerInfo{Role::kWorker, name, std::string(31, '0') + name, {}}, LinkOptions{});
      table.on<Ping>([](Link&, const Ping& ping) { return Ping::Answer{ping.number}; });
      table.on<Note>([this](Link&, const Note&) { notes.fetch_add(1); });
    });
  }
  ~Process() override {
    run([&] {
      links.reset();
      transport.reset();
    });
  }
  // On the control thread; waits for it.
  template <class F>
  void run(F f) {
    Promise<void> promise;
    auto done = promise.future();
    control.post("benchmark", [&f, promise = std::move(promise)]() mutable {
      f();
      promise.set_value();
    });
    done.get();
  }
  void link_opened(Link&) override {}
  void link_lost(Link&, const std::string&) override {}

  const KeyPair keys;
  NetworkThread network;
  ZapHandler zap;
  OwnControlThread control{SystemClock::instance()};
  MessageTable table;
  std::atomic<std::int64_t> notes{0};
  std::optional<ZeroMqTransport> transport;
  std::optional<Links> links;
};

struct Pair {
  Pair() {
    Address address;
    server.run([&] {
      server.transport->admit(client.keys.public_key, Role::kWorker);
      address = server.links->listen("tcp://127.0.0.1:*", server.table, server);
    });
    client.run([&] {
      link = &client.links->connect(address, client.table, client, 0);
      link->ask(Ping{}).get();
    });
  }
  Process server{"s"}, client{"c"};
  Link* link = nullptr;
};

void round_trip(benchmark::State& state) {
  Pair pair;
  pair.client.run([&] {
    for (auto _ : state) benchmark::DoNotOptimize(pair.link->ask(Ping{1}).get().number);
  });
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(round_trip)->UseRealTime()->Unit(benchmark::kMicrosecond);

void one_way(benchmark::State& state) {
  Pair pair;
  const Note note{1, std::string(100, 'x')};
  pair.client.run([&] {
    std::int64_t sent = 0;
    for (auto _ : state) {
      for (int i = 0; i < 1'000; ++i) pair.link->send(note);
      sent += 1'000;
      pair.link->ask(Ping{1}).get();
    }
    state.SetItemsProcessed(sent);
  });
}
BENCHMARK(one_way)->UseRealTime()->Unit(benchmark::kMicrosecond);

// Two processes in one, with nothing but heartbeats between them: how much of a core they take.
void idle(benchmark::State& state) {
  Pair pair;
  const auto processor_s = [] {
    rusage used;
    getrusage(RUSAGE_SELF, &used);
    return static_cast<double>(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
           static_cast<double>(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
  };
  const double before = processor_s();
  for (auto _ : state) std::this_thread::sleep_for(std::chrono::seconds(10));
  state.counters["percent_of_a_core"] = (processor_s() - before) * 10;
}
BENCHMARK(idle)->UseRealTime()->Iterations(1)->Unit(benchmark::kSecond);

void raw_round_trip(benchmark::State& state) {
  const KeyPair server_keys = make_key_pair(), client_keys = make_key_pair();
  void* context = zmq_ctx_new();
  void* server = zmq_socket(context, ZMQ_ROUTER);
  const int yes = 1, zero = 0;
  zmq_setsockopt(server, ZMQ_CURVE_SERVER, &yes, sizeof yes);
  zmq_setsockopt(server, ZMQ_CURVE_SECRETKEY, server_keys.secret_key.data(), 40);
  zmq_bind(server, "tcp://127.0.0.1:*");
  std::array<char, 256> endpoint;
  std::size_t size = endpoint.size();
  zmq_getsockopt(server, ZMQ_LAST_ENDPOINT, endpoint.data(), &size);
  std::thread echo([server] {
    std::array<char, 256> id, body;
    for (;;) {
      const int id_size = zmq_recv(server, id.data(), id.size(), 0);
      const int body_size = zmq_recv(server, body.data(), body.size(), 0);
      if (id_size < 0 || body_size <= 0) return;
      zmq_send(server, id.data(), static_cast<std::size_t>(id_size), ZMQ_SNDMORE);
      zmq_send(server, body.data(), static_cast<std::size_t>(body_size), 0);
    }
  });
  void* client = zmq_socket(context, ZMQ_DEALER);
  zmq_setsockopt(client, ZMQ_LINGER, &zero, sizeof zero);
  zmq_setsockopt(client, ZMQ_CURVE_SERVERKEY, server_keys.public_key.data(), 40);
  zmq_setsockopt(client, ZMQ_CURVE_PUBLICKEY, client_keys.public_key.data(), 40);
  zmq_setsockopt(client, ZMQ_CURVE_SECRETKEY, client_keys.secret_key.data(), 40);
  zmq_connect(client, endpoint.data());
  std::array<char, 64> frame{};
  for (auto _ : state) {
    zmq_send(client, frame.data(), frame.size(), 0);
    zmq_recv(client, frame.data(), frame.size(), 0);
  }
  zmq_send(client, "", 0, 0);  // ends the echo
  echo.join();
  zmq_close(client);
  zmq_close(server);
  zmq_ctx_term(context);
}
BENCHMARK(raw_round_trip)->UseRealTime()->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace freshet

BENCHMARK_MAIN();
