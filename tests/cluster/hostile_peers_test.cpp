// Who is no part of a cluster and knocks at its sockets, and who is and sends nonsense: control and
// data sockets of real processes go on serving, and tell of each in one line.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <optional>
#include <random>
#include <thread>

#include "clock/clock.h"
#include "control/control_thread.h"
#include "host/cluster_records.h"
#include "links/link.h"
#include "messages/messages.h"
#include "network/zeromq_transport.h"
#include "own_cluster.h"
#include "strangers.h"

namespace {

using namespace freshet;
using namespace freshet::core;
using namespace freshet::testing;

// A client of a cluster, as far as a test must be one to learn where its workers listen.
class Guest final : public LinkListener {
 public:
  explicit Guest(const ClusterRecord& record)
      : keys_(key_pair_of(record.client_key)), zap_(SystemClock::instance(), network_) {
    on_control([&] {
      transport_.emplace(control_, network_, zap_, keys_);
      const std::string incarnation(32, '7');
      links_.emplace(control_, *transport_,
                     PeerInfo{Role::kClient, "guest", incarnation, keys_.public_key},
                     LinkOptions());
      link_ = &links_->connect({record.endpoint, record.public_key}, table_, *this, 0);
    });
  }
  ~Guest() override {
    on_control([&] {
      links_.reset();
      transport_.reset();
    });
  }
  void link_opened(Link&) override {}
  void link_lost(Link&, const std::string&) override {}

