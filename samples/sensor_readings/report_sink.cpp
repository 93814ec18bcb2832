#include "report_sink.h"

#include <freshet/error.h>

#include <cstdio>
#include <filesystem>

Report::Report(const std::string& path) : path_(std::filesystem::absolute(path)) {
  std::error_code ignored;  // opening the file tells
  std::filesystem::create_directories(std::filesystem::path(path_).parent_path(), ignored);
  file_.open(path_);
  file_ << "sensor\ttime\thighest so far\n";
  check();
}

Report::~Report() {
  if (!complete_) std::remove(path_.c_str());
}

void Report::add(const std::string& sensor, double highest, std::int64_t time_ms) {
  file_ << sensor << '\t' << time_ms << '\t' << highest << '\n';
  last_ms_ = time_ms;
  ++rows_;
}

void Report::flush() {
  file_.flush();
  check();
}

void Report::complete() {
  file_ << rows_ << " rows, the last of " << last_ms_ << '\n';
  flush();
  complete_ = true;
}

void Report::check() {
  if (!file_) {
    throw freshet::Error("can't write to '" + path_ +
                         "': check that the folder may be written to and has space left");
  }
}
