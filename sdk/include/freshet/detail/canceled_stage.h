// Canceled as it leaves a chain of operators: with the place at which it was thrown, which is told
// if nobody has canceled the task.
#pragma once

#include <cstdint>

#include "freshet/error.h"

namespace freshet::detail {

class FRESHET_API CanceledStage final : public Canceled {
 public:
  CanceledStage(const Canceled& thrown, std::uint32_t its_stage, std::uint64_t its_record)
      : Canceled(thrown), stage(its_stage), record(its_record) {}
  ~CanceledStage() override;

  const std::uint32_t stage;
  const std::uint64_t record;
};

}  // namespace freshet::detail
