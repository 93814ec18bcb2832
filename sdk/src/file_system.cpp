#include "freshet/file_system.h"

namespace freshet {

FetchSink::~FetchSink() = default;
FileSystem::~FileSystem() = default;

}  // namespace freshet
