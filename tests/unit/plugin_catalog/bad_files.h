// The gallery: everything that Freshet refuses, made bad here and offered to it.
#pragma once

#include <string>
#include <vector>

namespace freshet::gallery {

struct Refusal {
  std::string what;               // for people
  std::string text;               // what was said
  std::string file;               // that the text has to name; "" if there is none
  std::vector<std::string> said;  // what the text has to hold as well: both values and the mend
};

// Of files whose bytes are bad, of what is no file, of those that change while they are read, and
// of what the loader misses. None of their code has run.
std::vector<Refusal> of_bytes();
std::vector<Refusal> of_odd_files();
std::vector<Refusal> of_changing_files();
std::vector<Refusal> of_what_is_missing();
// Of folders, of plugins that do not go together, of a kind that is not wanted. Nothing has run.
std::vector<Refusal> of_folders();
std::vector<Refusal> of_company();
// Found out only when their code ran.
std::vector<Refusal> of_what_ran();

}  // namespace freshet::gallery
