// The report of a process that died by a signal (crash_writer.h), as others read it. The process
// may have written anything: what is no report is none, and what is too long is cut.
//
// Threads    Any.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "freshet/api.h"

namespace freshet::core {

struct FRESHET_API CrashReport {
  struct Frame {
    std::uint64_t address = 0;
    std::uint64_t offset = 0;  // in the module
    std::string module;        // path; empty: in none
  };
  struct Thread {
    std::uint64_t id = 0;
    std::string name;
    std::vector<Frame> frames;
  };

  // Empty if it is none.
  static std::optional<CrashReport> parse(std::string_view raw);

  // "killed by signal 11 (Segmentation fault) at address 0x10, in the batch of records 1 to 64"
  std::string cause() const;
  // The same, without what a process's end says by itself: " at address 0x10, in the batch …"
  std::string circumstances() const;
  // 'parse', or 'parse -> filter -> count' of those that run in one kernel; empty if none ran.
  std::string operator_name() const;
  // The frames of the thread that died, without names: one line each.
  std::string plain_stack() const;

  int signal = 0;
  int code = 0;  // 0: it was sent
  std::uint64_t address = 0;
  std::string overflowed;  // the fiber whose stack has
  std::uint64_t stack_kib = 0;
  std::string fiber;
  std::vector<std::string> operators;
  std::uint32_t subtask = 0;
  std::uint64_t first_record = 0;  // 0: not while a batch was processed
  std::uint64_t records = 0;       // 0: not known
  std::vector<Thread> threads;     // the one that died is first
};

// What the process that had this file (crash_handler.h) has left in it, raw; empty if nothing.
FRESHET_API std::string crash_report_in(int file);

}  // namespace freshet::core
