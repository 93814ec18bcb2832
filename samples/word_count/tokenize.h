#pragma once

#include <string>
#include <string_view>

// Hands out the words of a line. Bytes outside [A-Za-z0-9_] separate.
struct Tokenize {
  std::string lower{};

  void operator()(std::string_view line, auto& out) {
    lower.resize(line.size());
    std::size_t begin = 0;
    for (std::size_t i = 0; i < line.size(); ++i) {
      const char letter = kWordByte[static_cast<unsigned char>(line[i])];
      lower[i] = letter;
      if (letter != 0) continue;
      if (i != begin) out(std::string_view(lower.data() + begin, i - begin));
      begin = i + 1;
    }
    if (line.size() != begin) out(std::string_view(lower.data() + begin, line.size() - begin));
  }

  // The byte in lower case, 0 for one that separates.
  static constexpr auto kWordByte = [] {
    struct {
      char bytes[256];
      constexpr char operator[](unsigned char c) const { return bytes[c]; }
    } table{};
    for (char c = '0'; c <= '9'; ++c) table.bytes[static_cast<unsigned char>(c)] = c;
    for (char c = 'a'; c <= 'z'; ++c) {
      table.bytes[static_cast<unsigned char>(c)] = c;
      table.bytes[static_cast<unsigned char>(c - 'a' + 'A')] = c;
    }
    table.bytes[static_cast<unsigned char>('_')] = '_';
    return table;
  }();
};
