// A program run by a test: its arguments, surroundings, output, and how it ended.
#pragma once

#include <sys/types.h>

#include <cstdio>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace freshet::testing {

struct Outcome {
  int code = -1;   // of exit; -1 if a signal ended it
  int signal = 0;  // that ended it
  std::string output;
  std::string errors;
  double seconds = 0;

  // For failure messages.
  std::string text() const;
};

struct Surroundings {
  std::map<std::string, std::string> variables;  // above those of this process; "" unsets
  std::string folder;                            // works there; "": where this process does
  uid_t user = 0;                                // 0: who this process is; needs root otherwise
};

class ChildProcess {
 public:
  // Starts it. Its standard input is empty. Throws std::runtime_error if that can't be.
  ChildProcess(const std::vector<std::string>& arguments, const Surroundings& surroundings);
  // Kills it if it still runs.
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  void send(int signal) const;
  bool running();
  // Kills it after `seconds`, which its outcome then shows.
  Outcome wait(double seconds = 60);

 private:
  bool reap(bool block);

  using File = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;
  File output_;
  File errors_;
  pid_t pid_ = -1;
  int status_ = 0;
  bool ended_ = false;
  double started_ = 0;
};

Outcome run(const std::vector<std::string>& arguments, const Surroundings& surroundings = {});

// Looks every few ms whether `condition()` holds, for at most `seconds`.
template <class Condition>
bool eventually(Condition&& condition, double seconds = 30);

void nap();
double now_seconds();

template <class Condition>
bool eventually(Condition&& condition, double seconds) {
  for (const double end = now_seconds() + seconds; now_seconds() < end; nap()) {
    if (condition()) return true;
  }
  return condition();
}

}  // namespace freshet::testing
