// The gallery: everything that Freshet refuses, made bad here and offered to it.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace freshet::gallery {

struct Refusal {
  std::string what;               // for people
  std::string text;               // what was said
  std::string file;               // that the text has to name; "" if there is none
  std::vector<std::string> said;  // what the text has to hold as well: both values and the mend
};

// What a bad file is made of, and a file that is bad by what it is.
struct BadBytes {
  std::string what, bytes;
  std::vector<std::string> said;
};
struct BadFile {
  std::string what;
  std::filesystem::path file;
  std::vector<std::string> said;
};
// All that are refused for their content. But for what was built so (no note, ...), they are the
// executor 'marked', which leaves a marker when its code runs, damaged in one place.
std::vector<BadBytes> bad_bytes();
std::vector<BadFile> put_odd_files(const std::filesystem::path& folder);

// Of files whose bytes are bad, of what is no file, of those that change while they are read, and
// of what the loader misses. None of their code has run.
std::vector<Refusal> of_bytes();
std::vector<Refusal> of_odd_files();
std::vector<Refusal> of_changing_files();
std::vector<Refusal> of_what_is_missing();
// Of folders, of plugins that do not go together, of a kind that is not wanted. Nothing has run.
std::vector<Refusal> of_folders();
std::vector<Refusal> of_company();
// Where several plugins, or none, are for what is asked.
std::vector<Refusal> of_choices();
// Found out only when their code ran.
std::vector<Refusal> of_what_ran();

}  // namespace freshet::gallery