  // Of the worker whose subtask collects; it lets `reader` in from now on.
  Address collecting_worker(const std::string& job_id, const PublicKey& reader) {
    CollectAddress message;
    message.job_id = job_id;
    message.vertex_id = "collect-0";
    message.reader = reader;
    std::optional<Future<CollectAddress::Answer>> answer;
    on_control([&] { answer = link_->ask(message, 30'000); });
    return answer->get().address;
  }

 private:
  template <class F>
  void on_control(F f) {
    Promise<void> promise;
    const auto done = promise.future();
    control_.post("test", [&] {
      f();
      promise.set_value();
    });
    done.get();
  }

  const KeyPair keys_;
  NetworkThread network_;
  ZapHandler zap_;
  OwnControlThread control_{SystemClock::instance()};
  MessageTable table_;
  std::optional<ZeroMqTransport> transport_;
  std::optional<Links> links_;
  Link* link_ = nullptr;
};

class HostilePeers : public ClusterTest {
 protected:
  ClusterRecord record(const std::string& id) const {
    return ClusterRecords(SystemClock::instance(), StateFolder(folder())).read(id);
  }
  static std::vector<std::string> warnings(const std::string& log) {
    std::vector<std::string> lines;
    for (const std::string& line : lines_of(content(log)))
      if (line.find(" warning  ") != std::string::npos) lines.push_back(line);
    return lines;
  }
  // It leaves one line, with those words.
  template <class Attack>
  static void expect_one_line(const std::string& log, const std::string& words, Attack&& attack) {
    const std::size_t before = warnings(log).size();
    attack();
    EXPECT_TRUE(eventually([&] { return warnings(log).size() > before; }))
        << "nothing of " << words;
    const auto lines = warnings(log);
    ASSERT_EQ(lines.size(), before + 1) << content(log);
    EXPECT_NE(lines.back().find(words), std::string::npos) << lines.back();
  }
  // All that can be done without a key that is admitted.
  void knock_at(const Address& address, const KeyPair& admitted, const std::string& log) const {
    const KeyPair unknown = make_key_pair();
    expect_one_line(log, "does not speak as ZeroMQ does", [&] {
      std::mt19937_64 random(1);
      std::string bytes(10'000, '\0');
      for (char& c : bytes) c = static_cast<char>(random());
      PlainConnection connection(address.endpoint);
      connection.send(bytes);
      connection.end_sending();
      connection.wait_for_end();
    });
    expect_one_line(log, "before both had proved who they are", [&] {
      PlainConnection connection(address.endpoint);
      connection.send(kCurveGreeting + std::string("\x04\xc8\x05HELLO", 8));
      connection.end_sending();
      connection.wait_for_end();
    });
    expect_one_line(log, "is refused", [&] {  // a frame of eight exbibytes
      PlainConnection connection(address.endpoint);
      connection.send(kCurveGreeting + std::string("\x06\x7f\xff\xff\xff\xff\xff\xff\xff", 9) +
                      std::string(1'000, 'x'));
      connection.wait_for_end();
    });
    expect_one_line(log, "is refused", [&] {  // no key: either side may hang up first
      Stranger stranger;
      stranger.connect(address.endpoint);
      EXPECT_FALSE(stranger.is_let_in());
    });
    expect_one_line(log, unknown.public_key, [&] {
      Stranger stranger;
      stranger.use_curve(unknown, address.key);
      stranger.connect(address.endpoint);
      EXPECT_FALSE(stranger.is_let_in());
    });
    expect_one_line(log, "the keys do not fit", [&] {  // it knows another cluster's key
      Stranger stranger;
      stranger.use_curve(admitted, make_key_pair().public_key);
      stranger.connect(address.endpoint);
      EXPECT_FALSE(stranger.is_let_in());
    });
  }
  // Of one that is let in.
  void send_nonsense_to(const Address& address, const KeyPair& admitted, const std::string& log,
                        const std::string& frame, const std::string& words) const {
    expect_one_line(log, words, [&] {
      Stranger stranger;
      stranger.use_curve(admitted, address.key);
      stranger.connect(address.endpoint);
      ASSERT_TRUE(stranger.is_let_in());
      for (int i = 0; i < 10; ++i) stranger.send(frame);
      const std::size_t before = warnings(log).size();
      eventually([&] { return warnings(log).size() > before; });
    });
  }
};

TEST_F(HostilePeers, OfAJobManagerAreTurnedAwayAndItGoesOn) {
  start_session("one");
  start_session("other");
  const ClusterRecord one = record("one");
  const Address address{one.endpoint, one.public_key};
  const KeyPair client = key_pair_of(one.client_key);
  const KeyPair of_other = key_pair_of(record("other").client_key);
  const std::string log = folder() + "/logs/one/jobmanager.log";
  knock_at(address, client, log);
  expect_one_line(log, of_other.public_key, [&] {
    Stranger stranger;
    stranger.use_curve(of_other, address.key);
    stranger.connect(address.endpoint);
    EXPECT_FALSE(stranger.is_let_in());
  });
  send_nonsense_to(address, client, log, std::string(100, '\x7f'), "a frame");
  {
    Stranger stranger;
    stranger.use_curve(client, address.key);
    stranger.connect(address.endpoint);
    ASSERT_TRUE(stranger.is_let_in());
    stranger.send(std::string((std::size_t{64} << 20) + 1'000'000, 'x'));
    EXPECT_FALSE(stranger.is_let_in()) << "a frame above the limit ends its connection";
  }
  const Outcome outcome = in_session({"-D", "cluster.id=one", "jobs", "1"});
  EXPECT_EQ(outcome.code, 0) << outcome.text();
  stop_session("other");
  stop_session("one");
}

// Connections without a word that come again as soon as they are hung up on.
class Siege {
 public:
  Siege(const std::string& endpoint, int count) : endpoint_(endpoint), all_(count) {
    thread_ = std::thread([this] {
      while (!ended_) {
        for (auto& each : all_) {
          if (!each || each->has_ended()) each = std::make_unique<PlainConnection>(endpoint_);
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
      }
    });
  }
  ~Siege() {
    ended_ = true;
    thread_.join();
  }

 private:
  const std::string endpoint_;
  std::vector<std::unique_ptr<PlainConnection>> all_;
  std::atomic<bool> ended_{false};
  std::thread thread_;
};

std::chrono::milliseconds processor_time(pid_t process) {
  std::string line;
  std::getline(std::ifstream("/proc/" + std::to_string(process) + "/stat"), line);
  std::istringstream words(line.substr(line.rfind(')') + 1));
  std::string word;
  for (int i = 0; i < 11; ++i) words >> word;
  std::int64_t user = 0, system = 0;
  words >> user >> system;
  return std::chrono::milliseconds((user + system) * 1'000 / ::sysconf(_SC_CLK_TCK));
}

TEST_F(HostilePeers, ThatHoldConnectionsAndSayNothingKeepNobodyOutOfAJobManagerWithFewDescriptors) {
  const auto few = [&](const Words& words) {
    Words all{"/bin/sh", "-c", "ulimit -n 256; exec \"$@\"", "sh", path_from("FRESHET_TEST_FR")};
    all.insert(all.end(), words.begin(), words.end());
    return all;
  };
  ChildProcess job_manager(few({"jobmanager", "--cluster-id=few"}), surroundings());
  ASSERT_TRUE(eventually([&] { return fr({"cluster", "status"}).code == 0; }));
  ChildProcess task_manager(few({"taskmanager", "--cluster-id=few"}), surroundings());
  const std::string endpoint = record("few").endpoint;
  {
    const Siege siege(endpoint, 500);
    for (int i = 0; i < 5; ++i) {
      const Outcome status = fr({"cluster", "status"});
      EXPECT_EQ(status.code, 0) << status.text();
    }
    const Outcome outcome = in_session({"jobs", "1"});
    EXPECT_EQ(outcome.code, 0) << outcome.text();
  }
  {
    const SilentCrowd crowd(endpoint, 150);
    EXPECT_TRUE(eventually([&] { return crowd.count_open() <= 64; })) << crowd.count_open();
    const auto before = processor_time(process("jobmanager"));
    std::this_thread::sleep_for(std::chrono::seconds(1));
    EXPECT_LT((processor_time(process("jobmanager")) - before).count(), 300) << "it spins";
    EXPECT_EQ(fr({"cluster", "status"}).code, 0);
  }
  stop_session("few");
  const Outcome ended = job_manager.wait(30);
  EXPECT_EQ(ended.code, 0) << ended.text();
  EXPECT_EQ(task_manager.wait(30).code, 0);
}

TEST_F(HostilePeers, OfAWorkersDataSocketAreTurnedAwayAndItsJobGoesOn) {
  Words other_host{"/usr/bin/unshare", "--uts"};
  if (::geteuid() != 0) other_host.insert(other_host.end(), {"-c", "--keep-caps"});
  for (const char* word : {"/bin/sh", "-c", "hostname freshet-test-other && exec \"$@\"", "sh"})
    other_host.push_back(word);
  Words probe = other_host;
  probe.push_back("/bin/true");
  if (run(probe).code != 0) GTEST_SKIP() << "no second host name is to be had here";

  start_session("two-hosts", {"-D", "taskmanager.slots=1"});
  Words words = other_host;
  for (const std::string& word :
       {path_from("FRESHET_TEST_FR"), std::string("taskmanager"),
        "--join=" + folder() + "/run/two-hosts/join.json", std::string("--name=other"),
        std::string("-D"), std::string("taskmanager.slots=1")})
    words.push_back(word);
  ChildProcess manager(words, surroundings());
  ASSERT_TRUE(eventually([&] {
    return fr_json({"cluster", "status"})["task_managers"].size() == 2;
  }));

  const std::string gate = scratch_ / "gate";
  ChildProcess client(line({"--target=standalone-session", "--parallelism", "2", "gated", gate}),
                      surroundings());
  ASSERT_TRUE(eventually([&] { return std::filesystem::exists(gate + ".running"); }));
  const std::string job = fr_json({"list"})[0]["jobs"][0]["id"];
  const KeyPair reader = make_key_pair();
  {
    Guest guest(record("two-hosts"));
    const Address address = guest.collecting_worker(job, reader.public_key);
    ASSERT_EQ(address.endpoint.substr(0, 6), "tcp://") << address.endpoint;
    const std::string log = folder() + "/logs/two-hosts/worker-" + job.substr(0, 8) + "-0-0.log";
    knock_at(address, reader, log);
    send_nonsense_to(address, reader, log, std::string(100, '\x7f'), "kind of a message");
    Stranger stranger;
    stranger.use_curve(reader, address.key);
    stranger.connect(address.endpoint);
    ASSERT_TRUE(stranger.is_let_in());
    stranger.send(std::string((std::size_t{64} << 20) + 1'000'000, 'x'));
    EXPECT_FALSE(stranger.is_let_in()) << "a frame above the limit ends its connection";
  }
  scratch_.write("gate", "");
  const Outcome outcome = client.wait();
  EXPECT_EQ(outcome.code, 0) << outcome.text();
  EXPECT_NE(outcome.output.find("200000 rows, 20000100000"), std::string::npos) << outcome.text();
  stop_session("two-hosts");
  EXPECT_EQ(manager.wait(30).code, 0);
}

}  // namespace
