#include "operators/outputs.h"

#include <algorithm>
#include <cassert>

#include "freshet/error.h"
#include "freshet/plugin/byte_records.h"
#include "operators/services.h"

namespace freshet::core {

void RowsCheck::look(const RecordType& written, const Operator& reader, std::uint32_t input) {
  seen_ = &written;
  const RecordType* const says = reader.input_type(input);
  if (says == nullptr) return;
  const RecordType& read = *says;
  if (&written == &read || written.schema().fingerprint() != read.schema().fingerprint() ||
      (written.size == read.size && written.align == read.align)) {
    return;  // other schemas are compared elsewhere
  }
  const auto text = [](const RecordType& type) {
    return type.schema().text() + " of " + std::to_string(type.size) + " bytes aligned to " +
           std::to_string(type.align);
  };
  const bool views = &written == &byte_record_type();
  throw InvalidInput(
      writer_ + " writes records " + text(written) + (views ? " (std::string_view)" : "") + ", " +
      reader_ + " reads " + text(read) + ": let the job name the type that is written, " +
      (views ? "by through_registered<std::string_view>() or from_registered<std::string_view>()"
             : "in through_registered<...>() or from_registered<...>()"));
}

// ---- chained ---------------------------------------------------------------------------------

void ChainedEdge::deliver(Batch& batch, bool exclusive) {
  check_.expect(batch.type(), *next_, input_);
  batch.set_exclusive(exclusive);
  const RunningLink runs(position_, link_, true, batch.size());
  try {
    next_->process(input_, batch);
  } catch (...) {
    position_.note_failure_of(link_);
    throw;
  }
}

void ChainedEdge::watermark(std::int64_t timestamp) {
  const RunningLink runs(position_, link_);
  try {
    services_ ? services_->watermark(timestamp) : next_->watermark(timestamp);
  } catch (...) {
    position_.note_failure_of(link_);
    throw;
  }
}

// ---- channels --------------------------------------------------------------------------------

ChannelEdge::ChannelEdge(Partitioning partitioning, std::vector<Channel*> channels,
                         std::uint32_t max_parallelism, std::uint32_t subtask)
    : partitioning_(partitioning),
      channels_(std::move(channels)),
      cursor_memory_(channels_.size()) {
  cursors = cursor_memory_.data();
  targets = static_cast<std::uint32_t>(channels_.size());
  if (partitioning == Partitioning::kHash) {
    this->max_parallelism = max_parallelism;
    group_targets_.resize(max_parallelism);
    for (std::uint32_t group = 0; group < max_parallelism; ++group) {
      group_targets_[group] =
          static_cast<std::uint16_t>(subtask_of_group(group, max_parallelism, targets));
    }
    target_of_group = group_targets_.data();
  }
  // Writers begin their turns at different readers.
  turn = targets ? subtask % targets : 0;
  if (partitioning == Partitioning::kShuffle) random_state = 0x9E3779B97F4A7C15ull * (subtask + 1);
}

ChannelEdge::~ChannelEdge() {
  for (std::uint32_t target = 0; target < targets; ++target) {
    Cursor& cursor = cursors[target];
    if (!cursor.batch) continue;
    cursor.batch->set_size(static_cast<std::uint32_t>(
        (cursor.at - static_cast<std::byte*>(cursor.batch->raw_rows())) / type_->size));
    channels_[target]->discard(cursor.batch);
  }
}

void ChannelEdge::send(std::uint32_t target) {
  Cursor& cursor = cursors[target];
  Batch* batch = cursor.batch;
  if (!batch) return;
  const auto size = static_cast<std::uint32_t>(
      (cursor.at - static_cast<std::byte*>(batch->raw_rows())) / type_->size);
  if (size == 0) return;
  batch->set_size(size);
  batch->set_has_timestamps(with_timestamps);
  cursor = Cursor{};
  channels_[target]->push({Element::Kind::batch, batch});
}

void ChannelEdge::replace(std::uint32_t target) {
  send(target);
  Cursor& cursor = cursors[target];
  Batch* batch = cursor.batch;
  if (!batch) {
    batch = channels_[target]->obtain();
  }
  cursor.batch = batch;
  cursor.at = static_cast<std::byte*>(batch->raw_rows());
  cursor.end = cursor.at + std::size_t{batch->capacity()} * type_->size;
  cursor.timestamp = with_timestamps ? batch->timestamp_column() : nullptr;
}

void ChannelEdge::deliver(Batch& batch, bool exclusive) {
  const bool timestamps = batch.timestamps() != nullptr;
  if (type_ != &batch.type() || with_timestamps != timestamps) {
    for (std::uint32_t target = 0; target < targets; ++target) {
      send(target);
      if (Batch* unused = cursors[target].batch) channels_[target]->discard(unused);
      cursors[target] = Cursor{};
    }
    type_ = &batch.type();
    for (Channel* channel : channels_) channel->set_type(*type_);
    with_timestamps = timestamps;
    if (partitioning_ == Partitioning::kHash && !type_->keyed) {
      throw InvalidInput("an edge partitions by hash, but its records " + type_->schema().text() +
                         " carry no key: send keyed ones");
    }
  }
  if (partitioning_ == Partitioning::kBroadcast) {
    for (std::uint32_t target = 0; target < targets; ++target) {
      append(target, batch, 0, batch.size());
    }
  } else if (type_->keyed && partitioning_ != Partitioning::kHash) {
    // route() would go by the key.
    for (std::uint32_t row = 0; row < batch.size(); ++row) append(next_turn(), batch, row, 1);
  } else {
    batch.type().route(batch, *this, exclusive);
  }
}

void ChannelEdge::append(std::uint32_t target, const Batch& batch, std::uint32_t row,
                         std::uint32_t count) {
  for (const std::uint32_t end = row + count; row < end;) {
    Cursor& cursor = cursors[target];
    if (cursor.at == cursor.end || cursor.batch->is_heavy()) {
      replace(target);
    }
    Batch& to = *cursor.batch;
    const auto have = static_cast<std::uint32_t>(
        (cursor.at - static_cast<std::byte*>(to.raw_rows())) / type_->size);
    // Rows that own memory go one by one, so that their bytes are seen to.
    const std::uint32_t most = type_->destroy ? 1 : to.capacity() - have;
    const std::uint32_t some = std::min(most, end - row);
    to.set_size(have);
    type_->append(to, batch, row, some);
    cursor.at += std::size_t{some} * type_->size;
    if (cursor.timestamp) cursor.timestamp += some;
    row += some;
  }
}

void ChannelEdge::watermark(std::int64_t timestamp) {
  // Held back until rows are sent or the input runs dry: a later place in the stream is as true.
  pending_watermark_ = timestamp;
}

void ChannelEdge::flush() {
  for (std::uint32_t target = 0; target < targets; ++target) send(target);
  if (pending_watermark_ == kNoTimestamp) return;
  const std::int64_t timestamp = std::exchange(pending_watermark_, kNoTimestamp);
  for (Channel* channel : channels_) channel->push({Element::Kind::watermark, nullptr, timestamp});
}

void ChannelEdge::trim() {
  for (Channel* channel : channels_) channel->trim();
}

void ChannelEdge::end() {
  flush();
  for (Channel* channel : channels_) {
    channel->push({Element::Kind::end_of_input});
    channel->close();
  }
}

// ---- an operator's output --------------------------------------------------------------------

TaskOutput::~TaskOutput() = default;

void TaskOutput::check_schema(const RecordType& type) const {
  if (declared_ == nullptr || declared_->fingerprint == 0) return;
  const Schema& schema = type.schema();
  if (schema.fingerprint() == declared_->fingerprint) return;
  throw InvalidInput("it writes records of schema " + schema.text() +
                     " to an output that the job graph has as " + declared_->schema +
                     ": let the job say what is written, by the type of from_registered() or the "
                     "translator's schema of that output");
}

Batch& TaskOutput::open(const RecordType& type) {
  if (!scratch_ || &scratch_->type() != &type) check_schema(type);
  if (!scratch_) {
    scratch_ = std::make_unique<Batch>(type, shape_.bytes, shape_.max_rows);
  } else if (&scratch_->type() != &type && scratch_->empty()) {
    scratch_->retype(type, shape_.max_rows);
  }
  return *scratch_;
}

Batch& TaskOutput::send(Batch& batch, bool) {
  deliver(batch);
  batch.clear();
  return batch;
}

void TaskOutput::deliver(Batch& batch) {
  if (batch.empty()) return;
  const bool exclusive = edges_.size() == 1 && (&batch == scratch_.get() || batch.exclusive());
  for (OutputEdge* edge : edges_) edge->deliver(batch, exclusive);
}

void TaskOutput::watermark(std::int64_t timestamp) {
  wanted_ = std::max(wanted_, timestamp);
  pass_watermark();
}

void TaskOutput::set_watermark_limit(std::int64_t limit) {
  limit_ = limit;
  pass_watermark();
}

void TaskOutput::pass_watermark() {
  const std::int64_t timestamp = std::min(wanted_, limit_);
  if (timestamp <= passed_) return;
  passed_ = timestamp;
  for (OutputEdge* edge : edges_) edge->watermark(timestamp);
}

}  // namespace freshet::core
