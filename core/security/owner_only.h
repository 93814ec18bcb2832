// Files and folders that only their owner can enter: keys, cluster records, ipc sockets.
//
// Each is judged by what was opened, not by its path: type, owner (the effective user), and no
// right for group or others; a symbolic link at its place is refused. What is refused throws
// InvalidInput with path, both values and the mend.
//
// Threads    Any.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "freshet/api.h"
#include "security/keys.h"

namespace freshet::core {

// Makes the folder (0700) if it is missing; its parent exists. Throws InvalidInput.
FRESHET_API void make_owner_only_folder(const std::string& path);
// $XDG_RUNTIME_DIR/freshet if that variable names an owner-only folder, else /tmp/freshet-<uid>.
// Made and checked.
FRESHET_API std::string owner_only_runtime_folder();

// Which folder that is: the text differs where the same path leads to another one, as on another
// host or in another container, and where that can't be known.
FRESHET_API std::string identity_of_folder(const std::string& path);

// The whole file. Throws InvalidInput if it is missing, above the limit, or not owner-only.
FRESHET_API std::string read_owner_only_file(const std::string& path,
                                             std::size_t most_bytes = std::size_t{1} << 20);
// 0600, whole or not at all: what was there before is replaced, a link too and not what it leads
// to. Throws InvalidInput.
FRESHET_API void write_owner_only_file(const std::string& path, std::string_view bytes);

// A key pair in such a file. Throws InvalidInput if the two halves do not fit.
FRESHET_API KeyPair read_key_file(const std::string& path);
FRESHET_API void write_key_file(const std::string& path, const KeyPair& keys);

// "ipc://<folder>/<name>". Where that is longer than a socket's path may be (107 bytes), a name
// made of its hash in owner_only_runtime_folder(), or in /tmp/freshet-<uid> if that is too long,
// too. The same for the same arguments and environment. The folder of the socket is made and
// checked.
FRESHET_API std::string ipc_endpoint(const std::string& folder, const std::string& name);

}  // namespace freshet::core
