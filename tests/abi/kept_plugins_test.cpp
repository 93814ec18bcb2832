// One plugin of each kind, as headers of an ABI version built it (FRESHET_TEST_ABI_VERSION), does its
// work in this core: both sides call each other's virtual functions and read each other's structs.
#include <gtest/gtest.h>

#include <fstream>

#include "fr_run.h"
#include "freshet/configuration.h"
#include "freshet/error.h"
#include "freshet/options.h"
#include "freshet/plugin/cluster_deployer.h"
#include "freshet/plugin/file_system.h"
#include "freshet/plugin/high_availability.h"
#include "plugin_catalog/plugin_catalog.h"
#include "shared_objects/abi_versions.h"

namespace freshet::core {
namespace {

using namespace freshet::testing;
using Client = std::unique_ptr<ClusterClient>;
using Names = std::vector<std::string>;

const Origin kByTest{Origin::Kind::kCommandLine, "test"};

std::string version() { return path_from("FRESHET_TEST_ABI_VERSION"); }
std::string file_of(const std::string& kind) {
  return path_from("FRESHET_TEST_KEPT_PLUGINS") + "/abi_" + version() + "_" + kind + ".so";
}

std::string content(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

// Those of this ABI version and no others, as an installation would have them.
class KeptPlugins : public ::testing::Test {
 protected:
  KeptPlugins() {
    for (const char* kind : {"connector", "deployer", "executor", "file_system", "front_end",
                             "high_availability", "operators"})
      std::filesystem::create_symlink(file_of(kind), folder_ / (std::string(kind) + ".so"));
    SearchPath::Sources sources;
    sources.option_folders.push_back(folder_.path());
    catalog_ = std::make_unique<PluginCatalog>(SearchPath(sources));
  }

  template <class Factory>
  Factory& factory(std::uint32_t kind, const std::string& name) {
    const CatalogEntry* const entry = catalog_->find(kind, name);
    if (entry == nullptr) throw std::runtime_error(catalog_->account_of(kind));
    EXPECT_EQ(std::to_string(entry->file.identity.abi_version), version());
    return catalog_->load(*entry).factory<Factory>();
  }
  Outcome run(const std::vector<std::string>& arguments) const {
    std::vector<std::string> all{"--target=kept", "--parallelism=1", "--plugin-dir",
                                 folder_.path()};
    all.insert(all.end(), arguments.begin(), arguments.end());
    return fr_run_(all);
  }

  const ScratchFolder folder_, work_;
  const FrRun fr_run_;
  std::unique_ptr<PluginCatalog> catalog_;
};

// What it was asked for, in order.
class Notes {
 public:
  void add(const std::string& note) { notes_.push_back(note); }
  Names taken() { return std::exchange(notes_, {}); }

 private:
  Names notes_;
};

class NotedClient final : public ClusterClient {
 public:
  NotedClient(Notes& notes, std::string id) : notes_(notes), id_(std::move(id)) {}

  const std::string& cluster_id() const override { return id_; }
  Future<std::string> submit_application(const ApplicationSpec& application) override {
    notes_.add("submit " + application.name + " of " + application.main.location + " with " +
               application.arguments.at(1) + " " + application.settings.at("key"));
    return make_ready_future(std::string("0123"));
  }
  Future<Names> release_task_managers(const Names& names, std::uint32_t count) override {
    notes_.add("release " + std::to_string(count) + " of " + std::to_string(names.size()));
    return make_ready_future(names);
  }
  Future<void> shut_down() override {
    notes_.add("shut down");
    return make_ready_future();
  }

  Future<ClusterInfo> status() override { return unexpected<ClusterInfo>(); }
  Future<std::vector<ApplicationInfo>> applications() override {
    return unexpected<std::vector<ApplicationInfo>>();
  }
  Future<ApplicationInfo> application(const std::string&) override {
    return unexpected<ApplicationInfo>();
  }
  Future<IdMatches> find(const std::string&) override { return unexpected<IdMatches>(); }
  Future<ApplicationInfo> application_end(const std::string&) override {
    return unexpected<ApplicationInfo>();
  }
  Future<void> cancel_application(const std::string&) override { return unexpected<void>(); }
  Future<std::unique_ptr<JobClient>> submit_job(const std::string&, const std::string&) override {
    return unexpected<std::unique_ptr<JobClient>>();
  }
  Future<std::vector<JobInfo>> jobs() override { return unexpected<std::vector<JobInfo>>(); }
  std::unique_ptr<JobClient> job(const std::string&) override { return nullptr; }
  Future<LogChunk> read_log(const std::string&, std::uint64_t) override {
    return unexpected<LogChunk>();
  }
  void listen(std::shared_ptr<ClusterListener>) override { notes_.add("another function"); }

 private:
  template <class T>
  Future<T> unexpected() {
    notes_.add("another function");
    return make_failed_future<T>(std::make_exception_ptr(Error("another function was called")));
  }

  Notes& notes_;
  const std::string id_;
};

class NotedServices final : public DeployerServices {
 public:
  explicit NotedServices(Notes& notes) : notes_(notes) {}

  std::string program() const override { return "/bin/fr"; }
  Future<Client> connect(const ClusterRecord& record, std::int64_t patience_ms) override {
    notes_.add("connect to " + record.cluster_id + " for " + std::to_string(patience_ms));
    return make_ready_future(Client(new NotedClient(notes_, record.cluster_id)));
  }
  std::pair<std::string, std::string> make_key_pair() override { return {"public", "secret"}; }
  void write_record(const ClusterRecord& record) override {
    EXPECT_EQ(record.deployer + record.public_key + record.client_key, "keptpublicsecret");
    EXPECT_EQ(record.since_ms, 7);
    record_ = record;
    notes_.add("write with " + std::to_string(record.details.size()));
  }
  ClusterRecord read_record(const std::string&) const override { return record_; }
  std::vector<ClusterRecord> records() const override { return {record_, record_}; }
  std::string records_folder() const override { return "/records"; }
  void remove_record(const std::string& cluster_id) override { notes_.add("remove " + cluster_id); }
  std::int64_t start_detached(const std::string& cluster_id, const std::string& name,
                              const Names& command, const std::string& inherited) override {
    notes_.add("start " + name + " of " + cluster_id + " by " + command.at(0) + ", " + inherited);
    return 4711;
  }
  std::shared_ptr<void> lock_cluster(const std::string& cluster_id) override {
    notes_.add("lock " + cluster_id);
    return {};
  }

 private:
  Notes& notes_;
  ClusterRecord record_;
};

TEST_F(KeptPlugins, AreOfAnAbiVersionThatThisCoreKeeps) {
  EXPECT_TRUE(keeps_abi(static_cast<std::uint32_t>(std::stoul(version()))));
  EXPECT_EQ(catalog_->entries().size(), 7u);
  for (const CatalogEntry& entry : catalog_->entries())
    EXPECT_EQ(entry.state, CatalogEntry::State::kUsable) << entry.file.path << " " << entry.reason;
}

TEST_F(KeptPlugins, ADeployer) {
  Notes notes;
  NotedServices services(notes);
  auto& factory = this->factory<ClusterDeployerFactory>(FRESHET_KIND_DEPLOYER, "kept-deployer");
  Configuration configuration;
  EXPECT_FALSE(factory.is_compatible_with(configuration));
  configuration.set_raw("execution.target", "kept-session", kByTest);
  configuration.set_raw("cluster.id", "c", kByTest);
  EXPECT_TRUE(factory.is_compatible_with(configuration));
  const std::unique_ptr<ClusterDeployer> deployer = factory.create(services);

  EXPECT_EQ(deployer->deploy_session(configuration).get()->cluster_id(), "c");
  const Names deployed{"lock c", "write with 0", "start jobmanager of c by /bin/fr, handed over",
                       "write with 1", "connect to c for 1234"};
  EXPECT_EQ(notes.taken(), deployed);

  ApplicationSpec application;
  application.name = "count";
  application.main.location = "count.so";
  application.arguments = {"from", "to"};
  application.settings = {{"key", "value"}};
  deployer->deploy_application(application, configuration).get();
  EXPECT_EQ(notes.taken().back(), "submit count of count.so with to value");
  deployer->retrieve(configuration).get();
  EXPECT_EQ(notes.taken(), Names{"connect to c for 5678"});
  EXPECT_EQ(deployer->resize("c", 1).get(), (Names{"a", "b"}));
  EXPECT_EQ(notes.taken().back(), "release 1 of 2");
  EXPECT_THROW(deployer->task_managers("c").get(), InvalidInput) << "as by default";
  deployer->kill("c").get();
  EXPECT_EQ(notes.taken(), (Names{"connect to c for 1", "shut down", "remove c"}));
  EXPECT_EQ(deployer->describe(), "2 in /records");
}

TEST_F(KeptPlugins, AHighAvailabilityService) {
  struct Candidate final : Contender, LeaderListener {
    void granted(std::uint64_t term) override { notes.add("granted " + std::to_string(term)); }
    void revoked(std::uint64_t term, const std::string& reason) override {
      notes.add("revoked " + std::to_string(term) + ", " + reason);
    }
    void leader_changed(const LeaderAddress& leader) override {
      notes.add("leader " + leader.candidate + " at " + leader.endpoint + ", " +
                std::to_string(leader.term));
    }
    Notes notes;
  } candidate;
  auto& factory = this->factory<HighAvailabilityFactory>(FRESHET_KIND_HIGH_AVAILABILITY,
                                                         "kept-high-availability");
  const std::unique_ptr<HighAvailability> service = factory.create(Configuration(), "c");
  service->retrieval().watch(candidate);
  service->election().campaign("me", candidate);
  service->election().publish({1, "me", "tcp://here:1", "key"}).get();
  service->election().give_up().get();
  EXPECT_EQ(candidate.notes.taken(),
            (Names{"granted 1", "leader me at tcp://here:1, 1", "revoked 1, given up by me"}));

  service->job_results().put(1, "a", std::string("\0x", 2)).get();
  EXPECT_THROW(service->job_results().put(2, "b", "").get(), LeadershipLost);
  EXPECT_EQ(service->job_results().ids().get(), Names{"a"});
  EXPECT_EQ(service->job_results().get("a").get(), std::string("\0x", 2));
  EXPECT_EQ(service->job_graphs().get("a").get(), std::nullopt);
  service->job_results().remove(1, "a").get();
  EXPECT_EQ(service->job_results().get("a").get(), std::nullopt);
  EXPECT_EQ(service->describe(), "this process");
}

TEST_F(KeptPlugins, AFileSystem) {
  struct Sink final : FetchSink {
    void append(std::string_view bytes) override { text += bytes; }
    bool is_wanted() const override { return text.size() < 4; }
    std::string text;
  } sink;
  auto& files = factory<FileSystem>(FRESHET_KIND_FILE_SYSTEM, "kept-file-system");
  EXPECT_EQ(files.schemes(), Names{"kept"});
  FetchRules rules;
  rules.max_redirects = 3;
  rules.timeout = seconds(4);
  rules.hash_is_known = true;
  files.fetch("kept://abc", rules, sink);
  EXPECT_EQ(sink.text, "abc");
  EXPECT_THROW(files.fetch("kept://de", rules, sink), Canceled);
}

TEST_F(KeptPlugins, AnExecutorRunsAnApplicationWithAConnector) {
  const std::string from = work_.write("from", "a\nb\na\n");
  const Outcome outcome = run({file_of("application"), from, work_ / "to"});
  EXPECT_EQ(outcome.code, 0) << outcome.text();
  const std::string counts = content(work_ / "to-0");
  EXPECT_TRUE(counts == "a=2\nb=1\n" || counts == "b=1\na=2\n") << counts << outcome.text();
}

TEST_F(KeptPlugins, AnExecutorRunsAFileOfAFrontEndWithOperators) {
  const Outcome outcome = run({work_.write("file", "kept 1000 " + (work_ / "to"))});
  EXPECT_EQ(outcome.code, 0) << outcome.text();
  EXPECT_EQ(content(work_ / "to"), "499500\n") << outcome.text();
}

}  // namespace
}  // namespace freshet::core
