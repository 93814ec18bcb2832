// Where the words of a tool end and those of an application's main begin: with the first that is
// neither an option of the tool nor the value of one. CLI11's prefix_command() goes on behind an
// unknown option.
#pragma once

#include <CLI/CLI.hpp>
#include <cstddef>
#include <string>
#include <vector>

namespace freshet::tool {

// How many of the words, from the front, are options of `app` with their values, and at most
// `positionals` others.
inline std::size_t own_words(const CLI::App& app, const std::vector<std::string>& words,
                             std::size_t positionals) {
  std::size_t at = 0;
  while (at < words.size()) {
    const std::string& word = words[at];
    if (word.size() < 2 || word[0] != '-') {
      if (positionals-- == 0) break;
      ++at;
      continue;
    }
    const bool is_long = word[1] == '-';
    const std::string name = is_long ? word.substr(0, word.find('=')) : word.substr(0, 2);
    const CLI::Option* option = word == "--" ? nullptr : app.get_option_no_throw(name);
    if (option == nullptr) break;
    const bool value_is_next = option->get_items_expected_max() > 0 && name.size() == word.size();
    at += value_is_next ? 2 : 1;
  }
  return at < words.size() ? at : words.size();
}

}  // namespace freshet::tool
