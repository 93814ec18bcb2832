#include "readings_source.h"

#include <freshet/await.h>
#include <freshet/error.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <string_view>

namespace {

// Takes `text` up to the next comma, or all of it.
std::string_view take_field(std::string_view& text) {
  const std::string_view field = text.substr(0, text.find(','));
  text.remove_prefix(std::min(text.size(), field.size() + 1));
  return field;
}

template <class Number>
bool parse(std::string_view text, Number& number) {
  const char* const end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, number);
  return error == std::errc() && stopped == end;
}

}  // namespace

ReadingFiles ReadingsSource::enumerator(std::uint32_t) const {
  std::vector<std::string> paths;
  std::error_code error;
  // Errors name a relative path with the folder that it begins at.
  const std::filesystem::path whole = std::filesystem::absolute(folder, error);
  for (const auto& entry : std::filesystem::directory_iterator(whole, error)) {
    if (entry.path().extension() == ".csv") paths.push_back(entry.path().string());
  }
  if (error)
    throw freshet::Error("can't read the folder '" + whole.string() + "': " + error.message() +
                         ": give one with .csv files that this user may read");
  std::sort(paths.begin(), paths.end());
  return ReadingFiles(std::move(paths));
}

std::optional<std::string> ReadingFiles::next(std::uint32_t) {
  if (handed_out_ == paths_.size()) return std::nullopt;
  return paths_[handed_out_++];
}

void ReadingReader::start(const std::string& path) {
  path_ = path;
  line_ = 0;
  // Opening a file can take long, on a network say: only this task waits, not its thread.
  file_ = freshet::await([&] { return std::make_unique<std::ifstream>(path); });
  if (!*file_) throw freshet::Error("can't open '" + path + "': check that it may be read");
}

std::optional<Reading> ReadingReader::next_reading() {
  std::string line;
  if (!std::getline(*file_, line)) {
    if (file_->bad()) {  // a folder and a failing disk end a stream, too
      throw freshet::Error("can't read '" + path_ +
                           "' to its end: let it be a file, and see to its disk");
    }
    return std::nullopt;
  }
  ++line_;
  std::string_view rest = line;
  Reading reading{};
  reading.sensor = take_field(rest);
  const bool has_time = parse(take_field(rest), reading.time_ms);
  if (reading.sensor.empty() || !has_time || !parse(rest, reading.value)) {
    throw freshet::Error(path_ + ":" + std::to_string(line_) + ": '" + line +
                         "' is no reading: expected sensor,milliseconds,value");
  }
  return reading;
}
