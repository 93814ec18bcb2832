#include "shared_objects/elf_file.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <sstream>

#include "posix/file_io.h"

namespace freshet::core {
namespace {

#if defined(__x86_64__)
constexpr std::uint16_t kHostMachine = EM_X86_64;
#else
constexpr std::uint16_t kHostMachine = EM_AARCH64;
#endif

constexpr std::uint64_t kMaxNoteSegment = 1 << 20;
constexpr std::uint64_t kMaxDynamicSegment = 1 << 20;
constexpr std::size_t kMaxStringLength = 4096;
constexpr std::uint32_t kMaxHashSteps = 1 << 16;
constexpr std::uint64_t kMaxSymbolTable = 64 << 20;
constexpr std::uint64_t kChunk = 1 << 20;

std::string machine_name(std::uint16_t machine) {
  switch (machine) {
    case EM_X86_64:
      return "x86-64";
    case EM_AARCH64:
      return "aarch64";
    case EM_386:
      return "i386";
    case EM_ARM:
      return "arm";
    case EM_RISCV:
      return "riscv";
    case EM_PPC64:
      return "ppc64";
    case EM_S390:
      return "s390";
    default:
      return "machine number " + std::to_string(machine);
  }
}

std::string number(std::uint64_t value) { return std::to_string(value); }

FileIdentity identity_of(const struct stat& facts) {
  return {facts.st_dev, facts.st_ino, static_cast<std::uint64_t>(facts.st_size),
          facts.st_mtim.tv_sec, facts.st_mtim.tv_nsec};
}

const char* file_type(mode_t mode) {
  if (S_ISDIR(mode)) return "a folder";
  if (S_ISFIFO(mode)) return "a fifo";
  if (S_ISSOCK(mode)) return "a socket";
  return "a device";
}

}  // namespace

std::optional<FileIdentity> FileIdentity::of(const std::filesystem::path& path) {
  struct stat facts {};
  if (::stat(path.c_str(), &facts) != 0) return std::nullopt;
  return identity_of(facts);
}

ElfFile::ElfFile(const std::filesystem::path& path, FileIdentity* opened) : path_(path) {
  open_regular();
  if (opened != nullptr) *opened = identity_;
  read_headers();
  read_dynamic();
}

void ElfFile::refuse(const std::string& reason) const { throw RefusedFile(path_, reason); }

// The type is asked for before the file is opened: opening a device can have effects of its own.
void ElfFile::open_regular() {
  struct stat facts {};
  if (::stat(path_.c_str(), &facts) != 0) {
    const int error = errno;
    struct stat link {};
    if (error == ENOENT && ::lstat(path_.c_str(), &link) == 0 && S_ISLNK(link.st_mode)) {
      std::error_code ignored;
      refuse("is a link to '" +
             printable(std::filesystem::read_symlink(path_, ignored).native(), 4096) +
             "', which does not exist: mend the link or remove it");
    }
    if (error == ELOOP) refuse("is a link that leads back to itself: mend the link or remove it");
    if (error == ENOENT) refuse("does not exist: check the path");
    refuse(std::string("can't be looked at: ") + std::strerror(error) +
           ": check the permissions of its folders");
  }
  if (!S_ISREG(facts.st_mode))
    refuse(std::string("is ") + file_type(facts.st_mode) +
           ", a shared object is a regular file: give the path of the .so file");
  file_ = Descriptor(::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (file_.get() < 0)
    refuse(std::string("can't be opened: ") + std::strerror(errno) +
           ": make it readable for this user");
  if (::fstat(file_.get(), &facts) != 0 || !S_ISREG(facts.st_mode))
    refuse("was replaced while it was being opened: try again when it is complete");
  identity_ = identity_of(facts);
}

void ElfFile::check_unchanged() const {
  struct stat now {
  }, at_path{};
  if (::fstat(file_.get(), &now) != 0 || ::stat(path_.c_str(), &at_path) != 0 ||
      identity_of(now) != identity_ || identity_of(at_path) != identity_)
    refuse("was replaced or written to while it was being read: try again when it is complete");
}

std::string ElfFile::bytes_at(std::uint64_t offset, std::uint64_t size, const char* what) const {
  if (offset > identity_.size || size > identity_.size - offset)
    refuse(std::string(what) + " should be " + number(size) + " bytes at offset " + number(offset) +
           ", the file has " + number(identity_.size) +
           " bytes: it is truncated or damaged, build or copy it again");
  std::string bytes(size, '\0');
  const ssize_t got = read_at(file_.get(), offset, bytes.data(), bytes.size());
  if (got < 0)
    refuse(std::string("can't be read: ") + std::strerror(errno) +
           ": see to its disk, or copy it again");
  if (static_cast<std::uint64_t>(got) < size)
    refuse("became shorter while it was being read: try again when it is complete");
  return bytes;
}

template <class T>
T ElfFile::object_at(std::uint64_t offset, const char* what) const {
  T object;
  std::memcpy(&object, bytes_at(offset, sizeof(T), what).data(), sizeof(T));
  return object;
}

std::uint64_t ElfFile::offset_of_address(std::uint64_t address, std::uint64_t size,
                                         const char* what) const {
  for (const Elf64_Phdr& segment : segments_) {
    if (segment.p_type != PT_LOAD || address < segment.p_vaddr) continue;
    const std::uint64_t within = address - segment.p_vaddr;
    if (within <= segment.p_filesz && size <= segment.p_filesz - within)
      return segment.p_offset + within;
  }
  refuse(std::string(what) + " is said to be " + number(size) + " bytes at address " +
         number(address) + ", which no segment of the file holds: it is damaged, build it again");
}

template <class T>
T ElfFile::object_at_address(std::uint64_t address, const char* what) const {
  return object_at<T>(offset_of_address(address, sizeof(T), what), what);
}

std::string ElfFile::bytes_at_address(std::uint64_t address, std::size_t size) const {
  return bytes_at(offset_of_address(address, size, "the entry"), size, "the entry");
}

void ElfFile::read_headers() {
  if (identity_.size == 0) refuse("is empty: build or copy it again");
  const std::string start = bytes_at(0, std::min<std::uint64_t>(identity_.size, 64), "its start");
  if (start.compare(0, SELFMAG, ELFMAG) != 0)
    refuse("is not an ELF file: give a shared object built with the Freshet SDK");
  if (start.size() < sizeof(Elf64_Ehdr))
    refuse("the ELF header should be 64 bytes, the file has " + number(start.size()) +
           " bytes: it is truncated, build or copy it again");
  Elf64_Ehdr header;
  std::memcpy(&header, start.data(), sizeof header);
  if (header.e_ident[EI_CLASS] != ELFCLASS64)
    refuse(std::string("is a ") + (header.e_ident[EI_CLASS] == ELFCLASS32 ? "32" : "?") +
           " bit file, this process is 64 bit: build it for " + machine_name(kHostMachine));
  if (header.e_ident[EI_DATA] != ELFDATA2LSB)
    refuse("is big-endian, this host is little-endian: build it for " + machine_name(kHostMachine));
  if (header.e_machine != kHostMachine)
    refuse("is built for " + machine_name(header.e_machine) + ", this host is " +
           machine_name(kHostMachine) + ": build it for " + machine_name(kHostMachine));
  if (header.e_type == ET_REL || header.e_type == ET_CORE)
    refuse(std::string("is ") + (header.e_type == ET_REL ? "an object file" : "a core dump") +
           " and not a shared object: link it with -shared");
  if (header.e_type != ET_DYN && header.e_type != ET_EXEC)
    refuse("has ELF type " + number(header.e_type) + ", a shared object has " + number(ET_DYN) +
           ": it is damaged, build it again");
  executable_ = header.e_type == ET_EXEC;
  if (header.e_phentsize != sizeof(Elf64_Phdr) || header.e_phnum == 0 || header.e_phnum == PN_XNUM)
    refuse("has " + number(header.e_phnum) + " program headers of " + number(header.e_phentsize) +
           " bytes, ELF says " + number(sizeof(Elf64_Phdr)) +
           " bytes each: it is damaged, build it again");
  const std::string table =
      bytes_at(header.e_phoff, std::uint64_t{header.e_phnum} * sizeof(Elf64_Phdr),
               "the program header table");
  segments_.resize(header.e_phnum);
  std::memcpy(segments_.data(), table.data(), table.size());
  for (const Elf64_Phdr& segment : segments_) {
    if (segment.p_type != PT_LOAD && segment.p_type != PT_NOTE && segment.p_type != PT_DYNAMIC)
      continue;
    if (segment.p_offset > identity_.size || segment.p_filesz > identity_.size - segment.p_offset)
      refuse("a segment should be " + number(segment.p_filesz) + " bytes at offset " +
             number(segment.p_offset) + ", the file has " + number(identity_.size) +
             " bytes: it is truncated or damaged, build or copy it again");
  }
  // The section headers stand last: whether they are there shows a cut behind the last segment.
  const std::uint64_t sections = std::uint64_t{header.e_shnum} * header.e_shentsize;
  if (header.e_shoff > identity_.size || sections > identity_.size - header.e_shoff)
    refuse("the section headers should be " + number(sections) + " bytes at offset " +
           number(header.e_shoff) + ", the file has " + number(identity_.size) +
           " bytes: it is truncated or damaged, build or copy it again");
  read_sections(header);
}

// The loader does not look at sections, so what is odd about them is passed over.
void ElfFile::read_sections(const Elf64_Ehdr& header) {
  if (header.e_shentsize != sizeof(Elf64_Shdr) || header.e_shnum == 0) return;
  std::vector<Elf64_Shdr> sections(header.e_shnum);
  const std::string table =
      bytes_at(header.e_shoff, sections.size() * sizeof(Elf64_Shdr), "the section header table");
  std::memcpy(sections.data(), table.data(), table.size());
  for (const Elf64_Shdr& section : sections) {
    if (section.sh_type != SHT_SYMTAB || section.sh_link >= sections.size()) continue;
    const Elf64_Shdr& names = sections[section.sh_link];
    const auto readable = [this](const Elf64_Shdr& part) {
      return part.sh_size <= kMaxSymbolTable && part.sh_offset <= identity_.size &&
             part.sh_size <= identity_.size - part.sh_offset;
    };
    if (!readable(section) || !readable(names)) continue;
    symbols_ = section;
    symbol_names_ = names;
  }
}

void ElfFile::read_dynamic() {
  const auto segment = std::find_if(segments_.begin(), segments_.end(),
                                    [](const Elf64_Phdr& s) { return s.p_type == PT_DYNAMIC; });
  if (segment == segments_.end()) {
    if (executable_) return;
    refuse("has no dynamic segment, so it can't be loaded: link it with -shared");
  }
  if (segment->p_filesz > kMaxDynamicSegment)
    refuse("the dynamic segment is " + number(segment->p_filesz) + " bytes, at most " +
           number(kMaxDynamicSegment) + " are read: it is damaged, build it again");
  const std::string bytes = bytes_at(segment->p_offset, segment->p_filesz, "the dynamic segment");
  std::map<std::int64_t, std::uint64_t> values;  // of a tag that stands twice the last one counts
  for (std::size_t at = 0; at + sizeof(Elf64_Dyn) <= bytes.size(); at += sizeof(Elf64_Dyn)) {
    Elf64_Dyn entry;
    std::memcpy(&entry, bytes.data() + at, sizeof entry);
    if (entry.d_tag == DT_NULL) break;
    values[entry.d_tag] = entry.d_un.d_val;
    switch (entry.d_tag) {
      case DT_STRTAB:
        dynamic_.string_table = entry.d_un.d_ptr;
        break;
      case DT_STRSZ:
        dynamic_.string_size = entry.d_un.d_val;
        break;
      case DT_SYMTAB:
        dynamic_.symbols = entry.d_un.d_ptr;
        break;
      case DT_HASH:
        dynamic_.hash = entry.d_un.d_ptr;
        break;
      case DT_GNU_HASH:
        dynamic_.gnu_hash = entry.d_un.d_ptr;
        break;
      case DT_NEEDED:
        dynamic_.needed.push_back(entry.d_un.d_val);
        break;
      case DT_RUNPATH:
        dynamic_.run_path = entry.d_un.d_val;
        break;
      case DT_RPATH:
        dynamic_.inherited_run_path = entry.d_un.d_val;
        break;
      case DT_FLAGS_1:
        if ((entry.d_un.d_val & DF_1_PIE) != 0) executable_ = true;
        break;
      default:
        break;
    }
  }
  if (!executable_) check_loader_tables(values);
}

std::vector<ElfFile::Note> ElfFile::notes_of(std::string_view owner) const {
  std::vector<Note> notes;
  for (const Elf64_Phdr& segment : segments_) {
    if (segment.p_type != PT_NOTE) continue;
    if (segment.p_filesz > kMaxNoteSegment)
      refuse("the note segment is " + number(segment.p_filesz) + " bytes, at most " +
             number(kMaxNoteSegment) + " are read: it is damaged, build it again");
    const std::string bytes = bytes_at(segment.p_offset, segment.p_filesz, "the note segment");
    const std::uint64_t align = segment.p_align == 8 ? 8 : 4;
    const auto round_up = [align](std::uint64_t n) { return (n + align - 1) / align * align; };
    std::uint64_t at = 0;
    while (bytes.size() - at >= sizeof(Elf64_Nhdr)) {
      Elf64_Nhdr note;
      std::memcpy(&note, bytes.data() + at, sizeof note);
      const std::uint64_t owner_at = at + sizeof note;
      const std::uint64_t content_at = round_up(owner_at + note.n_namesz);
      if (content_at > bytes.size() || note.n_descsz > bytes.size() - content_at)
        refuse("a note says that it holds " + number(note.n_namesz) + " + " +
               number(note.n_descsz) + " bytes, its segment has " +
               number(bytes.size() - owner_at) + " left: the file is damaged, build it again");
      const bool ours = note.n_namesz == owner.size() + 1 &&
                        bytes.compare(owner_at, owner.size(), owner) == 0 &&
                        bytes[owner_at + owner.size()] == '\0';
      if (ours) notes.push_back({note.n_type, bytes.substr(content_at, note.n_descsz)});
      at = std::min<std::uint64_t>(round_up(content_at + note.n_descsz), bytes.size());
    }
  }
  return notes;
}

std::string ElfFile::dynamic_string(std::uint64_t offset) const {
  if (offset >= dynamic_.string_size)
    refuse("a name should stand at " + number(offset) + " of the string table, which has " +
           number(dynamic_.string_size) + " bytes: it is damaged, build it again");
  const std::uint64_t size =
      std::min<std::uint64_t>(dynamic_.string_size - offset, kMaxStringLength);
  const std::uint64_t at =
      offset_of_address(dynamic_.string_table + offset, size, "the string table");
  const std::string bytes = bytes_at(at, size, "the string table");
  return bytes.substr(0, bytes.find('\0'));
}

std::vector<std::string> ElfFile::needed_libraries() const {
  std::vector<std::string> names;
  for (const std::uint64_t offset : dynamic_.needed) names.push_back(dynamic_string(offset));
  return names;
}

RunPath ElfFile::run_path() const {
  RunPath path;
  path.is_inherited = !dynamic_.run_path;
  const auto& offset = dynamic_.run_path ? dynamic_.run_path : dynamic_.inherited_run_path;
  if (!offset) return path;
  std::istringstream folders(dynamic_string(*offset));
  for (std::string folder; std::getline(folders, folder, ':');)
    if (!folder.empty()) path.folders.push_back(folder);
  return path;
}

std::optional<ElfFile::Symbol> ElfFile::exported(std::string_view name) const {
  if (dynamic_.symbols == 0 || dynamic_.string_table == 0) return std::nullopt;
  if (dynamic_.gnu_hash != 0) return find_by_gnu_hash(name);
  if (dynamic_.hash != 0) return find_by_sysv_hash(name);
  return std::nullopt;
}

std::optional<ElfFile::Symbol> ElfFile::symbol_if_named(std::uint32_t index,
                                                        std::string_view name) const {
  const auto symbol = object_at_address<Elf64_Sym>(
      dynamic_.symbols + std::uint64_t{index} * sizeof(Elf64_Sym), "the symbol table");
  if (symbol.st_shndx == SHN_UNDEF || dynamic_string(symbol.st_name) != name) return std::nullopt;
  return Symbol{symbol.st_value, symbol.st_size,
                static_cast<unsigned char>(ELF64_ST_TYPE(symbol.st_info))};
}

std::optional<ElfFile::Symbol> ElfFile::find_by_gnu_hash(std::string_view name) const {
  std::uint32_t hash = 5381;
  for (const char c : name) hash = hash * 33 + static_cast<unsigned char>(c);

  struct Head {
    std::uint32_t buckets, first_symbol, bloom_words, bloom_shift;
  };
  const auto head = object_at_address<Head>(dynamic_.gnu_hash, "the hash table");
  if (head.buckets == 0) return std::nullopt;
  const std::uint64_t buckets_at =
      dynamic_.gnu_hash + sizeof head + std::uint64_t{head.bloom_words} * 8;
  const std::uint64_t chains_at = buckets_at + std::uint64_t{head.buckets} * 4;
  auto symbol = object_at_address<std::uint32_t>(
      buckets_at + std::uint64_t{hash % head.buckets} * 4, "the hash table");
  if (symbol < head.first_symbol || symbol == 0) return std::nullopt;
  for (std::uint32_t steps = 0; steps < kMaxHashSteps; ++steps, ++symbol) {
    const auto entry = object_at_address<std::uint32_t>(
        chains_at + std::uint64_t{symbol - head.first_symbol} * 4, "the hash table");
    if ((entry | 1) == (hash | 1)) {
      if (auto found = symbol_if_named(symbol, name)) return found;
    }
    if ((entry & 1) != 0) break;
  }
  return std::nullopt;
}

std::optional<ElfFile::Symbol> ElfFile::find_by_sysv_hash(std::string_view name) const {
  std::uint32_t hash = 0;
  for (const char c : name) {
    hash = (hash << 4) + static_cast<unsigned char>(c);
    const std::uint32_t high = hash & 0xf0000000;
    hash ^= high >> 24;
    hash &= ~high;
  }
  const auto buckets = object_at_address<std::uint32_t>(dynamic_.hash, "the hash table");
  if (buckets == 0) return std::nullopt;
  const auto word_at = [&](std::uint64_t index) {
    return object_at_address<std::uint32_t>(dynamic_.hash + index * 4, "the hash table");
  };
  std::uint32_t symbol = word_at(2 + std::uint64_t{hash % buckets});
  for (std::uint32_t steps = 0; symbol != 0 && steps < kMaxHashSteps; ++steps) {
    if (auto found = symbol_if_named(symbol, name)) return found;
    symbol = word_at(2 + std::uint64_t{buckets} + symbol);
  }
  return std::nullopt;
}

// The names are searched first, which is quick: hardly any file has the one that is asked for.
bool ElfFile::defines(std::string_view name) const {
  if (exported(name)) return true;
  const auto places = places_of(std::string(name) + '\0', symbol_names_);
  if (places.empty()) return false;
  constexpr std::uint64_t kStep = kChunk / sizeof(Elf64_Sym) * sizeof(Elf64_Sym);
  for (std::uint64_t done = 0; done < symbols_.sh_size; done += kStep) {
    const std::string bytes =
        bytes_at(symbols_.sh_offset + done, std::min(kStep, symbols_.sh_size - done), "a symbol");
    for (std::size_t at = 0; at + sizeof(Elf64_Sym) <= bytes.size(); at += sizeof(Elf64_Sym)) {
      Elf64_Sym symbol;
      std::memcpy(&symbol, bytes.data() + at, sizeof symbol);
      if (symbol.st_shndx != SHN_UNDEF &&
          std::find(places.begin(), places.end(), symbol.st_name) != places.end())
        return true;
    }
  }
  return false;
}

std::vector<std::uint64_t> ElfFile::places_of(const std::string& bytes,
                                              const Elf64_Shdr& section) const {
  std::vector<std::uint64_t> places;
  for (std::uint64_t done = 0; done < section.sh_size; done += kChunk) {
    const std::uint64_t size =
        std::min<std::uint64_t>(kChunk + bytes.size() - 1, section.sh_size - done);
    const std::string chunk = bytes_at(section.sh_offset + done, size, "the names of symbols");
    for (std::size_t at = 0; (at = chunk.find(bytes, at)) != std::string::npos; ++at)
      places.push_back(done + at);
  }
  return places;
}

}  // namespace freshet::core
