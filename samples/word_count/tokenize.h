#pragma once

#include <cstring>
#include <string>
#include <string_view>

// Hands out the words of a line in lower case. Bytes outside [A-Za-z0-9_] separate.
struct Tokenize {
  std::string lower{};

  void operator()(std::string_view line, auto& out) {
    lower.resize(line.size());
    char* const text = lower.data();
    for (std::size_t i = 0; i < line.size(); ++i) text[i] = word_byte(line[i]);
    // Separators are 0 now, and so is the byte behind the last.
    for (std::size_t begin = 0; begin < line.size();) {
      const std::size_t length = std::strlen(text + begin);
      if (length != 0) out(std::string_view(text + begin, length));
      begin += length + 1;
    }
  }

  // The byte in lower case, 0 for one that separates. Without branches: the loop is vectorised.
  static constexpr char word_byte(char byte) {
    const auto lower = static_cast<unsigned char>(byte | 0x20);
    const bool letter = static_cast<unsigned char>(lower - 'a') < 26;
    const bool digit = static_cast<unsigned char>(byte - '0') < 10;
    return letter ? static_cast<char>(lower) : digit || byte == '_' ? byte : '\0';
  }
};
