#include "messages/cluster_messages.h"

#include "links/packing.h"
#include "messages/wire_types.h"

namespace freshet::core {

FRESHET_PACKS(RegisterTaskManager);
FRESHET_PACKS_REQUEST(StartWorker);
FRESHET_PACKS(StopWorker);
FRESHET_PACKS(WorkerEnded);
FRESHET_PACKS(TaskManagerEnds);
FRESHET_PACKS(EndTaskManager);
FRESHET_PACKS(WorkerReady);
FRESHET_PACKS(Deploy);
FRESHET_PACKS(OpenGate);
FRESHET_PACKS(Commit);
FRESHET_PACKS_REQUEST(CommitPrepared);
FRESHET_PACKS(OutputCommitted);
FRESHET_PACKS(CancelTasks);
FRESHET_PACKS(EndWorker);
FRESHET_PACKS(GetReport);
FRESHET_PACKS(AdmitReader);
FRESHET_PACKS(TasksOpened);
FRESHET_PACKS(TasksFinished);
FRESHET_PACKS(TasksFailed);
FRESHET_PACKS(OperatorTold);
FRESHET_PACKS(TasksAccumulated);
FRESHET_PACKS(TasksEnded);

// Answers of several.
FRESHET_PACKS(TaskReport);

}  // namespace freshet::core
