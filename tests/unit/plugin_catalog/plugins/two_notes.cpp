#include "freshet/plugin/plugin_registration.h"
#include "marker.h"

FRESHET_OPERATOR_LIBRARY("two-notes", "0.1.0");

namespace {

__attribute__((section(".note.freshet"), used, aligned(4)))
FRESHET_DETAIL_NO_RED_ZONE constexpr freshet_elf_note another = freshet_identity_note;

}  // namespace
