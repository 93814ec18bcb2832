#include "plugin/case_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <sstream>

#include "child.h"
#include "freshet/error.h"
#include "freshet/plugin/operator.h"
#include "process/caught_signals.h"

namespace freshet::tool {
using namespace core;
namespace {

using Clock = std::chrono::steady_clock;

std::string rounded(double seconds) {
  std::ostringstream text;
  text << std::round(seconds * 10) / 10;
  return text.str();
}

Child::Words words_of(const CheckRequest& request, const std::string& name) {
  Child::Words words{{"plugin", "check", request.file}, "--report-to", {"--run-case", name}};
  const auto add = [&](const char* flag, const std::string& value) {
    words.arguments.insert(words.arguments.end(), {flag, value});
  };
  add("--folder", request.folder);
  if (!request.target.empty()) add("--target", request.target);
  if (!request.sample.empty()) add("--sample", request.sample);
  if (!request.configuration.file.empty()) add("--config", request.configuration.file);
  for (const std::string& definition : request.configuration.definitions) add("-D", definition);
  for (const std::string& folder : request.configuration.plugin_dirs) add("--plugin-dir", folder);
  for (const std::string& payload : request.payloads) add("--payload", payload);
  words.arguments.push_back("--");
  words.arguments.insert(words.arguments.end(), request.arguments.begin(), request.arguments.end());
  return words;
}

// The last lines that the case's process has printed, indented.
std::string printed_lines(int file) {
  constexpr off_t kMost = 4096;
  constexpr std::size_t kMostLines = 8;
  const off_t size = ::lseek(file, 0, SEEK_END);
  const off_t from = size > kMost ? size - kMost : 0;
  std::string bytes(static_cast<std::size_t>(size > 0 ? size - from : 0), '\0');
  const ssize_t n = ::pread(file, bytes.data(), bytes.size(), from);
  bytes.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
  std::vector<std::string> lines;
  std::istringstream all(bytes);
  for (std::string line; std::getline(all, line);) lines.push_back(line);
  if (lines.size() > kMostLines) lines.erase(lines.begin(), lines.end() - kMostLines);
  std::string text;
  for (const std::string& line : lines) text += "\nit printed: " + printable(line, 200);
  return text;
}

struct Report {
  std::optional<CaseResult::Verdict> verdict;
  std::string detail, doing, notes;

  void take(char kind, const std::string& content) {
    using Verdict = CaseResult::Verdict;
    switch (kind) {
      case kCasePassed:
        verdict = Verdict::kPassed;
        break;
      case kCaseFailed:
        verdict = Verdict::kFailed;
        break;
      case kCaseSkipped:
        verdict = Verdict::kSkipped;
        break;
      case kCaseNote:
        notes += (notes.empty() ? "" : "\n") + content;
        return;
      case kCaseDoing:
        doing = content;
        return;
      default:
        throw InvalidInput("the process of a case sent an odd report");
    }
    detail = content;
  }
  std::string while_doing() const { return doing.empty() ? "" : ", while " + doing; }
};

// Reads what has come; false once nothing more can.
bool read_report(int socket, PlanFrames& frames, Report& report) {
  for (;;) {
    char bytes[4096];
    const ssize_t n = ::read(socket, bytes, sizeof bytes);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EAGAIN) return true;
    if (n <= 0) return false;
    frames.append(bytes, static_cast<std::size_t>(n));
    while (auto frame = frames.next()) report.take(frame->kind, frame->content);
  }
}

// Readable when Ctrl-C or SIGTERM asks this process to end, or nobody reads what it prints.
int interrupts() {
  static const int descriptor = [] {
    sigset_t signals;
    ::sigemptyset(&signals);
    if (!is_ignored(SIGINT)) ::sigaddset(&signals, SIGINT);
    ::sigaddset(&signals, SIGTERM);
    ::sigaddset(&signals, SIGPIPE);
    ::sigprocmask(SIG_BLOCK, &signals, nullptr);
    return ::signalfd(-1, &signals, SFD_CLOEXEC);
  }();
  return descriptor;
}

// False if the child has not ended by then.
bool listen(Child& child, Report& report, Clock::time_point deadline) {
  PlanFrames frames;
  bool open = true;
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
    pollfd watched[] = {{open ? child.channel() : -1, POLLIN, 0},
                        {child.ended(), POLLIN, 0},
                        {interrupts(), POLLIN, 0}};
    const int ready = ::poll(watched, 3, static_cast<int>(std::max<long long>(left.count(), 0)));
    if (ready < 0 && errno != EINTR) {
      throw InvalidInput(std::string("can't listen to the process of a case: ") +
                         std::strerror(errno));
    }
    if (ready > 0 && watched[2].revents != 0) throw Interrupted{};
    if (open) open = read_report(child.channel(), frames, report);
    if (ready > 0 && watched[1].revents != 0) return true;
    if (ready == 0) return false;
  }
}

}  // namespace

void hold_interrupts() { static_cast<void>(interrupts()); }

CaseResult run_case(const CheckRequest& request, const std::string& name, double limit_seconds) {
  const Descriptor printed(::memfd_create("freshet-plugin-check", MFD_CLOEXEC));
  if (printed.get() < 0) {
    throw InvalidInput(std::string("can't keep the output of a case: ") + std::strerror(errno));
  }
  const auto began = Clock::now();
  const auto limit =
      std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(limit_seconds));
  Child child(words_of(request, name), {printed.get(), printed.get()}, /*own_group=*/true);
  if (::fcntl(child.channel(), F_SETFL, O_NONBLOCK) != 0) {
    throw InvalidInput(std::string("can't set up a socket: ") + std::strerror(errno));
  }
  Report report;
  const bool ended = listen(child, report, began + limit);
  const int status = child.reap(ended ? 0 : SIGKILL);

  CaseResult result;
  result.seconds = std::chrono::duration<double>(Clock::now() - began).count();
  if (!ended) {
    result.detail = report.verdict ? "its process does not end after its work"
                                   : "does not end within " + rounded(limit_seconds) + " s" +
                                         report.while_doing();
  } else if (report.verdict && WIFEXITED(status) && WEXITSTATUS(status) == 0) {
    result.verdict = *report.verdict;
    result.detail = report.detail.empty() ? report.notes : report.detail;
  } else if (report.verdict) {
    result.detail = "its process ended with " + end_text(status) + " after its work, on exit";
  } else {
    result.detail = "its process ended with " + end_text(status) + report.while_doing();
  }
  if (result.verdict == CaseResult::Verdict::kFailed) {
    result.detail += printed_lines(printed.get());
  }
  return result;
}

int run_case_here(const CheckRequest& request, const std::string& name,
                  const std::string& channel) {
  static PlanSender report(join_parent(channel, "--report-to"));
  const std::vector<Case> cases = cases_of(0);
  const auto found =
      std::find_if(cases.begin(), cases.end(), [&](const Case& each) { return each.name == name; });
  if (found == cases.end()) throw InvalidInput("there is no case '" + name + "'");
  static CaseContext context(request, report);
  try {
    found->run(context);
    report.send(kCasePassed, "");
  } catch (const CaseSkipped& skipped) {
    report.send(kCaseSkipped, skipped.what());
  } catch (...) {
    report.send(kCaseFailed, detail::current_exception_message());
  }
  std::fflush(nullptr);
  // What the plugin does when the process ends is part of its being loaded, and of no other case.
  if (name != "loads") ::_exit(0);
  return 0;
}

}  // namespace freshet::tool
