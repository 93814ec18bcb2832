#include "plugin/plugin_command.h"

#include <memory>

namespace freshet::tool {
namespace {

const Command kPlugin("plugin", "List, inspect and check plugins.",
                      [](CLI::App& command) -> Command::Run {
                        auto chosen = std::make_shared<Command::Run>();
                        command.require_subcommand(1);
                        add_plugin_list(command, *chosen);
                        add_plugin_inspect(command, *chosen);
                        add_plugin_check(command, *chosen);
                        return [chosen] { return (*chosen)(); };
                      });

}  // namespace
}  // namespace freshet::tool
