// An application whose main does to its own process what its first argument says.
#include <fcntl.h>
#include <freshet/freshet.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <string>

namespace {

void small_job(freshet::StreamExecutionEnvironment& env) {
  env.from_sequence(1, 100).discard();
  env.execute("small");
}

// What a child of main does while a job runs, and how it ends.
template <class Child>
void while_a_job_runs(freshet::StreamExecutionEnvironment& env, const std::string& folder,
                      Child&& child) {
  env.generate_forever([](std::uint64_t n) { return std::to_string(n); }, 1'000).write_text(folder);
  const auto job = env.execute_async("endless");
  while (job->status().get() != freshet::JobStatus::kRunning) ::usleep(1'000);
  std::fflush(stdout);
  const pid_t process = ::fork();
  if (process == 0) child();
  int status = 0;
  for (int waited = 0; ::waitpid(process, &status, WNOHANG) == 0; ++waited) {
    if (waited == 20'000) ::kill(process, SIGKILL);
    ::usleep(1'000);
  }
  if (WIFEXITED(status)) std::printf("the child exited with %d\n", WEXITSTATUS(status));
  if (WIFSIGNALED(status)) std::printf("the child died by %d\n", WTERMSIG(status));
  std::fflush(stdout);
  static_cast<void>(job->cancel());
  job->result().wait();
}

int run(int argc, char** argv) {
  const std::string how = argc > 1 ? argv[1] : "";
  const std::string more = argc > 2 ? argv[2] : "";
  auto env = freshet::StreamExecutionEnvironment::get_execution_environment();
  if (how == "close-all" || how == "close-all-and-exit") {
    small_job(env);
    for (int number = 0; number < 1024; ++number) ::close(number);
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
  if (how == "fork-and-exit") {
    while_a_job_runs(env, more, [] { std::exit(5); });
    return 0;
  }
  if (how == "fork-and-run-a-job") {
    while_a_job_runs(env, more, [] {
      try {
        auto mine = freshet::StreamExecutionEnvironment::get_execution_environment();
        small_job(mine);
      } catch (const std::exception& error) {
        std::printf("%s\n", error.what());
        std::fflush(stdout);
        std::exit(7);
      }
      std::exit(0);
    });
    return 0;
  }
  return 99;
}

}  // namespace

FRESHET_APPLICATION(run, "process_application", "0.1.0");
