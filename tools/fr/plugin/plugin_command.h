// fr plugin: what plugins there are, what a file says of itself, whether a plugin keeps the
// contract. Begin here; check.h begins the test kit.
#pragma once

#include <CLI/CLI.hpp>

#include "command.h"

namespace freshet::tool {

// Each adds its part of the command line and sets `chosen` when it was called.
void add_plugin_list(CLI::App& plugin, Command::Run& chosen);
void add_plugin_inspect(CLI::App& plugin, Command::Run& chosen);
void add_plugin_check(CLI::App& plugin, Command::Run& chosen);

}  // namespace freshet::tool
