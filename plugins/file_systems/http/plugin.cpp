#include "freshet/plugin/plugin_registration.h"
#include "http_file_system.h"

FRESHET_FILE_SYSTEM_PLUGIN("http", FRESHET_VERSION_STRING, freshet::http::HttpFileSystem);
