#include "freshet/plugin/high_availability.h"

namespace freshet {

LeadershipLost::~LeadershipLost() = default;
StoreUnavailable::~StoreUnavailable() = default;
Contender::~Contender() = default;
LeaderElection::~LeaderElection() = default;
LeaderListener::~LeaderListener() = default;
LeaderRetrieval::~LeaderRetrieval() = default;
JobStore::~JobStore() = default;
HighAvailability::~HighAvailability() = default;
HighAvailabilityFactory::~HighAvailabilityFactory() = default;

}  // namespace freshet
