#include "measured_run.h"

#include <array>
#include <cctype>
#include <chrono>
#include <cstdio>
#include <stdexcept>

namespace freshet::bench {

MeasuredRun run_command(const std::string& command, const std::string& cpus, bool says_seconds) {
  const auto start = std::chrono::steady_clock::now();
  std::FILE* pipe = ::popen(("exec taskset -c " + cpus + " " + command + " 2>&1").c_str(), "r");
  if (!pipe) throw std::runtime_error("can't run " + command);
  std::string output;
  std::array<char, 4096> piece;
  while (std::size_t n = std::fread(piece.data(), 1, piece.size(), pipe)) {
    output.append(piece.data(), n);
  }
  const int status = ::pclose(pipe);
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
  if (status != 0) throw std::runtime_error(command + " failed: " + output);
  MeasuredRun run;
  run.seconds = elapsed.count();
  if (says_seconds) {
    // The line of figures; beside it fr-run remarks that a hand loop has run no job.
    std::size_t begin = 0;
    while (begin < output.size() && !std::isdigit(static_cast<unsigned char>(output[begin]))) {
      begin = output.find('\n', begin);
      begin = begin == std::string::npos ? output.size() : begin + 1;
    }
    const std::string first = output.substr(begin, output.find('\n', begin) - begin);
    std::size_t used = 0;
    run.seconds = std::stod(first, &used);
    run.result = first.substr(used);
  }
  return run;
}

}  // namespace freshet::bench
