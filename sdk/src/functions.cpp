#include "freshet/functions.h"

#include "freshet/error.h"

namespace freshet {

std::uint32_t ProcessContext::side_index(const std::string& name) const {
  for (std::uint32_t i = 0; i < tag_count; ++i) {
    if (tags[i] == name) return i + 1;
  }
  std::string known;
  for (std::uint32_t i = 0; i < tag_count; ++i) known += (i ? ", '" : "'") + tags[i] + "'";
  throw InvalidInput("side output '" + name + "' is not among those of this process() (" +
                     (known.empty() ? "none" : known) + "): give its tag to process()");
}

void ProcessContext::write_side_output(std::uint32_t index, const RecordType& type, void* record,
                                       void (*append)(Batch&, void*, std::int64_t)) {
  Output& output = runtime_.side_output(index);
  Batch* batch = &output.open(type);
  append(*batch, record, timestamp_);
  output.send(*batch,
              batch->size() == batch->capacity() || batch->extra_bytes() > Batch::kExtraLimit);
}

}  // namespace freshet
