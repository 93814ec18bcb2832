// A high-availability service in a folder that all job managers of a cluster see.
//
//   fr jobmanager --cluster-id=c -D high-availability.type=shared-folder -D
//   shared-folder.path=/mnt/ha
//
// It holds a lock, not a lease: a leader whose process stands still (SIGSTOP) keeps it and is not
// replaced until that process ends.
//
// One thread does all that touches the folder, in order; between two calls it looks whether it may
// lead, still leads, and where the leader is.
#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

#include "folder_files.h"
#include "freshet/config_option.h"
#include "freshet/options.h"
#include "freshet/plugin/plugin_registration.h"

namespace shared_folder {

using freshet::Future;
using freshet::LeaderAddress;

constexpr const char* kName = "shared-folder";
constexpr std::chrono::milliseconds kBetweenLooks{50};

const freshet::ConfigOption<std::string> kPath = freshet::ConfigOption<std::string>{
    "shared-folder.path", std::string(),
    "Where the high-availability service 'shared-folder' keeps its files: an absolute path, the "
    "same folder for all job managers and task managers.",
    freshet::Scope::kCluster};

class Worker {
 public:
  // `look` is called between two calls, and at least every kBetweenLooks.
  explicit Worker(std::function<void()> look) : look_(std::move(look)) {}
  void start() {
    thread_ = std::thread([this] { run(); });
  }
  // What has not begun fails with BrokenPromise.
  void stop() {
    {
      const std::lock_guard lock(mutex_);
      stops_ = true;
    }
    changed_.notify_one();
    thread_.join();
  }

  // The value of `call`, or what it throws, once its turn has come.
  template <class T>
  Future<T> does(std::function<T()> call) {
    freshet::Promise<T> promise;
    Future<T> future = promise.future();
    add([call = std::move(call),
         promise = std::make_shared<freshet::Promise<T>>(std::move(promise))] {
      try {
        if constexpr (std::is_void_v<T>) {
          call();
          promise->set_value();
        } else {
          promise->set_value(call());
        }
      } catch (...) {
        promise->set_error(std::current_exception());
      }
    });
    return future;
  }

 private:
  void add(std::function<void()> call) {
    {
      const std::lock_guard lock(mutex_);
      calls_.push_back(std::move(call));
    }
    changed_.notify_one();
  }

  void run() {
    std::unique_lock lock(mutex_);
    while (!stops_) {
      if (calls_.empty()) {
        lock.unlock();
        look_();
        lock.lock();
        changed_.wait_for(lock, kBetweenLooks, [this] { return stops_ || !calls_.empty(); });
        continue;
      }
      const auto call = std::move(calls_.front());
      calls_.pop_front();
      lock.unlock();
      call();
      lock.lock();
    }
  }

  const std::function<void()> look_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> calls_;
  bool stops_ = false;
  std::thread thread_;
};

class Store final : public freshet::JobStore {
 public:
  Store(Worker& worker, Folder& folder, std::string kind)
      : worker_(worker), folder_(folder), kind_(std::move(kind)) {}

  Future<void> put(std::uint64_t term, const std::string& job_id,
                   const std::string& bytes) override {
    return worker_.does<void>([=, this] { folder_.put(term, kind_, job_id, bytes); });
  }
  Future<void> remove(std::uint64_t term, const std::string& job_id) override {
    return worker_.does<void>([=, this] { folder_.remove(term, kind_, job_id); });
  }
  Future<std::vector<std::string>> ids() override {
    return worker_.does<std::vector<std::string>>([this] { return folder_.ids(kind_); });
  }
  Future<std::optional<std::string>> get(const std::string& job_id) override {
    return worker_.does<std::optional<std::string>>(
        [=, this] { return folder_.get(kind_, job_id); });
  }

 private:
  Worker& worker_;
  Folder& folder_;
  const std::string kind_;
};

class Service final : public freshet::HighAvailability,
                      private freshet::LeaderElection,
                      private freshet::LeaderRetrieval {
 public:
  explicit Service(const std::filesystem::path& path)
      : path_(path.native()),
        folder_(path),
        worker_([this] { look(); }),
        graphs_(worker_, folder_, "graphs"),
        results_(worker_, folder_, "results") {
    worker_.start();
  }
  ~Service() override { worker_.stop(); }

  LeaderElection& election() override { return *this; }
  LeaderRetrieval& retrieval() override { return *this; }
  freshet::JobStore& job_graphs() override { return graphs_; }
  freshet::JobStore& job_results() override { return results_; }
  std::string describe() const override { return "the folder " + path_; }

 private:
  void campaign(const std::string&, freshet::Contender& contender) override {
    static_cast<void>(worker_.does<void>([this, &contender] { contender_ = &contender; }));
  }
  Future<void> publish(const LeaderAddress& address) override {
    return worker_.does<void>([=, this] { folder_.publish(address); });
  }
  Future<void> give_up() override {
    return worker_.does<void>([this] {
      contender_ = nullptr;
      folder_.give_up();
    });
  }
  void watch(freshet::LeaderListener& listener) override {
    static_cast<void>(worker_.does<void>([this, &listener] { listener_ = &listener; }));
  }

  // [the worker's thread, as are these members]
  void look() {
    try {
      if (contender_ != nullptr) look_who_leads();
      if (listener_ != nullptr) look_where_the_leader_is();
    } catch (const freshet::StoreUnavailable&) {
      // The folder is away: whoever leads has its lock still, and the next look comes soon.
    }
  }
  void look_who_leads() {
    if (!term_) {
      term_ = folder_.try_to_lead();
      if (term_) contender_->granted(*term_);
    } else if (!folder_.still_leads()) {
      freshet::Contender& former = *contender_;
      contender_ = nullptr;
      former.revoked(*term_, "the lock in " + path_ + " was taken away");
    }
  }
  void look_where_the_leader_is() {
    const LeaderAddress now = folder_.leader();
    if (told_ == now) return;
    told_ = now;
    listener_->leader_changed(now);
  }

  const std::string path_;
  Folder folder_;
  freshet::Contender* contender_ = nullptr;
  freshet::LeaderListener* listener_ = nullptr;
  std::optional<std::uint64_t> term_;
  std::optional<LeaderAddress> told_;
  Worker worker_;
  Store graphs_, results_;
};

class Factory final : public freshet::HighAvailabilityFactory {
 public:
  const char* name() const override { return kName; }
  bool is_compatible_with(const freshet::Configuration& configuration) const override {
    return configuration.find(freshet::options::kHighAvailabilityType) == kName;
  }
  std::unique_ptr<freshet::HighAvailability> create(const freshet::Configuration& configuration,
                                                    const std::string& cluster_id) const override {
    const std::filesystem::path path = configuration.get(kPath);
    if (!path.is_absolute()) {
      throw freshet::InvalidInput("shared-folder.path is '" + path.native() +
                                  "': the high-availability service 'shared-folder' needs the "
                                  "absolute path of a folder that all job managers see");
    }
    return std::make_unique<Service>(path / cluster_id);
  }
};

}  // namespace shared_folder

FRESHET_HIGH_AVAILABILITY_PLUGIN("shared-folder", "0.1.0", shared_folder::Factory);
