// Lines for /bin/sh, and a template in which one stands.
#pragma once

#include <string>
#include <vector>

namespace command_deployer {

// One word, whatever is in it.
std::string quoted(const std::string& word);
// The words as a line.
std::string line_of(const std::vector<std::string>& words);

// Whether the template has a place for a command.
bool has_place(const std::string& text);
// The template with the command in its place: '{}' becomes the line as one word, by which a
// shell becomes the command; '{words}' its words.
std::string filled(const std::string& text, const std::vector<std::string>& words);

// Runs a line and waits for its end. Throws freshet::Error unless it ends with 0.
void run_line(const std::string& line);

}  // namespace command_deployer
