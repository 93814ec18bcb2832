// What a process of a cluster is told that nobody else may read: a file of this user's alone, in
// the folder where states are kept, until the process has read it.
//
// The process may run in another session or on another host with the same home. So it opens the
// file by its path; what is inherited would not reach it there.
#pragma once

#include <string>
#include <vector>

namespace command_deployer {

// $XDG_STATE_HOME, else ~/.local/state, else the temporary folder.
std::string state_home();

std::string hand_over_path(const std::string& cluster_id, const std::string& process);
// Writes that file (0600). Throws freshet::Error.
void write_hand_over(const std::string& cluster_id, const std::string& process,
                     const std::string& text);
// Those of a cluster that no process has taken.
void remove_hand_overs(const std::string& cluster_id);

// The command that opens that file as descriptor 3, removes it, and becomes `words`, with `mark`
// (name=value) and what says where states are kept in its environment.
std::vector<std::string> taking(const std::string& file, const std::string& mark,
                                const std::vector<std::string>& words);
// The command that kills every process that has the mark in its environment, and waits for their
// end.
std::vector<std::string> killing(const std::string& mark);

}  // namespace command_deployer
