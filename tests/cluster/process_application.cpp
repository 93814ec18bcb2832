// An application whose main does to its own process what its first argument says.
#include <fcntl.h>
#include <freshet/freshet.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <string>

namespace {

void small_job(freshet::StreamExecutionEnvironment& env) {
  env.from_sequence(1, 100).discard();
  env.execute("small");
}

// How the child ended; killed if it hangs.
void tell_end_of(pid_t process) {
  int status = 0;
  for (int waited = 0; ::waitpid(process, &status, WNOHANG) == 0; ++waited) {
    if (waited == 20'000) ::kill(process, SIGKILL);
    ::usleep(1'000);
  }
  if (WIFEXITED(status)) std::printf("the child exited with %d\n", WEXITSTATUS(status));
  if (WIFSIGNALED(status)) std::printf("the child died by %d\n", WTERMSIG(status));
  std::fflush(stdout);
}

// Between two attempts of a job.
bool has_threads_of_tasks() {
  for (const auto& thread : std::filesystem::directory_iterator("/proc/self/task")) {
    std::string name;
    std::ifstream(thread.path() / "comm") >> name;
    if (name.starts_with("fr-task")) return true;
  }
  return false;
}

// What a child of main does while a job runs, or waits for its next attempt, and how it ends.
template <class Child>
void while_a_job_runs(freshet::StreamExecutionEnvironment& env, const std::string& folder,
                      bool restarting, Child&& child) {
  auto numbers = env.generate_forever([](std::uint64_t n) { return std::to_string(n); }, 1'000);
  if (restarting) {
    numbers.map([](const std::string&) -> std::string { throw std::runtime_error("once more"); })
        .discard();
  } else {
    numbers.write_text(folder);
  }
  auto job = env.execute_async("endless");
  const auto awaited = restarting ? freshet::JobStatus::kRestarting : freshet::JobStatus::kRunning;
  while (job->status().get() != awaited || (restarting && has_threads_of_tasks())) ::usleep(1'000);
  std::fflush(stdout);
  const pid_t process = ::fork();
  if (process == 0) child(job);
  tell_end_of(process);
  static_cast<void>(job->cancel());
  job->result().wait();
}

// Whether `call` throws, which is then printed.
template <class Call>
bool says_why_not(Call&& call) {
  try {
    call();
    return false;
  } catch (const std::exception& error) {
    std::printf("%s\n", error.what());
    std::fflush(stdout);
    return true;
  }
}

int run(int argc, char** argv) {
  const std::string how = argc > 1 ? argv[1] : "";
  const std::string more = argc > 2 ? argv[2] : "";
  auto env = freshet::StreamExecutionEnvironment::get_execution_environment();
  if (how.rfind("close-all", 0) == 0) {
    std::printf("printed before\n");
    small_job(env);
    const auto limit = static_cast<int>(::sysconf(_SC_OPEN_MAX));
    for (int number = 0; number < limit; ++number) ::close(number);
    if (how == "close-all-and-go-on") {
      const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(300);
      while (std::chrono::steady_clock::now() < until) {
      }
    }
    if (how == "close-all-and-throw") throw std::runtime_error("nothing is open");
    if (how == "close-all-and-exit") std::exit(3);
    return 0;
  }
  if (how == "print-and-write") {
    // As many lines as make pieces that a pipe takes one by one.
    auto rows = env.from_sequence(1, std::atoi(more.c_str())).map([](std::int64_t n) {
      return "printed " + std::to_string(n);
    });
    rows.print();
    if (argc > 3)
      rows.map([](const std::string&) { return std::string("written"); }).write_text(argv[3]);
    std::printf("printed by main\n");
    env.execute("both");
    return 0;
  }
  if (how == "mask-of-a-child") {
    return std::system("grep -E '^Sig(Blk|Ign)' /proc/self/status");
  }
  if (how == "wait") {
    std::ofstream(more) << ::getpid();
    for (;;) ::pause();
  }
  const bool restarting = argc > 3 && std::string(argv[3]) == "restarting";
  if (how == "fork-and-exit") {
    while_a_job_runs(env, more, restarting,
                     [](std::unique_ptr<freshet::JobClient>&) { std::exit(5); });
    return 0;
  }
  if (how == "fork-and-run-a-job") {
    while_a_job_runs(env, more, restarting, [](std::unique_ptr<freshet::JobClient>&) {
      auto mine = freshet::StreamExecutionEnvironment::get_execution_environment();
      std::exit(says_why_not([&] { small_job(mine); }) ? 7 : 0);
    });
    return 0;
  }
  if (how == "fork-and-ask") {
    while_a_job_runs(env, more, restarting, [](std::unique_ptr<freshet::JobClient>& job) {
      int refused = 0;
      refused += says_why_not([&] { static_cast<void>(job->status().get()); });
      refused += says_why_not([&] { job->cancel().get(); });
      refused += says_why_not([&] { static_cast<void>(job->result().get()); });
      refused += says_why_not([&] { static_cast<void>(job->details().get()); });
      job.reset();
      std::exit(refused);
    });
    return 0;
  }
  if (how == "fork-behind-a-job") {
    for (int i = 0; i < 20; ++i) {
      small_job(env);
      const pid_t process = ::fork();
      if (process == 0) {
        small_job(env);
        std::exit(5);
      }
      tell_end_of(process);
    }
    return 0;
  }
  if (how == "fork-in-an-operator") {
    // Each record once, whatever the child does.
    env.from_sequence(1, 3)
        .map(
            [](std::int64_t n, const std::string& end) {
              if (n != 2) return n;
              const pid_t process = ::fork();
              if (process == 0) {
                if (end == "exit") std::exit(5);
                if (end == "throw") throw std::runtime_error("by the child");
                if (end == "return") return n;
                ::_exit(6);
              }
              tell_end_of(process);
              return n;
            },
            more)
        .write_text(argv[3]);
    env.execute("forks");
    return 0;
  }
  return 99;
}

}  // namespace

FRESHET_APPLICATION(run, "process_application", "0.1.0");
