// A leadership over a service whose answers and callbacks come on threads of its own, as a plugin's
// do.
#include "high_availability/leadership.h"

#include <gtest/gtest.h>

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include "clock/clock.h"
#include "high_availability/high_availability_in_memory.h"

namespace freshet::testing {
using namespace core;
namespace {

// Does everything that one in memory does, on a thread of its own.
class Elsewhere final : public HighAvailability, private LeaderElection {
 public:
  explicit Elsewhere(HighAvailabilityInMemory& service)
      : mine_(service.join()),
        graphs_(*this, mine_->job_graphs()),
        results_(*this, mine_->job_results()),
        thread_([this] { run(); }) {}
  ~Elsewhere() override {
    {
      const std::lock_guard lock(mutex_);
      ends_ = true;
    }
    changed_.notify_one();
    thread_.join();
    mine_.reset();
  }
  LeaderElection& election() override { return *this; }
  LeaderRetrieval& retrieval() override { return mine_->retrieval(); }
  JobStore& job_graphs() override { return graphs_; }
  JobStore& job_results() override { return results_; }
  std::string describe() const override { return "elsewhere"; }

 private:
  template <class T>
  Future<T> does(std::function<Future<T>()> call) {
    auto promise = std::make_shared<Promise<T>>();
    Future<T> future = promise->future();
    {
      const std::lock_guard lock(mutex_);
      calls_.push_back([promise, call = std::move(call)] {
        try {
          if constexpr (std::is_void_v<T>) {
            call().get();
            promise->set_value();
          } else {
            promise->set_value(call().get());
          }
        } catch (...) {
          promise->set_error(std::current_exception());
        }
      });
    }
    changed_.notify_one();
    return future;
  }
  void run() {
    std::unique_lock lock(mutex_);
    while (true) {
      changed_.wait(lock, [this] { return ends_ || !calls_.empty(); });
      if (ends_) return;
      const auto call = std::move(calls_.front());
      calls_.pop_front();
      lock.unlock();
      call();
      lock.lock();
    }
  }
  void campaign(const std::string& candidate, Contender& contender) override {
    static_cast<void>(does<void>([this, candidate, &contender] {
      mine_->election().campaign(candidate, contender);
      return make_ready_future();
    }));
  }
  Future<void> publish(const LeaderAddress& address) override {
    return does<void>([this, address] { return mine_->election().publish(address); });
  }
  Future<void> give_up() override {
    return does<void>([this] { return mine_->election().give_up(); });
  }

  class Store final : public JobStore {
   public:
    Store(Elsewhere& service, JobStore& store) : service_(service), store_(store) {}
    Future<void> put(std::uint64_t term, const std::string& id, const std::string& bytes) override {
      return service_.does<void>([=, this] { return store_.put(term, id, bytes); });
    }
    Future<void> remove(std::uint64_t term, const std::string& id) override {
      return service_.does<void>([=, this] { return store_.remove(term, id); });
    }
    Future<std::vector<std::string>> ids() override {
      return service_.does<std::vector<std::string>>([this] { return store_.ids(); });
    }
    Future<std::optional<std::string>> get(const std::string& id) override {
      return service_.does<std::optional<std::string>>([=, this] { return store_.get(id); });
    }

   private:
    Elsewhere& service_;
    JobStore& store_;
  };

  std::unique_ptr<HighAvailability> mine_;
  Store graphs_, results_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> calls_;
  bool ends_ = false;
  std::thread thread_;
};

// A job manager's part: what happens there, in order.
class Manager {
 public:
  Manager(HighAvailabilityInMemory& service, const std::string& name) {
    run([&] {
      leadership_ =
          std::make_unique<Leadership>(thread_, std::make_unique<Elsewhere>(service), name);
      leadership_->campaign(
          [this] {
            EXPECT_TRUE(thread_.is_current());
            leads_.set_value();
          },
          [this](const std::string& reason) {
            EXPECT_TRUE(thread_.is_current());
            lost_.set_value(reason);
          });
    });
  }
  ~Manager() { end(); }
  void end() {
    run([&] { leadership_.reset(); });
  }
  // On its control thread.
  template <class F>
  void run(F f) {
    Promise<void> done;
    const auto future = done.future();
    thread_.post("test", [&f, done = std::move(done)]() mutable {
      f();
      done.set_value();
    });
    future.get();
  }
  Leadership& leadership() { return *leadership_; }
  void wait_to_lead() { leads_.future().get(); }
  std::string wait_to_lose() { return lost_.future().get(); }
  // "": it is kept.
  std::string put(const std::string& id) {
    Promise<std::string> answer;
    const auto future = answer.future();
    run([&] {
      leadership_->jobs().put_graph(id, {}, [&](const std::string& error) {
        EXPECT_TRUE(thread_.is_current());
        answer.set_value(error);
      });
    });
    return future.get();
  }

 private:
  Promise<void> leads_;
  Promise<std::string> lost_;
  OwnControlThread thread_{SystemClock::instance()};
  std::unique_ptr<Leadership> leadership_;
};

TEST(Leadership, BringsWhatComesElsewhereToItsControlThread) {
  HighAvailabilityInMemory service;
  Manager first(service, "first");
  first.wait_to_lead();
  Manager second(service, "second");
  EXPECT_EQ(first.put("1"), "");
  Promise<void> published, read;
  first.run([&] {
    first.leadership().publish({"tcp://a", "key"}, [&] { published.set_value(); });
  });
  published.future().get();
  EXPECT_EQ(service.address().endpoint, "tcp://a");
  service.expire_leader();
  second.wait_to_lead();
  second.run([&] {
    second.leadership().jobs().read([&](const KeptJobs::Left& left) {
      EXPECT_EQ(left.jobs.size(), 1u);
      read.set_value();
    });
  });
  read.future().get();
  EXPECT_EQ(first.put("2"), "term 1 is over: term 2 was granted since");
  EXPECT_EQ(first.wait_to_lose(), "term 1 is over: term 2 was granted since");
  service.tell_expired();  // which it knows
  EXPECT_EQ(service.job_graphs().size(), 1u);
}

TEST(Leadership, EndsWhileCallsAreUnderWay) {
  for (int i = 0; i < 20; ++i) {
    HighAvailabilityInMemory service;
    Manager manager(service, "one");
    if (i % 2 == 0) manager.wait_to_lead();
    manager.run([&] {
      for (int job = 0; job < 10; ++job) {
        manager.leadership().jobs().put_graph(std::to_string(job), {}, [](const std::string&) {});
        manager.leadership().jobs().remove_result(std::to_string(job));
      }
    });
    if (i % 3 == 0) service.expire_leader();
    if (i % 3 == 0) service.tell_expired();
    manager.end();
  }
}

TEST(Leadership, IsGivenUpOnce) {
  HighAvailabilityInMemory service;
  Manager manager(service, "one");
  manager.wait_to_lead();
  Promise<void> given_up;
  int told = 0;
  manager.run([&] {
    manager.leadership().give_up([&] {
      ++told;
      given_up.set_value();
    });
  });
  given_up.future().get();
  EXPECT_EQ(service.leader(), "");
  manager.end();
  EXPECT_EQ(told, 1);
}

}  // namespace
}  // namespace freshet::testing
