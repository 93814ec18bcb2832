// Note and entry written by hand, the entry without its list of operators.
#include "freshet/plugin/plugin_registration.h"

namespace {

__attribute__((section(".note.freshet"), used, aligned(4)))
FRESHET_DETAIL_NO_RED_ZONE constexpr freshet_elf_note note = {
    sizeof(FRESHET_NOTE_OWNER),
    sizeof(freshet_note_v1),
    FRESHET_NOTE_TYPE,
    FRESHET_NOTE_OWNER,
    {FRESHET_PLUGIN_MAGIC, sizeof(freshet_note_v1), FRESHET_ABI_VERSION, FRESHET_KIND_OPERATORS, 0,
     "no-operators", "0.1.0", FRESHET_VERSION_STRING, FRESHET_BUILD_TAG}};

}  // namespace

extern "C" __attribute__((visibility("default"),
                          used)) constinit const freshet_plugin_v1 freshet_plugin = {
    FRESHET_PLUGIN_MAGIC,
    sizeof(freshet_plugin_v1),
    FRESHET_ABI_VERSION,
    FRESHET_KIND_OPERATORS,
    0,
    "no-operators",
    "0.1.0",
    FRESHET_VERSION_STRING,
    FRESHET_BUILD_TAG,
    nullptr,
    nullptr,
    nullptr,
    nullptr};
