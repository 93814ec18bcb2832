#include "bounds/bounds.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include "bounds/failure_text.h"
#include "freshet/error.h"

namespace freshet::core {
namespace {

bool continues(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }
constexpr int kMostContinuing = 3;  // bytes of a sequence behind its first one

// The largest place up to `at` where no sequence is cut.
std::size_t place_before(const std::string& text, std::size_t at) {
  const std::size_t wanted = at;
  for (int i = 0; i < kMostContinuing && at > 0 && continues(text[at]); ++i) --at;
  return continues(text[at]) ? wanted : at;  // no UTF-8 at all: anywhere will do
}

std::size_t place_behind(const std::string& text, std::size_t at) {
  for (int i = 0; i < kMostContinuing && at < text.size() && continues(text[at]); ++i) ++at;
  return at;
}

}  // namespace

std::string cut_to(std::size_t most, std::string text) {
  if (text.size() <= most) return text;
  const auto note = [](std::size_t bytes) {
    return " ... [" + std::to_string(bytes) + " bytes left out] ... ";
  };
  const std::size_t longest_note = note(text.size()).size();
  assert(most > longest_note);
  const std::size_t half = (most - longest_note) / 2;
  const std::size_t begin = place_before(text, half);
  const std::size_t end = place_behind(text, text.size() - half);
  return text.substr(0, begin) + note(end - begin) + text.substr(end);
}

FailureInfo bounded(FailureInfo failure) {
  failure.operator_name = cut_to(kMostNameBytes, std::move(failure.operator_name));
  failure.message = cut_to(kMostFailureBytes, std::move(failure.message));
  return failure;
}

JobInfo listed(JobInfo job) {
  job.detail = cut_to(kMostListedBytes, FailureText::split(job.detail).text);
  return job;
}

ApplicationInfo with_last_jobs(ApplicationInfo application) {
  auto& jobs = application.jobs;
  if (jobs.size() <= kMostListedJobs) return application;
  const std::size_t before = jobs.size() - kMostListedJobs;
  jobs.erase(jobs.begin(), jobs.begin() + static_cast<std::ptrdiff_t>(before));
  application.jobs_left_out += before;
  return application;
}

std::size_t accumulated_bytes(const AccumulatorValue& value) {
  std::size_t bytes = 0;
  for (const std::string& item : value.items) bytes += item.size() + detail::kAccumulatedItem;
  return bytes;
}

void check_size_of_job(const std::string& name, std::size_t bytes) {
  if (bytes <= kMostJobGraphBytes) return;
  throw InvalidInput("job '" + cut_to(kMostNameBytes, name) + "' has " + std::to_string(bytes) +
                     " bytes with all that its operators hold, the limit is " +
                     std::to_string(kMostJobGraphBytes) +
                     ": let it read large data from a source, in place of from_collection() or a "
                     "value that a function holds");
}

}  // namespace freshet::core
