// A 64-bit little-endian ELF shared object for this host, read without loading it.
//
// Nothing that the file says is believed before it is checked against the file's size; all methods
// throw RefusedFile. Reads only what is asked for: a few hundred bytes of a file of any size.
//
// Threads    One at a time.
#pragma once

#include <elf.h>

#include <compare>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "posix/descriptor.h"
#include "shared_objects/refused_file.h"

namespace freshet::core {

// Tells whether a path still leads to the same content.
struct FileIdentity {
  std::uint64_t device, inode, size;
  std::int64_t modified_s, modified_ns;

  auto operator<=>(const FileIdentity&) const = default;
  // Of what the path leads to now; nothing if that can't be looked at.
  FRESHET_API static std::optional<FileIdentity> of(const std::filesystem::path& path);
};

// Where a shared object has its libraries looked for, as it says: "$ORIGIN/../lib".
struct RunPath {
  std::vector<std::string> folders;
  // DT_RPATH or none: the libraries that it needs look there, too, and it looks where those that
  // need it do. Else DT_RUNPATH, for itself alone.
  bool is_inherited = true;
};

class FRESHET_API ElfFile {
 public:
  struct Note {
    std::uint32_t type;
    std::string content;
  };
  struct Symbol {
    std::uint64_t address, size;
    unsigned char type;  // STT_OBJECT, STT_FUNC, ...
  };

  // Opens regular files alone, also behind links. Checks the headers and that no part is missing.
  // `opened` is set as soon as the file is open, also if it is refused for its content.
  explicit ElfFile(const std::filesystem::path& path, FileIdentity* opened = nullptr);

  // Of one owner, in file order.
  std::vector<Note> notes_of(std::string_view owner) const;
  // A symbol that the file defines and exports.
  std::optional<Symbol> exported(std::string_view name) const;
  // Whether the file defines a symbol of that name, exported or, where it was not stripped, local.
  bool defines(std::string_view name) const;
  // What the file itself holds for these addresses, before relocation.
  std::string bytes_at_address(std::uint64_t address, std::size_t size) const;
  std::vector<std::string> needed_libraries() const;
  RunPath run_path() const;
  bool is_executable() const { return executable_; }
  // Throws if the path leads elsewhere, or the content was written to, since it was opened.
  void check_unchanged() const;
  const FileIdentity& identity() const { return identity_; }

 private:
  struct Dynamic {
    std::uint64_t string_table = 0, string_size = 0, symbols = 0, hash = 0, gnu_hash = 0;
    std::vector<std::uint64_t> needed;
    std::optional<std::uint64_t> run_path, inherited_run_path;
  };

  [[noreturn]] void refuse(const std::string& reason) const;
  void open_regular();
  void read_headers();
  void read_sections(const Elf64_Ehdr& header);
  void read_dynamic();
  void check_loader_tables(const std::map<std::int64_t, std::uint64_t>& values) const;
  void check_is_code(std::uint64_t address, const char* what) const;
  std::string bytes_at(std::uint64_t offset, std::uint64_t size, const char* what) const;
  template <class T>
  T object_at(std::uint64_t offset, const char* what) const;
  template <class T>
  T object_at_address(std::uint64_t address, const char* what) const;
  std::uint64_t offset_of_address(std::uint64_t address, std::uint64_t size,
                                  const char* what) const;
  std::vector<std::uint64_t> places_of(const std::string& bytes, const Elf64_Shdr& section) const;
  std::string dynamic_string(std::uint64_t offset) const;
  std::optional<Symbol> symbol_if_named(std::uint32_t index, std::string_view name) const;
  std::optional<Symbol> find_by_gnu_hash(std::string_view name) const;
  std::optional<Symbol> find_by_sysv_hash(std::string_view name) const;

  std::filesystem::path path_;
  Descriptor file_;
  FileIdentity identity_{};
  std::vector<Elf64_Phdr> segments_;
  Elf64_Shdr symbols_{}, symbol_names_{};  // of size 0 in a stripped file
  Dynamic dynamic_;
  bool executable_ = false;
};

}  // namespace freshet::core
