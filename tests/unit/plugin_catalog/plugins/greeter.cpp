// GREETER_NAME says which; linked and damaged in several ways.
#include "greeter.h"

#include <stdexcept>

#include "freshet/plugin/plugin_registration.h"
#include "marker.h"

namespace {

class PoliteGreeter final : public Greeter {
 public:
  std::string greet() const override { return std::string("hello from ") + GREETER_NAME; }
};

}  // namespace

FRESHET_PLUGIN(FRESHET_KIND_CONNECTOR, Greeter, GREETER_NAME, "1.2.3", PoliteGreeter);
