// Nothing that is kept here has this id. It arrives as what it is.
#pragma once

#include "freshet/api.h"
#include "freshet/error.h"

namespace freshet::core {

class FRESHET_API NotKnown final : public InvalidInput {
 public:
  using InvalidInput::InvalidInput;
  ~NotKnown() override;
};

}  // namespace freshet::core
