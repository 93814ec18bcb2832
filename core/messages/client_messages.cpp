#include "messages/client_messages.h"

#include "links/packing.h"
#include "messages/wire_types.h"

namespace freshet::core {

FRESHET_PACKS(GetClusterStatus);
FRESHET_PACKS_REQUEST(SubmitApplication);
FRESHET_PACKS_REQUEST(ListApplications);
FRESHET_PACKS(DescribeApplication);
FRESHET_PACKS(AwaitApplication);
FRESHET_PACKS(CancelApplication);
FRESHET_PACKS(BeginApplication);
FRESHET_PACKS(EndApplication);
FRESHET_PACKS_REQUEST(SubmitJob);
FRESHET_PACKS_REQUEST(ListJobs);
FRESHET_PACKS(FindIds);
FRESHET_PACKS(DescribeJob);
FRESHET_PACKS(AwaitJob);
FRESHET_PACKS(CancelJob);
FRESHET_PACKS(GetJobDetails);
FRESHET_PACKS_REQUEST(GetAccumulators);
FRESHET_PACKS_REQUEST(NextMessage);
FRESHET_PACKS_REQUEST(CollectAddress);
FRESHET_PACKS_REQUEST(KeepRows);
FRESHET_PACKS_REQUEST(ReleaseTaskManagers);
FRESHET_PACKS(ShutDown);
FRESHET_PACKS(ClusterEnds);
FRESHET_PACKS_REQUEST(PutBlob);
FRESHET_PACKS(BlobChunk);
FRESHET_PACKS_REQUEST(GetBlob);
FRESHET_PACKS(ReadLog);
FRESHET_PACKS(Subscribe);
FRESHET_PACKS(Event);

// Answers of several.
FRESHET_PACKS(ClusterInfo);
FRESHET_PACKS(ApplicationInfo);
FRESHET_PACKS(Done);
FRESHET_PACKS(IdMatches);
FRESHET_PACKS(JobInfo);
FRESHET_PACKS(JobResult);
FRESHET_PACKS(JobDetails);
FRESHET_PACKS(LogChunk);

}  // namespace freshet::core
