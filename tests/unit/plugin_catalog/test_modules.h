// The modules that the build made for these tests, and copies of them damaged in one place.
#pragma once

#include <elf.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "freshet/plugin.h"

namespace test_modules {

namespace fs = std::filesystem;

inline fs::path path(const std::string& name) {
  return fs::path(FRESHET_TEST_MODULES) / (name + ".so");
}

inline std::string content(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

inline void write(const fs::path& file, const std::string& content) {
  std::ofstream out(file, std::ios::binary | std::ios::trunc);
  out << content;
  out.close();
  ASSERT_TRUE(out) << file;
}

// Gone when the test ends.
class ScratchFolder {
 public:
  ScratchFolder() {
    std::string pattern = (fs::temp_directory_path() / "freshet-test-XXXXXX").native();
    folder_ = ::mkdtemp(pattern.data());
  }
  ~ScratchFolder() {
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;

  const fs::path& path() const { return folder_; }
  fs::path operator/(const std::string& name) const { return folder_ / name; }
  fs::path write(const std::string& name, const std::string& content) const {
    test_modules::write(folder_ / name, content);
    return folder_ / name;
  }

 private:
  fs::path folder_;
};

// The bytes of a module, its note and ELF header to be changed.
class Patient {
 public:
  explicit Patient(const std::string& name) : bytes(content(test_modules::path(name))) {
    note_at_ = bytes.find(std::string(FRESHET_NOTE_OWNER "\0" FRESHET_PLUGIN_MAGIC "\0", 16)) + 8;
  }

  template <class Change>
  Patient& note(Change change) {
    freshet_note_v1 note;
    std::memcpy(&note, bytes.data() + note_at_, sizeof note);
    change(note);
    std::memcpy(bytes.data() + note_at_, &note, sizeof note);
    return *this;
  }
  // The note's own header: sizes of owner and content, type.
  Patient& note_header(std::uint32_t owner_size, std::uint32_t content_size, std::uint32_t type) {
    const std::uint32_t header[] = {owner_size, content_size, type};
    std::memcpy(bytes.data() + note_at_ - 20, header, sizeof header);
    return *this;
  }
  template <class Change>
  Patient& elf(Change change) {
    Elf64_Ehdr header;
    std::memcpy(&header, bytes.data(), sizeof header);
    change(header);
    std::memcpy(bytes.data(), &header, sizeof header);
    return *this;
  }
  // Of the last segment of that type.
  template <class Change>
  Patient& segment(std::uint32_t type, Change change) {
    return last_of<Elf64_Phdr>(
        header().e_phoff, header().e_phnum, [&](const Elf64_Phdr& s) { return s.p_type == type; },
        change);
  }
  // In the dynamic segment: the last entry of that tag.
  Patient& dynamic(std::int64_t tag, std::uint64_t value) {
    const Elf64_Shdr section = section_of(SHT_DYNAMIC);
    return last_of<Elf64_Dyn>(
        section.sh_offset, section.sh_size / sizeof(Elf64_Dyn),
        [&](const Elf64_Dyn& d) { return d.d_tag == tag; },
        [&](Elf64_Dyn& d) { d.d_un.d_val = value; });
  }
  // The one exported symbol, and the first bytes of what it stands for.
  template <class Change>
  Patient& entry_symbol(Change change) {
    const Elf64_Shdr section = section_of(SHT_DYNSYM);
    return last_of<Elf64_Sym>(
        section.sh_offset, section.sh_size / sizeof(Elf64_Sym),
        [](const Elf64_Sym& s) {
          return s.st_shndx != SHN_UNDEF && s.st_info == ELF64_ST_INFO(STB_GLOBAL, STT_OBJECT);
        },
        change);
  }
  template <class Change>
  Patient& entry(Change change) {
    const std::uint32_t size = sizeof(freshet_plugin_v1);
    std::string start(FRESHET_PLUGIN_MAGIC, sizeof(FRESHET_PLUGIN_MAGIC));
    start.append(reinterpret_cast<const char*>(&size), sizeof size);
    const std::size_t at = bytes.find(start);
    freshet_plugin_v1 entry;
    std::memcpy(&entry, bytes.data() + at, sizeof entry);
    change(entry);
    std::memcpy(bytes.data() + at, &entry, sizeof entry);
    return *this;
  }
  // In the note's build tag; `to` may have another length.
  Patient& tag(const std::string& from, const std::string& to) {
    return note([&](freshet_note_v1& note) {
      std::string text = note.build_tag;
      const std::size_t at = text.find(from);
      ASSERT_NE(at, std::string::npos) << from << " in " << text;
      text.replace(at, from.size(), to);
      std::memset(note.build_tag, 0, sizeof note.build_tag);
      text.copy(note.build_tag, sizeof note.build_tag - 1);
    });
  }
  std::size_t note_at() const { return note_at_; }

  std::string bytes;

 private:
  Elf64_Ehdr header() const {
    Elf64_Ehdr header;
    std::memcpy(&header, bytes.data(), sizeof header);
    return header;
  }
  Elf64_Shdr section_of(std::uint32_t type) {
    Elf64_Shdr found{};
    last_of<Elf64_Shdr>(
        header().e_shoff, header().e_shnum, [&](const Elf64_Shdr& s) { return s.sh_type == type; },
        [&](Elf64_Shdr& s) { found = s; });
    return found;
  }
  template <class T, class Which, class Change>
  Patient& last_of(std::uint64_t offset, std::uint64_t count, Which which, Change change) {
    for (std::uint64_t i = count; i-- > 0;) {
      T object;
      char* const at = bytes.data() + offset + i * sizeof(T);
      std::memcpy(&object, at, sizeof object);
      if (!which(object)) continue;
      change(object);
      std::memcpy(at, &object, sizeof object);
      return *this;
    }
    ADD_FAILURE() << "the module has nothing of that sort";
    return *this;
  }

  std::size_t note_at_;
};

// Tells whether a module's code has run since this object was made.
class Marker {
 public:
  explicit Marker(const ScratchFolder& folder) : file_(folder / "code-has-run") {
    ::setenv("FRESHET_TEST_MARKER", file_.c_str(), 1);
  }
  ~Marker() { ::unsetenv("FRESHET_TEST_MARKER"); }
  Marker(const Marker&) = delete;
  Marker& operator=(const Marker&) = delete;
  bool is_there() const { return fs::exists(file_); }

 private:
  fs::path file_;
};

// Expects that `call` throws Exception, and returns its text.
template <class Exception, class Call>
std::string error_of(Call call) {
  try {
    call();
  } catch (const Exception& error) {
    return error.what();
  }
  ADD_FAILURE() << "nothing was thrown";
  return {};
}

inline bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace test_modules
