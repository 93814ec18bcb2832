#include "freshet/functions.h"

#include <cstring>

#include "freshet/detail/stages/keyed.h"
#include "freshet/error.h"

namespace freshet {

OutputName::OutputName(std::string_view name) {
  if (name.size() > kMost) {
    throw InvalidInput("side output '" + std::string(name) + "' has a name of " +
                       std::to_string(name.size()) + " bytes: use at most " +
                       std::to_string(kMost));
  }
  std::memset(bytes_, 0xff, kMost);
  std::memcpy(bytes_, name.data(), name.size());
  bytes_[kMost] = static_cast<char>(name.size());
}

std::uint32_t ProcessContext::side_index(std::string_view name, const RecordType& type) const {
  std::string known;
  for (std::uint32_t i = 0; i < side_outputs_.count; ++i) {
    if (side_outputs_.names[i] == name) {
      const RecordType& declared = *side_outputs_.types[i];
      if (&declared == &type) return i + 1;
      throw InvalidInput("side output '" + std::string(name) + "' takes " +
                         declared.schema().text() + ", got " + type.schema().text() +
                         ": use the tag that was given to process()");
    }
    known += (i ? ", '" : "'") + side_outputs_.names[i] + "'";
  }
  throw InvalidInput("side output '" + std::string(name) +
                     "' is not among those of this process() (" + (known.empty() ? "none" : known) +
                     "): give its tag to process()");
}

void ProcessContext::write_side_output(std::string_view name, const RecordType& type, void* record,
                                       void (*append)(Batch&, void*, std::int64_t)) {
  Output& output = runtime_.side_output(side_index(name, type));
  Batch* batch = &output.open(type);
  append(*batch, record, timestamp_);
  output.send(*batch, batch->size() == batch->capacity() || batch->is_heavy());
}

namespace detail {

namespace {

template <class Integer>
[[noreturn]] void fail_sum_of(Integer sum, Integer value) {
  throw InvalidInput(
      "the sum of a key is " + std::to_string(sum) + ", and " + std::to_string(value) +
      " more does not fit in 64 bits: sum doubles, or use reduce() with a wider type");
}

}  // namespace

void fail_sum(std::int64_t sum, std::int64_t value) { fail_sum_of(sum, value); }
void fail_sum(std::uint64_t sum, std::uint64_t value) { fail_sum_of(sum, value); }

}  // namespace detail
}  // namespace freshet
