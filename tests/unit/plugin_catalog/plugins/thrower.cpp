#include <stdexcept>

#include "freshet/plugin/plugin_registration.h"
#include "greeter.h"

namespace {

class Thrower final : public Greeter {
 public:
  Thrower() { throw std::runtime_error("no greeting without a hat"); }
  std::string greet() const override { return {}; }
};

}  // namespace

FRESHET_PLUGIN(FRESHET_KIND_CONNECTOR, Greeter, "thrower", "0.1.0", Thrower);
