#include "crash/plain_report.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

#include <charconv>
#include <cstddef>
#include <cstdint>

namespace freshet::core {
namespace {

// Text of any length, without memory of its own.
class Printed {
 public:
  explicit Printed(int file) : file_(file) {}
  ~Printed() { flush(); }
  Printed(const Printed&) = delete;
  Printed& operator=(const Printed&) = delete;

  Printed& operator<<(std::string_view text) {
    for (const char byte : text) {
      if (at_ == sizeof text_) flush();
      text_[at_++] = byte;
    }
    return *this;
  }
  Printed& operator<<(std::uint64_t number) {
    char digits[24];
    const auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
    return *this << std::string_view(digits, static_cast<std::size_t>(end - digits));
  }

 private:
  void flush() {
    static_cast<void>(!::write(file_, text_, at_));
    at_ = 0;
  }

  const int file_;
  char text_[1024];
  std::size_t at_ = 0;
};

std::string_view take_until(std::string_view& text, char mark) {
  const std::size_t end = text.find(mark);
  const std::string_view taken = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return taken;
}

struct Line {
  explicit Line(std::string_view text) : kind(take_until(text, '\t')) {
    for (std::string_view& field : fields) field = take_until(text, '\t');
  }
  std::uint64_t number(std::size_t field) const {
    std::uint64_t value = 0;
    std::from_chars(fields[field].data(), fields[field].data() + fields[field].size(), value);
    return value;
  }
  std::string_view kind, fields[3];
};

// Calls line(Line) for each line of that kind.
template <class Each>
void each_line(std::string_view raw, std::string_view kind, Each&& each) {
  while (!raw.empty()) {
    const Line line(take_until(raw, '\n'));
    if (kind.empty() || line.kind == kind) each(line);
  }
}

void print_place(Printed& out, std::string_view raw) {
  bool in_operator = false;
  each_line(raw, "operator", [&](const Line& line) {
    out << (in_operator ? " -> " : "operator '") << line.fields[0];
    in_operator = true;
  });
  if (!in_operator) {
    each_line(raw, "fiber", [&](const Line& line) { out << "'" << line.fields[0] << "': "; });
    return;
  }
  out << "'";
  each_line(raw, "subtask",
            [&](const Line& line) { out << " (subtask " << line.fields[0] << ")"; });
  out << ": ";
}

void print_cause(Printed& out, std::string_view raw) {
  each_line(raw, "signal", [&](const Line& line) {
    const auto signal = static_cast<int>(line.number(0));
    const char* const words = ::sigdescr_np(signal);
    out << "killed by signal " << line.fields[0];
    if (words != nullptr) out << " (" << words << ")";
    if (line.fields[1] != "0" && (signal == SIGSEGV || signal == SIGBUS))
      out << " at address 0x" << line.fields[2];
  });
  each_line(raw, "records", [&](const Line& line) {
    const std::uint64_t first = line.number(0), count = line.number(1);
    if (count == 0) {
      out << ", in the batch that begins with record " << first;
    } else if (count == 1) {
      out << ", at record " << first;
    } else {
      out << ", in the batch of records " << first << " to " << first + count - 1;
    }
  });
  each_line(raw, "overflow", [&](const Line& line) {
    out << ": the stack of '" << line.fields[0] << "' has overflowed its " << line.fields[1]
        << " KiB: raise task.stack-size";
  });
}

}  // namespace

void print_plain_report(int file, std::string_view raw, bool all_threads) {
  Printed out(file);
  out << "freshet: ";
  print_place(out, raw);
  print_cause(out, raw);
  std::uint64_t thread = 0, frame = 0;
  each_line(raw, {}, [&](const Line& line) {
    if (line.kind == "thread") {
      frame = 0;
      if (++thread > 1 && all_threads)
        out << "\nthread " << line.fields[0] << " '" << line.fields[1] << "':";
    } else if (line.kind == "frame" && (thread == 1 || all_threads)) {
      const std::string_view module = line.fields[2];
      out << "\n  #" << frame++ << " ";
      if (module.empty()) {
        out << "0x" << line.fields[0];
      } else {
        out << module << "+0x" << line.fields[1];
      }
    }
  });
  out << "\n";
}

}  // namespace freshet::core
