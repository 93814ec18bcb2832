// A file that is complete under a hidden name and gets its final one when the job commits: what a
// sink of files returns from prepare_commit().
//
//   PreparedFile prepare_commit() { return PreparedFile::of(hidden_, path_); }
//   std::string commit(const PreparedFile& file) { return file.commit(); }
//   void abort(const PreparedFile& file) { file.remove(); }
//
// Both names are on one file system, which every worker that may commit can reach.
//
// Durability  What of() returns and what commit() has named outlast a loss of power, as far as the
//             file system keeps what is forced to disk (fsync of the file and of its folder).
//             That costs 10 to 60 ms for a part of up to 8 MB on a busy virtual disk, most of it
//             in end_of_input() of write_text(), where other tasks go on.
#pragma once

#include <cstdint>
#include <string>

#include "freshet/api.h"

namespace freshet {

struct FRESHET_API PreparedFile {
  std::string hidden, visible;  // absolute
  // Which file it is, so that it is known under its final name.
  std::uint64_t inode, size;
  std::int64_t modified_ns;

  // Everything has been written to it and its folder is there. Forces it to disk, which blocks: a
  // large file is best forced in await() before. Relative names begin in the folder of this
  // process. Throws Error.
  static PreparedFile of(const std::string& hidden, const std::string& visible);
  // Gives it its final name, and returns that; nothing more if an earlier call has done so, in
  // whatever process. Never replaces another file: throws CommitRefused, as it does when the hidden
  // one is gone; Error for all that may pass.
  std::string commit() const;
  // Nothing if it has been committed.
  void remove() const;
};

}  // namespace freshet
