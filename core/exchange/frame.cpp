#include "exchange/frame.h"

#include <algorithm>
#include <cassert>
#include <new>

#include "freshet/plugin/record_type.h"

namespace freshet::core {

FramePool::~FramePool() {
  for (FrameBuffer* buffer : kept_) delete buffer;
}

FrameBuffer* FramePool::take() {
  FrameBuffer* buffer = nullptr;
  {
    const std::lock_guard lock(mutex_);
    if (!kept_.empty()) {
      buffer = kept_.back();
      kept_.pop_back();
    }
  }
  if (!buffer) buffer = new FrameBuffer;
  buffer->home_ = shared_from_this();
  return buffer;
}

void FramePool::give_back(FrameBuffer* buffer) noexcept {
  constexpr std::size_t kLargestKept = 512 * 1024;
  const std::shared_ptr<FramePool> pool = std::move(buffer->home_);
  if (buffer->writer_.size() <= kLargestKept) {
    buffer->writer_.clear();
    const std::lock_guard lock(pool->mutex_);
    if (pool->kept_.size() < pool->most_kept_) {
      try {
        pool->kept_.push_back(buffer);
        return;
      } catch (const std::bad_alloc&) {  // then it goes
      }
    }
  }
  delete buffer;
}

// ---- written -------------------------------------------------------------------------------

void write_frame_header(ByteWriter& to, std::uint32_t channel) {
  to.write_fixed(static_cast<std::uint32_t>(DataKind::elements));
  to.write_fixed(channel);
}

void write_element(ByteWriter& to, const Element& element) {
  to.write_fixed(element.kind);
  switch (element.kind) {
    case Element::Kind::batch: {
      const Batch& batch = *element.batch;
      const std::int64_t* timestamps = batch.timestamps();
      to.write_fixed(static_cast<std::uint8_t>(timestamps ? 1 : 0));
      to.write_fixed(batch.size());
      to.write_fixed(batch.type().schema().fingerprint());
      if (timestamps) to.write(timestamps, batch.size() * sizeof(std::int64_t));
      batch.type().write(to, batch);
      break;
    }
    case Element::Kind::watermark:
    case Element::Kind::barrier:
      to.write_fixed(element.value);
      break;
    case Element::Kind::end_of_input:
    case Element::Kind::idle:
      break;
  }
}

// ---- read ----------------------------------------------------------------------------------

FrameReader::FrameReader(const char* bytes, std::size_t size) : reader_(bytes, size) {
  reader_.take(kFrameHeaderBytes, "header of a frame");
}

Element::Kind FrameReader::look() {
  if (looked_) return kind_;
  const auto kind = reader_.read_fixed<std::uint8_t>("kind of an element");
  switch (static_cast<Element::Kind>(kind)) {
    case Element::Kind::batch: {
      const bool with_timestamps = reader_.read_bool();
      rows_left_ = reader_.read_fixed<std::uint32_t>("number of rows");
      if (rows_left_ == 0) reader_.fail_value("number of rows", 0, "1 or more");
      fingerprint_ = reader_.read_fixed<std::uint64_t>("fingerprint of the rows");
      timestamps_ = with_timestamps
                        ? reader_.take(std::size_t{rows_left_} * sizeof(std::int64_t), "timestamps")
                        : nullptr;
      break;
    }
    case Element::Kind::watermark:
    case Element::Kind::barrier:
      value_ = reader_.read_fixed<std::int64_t>("value of an element");
      break;
    case Element::Kind::end_of_input:
    case Element::Kind::idle:
      value_ = 0;
      break;
    default:
      reader_.fail_value("kind of an element", kind, "0 to 4");
  }
  kind_ = static_cast<Element::Kind>(kind);
  looked_ = true;
  return kind_;
}

void FrameReader::read_rows(Batch& to) {
  assert(looked_ && kind_ == Element::Kind::batch && to.empty());
  const RecordType& type = to.type();
  if (fingerprint_ != type.schema().fingerprint()) {
    throw DecodeError("rows of another schema come in where " + type.schema().text() +
                      " is read: build the modules against one definition of the record type");
  }
  const std::uint32_t count = std::min(rows_left_, to.capacity());
  type.read(reader_, to, count);
  if (timestamps_) {
    std::memcpy(to.timestamp_column(), timestamps_, count * sizeof(std::int64_t));
    timestamps_ += count * sizeof(std::int64_t);
    to.set_has_timestamps(true);
  }
  rows_left_ -= count;
  if (rows_left_ == 0) looked_ = false;
}

Element FrameReader::take() {
  assert(looked_ && kind_ != Element::Kind::batch);
  looked_ = false;
  return {kind_, nullptr, value_};
}

}  // namespace freshet::core
