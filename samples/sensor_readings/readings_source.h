// A source of one's own: readings of sensors from files named *.csv in a folder.
//
// A line is `sensor,milliseconds since the epoch,value`. A file is one split: the enumerator, one
// for the job, hands the next file to whichever subtask asks. Lines of a file come in the order of
// their time, give or take kOutOfOrdernessMs; files sort by name in the order of their times.
#pragma once

#include <freshet/source.h>

#include <cstdint>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

struct Reading {
  std::string sensor;
  std::int64_t time_ms;
  double value;
};

class ReadingFiles {
 public:
  explicit ReadingFiles(std::vector<std::string> paths) : paths_(std::move(paths)) {}
  // The next file for that subtask, nothing when there is no more work for it.
  std::optional<std::string> next(std::uint32_t subtask);

 private:
  std::vector<std::string> paths_;
  std::size_t handed_out_ = 0;
};

class ReadingReader {
 public:
  static constexpr std::int64_t kOutOfOrdernessMs = 1'000;

  // A new file. Throws if it can't be opened.
  void start(const std::string& path);

  // Emits some readings with their timestamps. Returns soon: cancels and snapshots come in between.
  template <class Out>
  freshet::ReadStatus read(Out& out, std::uint32_t records) {
    for (std::uint32_t i = 0; i < records; ++i) {
      const std::optional<Reading> reading = next_reading();
      if (!reading) return freshet::ReadStatus::split_done();
      newest_ms_ = std::max(newest_ms_, reading->time_ms);
      out(*reading, reading->time_ms);
    }
    return freshet::ReadStatus::more();
  }

  // "Nothing at or before this time is still to come." Asked after each read(); never goes back.
  std::int64_t watermark() const {
    return freshet::watermark_behind(newest_ms_, kOutOfOrdernessMs);
  }

 private:
  // The next line's; nothing at the file's end. Throws, naming file and line, if it is damaged.
  std::optional<Reading> next_reading();

  std::string path_;
  std::unique_ptr<std::ifstream> file_;
  std::uint64_t line_ = 0;
  std::int64_t newest_ms_ = freshet::kNoTimestamp;
};

// What main builds and the plan carries: a description, with nothing open yet. An aggregate of
// strings travels as it is.
struct ReadingsSource {
  using Record = Reading;
  using Split = std::string;
  static constexpr bool kTimestamps = true;  // read() gives each record its time

  std::string folder;

  bool bounded() const { return true; }
  // Where the job runs. Throws if the folder can't be read.
  ReadingFiles enumerator(std::uint32_t parallelism) const;
  ReadingReader reader(freshet::RuntimeContext&) const { return {}; }
};
