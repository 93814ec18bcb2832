// What a main on a cluster prints, as it comes: its output and its errors to those of this process.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "freshet/cluster_client.h"

namespace freshet::tool {

class MainOutput {
 public:
  // `process` as ClusterClient::read_log() has it. The client outlives this.
  MainOutput(ClusterClient& client, std::string process)
      : client_(client), process_(std::move(process)) {}

  // False: there was nothing new within that time, or before nobody answers any more.
  bool follow(std::int64_t patience_ms, const std::function<bool()>& nobody_answers);
  // Once nothing comes any more: says what could not be shown. False: of what came, some could not
  // be written here.
  bool finish();

 private:
  struct Stream {
    int descriptor;
    const char* name;
    bool in_line = false;  // what it has shown last is no whole line
    int error = 0;         // errno of the first write that failed; nothing is written after it
  };

  void show(const LogChunk& chunk);
  void skip(std::uint64_t bytes);
  static void put(Stream& stream, std::string_view text);

  ClusterClient& client_;
  const std::string process_;
  std::uint64_t at_ = 0;
  std::uint64_t skipped_ = 0;
  Stream output_{1, "output"}, errors_{2, "error"};
};

}  // namespace freshet::tool
