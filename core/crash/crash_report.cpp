#include "crash/crash_report.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <utility>

#include "crash/crash_text.h"

namespace freshet::core {
namespace {

constexpr std::size_t kMostPlainFrames = 16;
constexpr std::size_t kMostNameBytes = 256;

std::vector<std::string_view> split(std::string_view text, char at) {
  std::vector<std::string_view> parts;
  for (;;) {
    const std::size_t end = text.find(at);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

template <class Number>
void read(std::string_view text, Number& number, int base = 10) {
  std::from_chars(text.data(), text.data() + text.size(), number, base);
}

std::string hexadecimal(std::uint64_t number) {
  char digits[24] = "0x";
  return {digits, std::to_chars(digits + 2, digits + sizeof digits, number, 16).ptr};
}

std::string name_in(std::string_view field) { return std::string(field.substr(0, kMostNameBytes)); }

void take(CrashReport& report, const std::vector<std::string_view>& line) {
  const std::string_view kind = line[0];
  const std::size_t fields = line.size() - 1;
  if (kind == "overflow" && fields == 2) {
    report.overflowed = name_in(line[1]);
    read(line[2], report.stack_kib);
  } else if (kind == "fiber" && fields == 1) {
    report.fiber = name_in(line[1]);
  } else if (kind == "operator" && fields == 1) {
    report.operators.push_back(name_in(line[1]));
  } else if (kind == "subtask" && fields == 1) {
    read(line[1], report.subtask);
  } else if (kind == "records" && fields == 2) {
    read(line[1], report.first_record);
    read(line[2], report.records);
  } else if (kind == "thread" && fields == 2) {
    CrashReport::Thread& thread = report.threads.emplace_back();
    read(line[1], thread.id);
    thread.name = name_in(line[2]);
  } else if (kind == "frame" && fields == 3 && !report.threads.empty()) {
    CrashReport::Frame& frame = report.threads.back().frames.emplace_back();
    read(line[1], frame.address, 16);
    read(line[2], frame.offset, 16);
    frame.module = std::string(line[3]);
  }
}

}  // namespace

std::optional<CrashReport> CrashReport::parse(std::string_view raw) {
  CrashReport report;
  bool first = true;
  for (const std::string_view text : split(raw, '\n')) {
    const auto line = split(text, '\t');
    if (!std::exchange(first, false)) {
      take(report, line);
      continue;
    }
    if (line[0] != "signal" || line.size() != 4) return std::nullopt;
    read(line[1], report.signal);
    read(line[2], report.code);
    read(line[3], report.address, 16);
  }
  if (report.signal <= 0) return std::nullopt;
  return report;
}

std::string CrashReport::circumstances() const {
  std::string text;
  if (code > 0 && (signal == SIGSEGV || signal == SIGBUS))
    text += " at address " + hexadecimal(address);
  if (first_record != 0 && records > 1) {
    text += ", in the batch of records " + std::to_string(first_record) + " to " +
            std::to_string(first_record + records - 1);
  } else if (first_record != 0 && records == 0) {
    text += ", in the batch that begins with record " + std::to_string(first_record);
  }
  if (!overflowed.empty()) {
    text += ": the stack of '" + overflowed + "' has overflowed its " + std::to_string(stack_kib) +
            " KiB: raise task.stack-size";
  }
  return text;
}

std::string CrashReport::cause() const {
  const char* const words = ::sigdescr_np(signal);
  return "killed by signal " + std::to_string(signal) +
         (words != nullptr ? std::string(" (") + words + ")" : std::string()) + circumstances();
}

std::string CrashReport::operator_name() const {
  std::string name;
  for (const std::string& each : operators) name += (name.empty() ? "" : " -> ") + each;
  return name;
}

std::string CrashReport::plain_stack() const {
  std::string text;
  if (threads.empty()) return text;
  const auto& frames = threads.front().frames;
  for (std::size_t i = 0; i < std::min(frames.size(), kMostPlainFrames); ++i) {
    const Frame& frame = frames[i];
    text += "\n  #" + std::to_string(i) + " " +
            (frame.module.empty() ? hexadecimal(frame.address)
                                  : frame.module + "+" + hexadecimal(frame.offset));
  }
  return text;
}

std::string crash_report_in(int file) {
  struct {
    std::uint64_t magic;
    std::uint32_t used;
    std::uint32_t unused;
  } head{};
  static_assert(sizeof head == offsetof(CrashArea, text));
  if (::pread(file, &head, sizeof head, 0) != sizeof head || head.magic != CrashArea::kMagic)
    return {};
  std::string raw(std::min<std::size_t>(head.used, CrashArea::kTextBytes), '\0');
  const ssize_t got = ::pread(file, raw.data(), raw.size(), sizeof head);
  raw.resize(static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
  return raw;
}

}  // namespace freshet::core
