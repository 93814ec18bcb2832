// Where the words of a tool end and those of an application's main begin: with the first that is
// neither an option of the tool nor the value of one. CLI11's prefix_command() goes on behind an
// unknown option. Main's words that may have been meant for the tool are worth a warning.
#pragma once

#include <CLI/CLI.hpp>
#include <cstddef>
#include <string>
#include <vector>

#include "freshet/plugin/nearest_name.h"

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

// Of main's words as they were given, '--' in front of them included, which silences it. Empty:
// none of them looks like an option of `app`.
inline std::string warning_of_main_words(const CLI::App& app,
                                         const std::vector<std::string>& words) {
  if (words.empty() || words.front() == "--") return {};
  const std::string& first = words.front();
  const std::string silence = "; '--' before main's words silences this";
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
    for (const std::string& name : option->get_snames()) names.push_back("-" + name);
  }
  std::erase_if(names, [](const std::string& name) {  // any main may have these
    return name == "--help" || name == "-h" || name == "--version";
  });
  const auto is = [](const std::string& word, const std::string& name) {
    const bool is_long = name.size() > 2;
    return word == name || (is_long && word.rfind(name + "=", 0) == 0) ||
           (name == "-D" && word.rfind(name, 0) == 0);
  };
  for (const std::string& word : words) {
    for (const std::string& name : names) {
      if (is(word, name))
        return "'" + word + "' stands behind '" + first +
               "', from where on all words are main's: give it before '" + first + "'" + silence;
    }
    // As others have it.
    if (word.rfind("-p", 0) == 0 && word.find_first_not_of("0123456789=", 2) == std::string::npos)
      return "'" + word +
             "' is main's: the parallelism is set by --parallelism N, before main's "
             "words" +
             silence;
  }
  if (first.rfind("--", 0) != 0) return {};
  const std::string near = nearest_name(first.substr(0, first.find('=')), names);
  if (near.empty()) return {};
  return "'" + first + "' is main's, as all behind it: did you mean '" + near + "'?" + silence;
}

}  // namespace freshet::tool
