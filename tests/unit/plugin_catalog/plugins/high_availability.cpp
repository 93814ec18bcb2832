// A high-availability service for types that begin with 'heron', which throws or makes nothing.
#include "freshet/plugin/high_availability.h"

#include <cstdlib>
#include <stdexcept>
#include <string>

#include "freshet/options.h"
#include "freshet/plugin/plugin_registration.h"

namespace {

class HeronFactory final : public freshet::HighAvailabilityFactory {
 public:
  const char* name() const override { return SERVICE_NAME; }
  bool is_compatible_with(const freshet::Configuration& configuration) const override {
    const std::string type = configuration.get(freshet::options::kHighAvailabilityType);
    if (type == "storm") throw std::runtime_error("not in this weather");
    return type.rfind("heron", 0) == 0;
  }
  std::unique_ptr<freshet::HighAvailability> create(const freshet::Configuration&,
                                                    const std::string& cluster_id) const override {
    if (cluster_id == "pond") throw freshet::InvalidInput("'pond' has no fish");
    if (cluster_id == "moor") throw std::runtime_error("no reed");
    return nullptr;
  }
};

}  // namespace

FRESHET_HIGH_AVAILABILITY_PLUGIN(SERVICE_NAME, "0.1.0", HeronFactory);
