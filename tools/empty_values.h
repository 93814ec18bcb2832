// An empty value names nothing. It is a usage error, so that a script whose variable is not set
// does not get what it has not asked for: 'fr cluster stop --cluster-id "$ID"'.
#pragma once

#include <CLI/CLI.hpp>
#include <algorithm>
#include <string>
#include <vector>

namespace freshet::tool {

// Of every option and argument of `app` and of its subcommands, but for the words of a main.
inline void refuse_empty_values(CLI::App& app) {
  for (CLI::Option* option : app.get_options()) {
    if (option->get_items_expected_max() == 0 || option->get_name(true) == "ARGUMENT") continue;
    // transform() puts it before the checks that the option has, which would speak of a bad value.
    option->transform(CLI::Validator(
        [](std::string& value) {
          return value.empty() ? std::string("it is empty: give a value, or leave it out")
                               : std::string();
        },
        ""));
  }
  for (CLI::App* command : app.get_subcommands({})) refuse_empty_values(*command);
}

// Those that are of a tool itself, up to a "--". Throws CLI::ParseError for "--name=", which would
// take the next word.
inline void refuse_words_without_value(const std::vector<std::string>& words) {
  for (const std::string& word : words) {
    if (word == "--") return;
    if (word.size() < 3 || word.compare(0, 2, "--") != 0 || word.back() != '=' ||
        word.find('=') != word.size() - 1)
      continue;
    throw CLI::ValidationError(word.substr(0, word.size() - 1),
                               "it is empty: give a value, or leave it out");
  }
}

}  // namespace freshet::tool
