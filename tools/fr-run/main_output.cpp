#include "main_output.h"

#include <algorithm>
#include <cstdio>
#include <cstring>

#include "freshet/error.h"
#include "standard_streams.h"

namespace freshet::tool {
namespace {

constexpr std::int64_t kLookMs = 50;

}  // namespace

bool MainOutput::follow(std::int64_t patience_ms, const std::function<bool()>& nobody_answers) {
  try {
    const Future<LogChunk> answer = client_.read_log(process_, at_);
    for (std::int64_t waited = 0; !answer.wait_for(kLookMs); waited += kLookMs)
      if (waited >= patience_ms || (nobody_answers() && !answer.wait_for(kLookMs))) return false;
    const LogChunk chunk = answer.get();
    if (chunk.text.empty()) return false;
    const std::uint64_t begin = chunk.next - chunk.text.size();
    if (begin > at_) skip(begin - at_);
    at_ = chunk.next;
    show(chunk);
    return true;
  } catch (const Error&) {
    return false;  // main has not begun, or the cluster has ended
  }
}

void MainOutput::show(const LogChunk& chunk) {
  const std::string_view text = chunk.text;
  std::size_t at = 0;
  for (const auto& [begin, end] : chunk.errors) {
    if (begin < at || end < begin || end > text.size()) break;
    put(output_, text.substr(at, begin - at));
    put(errors_, text.substr(begin, end - begin));
    at = end;
  }
  put(output_, text.substr(at));
}

// What comes next does not belong to what came before.
void MainOutput::skip(std::uint64_t bytes) {
  skipped_ += bytes;
  for (Stream* stream : {&output_, &errors_})
    if (stream->in_line) put(*stream, "\n");
}

void MainOutput::put(Stream& stream, std::string_view text) {
  if (text.empty() || stream.error != 0) return;
  stream.in_line = text.back() != '\n';
  stream.error = write_whole(stream.descriptor, text);
  // Said at once: the application may run on for long.
  if (stream.error != 0)
    std::fprintf(
        stderr,
        "fr-run: can't write the standard %s: %s: what main prints there is lost from here "
        "on, 'fr logs' has it\n",
        stream.name, std::strerror(stream.error));
}

bool MainOutput::finish() {
  if (skipped_ > 0)
    std::fprintf(stderr,
                 "fr-run: %llu bytes that main printed are not shown: its log had dropped them "
                 "before they were read here, raise the cluster's log.max-size or print less\n",
                 static_cast<unsigned long long>(skipped_));
  return output_.error == 0 && errors_.error == 0;
}

}  // namespace freshet::tool
