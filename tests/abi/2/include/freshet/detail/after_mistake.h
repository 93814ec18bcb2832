// What a call of the API returns after it has reported a mistake: something that takes every
// further call in silence, so that one mistake is one error.
#pragma once

namespace freshet::detail {

struct AfterMistake {
  template <class T>
  operator T() const {  // NOLINT(google-explicit-constructor)
    __builtin_unreachable();
  }

#define FRESHET_TAKES_ALL(name)               \
  template <class... Explicit, class... Args> \
  AfterMistake name(const Args&...) const {   \
    return {};                                \
  }
  FRESHET_TAKES_ALL(map)
  FRESHET_TAKES_ALL(filter)
  FRESHET_TAKES_ALL(flat_map)
  FRESHET_TAKES_ALL(process)
  FRESHET_TAKES_ALL(side_output)
  FRESHET_TAKES_ALL(assign_timestamps)
  FRESHET_TAKES_ALL(key_by)
  FRESHET_TAKES_ALL(count)
  FRESHET_TAKES_ALL(sum)
  FRESHET_TAKES_ALL(min)
  FRESHET_TAKES_ALL(max)
  FRESHET_TAKES_ALL(reduce)
  FRESHET_TAKES_ALL(union_with)
  FRESHET_TAKES_ALL(forward)
  FRESHET_TAKES_ALL(rebalance)
  FRESHET_TAKES_ALL(rescale)
  FRESHET_TAKES_ALL(shuffle)
  FRESHET_TAKES_ALL(broadcast)
  FRESHET_TAKES_ALL(global)
  FRESHET_TAKES_ALL(sink_to)
  FRESHET_TAKES_ALL(print)
  FRESHET_TAKES_ALL(write_text)
  FRESHET_TAKES_ALL(discard)
  FRESHET_TAKES_ALL(execute_and_collect)
  FRESHET_TAKES_ALL(name)
  FRESHET_TAKES_ALL(uid)
  FRESHET_TAKES_ALL(set_parallelism)
  FRESHET_TAKES_ALL(set_max_parallelism)
  FRESHET_TAKES_ALL(captures_no_pointers)
  FRESHET_TAKES_ALL(disable_chaining)
  FRESHET_TAKES_ALL(start_new_chain)
  FRESHET_TAKES_ALL(through_registered)
  FRESHET_TAKES_ALL(sink_to_registered)
  FRESHET_TAKES_ALL(window)
  FRESHET_TAKES_ALL(window_all)
  FRESHET_TAKES_ALL(time_window)
  FRESHET_TAKES_ALL(count_window)
  FRESHET_TAKES_ALL(connect)
  FRESHET_TAKES_ALL(join)
  FRESHET_TAKES_ALL(co_group)
  FRESHET_TAKES_ALL(interval_join)
  FRESHET_TAKES_ALL(aggregate)
  FRESHET_TAKES_ALL(max_by)
  FRESHET_TAKES_ALL(min_by)
  FRESHET_TAKES_ALL(assign_timestamps_and_watermarks)
  FRESHET_TAKES_ALL(add_sink)
  // What would follow a window or a join.
  FRESHET_TAKES_ALL(apply)
  FRESHET_TAKES_ALL(trigger)
  FRESHET_TAKES_ALL(evictor)
  FRESHET_TAKES_ALL(allowed_lateness)
  FRESHET_TAKES_ALL(side_output_late_data)
  FRESHET_TAKES_ALL(where)
  FRESHET_TAKES_ALL(equal_to)
  FRESHET_TAKES_ALL(between)
  FRESHET_TAKES_ALL(next)
  FRESHET_TAKES_ALL(to_vector)
#undef FRESHET_TAKES_ALL
  const AfterMistake* begin() const { return this; }
  const AfterMistake* end() const { return this; }
};

}  // namespace freshet::detail
