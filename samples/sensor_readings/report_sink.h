// A sink of one's own: one report per subtask in a folder, with a heading, and a last line that
// says how many rows there are and when the last of them happened. A report that has no last line
// was cut short; a job that failed leaves none behind.
#pragma once

#include <freshet/runtime_context.h>
#include <freshet/sink.h>

#include <cstdint>
#include <fstream>
#include <memory>
#include <string>
#include <utility>

class Report {
 public:
  explicit Report(const std::string& path);
  ~Report();  // removes what has not been completed

  void add(const std::string& sensor, double highest, std::int64_t time_ms);
  void flush();
  void complete();

 private:
  // Throws if anything so far could not be written.
  void check();

  std::string path_;
  std::ofstream file_;
  std::uint64_t rows_ = 0;
  std::int64_t last_ms_ = 0;
  bool complete_ = false;
};

// The highest value of a sensor so far.
using Highest = std::pair<std::string, double>;

struct ReportSink {
  std::string folder;
  std::unique_ptr<Report> report{};

  // In the task, before its first record.
  void open(freshet::RuntimeContext& context) {
    report = std::make_unique<Report>(folder + "/report-" +
                                      std::to_string(context.subtask_index()) + ".txt");
  }
  void write(const Highest& row, std::int64_t time_ms) {
    report->add(row.first, row.second, time_ms);
  }
  // After each batch: rows do not lie about.
  void flush() { report->flush(); }
  // Everything has been written.
  void end_of_input() { report->complete(); }
  // Always, also after a failure.
  void close() { report.reset(); }

  // How it travels: what is open does not.
  void write_bound(freshet::PayloadWriter& to) const { to.value(folder); }
  static ReportSink read_bound(freshet::PayloadReader& from) { return {from.value<std::string>()}; }
};
