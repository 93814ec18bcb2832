#include "crash/crash_writer.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <link.h>
#include <sys/syscall.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>
#include <unwind.h>

#include <algorithm>
#include <cstring>

namespace freshet::core {
namespace {

constexpr int kMostFrames = 64;
constexpr int kMostThreads = 64;
constexpr int kPatienceMs = 500;  // for one thread

char path_of_program[4096];
std::size_t path_of_program_size = 0;

// ---- frames -------------------------------------------------------------------------------------

void write_frame(CrashText& to, std::uintptr_t address) {
  dl_find_object module{};
  std::uintptr_t base = 0;
  std::string_view path;
  // Takes no lock, other than dladdr().
  if (::_dl_find_object(reinterpret_cast<void*>(address), &module) == 0) {
    base = module.dlfo_link_map->l_addr;
    path = module.dlfo_link_map->l_name;
    if (path.empty()) path = {path_of_program, path_of_program_size};
  }
  to.field("frame").field(address, 16).field(address - base, 16).field(path).end_line();
}

struct Walk {
  CrashText& to;
  std::uintptr_t from;  // where the signal came
  bool begun = false;
  int left = kMostFrames;
};

_Unwind_Reason_Code on_frame(_Unwind_Context* frame, void* argument) {
  Walk& walk = *static_cast<Walk*>(argument);
  int is_exact = 0;
  const std::uintptr_t address = _Unwind_GetIPInfo(frame, &is_exact);
  if (!walk.begun && address != walk.from) return _URC_NO_REASON;  // the handler's own
  walk.begun = true;
  if (address == 0 || walk.left-- == 0) return _URC_END_OF_STACK;
  // Of a call that never returns, the address to return to may be another function's.
  write_frame(walk.to, is_exact ? address : address - 1);
  return _URC_NO_REASON;
}

std::uintptr_t instruction_of(const ucontext_t& context) {
#if defined(__x86_64__)
  return static_cast<std::uintptr_t>(context.uc_mcontext.gregs[REG_RIP]);
#elif defined(__aarch64__)
  return context.uc_mcontext.pc;
#else
#error "say where this machine keeps the address of the instruction"
#endif
}

// Of a function that has just been entered.
std::uintptr_t return_address_of(const ucontext_t& context) {
#if defined(__x86_64__)
  return *reinterpret_cast<const std::uintptr_t*>(context.uc_mcontext.gregs[REG_RSP]);
#else
  return context.uc_mcontext.regs[30];
#endif
}

void write_frames(CrashText& to, const void* at) {
  const auto& context = *static_cast<const ucontext_t*>(at);
  Walk walk{to, instruction_of(context)};
  _Unwind_Backtrace(on_frame, &walk);
  if (walk.begun) return;
  // A call of what is no function: it is the caller that is to be known.
  write_frame(to, walk.from);
  write_frame(to, return_address_of(context) - 1);
}

// ---- threads ------------------------------------------------------------------------------------

pid_t thread_id() { return static_cast<pid_t>(::syscall(SYS_gettid)); }

// A file of /proc/self/task/<thread>, without the end of its last line.
std::string_view read_of_thread(pid_t thread, const char* name, char* memory, std::size_t size) {
  char path[64] = "/proc/self/task/";
  std::size_t at = std::strlen(path);
  char digits[16];
  std::size_t first = sizeof digits;
  do digits[--first] = static_cast<char>('0' + thread % 10);
  while ((thread /= 10) != 0);
  while (first < sizeof digits) path[at++] = digits[first++];
  path[at++] = '/';
  while (*name != 0) path[at++] = *name++;
  path[at] = 0;
  const int file = ::open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return {};
  const ssize_t got = ::read(file, memory, size);
  ::close(file);
  std::string_view text(memory, static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
  if (!text.empty() && text.back() == '\n') text.remove_suffix(1);
  return text;
}

void write_name(CrashText& to, pid_t thread) {
  char name[64];
  to.field("thread").field(static_cast<std::uint64_t>(thread));
  to.field(read_of_thread(thread, "comm", name, sizeof name)).end_line();
}

bool blocks(pid_t thread, int signal) {
  char memory[4096];
  const std::string_view status = read_of_thread(thread, "status", memory, sizeof memory);
  constexpr std::string_view kField = "SigBlk:\t";
  const std::size_t at = status.find(kField);
  if (at == std::string_view::npos) return true;  // it has ended
  std::uint64_t mask = 0;
  for (const char digit : status.substr(at + kField.size(), 16)) {
    mask = mask * 16 + static_cast<std::uint64_t>(digit <= '9' ? digit - '0' : digit - 'a' + 10);
  }
  return ((mask >> (signal - 1)) & 1) != 0;
}

// The thread whose turn it is to write; negative while it does.
std::atomic<pid_t> turn{0};
CrashText* shared = nullptr;

void on_asked(int, siginfo_t*, void* context) {
  const int saved = errno;
  const pid_t self = thread_id();
  pid_t expected = self;
  if (turn.compare_exchange_strong(expected, -self)) {
    write_frames(*shared, context);
    turn.store(0);
  }
  errno = saved;
}

bool has_written(int wait_ms) {
  for (int waited = 0; waited < wait_ms; ++waited) {
    if (turn.load() == 0) return true;
    const timespec ms{0, 1'000'000};
    ::nanosleep(&ms, nullptr);
  }
  return turn.load() == 0;
}

// False if it is stuck in the middle of it, and no other may write any more.
bool ask(CrashText& to, pid_t thread, int signal) {
  write_name(to, thread);
  if (blocks(thread, signal)) return true;
  turn.store(thread);
  if (::syscall(SYS_tgkill, ::getpid(), thread, signal) != 0) {
    turn.store(0);
    return true;
  }
  if (has_written(kPatienceMs)) return true;
  pid_t expected = thread;
  return turn.compare_exchange_strong(expected, 0) || has_written(kPatienceMs);
}

}  // namespace

void write_signal(CrashText& to, int number, const siginfo_t& facts) {
  to.field("signal").field(static_cast<std::uint64_t>(number));
  to.field(static_cast<std::uint64_t>(facts.si_code > 0 ? facts.si_code : 0));
  to.field(facts.si_code > 0 ? reinterpret_cast<std::uintptr_t>(facts.si_addr) : 0, 16).end_line();
}

void write_thread(CrashText& to, const void* context) {
  write_name(to, thread_id());
  write_frames(to, context);
}

void write_other_threads(CrashText& to) {
  // One that nobody uses: spared by libc, by what kills a control group, and by user code.
  const int signal = SIGRTMAX - 2;
  struct sigaction asked {};
  asked.sa_sigaction = on_asked;
  asked.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART;
  sigfillset(&asked.sa_mask);
  for (const int fault : {SIGSEGV, SIGBUS, SIGILL}) sigdelset(&asked.sa_mask, fault);
  ::sigaction(signal, &asked, nullptr);
  shared = &to;

  struct Entry {  // as the kernel writes it
    std::uint64_t inode;
    std::int64_t next;
    unsigned short size;
    unsigned char type;
    char name[1];
  };
  const int folder = ::open("/proc/self/task", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) return;
  const pid_t self = thread_id();
  alignas(Entry) char memory[4096];
  int left = kMostThreads;
  long got = 0;
  while (left > 0 && (got = ::syscall(SYS_getdents64, folder, memory, sizeof memory)) > 0) {
    for (long at = 0; at < got;) {
      const auto* const entry = reinterpret_cast<const Entry*>(memory + at);
      at += entry->size;
      pid_t thread = 0;
      for (const char* digit = entry->name; *digit >= '0' && *digit <= '9'; ++digit)
        thread = thread * 10 + (*digit - '0');
      if (thread == 0 || thread == self || left-- <= 0) continue;
      if (!ask(to, thread, signal)) {
        to.close();
        left = 0;
        break;
      }
    }
  }
  ::close(folder);
}

void note_path_of_program() {
  const ssize_t size = ::readlink("/proc/self/exe", path_of_program, sizeof path_of_program);
  path_of_program_size = static_cast<std::size_t>(std::max<ssize_t>(size, 0));
}

}  // namespace freshet::core
