// Where ids and key pairs come from: drawn at random, or from a seed in the simulation.
//
// Threads    Any.
#pragma once

#include <cstdint>
#include <string>

#include "freshet/api.h"
#include "security/keys.h"

namespace freshet::core {

class FRESHET_API IdSource {
 public:
  virtual ~IdSource();
  virtual std::string draw() = 0;  // 32 hex digits
  virtual KeyPair draw_keys() = 0;
};

// By the kernel's random numbers.
class FRESHET_API RandomIds final : public IdSource {
 public:
  ~RandomIds() override;
  std::string draw() override;
  KeyPair draw_keys() override;
};

}  // namespace freshet::core
